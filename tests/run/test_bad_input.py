"""What goes wrong is named, nothing that was right is lost, and every planned slide has one final row."""

import csv
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wsi_area
from crash_bench import COMMIT
from crash_children import Fault, struck_program
from measuring import FLAT, class_maps_of, counts_of, measure
from synthetic import (
    PAINT_RGB,
    SyntheticSlide,
    box,
    disc,
    nothing,
    write_empty_file,
    write_slide,
    write_slide_with_garbage_tile,
    write_text_slide,
    write_truncated_slide,
)

from wsi_area.errors import SettingsError, TileReadError
from wsi_area.model.classes import UNREADABLE_CODE, UNSCANNED_CODE, ClassScheme
from wsi_area.model.geometry import Size
from wsi_area.model.ledger import TileStatus
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels
from wsi_area.results.opened_run import open_run
from wsi_area.run.events import BatchDone, Event
from wsi_area.segmenters import registry
from wsi_area.segmenters.colour.tissue import TISSUE_SCHEME
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader

SMALL = Size(600, 500)
CUT = ("tiling.tile_px=256", "run.executor=serial", "tiling.skip_glass=false")


def good_slide(path: Path) -> SyntheticSlide:
    return write_slide(path, SMALL, {"tissue": disc(SMALL, 300, 250, 100)})


def rows(out: Path, table: str = "summary") -> dict[str, dict[str, str]]:
    """The rows of a table by slide, as text; a slide with two rows is an error."""
    with (out / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    found = {r["slide_id"]: r for r in listed}
    assert len(found) == len(listed)
    return found


def files_of(root: Path) -> dict[str, bytes]:
    """Every file below, but what a killed process was just writing beside its place."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and not p.name.endswith(".partial")
    }


# --- files that are no slides, or broken ones


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good slides among five bad ones, measured in one run; returns the run directory."""
    folder = tmp_path_factory.mktemp("batch")
    slides = [
        good_slide(folder / "first.tif").path,
        write_text_slide(folder / "text.svs"),
        write_empty_file(folder / "empty.svs"),
        write_truncated_slide(folder / "cut_header.svs", opens=False),
        write_truncated_slide(folder / "cut_pixels.svs", opens=True),
        write_slide_with_garbage_tile(folder / "garbage.svs").path,
        good_slide(folder / "last.tif").path,
    ]
    outcome = measure(slides, folder / "out", "tiling.tile_px=256")
    assert outcome.exit_code == 2
    return folder / "out"


def test_every_slide_of_a_mixed_batch_has_one_row_and_the_good_ones_are_complete(batch: Path) -> None:
    found = rows(batch)
    order = ["first", "text", "empty", "cut_header", "cut_pixels", "garbage", "last"]
    assert list(found) == order
    statuses = {name: r["status"] for name, r in found.items()}
    assert list(rows(batch, "failed")) == [name for name in order if statuses[name] != "complete"]
    # OpenSlide refuses it; its first picture may still be taken for a plain image, of which nothing can be decoded
    assert statuses.pop("cut_header") in {"failed", "incomplete"}
    assert statuses == {
        "first": "complete", "text": "failed", "empty": "failed", "cut_pixels": "incomplete",
        "garbage": "incomplete", "last": "complete",
    }  # fmt: skip
    for name in ("first", "last"):
        assert float(found[name]["tissue_area_mm2"]) == pytest.approx(31_428 * 0.0625e-6)
    about = open_run(batch).run_record.model_dump(mode="json")
    assert (sum(about["statuses"].values()), about["statuses"]["complete"]) == (7, 2)
    assert (about["exit_code"], about["not_reached"]) == (2, 0)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("text", ("text.svs", "This is a note", "copy the slide again")),
        ("empty", ("empty.svs", "0 bytes", "copy or export it again")),
    ],
)
def test_a_file_that_is_no_slide_is_named_with_what_is_wrong_and_what_to_do(
    batch: Path, name: str, says: tuple[str, ...]
) -> None:
    row = rows(batch)[name]
    assert all(part in row["reason"] for part in says)
    # unknown is empty, never 0
    assert {value for key, value in row.items() if key.endswith("_mm2") or key.startswith("n_px")} == {""}


