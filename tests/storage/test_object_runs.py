"""A run in a bucket is the run on a disk: the same objects, statuses and commands, through kills and refusals."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import wsi_area
from measuring import FLAT, SMALL_BATCH_PX, measure
from s3_server import Reply, Request, Server
from synthetic_shapes import disc
from synthetic_slides import SyntheticSlide, write_slide

import wsi_area as face
from wsi_area.model.geometry import Size
from wsi_area.results.class_map.slide_files import FINISHED_NAME
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place

CUT = ("tiling.tile_px=128", "tiling.skip_glass=false", "objects.max_hole_um2=2000")
LINE = [part for text in (*FLAT, *CUT, "run.executor=serial") for part in ("--set", text)] + ["--no-report"]
ON_A_DISK_ONLY = {".lock", FINISHED_NAME}
TOLD_APART = {"run.json", "seal.json", "report.html", "run.jsonl", "result.json", ".lock"}
"""What holds times, or digests of files that do; of result.json and seal.json all the rest is compared."""

pytestmark = pytest.mark.usefixtures("small_batches")  # of 2 × 2 tiles
CODE = f"""
from wsi_area.compute.cut import planning; planning.BATCH_LEVEL_PX_MIN = {SMALL_BATCH_PX}
from wsi_area.cli.main import main; main()
"""


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    """A noisy disc in nine batches; the holes that the noise tears are filtered away."""
    size = Size(700, 600)
    path = tmp_path_factory.mktemp("slides") / "s.tif"
    return write_slide(path, size, {"tissue": disc(size, 340, 300, 250)}, noise_sd=90.0)


@pytest.fixture(scope="module")
def on_disk(slide: SyntheticSlide, small_batches: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("disk") / "out"
    assert wsi_area("run", slide.path, "--out", out, *LINE).code == 0
    return out


def contents(root: Place) -> dict[str, bytes]:
    files = (entry for entry in root.rglob("*") if isinstance(entry, ObjectPath) or entry.is_file())
    return {str(entry).removeprefix(f"{root}/"): entry.read_bytes() for entry in files}


def assert_same(bucket: Place, disk: Path) -> None:
    """The same names, the same bytes; of what holds times the same but for them."""
    found, wanted = contents(bucket), contents(disk)
    assert set(found) == {name for name in wanted if Path(name).name not in ON_A_DISK_ONLY}
    for name, content in found.items():
        if Path(name).name not in TOLD_APART:
            assert content == wanted[name], name
        elif Path(name).name == "result.json":
            one, other = json.loads(content), json.loads(wanted[name])
            assert {**one, "timing": None} == {**other, "timing": None}
    assert measured(found["seal.json"]) == measured(wanted["seal.json"])
    assert json.loads(found["run.json"])["seal"] == json.loads(wanted["run.json"])["seal"]


def measured(seal: bytes) -> dict[str, Any]:
    """A seal without the digests of files that hold times; the names of those files stay."""
    document: dict[str, Any] = json.loads(seal)
    del document["later"]  # what was exported since is no part of the measurement
    files = {name: None if Path(name).name in TOLD_APART else digest for name, digest in document["files"].items()}
    return {**document, "files": files}


def test_a_run_in_a_bucket_is_the_run_on_a_disk_to_the_byte(
    slide: SyntheticSlide, on_disk: Path, place: ObjectPath
) -> None:
    ended = wsi_area("run", slide.path, "--out", place, *LINE, "--json")
    assert (ended.code, ended.document["out"]) == (0, str(place))
    assert_same(place, on_disk)
    assert wsi_area("verify", place).code == 0
    assert wsi_area("diff", place, on_disk).code == 0
    assert wsi_area("report", place).out.strip() == f"{place}/report.html"
    assert (place / "report.html").read_bytes().startswith(b"<!doctype html>")
    run, other = face.open_run(str(place)), face.open_run(on_disk)
    assert (run["s"].class_map() == other["s"].class_map()).all()
    assert (run["s"].ledger() == other["s"].ledger()).all()
    assert run.summary.equals(other.summary)


def test_an_estimate_in_a_bucket_is_that_on_a_disk(slide: SyntheticSlide, place: ObjectPath, tmp_path: Path) -> None:
    spots = ("--set", "estimate.spot_um=8", "--estimate", "20%", "--set", "objects.max_hole_um2=0")
    told = []
    for out in (place, tmp_path / "out"):
        (found,) = wsi_area("run", slide.path, "--out", out, *LINE, *spots, "--json").document["slides"]
        told.append({name: found[name] for name in ("status", "counts", "classes", "estimate")})
        assert wsi_area("verify", out).code == 0
    assert told[0] == told[1]
    assert told[0]["status"] == "estimated"


def test_exports_go_into_the_bucket_as_onto_a_disk(slide: SyntheticSlide, on_disk: Path, place: ObjectPath) -> None:
    wsi_area("run", slide.path, "--out", place, *LINE)
    for kind in ("geojson", "ome-zarr"):
        told = [wsi_area("export", where, "--format", kind, "--json").document for where in (place, on_disk)]
        sizes = [document["slides"][0]["size_bytes"] for document in told]
        assert sizes[0] == sizes[1] > 0
    exported = [name for name in contents(on_disk) if "labels.ome.zarr" in name or "regions.geojson" in name]
    found, wanted = contents(place), contents(on_disk)
    assert len(exported) > 4
    assert all(found[name] == wanted[name] for name in exported)
    for name in exported:
        (on_disk / name).unlink()


class KilledAt:
    """Kills a process as its n-th request of a kind comes in, which is answered by nobody."""

    def __init__(self, method: str, part: str, nth: int) -> None:
        self._wanted, self._left, self.process = (method, part), nth, None

    def __call__(self, request: Request) -> Reply:
        if request.method != self._wanted[0] or self._wanted[1] not in request.path or self._left == 0:
            return None
        self._left -= 1
        if self._left:
            return None
        while self.process is None:
            pass
        os.kill(self.process.pid, signal.SIGKILL)
        return "503 Service Unavailable", "Killed"


@pytest.mark.parametrize(
    ("part", "nth"),
    [
        ("/s/raw/ledger.zarr/counts/c/", 3),  # its class map is there, its rows are not
        ("/s/mask.ome.zarr/0/c/", 3),  # while the filtered stores are written
        ("/s/result.json", 1),
    ],
)
def test_a_killed_run_is_resumed_to_the_same_objects_and_nothing_is_measured_twice(
    slide: SyntheticSlide, on_disk: Path, place: ObjectPath, server: Server, part: str, nth: int
) -> None:
    server.gate = gate = KilledAt("PUT", part, nth)
    gate.process = subprocess.Popen(
        [sys.executable, "-c", CODE, "run", str(slide.path), "--out", str(place), *LINE],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert gate.process.wait(120) == -signal.SIGKILL
    rows = "/raw/ledger.zarr/counts/c/"
    committed = sum(rows in f"/{name}" for name in contents(place))
    assert b'"finished"' not in (place / "run.json").read_bytes()
    server.asked.clear()
    assert wsi_area("run", slide.path, "--out", place, *LINE).code == 0
    assert committed + len(server.puts(rows)) == sum(rows in f"/{name}" for name in contents(on_disk))
    assert_same(place, on_disk)
    assert wsi_area("verify", place).code == 0


def test_other_settings_are_refused_and_forced_ones_start_afresh(slide: SyntheticSlide, place: ObjectPath) -> None:
    assert measure(slide.path, place, *CUT).exit_code == 0
    other = ["--set", "tiling.tile_px=256", "--set", "objects.max_hole_um2=0"]
    refused = wsi_area("run", slide.path, "--out", place, *LINE, *other)
    assert refused.code == 1
    assert "tiling.tile_px was 128, is 256" in refused.err
    assert wsi_area("run", slide.path, "--out", place, *LINE, *other, "--force").code == 0
    assert not list((place / "slides" / "s" / "raw").rglob("*"))
    assert wsi_area("verify", place).code == 0


def test_a_busy_server_costs_time_and_nothing_else(
    slide: SyntheticSlide, on_disk: Path, place: ObjectPath, server: Server
) -> None:
    seen: set[str] = set()

    def every_first_try(request: Request) -> Reply:
        known = (name := f"{request.method} {request.path}") in seen or len(seen) >= 12
        seen.add(name)
        return None if known else ("503 Slow Down", "SlowDown")

    server.gate = every_first_try
    assert wsi_area("run", slide.path, "--out", place, *LINE).code == 0
    assert len(seen) >= 12
    assert_same(place, on_disk)


def refuses_writing(to: Callable[[str], bool]) -> Callable[[Request], Reply]:
    def gate(request: Request) -> Reply:
        writes = request.method in {"PUT", "POST", "DELETE"} and to(request.path)
        return ("403 Forbidden", "AccessDenied") if writes else None

    return gate


def test_a_bucket_that_may_only_be_read_is_refused_before_anything_is_measured(
    slide: SyntheticSlide, place: ObjectPath, server: Server
) -> None:
    server.gate = refuses_writing(lambda path: True)
    ended = wsi_area("run", slide.path, "--out", place, *LINE)
    assert ended.code == 1
    for part in (str(place), "403 Forbidden", "AccessDenied", "s3:PutObject"):
        assert part in ended.err
    assert not contents(place)


def test_rows_that_may_not_be_put_fail_their_slide_and_what_is_committed_is_kept(
    slide: SyntheticSlide, on_disk: Path, place: ObjectPath, server: Server
) -> None:
    server.gate = refuses_writing(lambda path: "ledger.zarr/counts/c/1" in path)
    ended = wsi_area("run", slide.path, "--out", place, *LINE, "--json")
    assert ended.code == 2
    (record,) = ended.document["slides"]
    assert record["status"] == "failed"
    for part in ("403 Forbidden", "s3:PutObject", "run the same command again"):
        assert part in record["reason"]
    server.gate = lambda request: None
    assert wsi_area("run", slide.path, "--out", place, *LINE).code == 0
    assert_same(place, on_disk)


def test_a_changed_byte_of_a_class_map_is_found_and_its_tile_named(slide: SyntheticSlide, place: ObjectPath) -> None:
    measure(slide.path, place, *CUT)
    shard = next((place / "slides/s/mask.ome.zarr/0/c").rglob("*"))
    content = bytearray(shard.read_bytes())
    content[40] ^= 0xFF
    shard.write_bytes(bytes(content))
    ended = wsi_area("verify", place)
    assert ended.code == 4
    assert "s, tile row" in ended.out


def test_shards_of_an_array_meet_in_a_bucket_and_merge_to_the_run_of_one_process(
    slide: SyntheticSlide, on_disk: Path, place: ObjectPath
) -> None:
    for shard in ("1/2", "2/2"):
        assert wsi_area("run", slide.path, "--out", place, *LINE, "--shard", shard).code == 0
    assert wsi_area("verify", place).code == 1  # not merged yet
    assert wsi_area("merge", place, "--no-report").code == 0
    found, wanted = contents(place), contents(on_disk)
    for name in ("summary.csv", "summary.parquet", "areas.parquet", "slides/s/ledger.zarr/counts/c/0/0/0"):
        assert found[name] == wanted[name]
    assert wsi_area("verify", place).code == 0


def test_processes_write_a_bucket_that_only_the_settings_name(
    slide: SyntheticSlide, on_disk: Path, place: ObjectPath, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    own = ["--set", f"storage.endpoint={server.endpoint}", "--set", "run.executor=processes", "--set", "run.workers=2"]
    assert wsi_area("run", slide.path, "--out", place, *LINE, *own).code == 0
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    assert wsi_area("diff", place, on_disk).code == 0
    assert wsi_area("verify", place).code == 0


def test_no_object_of_a_run_holds_a_secret_and_none_is_taken_in_settings(
    slide: SyntheticSlide, place: ObjectPath
) -> None:
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    measure(slide.path, place, *CUT)
    assert all(secret.encode() not in content for content in contents(place).values())
    ended = wsi_area("run", slide.path, "--out", place, "--set", f"storage.endpoint=http://x:{secret}@host:9000")
    assert ended.code == 1
    assert "AWS_SECRET_ACCESS_KEY" in ended.err


def test_commands_that_need_a_disk_say_so_instead_of_making_a_folder_called_s3(
    slide: SyntheticSlide, place: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = wsi_area("submit", slide.path, "--out", place, "--dry-run")
    assert ended.code == 1
    assert "a bucket cannot be used here" in ended.err
    assert not list(tmp_path.glob("s3*"))
