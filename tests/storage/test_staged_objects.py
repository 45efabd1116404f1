"""Slides in a bucket: found by name, copied whole as one version, measured as on a disk, and noticed when changed."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from command_line import wsi_area
from measuring import FLAT
from s3_server import Reply, Request, Server
from synthetic_shapes import disc
from synthetic_slides import SyntheticSlide, write_slide

from wsi_area.errors import ResultError, SettingsError, SlideOpenError
from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.copying import CopyRules
from wsi_area.inputs.stage_in import refuse_unreachable, staged
from wsi_area.model.geometry import Size
from wsi_area.results.layout import read_json
from wsi_area.settings.run_settings import RunSettings, load
from wsi_area.slides.header.companion_files import files_of
from wsi_area.storage.access import Access
from wsi_area.storage.object_path import ObjectPath

LINE = [part for text in (*FLAT, "run.executor=serial") for part in ("--set", text)]


def painted(path: Path, radius_px: int) -> SyntheticSlide:
    size = Size(500, 400)
    return write_slide(path, size, {"tissue": disc(size, 250, 200, radius_px)})


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    return painted(tmp_path_factory.mktemp("slides") / "s.tif", 150)


@pytest.fixture
def stored(slide: SyntheticSlide, bucket: str) -> ObjectPath:
    place = ObjectPath(bucket, "slides/s.tif")
    place.upload(slide.path)
    return place


@pytest.fixture
def rules(tmp_path: Path) -> CopyRules:
    return CopyRules(tmp_path / "scratch", retries=2, wait_s=0.0)


def keys(found: Sequence[Any]) -> list[str]:
    return [slide.path.rpartition("/slides/")[2] for slide in found]


def test_prefixes_globs_and_names_find_the_slides_of_a_bucket(bucket: str) -> None:
    slides = ObjectPath(bucket, "slides")
    names = ("b.svs", "a.ndpi", "notes.txt", "deep/c.tif", "deep/m.vms", "deep/m_0.jpg", "deep/.d/x.csv", "odd.bin")
    for name in names:
        (slides / name).write_bytes(b"x")

    def found(text: str, recursive: bool = False) -> list[str]:
        return keys(collect_slides([text], recursive=recursive, access=Access()))

    assert found(f"{slides}/") == found(str(slides)) == ["a.ndpi", "b.svs"]
    assert found(str(slides), recursive=True) == ["a.ndpi", "b.svs", "deep/c.tif", "deep/m.vms"]
    assert found(f"{slides}/*.svs") == ["b.svs"]
    assert found(f"s3://{bucket}/sl*/d?ep/*") == ["deep/c.tif", "deep/m.vms"]
    assert found(f"{slides}/odd.bin") == ["odd.bin"]  # by its own name, as on a disk
    both = collect_slides([f"{slides}/a.ndpi", str(slides)], access=Access())
    assert keys(both) == ["a.ndpi", "b.svs"]
    assert [slide.slide_id for slide in both] == ["a", "b"]
    for nothing in (f"{slides}/x.svs", f"{slides}/*.czi", f"{slides}/deep/.d"):
        with pytest.raises(SettingsError, match="no slides there"):
            found(nothing)


def test_what_cannot_be_listed_or_told_apart_is_refused_by_name(bucket: str) -> None:
    for number in range(3):
        ObjectPath(bucket, f"series/{number}.dcm").write_bytes(b"x")
    with pytest.raises(SettingsError, match="3 DICOM files"):
        collect_slides([f"s3://{bucket}/series"], access=Access())
    with pytest.raises(SettingsError, match="NoSuchBucket"):
        collect_slides(["s3://no-such-lab/slides"], access=Access())
    with pytest.raises(SettingsError, match="run and plan only"):
        collect_slides([f"s3://{bucket}/series/0.dcm"])


def test_a_slide_in_a_bucket_is_measured_as_on_a_disk_and_leaves_no_copy(
    slide: SyntheticSlide, stored: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))  # where a copy goes if nobody says
    (tmp_path / "scratch").mkdir()
    for path, out in ((stored, "bucket"), (slide.path, "disk")):
        assert wsi_area("run", path, "--out", tmp_path / out, *LINE).code == 0
    one, other = (read_json(tmp_path / out / "slides/s/result.json") for out in ("bucket", "disk"))
    assert one["path"] == str(stored)
    assert one["counts"] == other["counts"]
    assert one["tissue"]["area_mm2"] == pytest.approx(slide.area_mm2("tissue"), rel=0.01)
    assert not list((tmp_path / "scratch").iterdir())
    assert wsi_area("verify", tmp_path / "bucket").code == 0
    assert wsi_area("plan", stored, *LINE).code == 0


def test_from_bucket_to_bucket_goes_on_until_the_object_is_another(
    stored: ObjectPath, bucket: str, tmp_path: Path, server: Server
) -> None:
    out = ObjectPath(bucket, "out")
    line = ["run", stored, "--out", out, *LINE, "--set", f"run.stage_dir={tmp_path / 'scratch'}", "--json"]
    assert wsi_area(*line).code == 0
    server.asked.clear()
    assert wsi_area(*line).code == 0
    assert not server.puts("ledger.zarr/counts/c/")  # nothing was measured again
    stored.upload(painted(tmp_path / "other.tif", 120).path)
    changed = wsi_area(*line)
    assert changed.code == 2
    assert "made with another slide file" in changed.document["slides"][0]["reason"]
    assert wsi_area(*line, "--force").code == 0
    assert not list((tmp_path / "scratch").iterdir())


def test_a_copy_is_of_one_version_though_the_object_changes_meanwhile(
    stored: ObjectPath, rules: CopyRules, server: Server, tmp_path: Path
) -> None:
    newer = painted(tmp_path / "newer.tif", 100).path

    def replace_before_it_is_read(request: Request) -> Reply:
        if request.method == "GET" and request.path.endswith("s.tif"):
            server.gate = lambda request: None
            stored.upload(newer)
        return None

    server.gate = replace_before_it_is_read
    with staged(str(stored), rules) as copy:
        assert Path(copy).read_bytes() == newer.read_bytes()
        assert Path(copy).stat().st_mtime_ns == stored.stat().st_mtime_ns


def test_a_copy_that_fails_is_made_again_after_a_wait_and_given_up_by_name(
    stored: ObjectPath, slide: SyntheticSlide, rules: CopyRules, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, waits = 2, []
    monkeypatch.setattr(time, "sleep", waits.append)

    def forbidden(request: Request) -> Reply:
        nonlocal left
        left -= request.method == "GET" and request.path.endswith("s.tif")
        refused = left >= 0 and request.method == "GET" and request.path.endswith("s.tif")
        return ("403 Forbidden", "AccessDenied") if refused else None

    stored.exists()
    server.gate = forbidden
    patient = CopyRules(rules.stage_dir, retries=2, wait_s=1.5)
    with staged(str(stored), patient) as copy:
        assert Path(copy).read_bytes() == slide.path.read_bytes()
    assert [wait for wait in waits if wait >= 1.5] == [1.5, 3.0]
    left = 99
    with pytest.raises(SlideOpenError, match=r"3 tries .*403 Forbidden, AccessDenied"), staged(str(stored), patient):
        pass
    assert not list(rules.stage_dir.iterdir())


def test_a_slide_that_does_not_fit_is_refused_with_the_numbers_before_it_is_copied(
    stored: ObjectPath, rules: CopyRules, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=5 << 20))
    stored.exists()
    server.asked.clear()
    with pytest.raises(ResultError, match=r"MiB in 1 files .* 5\.0 MiB are free"), staged(str(stored), rules):
        pass
    assert all(request.method == "HEAD" for request in server.asked)


def test_the_files_of_a_slide_come_along_and_no_key_leaves_the_scratch_folder(
    bucket: str, rules: CopyRules, tmp_path: Path, client: Any
) -> None:
    for name in ("m.mrxs", "m/Slidedat.ini", "m/Data0000.dat", "other.mrxs", "d/1.dcm", "d/2.dcm", "d/notes.txt"):
        ObjectPath(bucket, f"x/{name}").write_bytes(name.encode())
    with staged(f"s3://{bucket}/x/m.mrxs", rules) as copy:
        beside = Path(copy).parent
        found = {p.relative_to(beside).as_posix(): p.read_bytes() for p in beside.rglob("*") if p.is_file()}
        assert found == {n: n.encode() for n in ("m.mrxs", "m/Slidedat.ini", "m/Data0000.dat")}
    assert [part.name for part in files_of(ObjectPath(bucket, "x/d/2.dcm"))] == ["2.dcm", "1.dcm"]
    for evil in ("x/m/../../../evil.dat", "x/m//evil.dat"):
        client.put_object(Bucket=bucket, Key=evil, Body=b"evil")
        with pytest.raises((SlideOpenError, OSError)), staged(f"s3://{bucket}/x/m.mrxs", rules):
            pass
        client.delete_object(Bucket=bucket, Key=evil)
    assert not list(tmp_path.rglob("evil.dat"))


def test_workers_elsewhere_cannot_be_given_a_copy(stored: ObjectPath, tmp_path: Path) -> None:
    far = load(None, ["run.scheduler=tcp://127.0.0.1:1"])
    with pytest.raises(SettingsError, match="use a job array"):
        refuse_unreachable([str(stored)], far)
    refuse_unreachable([str(tmp_path / "s.tif")], far)
    refuse_unreachable([str(stored)], RunSettings())


def test_a_manifest_vouches_for_the_pixel_size_of_an_object(stored: ObjectPath, tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"path,mpp_x,mpp_reason,slide_id\n{stored},0.75,measured with a graticule,case7\n")
    (found,) = collect_slides([], manifest=manifest, access=Access())
    assert (found.path, found.slide_id) == (str(stored), "case7")
    assert found.override is not None
    assert found.override.mpp.x == 0.75