def test_a_garbage_tile_is_counted_beside_the_total_and_named(batch: Path) -> None:
    record = open_run(batch)["garbage"].result.model_dump(mode="json")
    tile_px, all_px = 256 * 256, 1280 * 1280
    assert record["counts"]["n_px_by_class"] == [0, all_px - tile_px]
    assert record["unreadable"] == {"n_px": tile_px, "area_mm2": pytest.approx(tile_px * 0.0625e-6)}
    assert record["tissue"]["area_mm2"] == pytest.approx((all_px - tile_px) * 0.0625e-6)
    assert record["counts"]["n_px_accounted"] == record["counts"]["n_px_total"] == all_px
    (error,) = record["tile_errors"]
    assert (error["row"], error["col"]) == (2, 2)
    assert "'garbage'" in error["message"]
    assert "row 2 column 2" in error["message"]
    (finding,) = [f for f in record["findings"] if f["code"] == "TILE_UNREADABLE"]
    assert finding["measured"] == tile_px
    row = rows(batch)["garbage"]
    assert float(row["unread_area_mm2"]) == pytest.approx(tile_px * 0.0625e-6)
    lost = open_run(batch)["garbage"].class_map() == UNREADABLE_CODE
    assert lost.sum() == tile_px
    assert lost[512:768, 512:768].all()


def test_a_truncated_slide_counts_what_is_there_and_accounts_for_the_rest(batch: Path) -> None:
    counts = open_run(batch)["cut_pixels"].counted.counts
    assert counts.n_px_accounted == counts.n_px_total == 1536 * 1536
    assert sum(counts.n_px_by_class) / counts.n_px_total == pytest.approx(0.6, abs=0.03)
    assert counts.n_px_unreadable == counts.n_px_total - sum(counts.n_px_by_class)
    assert rows(batch)["cut_header"]["tissue_area_mm2"] in {"", "0.0"}  # and none of what cannot be decoded


@pytest.mark.parametrize("lane", ["openslide", "auto"])
@pytest.mark.parametrize("compression", ["jpeg2000", "deflate", "none"])
def test_one_garbage_tile_costs_one_tile_in_either_lane(tmp_path: Path, lane: str, compression: Any) -> None:
    slide = write_slide_with_garbage_tile(tmp_path / "a.svs", compression=compression)
    outcome = measure(slide.path, tmp_path / "out", "tiling.tile_px=256", f"reader.lane={lane}")
    assert outcome.exit_code == 2
    assert counts_of(outcome) == [(0, 24 * 256 * 256, 0, 0, 256 * 256)]


def test_a_slide_that_could_be_read_the_second_time_is_whole_and_so_is_its_class_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = write_slide(tmp_path / "glass.tif", Size(1280, 1280), {"tissue": nothing(Size(1280, 1280))})
    every_tile = (*CUT, "tiling.skip_glass=false", "reader.lane=openslide")
    read = OpenSlideReader.decoded_tiles

    def network_hiccup(reader: OpenSlideReader, level: int, region: Any) -> Any:
        if (region.x_px, region.y_px) == (256, 512):
            raise TileReadError("the network went away")
        return read(reader, level, region)

    with monkeypatch.context() as patched:
        patched.setattr(OpenSlideReader, "decoded_tiles", network_hiccup)
        first = measure(slide.path, tmp_path / "out", *every_tile)
    assert counts_of(first) == [(1280**2 - 256**2, 0, 0, 0, 256**2)]
    assert "the network went away" in first.documents[0]["tile_errors"][0]["message"]
    events: list[Event] = []
    second = measure(slide.path, tmp_path / "out", *every_tile, listener=events.append)
    assert (second.exit_code, counts_of(second)) == (0, [(1280**2, 0, 0, 0, 0)])
    assert len([e for e in events if isinstance(e, BatchDone)]) == 1  # nothing else is read again
    assert not class_maps_of(tmp_path / "out")["glass"].any()


def test_a_slide_that_disappears_after_it_was_listed_takes_no_other_with_it(tmp_path: Path) -> None:
    kept, gone = good_slide(tmp_path / "kept.tif"), good_slide(tmp_path / "gone.tif")
    out = tmp_path / "out"

    def remove(event: Event) -> None:
        gone.path.unlink(missing_ok=True)

    outcome = measure([kept.path, gone.path], out, *CUT, "run.slides_in_flight=1", listener=remove)
    assert {r["slide_id"]: r["status"] for r in outcome.documents} == {"kept": "complete", "gone": "failed"}
    assert "gone.tif" in rows(out)["gone"]["reason"]


# --- settings and folders: refused before anything is started


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = wsi_area("run", tmp_path / "empty", "--out", tmp_path / "out")
    assert ended.code == 1
    assert f"{tmp_path / 'empty'}: no slides in this folder" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[tiling]\nworkmpp = 1.0\n", "did you mean tiling.work_mpp?"),
        ("[tiling]\nwork_mpp = -1\n", "tiling.work_mpp = -1"),
        ("[segmenter]\nname = 'tissu'\n", "did you mean 'tissue'?"),
        ("[segmenter]\nname = 'tissue'\ntreshold = 40\n", "did you mean 'threshold'?"),
        ("[tiling\n", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file_and_nothing_is_started(tmp_path: Path, toml: str, says: str) -> None:
    slide = good_slide(tmp_path / "a.tif")
    config = tmp_path / "mine.toml"
    config.write_text(toml)
    ended = wsi_area("run", slide.path, "--config", config, "--out", tmp_path / "out")
    assert ended.code == 1
    assert says in ended.err
    assert not (tmp_path / "out").exists()
    with pytest.raises(SettingsError):
        measure(slide.path, tmp_path / "out", "tiling.workmpp=1")


@pytest.mark.parametrize("out", ["in_the_way", "in_the_way/deeper/out"])
def test_a_file_where_the_output_should_go_is_named_and_left_alone(tmp_path: Path, out: str) -> None:
    slide = good_slide(tmp_path / "a.tif")
    (tmp_path / "in_the_way").write_text("somebody's notes")
    ended = wsi_area("run", slide.path, "--out", tmp_path / out)
    assert ended.code in {1, 2}
    assert "in_the_way" in ended.err
    assert "Traceback" not in ended.err
    assert (tmp_path / "in_the_way").read_text() == "somebody's notes"


# --- a disk that is full


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Have the system refuse to let any file grow beyond a size, as a quota does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noisy_slide(path: Path) -> SyntheticSlide:
    """A slide whose class map hardly compresses, in four batches."""
    size = Size(2400, 2300)
    return write_slide(path, size, {"tissue": disc(size, 1200, 1150, 1000)}, noise_sd=120.0)


def test_a_class_map_that_cannot_be_written_fails_its_slide_and_no_other(tmp_path: Path) -> None:
    large, small = noisy_slide(tmp_path / "large.tif"), good_slide(tmp_path / "small.tif")
    measure(small.path, tmp_path / "warm_up")  # whatever is compiled is on disk before
    out = tmp_path / "out"
    with largest_file(60_000):
        outcome = measure([large.path, small.path], out, *CUT)
    assert outcome.exit_code == 2
    found = rows(out)
    assert {name: r["status"] for name, r in found.items()} == {"large": "failed", "small": "complete"}
    for part in ("large", "cannot be written", "free some space", "run the same command again"):
        assert part in found["large"]["reason"]
    resumed = measure([large.path, small.path], out, *CUT)
    assert resumed.exit_code == 0
    measure([large.path, small.path], tmp_path / "undisturbed", *CUT)
    for name in ("large", "small"):
        for store in ("ledger.zarr", "mask.ome.zarr"):
            place = Path("slides", name, store)
            assert files_of(out / place) == files_of(tmp_path / "undisturbed" / place)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 500 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(place)]
    try:
        made = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_and_after_space_is_freed_the_run_goes_on(tmp_path: Path, tiny_disk: Path) -> None:
    large, small = noisy_slide(tmp_path / "large.tif"), good_slide(tmp_path / "small.tif")
    config = tmp_path / "flat.toml"
    config.write_text("[segmenter]\nname = 'tissue'\nbackground = 'bright'\nthreshold = 60\n")
    arguments = ("run", small.path, large.path, "--config", config, "--set", "tiling.tile_px=256")
    out = tiny_disk / "out"
    ended = wsi_area(*arguments, "--out", out)
    assert ended.code == 2
    assert re.search(r"No space left on device|MiB are needed .* MiB are free", ended.out + ended.err)
    assert "run the same command again" in ended.out + ended.err
    assert "Traceback" not in ended.err
    assert open_run(out)["small"].status == "complete"  # what was good is kept
    subprocess.run(["mount", "-o", "remount,size=20m", str(tiny_disk)], check=True)
    again = wsi_area(*arguments, "--out", out, "--json")
    assert again.code == 0
    assert wsi_area(*arguments, "--out", tmp_path / "undisturbed").code == 0
    for name, slide in (("small", small), ("large", large)):
        assert rows(out)[name]["n_px_tissue"] == rows(tmp_path / "undisturbed")[name]["n_px_tissue"]
        assert files_of(out / "slides" / name / "mask.ome.zarr") == files_of(
            tmp_path / "undisturbed" / "slides" / name / "mask.ome.zarr"
        )
        assert int(rows(out)[name]["n_px_total"]) == slide.size_px.area_px


# --- a segmenter that fails


class Touchy:
    """A segmenter that is somebody else's: it cannot bear DAB."""

    scheme: ClassScheme = TISSUE_SCHEME
    context_um, work_mpp, signal = 0.0, None, None
    facts: dict[str, object] = {}  # noqa: RUF012

    def fit(self, overview: Overview) -> "Touchy":
        return self

    def class_map(self, pixels: TilePixels) -> ClassMap:
        if (pixels.rgb == PAINT_RGB["dab"]).all(axis=2).any():
            raise ZeroDivisionError("division by zero")
        return np.where(pixels.valid, np.uint8(pixels.rgb[..., 1] < 200), np.uint8(UNSCANNED_CODE))

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        return np.ones(overview.valid.shape, bool)


class Installed:
    """What an entry point looks like to the registry."""

    value, module, dist = "somewhere:Touchy", "somewhere", None

    def __init__(self, factory: Any) -> None:
        self.load = lambda: factory


def test_a_segmenter_that_raises_loses_its_tile_and_is_named_with_slide_and_tile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_installed", lambda: {"touchy": Installed(Touchy)})
    size = Size(1000, 700)
    shapes = {"tissue": box(size, 0, 0, 200, 200), "dab": box(size, 600, 300, 10, 10)}
    slide = write_slide(tmp_path / "s.tif", size, shapes)
    config = tmp_path / "touchy.toml"
    config.write_text("[segmenter]\nname = 'touchy'\n[tiling]\ntile_px = 256\n")
    ended = wsi_area("run", slide.path, "--config", config, "--out", tmp_path / "out", "--json")
    assert ended.code == 2
    (record,) = ended.document["slides"]
    assert record["status"] == "incomplete"
    assert record["counts"]["n_px_by_class"] == [1000 * 700 - 256**2 - 200**2, 200**2]
    assert record["counts"]["n_px_unreadable"] == 256**2
    (error,) = record["tile_errors"]
    assert (error["row"], error["col"]) == (1, 2)
    for part in ("s, tile row 1 col 2", "ZeroDivisionError", "division by zero"):
        assert part in error["message"]


def test_a_segmenter_that_cannot_be_fitted_fails_its_slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unfit(Touchy):
        def fit(self, overview: Overview) -> "Touchy":
            raise RuntimeError("the model file is missing")

    monkeypatch.setattr(registry, "_installed", lambda: {"tissue": Installed(lambda **settings: Unfit())})
    outcome = measure(good_slide(tmp_path / "s.tif").path, tmp_path / "out")
    assert outcome.exit_code == 2
    assert rows(tmp_path / "out")["s"]["status"] == "failed"
    assert "the model file is missing" in rows(tmp_path / "out")["s"]["reason"]


@pytest.mark.parametrize(
    "facts", [{"model": Path("m.pt")}, {"mean": np.int64(3)}, {"mean": float("nan")}, {"by": {1j: 2}}]
)
def test_a_segmenter_whose_facts_have_no_form_in_json_fails_its_slide_before_a_tile_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, object]
) -> None:
    class Odd(Touchy):
        def class_map(self, pixels: TilePixels) -> ClassMap:
            raise AssertionError("a tile was read")

    monkeypatch.setattr(Odd, "facts", facts)
    monkeypatch.setattr(registry, "_installed", lambda: {"tissue": Installed(lambda **settings: Odd())})
    outcome = measure(good_slide(tmp_path / "s.tif").path, tmp_path / "out")
    assert outcome.exit_code == 2
    assert rows(tmp_path / "out")["s"]["status"] == "failed"
    assert "have no form in JSON" in rows(tmp_path / "out")["s"]["reason"]


# --- a process that is stopped


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    """A slide of 20 batches, some of them bare glass."""
    size = Size(8300, 6300)
    path = tmp_path_factory.mktemp("large") / "s.tif"
    return write_slide(path, size, {"tissue": disc(size, 3100, 3300, 2990)})


ASSIGNMENTS = (*FLAT, "tiling.tile_px=256", "tiling.skip_margin_um=10", "run.executor=serial")
LINE = [part for text in ASSIGNMENTS for part in ("--set", text)]


@pytest.fixture(scope="module")
def undisturbed(large: SyntheticSlide, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert wsi_area("run", large.path, "--out", out, *LINE).code == 0
    return out


def started(slide: Path, out: Path, fault: Fault | None = None) -> subprocess.Popen[str]:
    """Start the command in a process of its own; something may befall it."""
    program = struck_program(fault or Fault())
    command = [sys.executable, "-c", program, "run", str(slide), "--out", str(out), *LINE]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_batches(process: subprocess.Popen[str], out: Path, count: int) -> None:
    """Return once that many batches are committed, or the process has ended."""
    ledger = out / "slides/s/ledger.zarr/counts/c"
    while process.poll() is None and len(list(ledger.glob("*/*/0"))) < count:
        time.sleep(0.001)


@pytest.mark.parametrize("batches", random.Random(20).sample(range(18), 5))
def test_a_killed_process_leaves_a_run_that_ends_the_same_to_the_byte(
    large: SyntheticSlide, undisturbed: Path, tmp_path: Path, batches: int
) -> None:
    out = tmp_path / "out"
    process = started(large.path, out)
    wait_for_batches(process, out, batches)
    time.sleep(random.Random(batches).random() * 0.02)  # somewhere within a batch
    process.kill()
    process.communicate()
    assert process.returncode in {-signal.SIGKILL, 0}  # 0: it was faster
    assert wsi_area("run", large.path, "--out", out, *LINE).code == 0
    slide = Path("slides/s")
    for store in ("ledger.zarr", "mask.ome.zarr"):
        assert files_of(out / slide / store) == files_of(undisturbed / slide / store)
    assert open_run(out)["s"].counted.counts == open_run(undisturbed)["s"].counted.counts


def test_killed_before_the_skipped_glass_was_committed_it_goes_on_all_the_same(
    large: SyntheticSlide, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert wsi_area("run", large.path, "--out", out, *LINE).code == 0
    slide = open_run(out)["s"]
    k, status = slide.counted.work.batch_tiles, slide.ledger()[..., slide.ledger_columns.index("status")]
    corners = [(row, col) for row in range(0, status.shape[0], k) for col in range(0, status.shape[1], k)]
    glass = [(r, c) for r, c in corners if (status[r : r + k, c : c + k] == TileStatus.SKIPPED).all()]
    assert glass  # batches of which no tile is read, and for which there is no task
    (out / "slides/s/result.json").unlink()
    for row, col in (glass[-1], (k, k)):
        (out / f"slides/s/ledger.zarr/counts/c/{row // k}/{col // k}/0").unlink()
    assert wsi_area("run", large.path, "--out", out, *LINE).code == 0
    assert files_of(out / "slides/s/ledger.zarr") == files_of(undisturbed / "slides/s/ledger.zarr")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_torn_shard_of_an_uncommitted_batch_is_written_again(
    large: SyntheticSlide, undisturbed: Path, tmp_path: Path, share: float
) -> None:
    out = tmp_path / "out"
    assert wsi_area("run", large.path, "--out", out, *LINE).code == 0
    slide = out / "slides/s"
    (slide / "result.json").unlink()
    for batch in ("1/1", "3/1"):  # the second lies on the lower edge and is no full square
        shard = slide / "mask.ome.zarr/0/c" / batch
        whole = shard.read_bytes()
        shard.write_bytes(whole[: int(share * len(whole))])
        (slide / f"ledger.zarr/counts/c/{batch}/0").unlink()
    assert wsi_area("run", large.path, "--out", out, *LINE).code == 0
    assert files_of(slide / "mask.ome.zarr") == files_of(undisturbed / "slides/s/mask.ome.zarr")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_terminated_process_says_130_and_the_same_command_goes_on(
    large: SyntheticSlide, undisturbed: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    process = started(large.path, out, Fault(COMMIT, "after", 3, name))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert "Traceback" not in err
    assert rows(out)["s"]["status"] == "failed"
    assert "interrupted" in rows(out)["s"]["reason"]
    assert wsi_area("run", large.path, "--out", out, *LINE).code == 0
    assert files_of(out / "slides/s/ledger.zarr") == files_of(undisturbed / "slides/s/ledger.zarr")


def test_the_undisturbed_run_found_the_painted_disc(large: SyntheticSlide, undisturbed: Path) -> None:
    record = open_run(undisturbed)["s"].result.model_dump(mode="json")
    assert record["tissue"]["n_px"] == large.truth.px["tissue"]
    assert record["work"]["tiles_skipped"] > 0


def test_files_under_another_name_are_never_touched(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    (out / "slides").mkdir()
    (out / "slides" / "elsewhere.json").write_text("mine too")
    assert measure(good_slide(tmp_path / "s.tif").path, out).exit_code == 0
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "slides" / "elsewhere.json").read_text() == "mine too"
