"""Whatever lies where slides are looked for is taken, fails, or is named as left out."""

import json
import os
import shutil
import socket
from pathlib import Path

import pytest
from synthetic import disc, write_slide

from wsi_area.errors import SettingsError, SlideOpenError
from wsi_area.inputs.collect import CollectedSlides, collect_slides
from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.documents import read_run
from wsi_area.results.layout import RunLayout
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load
from wsi_area.slides import inspect

SMALL = Size(320, 256)
FLAT = ["segmenter.background=bright", "segmenter.threshold=60", "run.executor=serial"]


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return write_slide(tmp_path / "good.tif", SMALL, {"tissue": disc(SMALL, 160, 128, 60)}).path


@pytest.fixture
def folder(tmp_path: Path, slide: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    shutil.move(slide, made / "a.tif")
    return made


def named(slides: CollectedSlides) -> list[str]:
    return [os.path.basename(slide.path) for slide in slides]


def left(slides: CollectedSlides) -> dict[str, str]:
    return {os.path.basename(path): entry.why for entry in slides.left_out for path in entry.paths}


@pytest.mark.parametrize("name", ["x.isyntax", "x.VSI", "x.sdpc", "x.kfb", "x.qptiff", "x.nd2", "x.jp2", "x.bmp"])
def test_a_format_that_is_known_and_not_read_is_named_with_what_to_do(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"no header that anybody knows")
    slides = collect_slides([folder])
    assert named(slides) == ["a.tif"]
    assert "not read" in left(slides)[name]
    assert slides.left_out[0].count == 1
    with pytest.raises(SettingsError, match="left out: 1"):
        collect_slides([f"{folder}/x.*"])
    with pytest.raises(SlideOpenError, match="not read"):  # and where it is named by itself, it fails by its format
        inspect(folder / name)


def test_first_bytes_decide_and_a_suffix_only_makes_a_file_expected(folder: Path) -> None:
    for name in ("no_suffix", "odd.bin", "scan.qptiff", "copy.tif.bak"):
        shutil.copy(folder / "a.tif", folder / name)
    (folder / "text.svs").write_text("not a slide")
    (folder / "notes.bin").write_text("not a slide")
    (folder / "phil.xyz").write_bytes(b'<?xml version="1.0"?><DataObject ObjectType="DPUfsImport">')
    shutil.copy(folder / "a.tif", folder / "b.tif.part")
    slides = collect_slides([folder])
    assert named(slides) == ["a.tif", "copy.tif.bak", "no_suffix", "odd.bin", "scan.qptiff", "text.svs"]
    assert set(left(slides)) == {"phil.xyz", "b.tif.part"}


def test_an_overview_is_never_taken_for_the_slide_that_lies_elsewhere(folder: Path) -> None:
    shutil.copy(folder / "a.tif", folder / "s.vsi")
    assert "VSI" in left(collect_slides([folder]))["s.vsi"]
    with pytest.raises(SlideOpenError, match="VSI"):
        inspect(folder / "s.vsi")


def test_folder_glob_list_and_manifest_agree_on_what_is_there(folder: Path) -> None:
    (folder / "gone.svs").symlink_to("nowhere.svs")
    (folder / "text.svs").write_text("no slide")
    (folder / "list.txt").write_text("a.tif\ngone.svs\ntext.svs\n")
    (folder / "m.csv").write_text("path\na.tif\ngone.svs\ntext.svs\n")
    ways = [
        collect_slides([folder]), collect_slides([f"{folder}/*"]), collect_slides([f"@{folder}/list.txt"]),
        collect_slides([], manifest=folder / "m.csv"),
    ]  # fmt: skip
    assert [named(way) for way in ways] == [["a.tif", "gone.svs", "text.svs"]] * 4
    assert not any(way.left_out for way in ways)


def test_what_is_not_there_is_one_failed_row_and_the_others_are_measured(folder: Path, tmp_path: Path) -> None:
    (folder / "dead.svs").symlink_to("../objects/not-fetched.svs")
    slides = collect_slides([folder, str(folder / "absent.tif")])
    outcome = run_slides(slides, load(None, FLAT), tmp_path / "out")
    assert outcome.exit_code == 2
    ended = {s.slide_id: s for s in outcome.slides}
    assert {name: s.status for name, s in ended.items()} == {"a": "complete", "dead": "failed", "absent": "failed"}
    assert "link to ../objects/not-fetched.svs" in ended["dead"].reason
    assert "no such file" in ended["absent"].reason


def test_where_nothing_of_what_was_named_is_there_nothing_is_begun(folder: Path) -> None:
    (folder / "b.tif").symlink_to("gone.tif")
    for names in (["b.tif"], ["b.tif", "c.tif", "d.tif"]):
        with pytest.raises(SettingsError, match=r"not there|none of the 3 files"):
            collect_slides([str(folder / name) for name in names])


def test_a_growing_manifest_is_measured_also_when_an_older_slide_was_archived(folder: Path, tmp_path: Path) -> None:
    for name in ("b", "c"):
        shutil.copy(folder / "a.tif", folder / f"{name}.tif")
    manifest, settings = folder / "m.csv", load(None, FLAT)
    manifest.write_text("path\na.tif\nb.tif\n")
    assert run_slides(collect_slides([], manifest=manifest), settings, tmp_path / "out").exit_code == 0
    (folder / "b.tif").unlink()
    manifest.write_text("path\na.tif\nb.tif\nc.tif\n")
    outcome = run_slides(collect_slides([], manifest=manifest), settings, tmp_path / "out")
    assert [s.status for s in outcome.slides] == ["complete", "failed", "complete"]
    assert "its earlier result is kept" in outcome.slides[1].reason


def test_two_rows_that_are_links_to_one_file_are_two_rows_each_with_its_own(folder: Path, tmp_path: Path) -> None:
    (folder / "link.tif").symlink_to("a.tif")
    (folder / "m.csv").write_text("path,slide_id,mpp_x,mpp_reason\na.tif,reader1,0.5,log\nlink.tif,reader2,0.25,log\n")
    slides = collect_slides([], manifest=folder / "m.csv")
    assert [(s.slide_id, s.override.mpp.x) for s in slides if s.override] == [("reader1", 0.5), ("reader2", 0.25)]
    outcome = run_slides(slides, load(None, FLAT), tmp_path / "out")
    one, two = (s for s in outcome.slides if isinstance(s, CountedSlide))
    assert one.tissue.area_mm2 == pytest.approx(4 * (two.tissue.area_mm2 or 0))
    assert all("SLIDE_TWICE" in {f.code for f in slide.findings} for slide in (one, two))


def test_a_row_is_found_through_a_link_unless_two_rows_could_be_meant(folder: Path) -> None:
    (folder / "link.tif").symlink_to("a.tif")
    (folder / "m.csv").write_text("path,slide_id\nlink.tif,one\n")
    assert [s.slide_id for s in collect_slides([folder / "a.tif"], manifest=folder / "m.csv")] == ["one"]
    (folder / "other.tif").symlink_to("a.tif")
    (folder / "m.csv").write_text("path,slide_id\nlink.tif,one\nother.tif,two\n")
    with pytest.raises(SettingsError, match=r"line 2 .* and line 3"):
        collect_slides([folder / "a.tif"], manifest=folder / "m.csv")


def test_pipes_sockets_and_devices_are_never_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.svs")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(folder / "s.svs"))
        slides = collect_slides([folder])
        assert set(left(slides)) == {"pipe.svs", "s.svs"}
        for path, what in ((folder / "pipe.svs", "named pipe"), (folder / "s.svs", "socket"), ("/dev/zero", "device")):
            with pytest.raises(SlideOpenError, match=what):
                inspect(path)


def test_folders_inside_are_named_where_they_hold_what_could_be_slides(folder: Path) -> None:
    for name in (
        "more/b.svs",
        "deep/er/c.svs",
        "phil/d.isyntax",
        "notes/readme.txt",
        ".git/x.svs",
        "store.zarr/zarr.json",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    (folder / "empty").mkdir()
    assert set(left(collect_slides([folder]))) == {"more", "deep", "phil", "store.zarr"}
    assert set(left(collect_slides([folder], recursive=True))) == {"d.isyntax", "store.zarr"}


def test_a_folder_that_cannot_be_listed_is_named_and_the_run_is_not_complete(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "locked").mkdir()
    listing = Path.iterdir

    def refused(self: Path) -> object:
        if self.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listing(self)

    monkeypatch.setattr(Path, "iterdir", refused)
    slides = collect_slides([folder], recursive=True)
    assert "Permission denied" in left(slides)["locked"]
    outcome = run_slides(slides, load(None, FLAT), tmp_path / "out")
    assert ([s.status for s in outcome.slides], outcome.exit_code) == (["complete"], 2)
    with pytest.raises(SettingsError, match="Permission denied"):
        collect_slides([folder / "locked"])


def test_what_a_run_wrote_is_never_a_slide_and_slides_beside_its_run_json_are(folder: Path) -> None:
    run_slides(collect_slides([folder]), load(None, FLAT), folder)
    assert (folder / "slides" / "a" / "thumb.jpg").is_file()
    (folder / "slides" / "mine.tif").write_bytes((folder / "a.tif").read_bytes())
    for way in ([folder], [f"{folder}/**/*"]):
        slides = collect_slides(way, recursive=True)
        assert (named(slides), slides.left_out) == (["a.tif", "mine.tif"], ())
    assert set(left(collect_slides([folder]))) == {"slides"}


def test_links_in_a_circle_end(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
    (folder / "one" / "on").symlink_to(folder / "two")
    (folder / "two" / "back").symlink_to(folder / "one")
    (folder / "two" / "b.svs").write_bytes(b"x")
    assert named(collect_slides([folder], recursive=True)).count("b.svs") <= 4


def test_what_was_left_out_stands_on_record_with_its_count(folder: Path, tmp_path: Path) -> None:
    for number in range(150):
        (folder / f"{number}.isyntax").write_bytes(b"x")
    outcome = run_slides(collect_slides([folder]), load(None, FLAT), tmp_path / "out")
    assert outcome.exit_code == 0
    (entry,) = read_run(RunLayout(tmp_path / "out")).left_out or ()
    assert (entry.count, len(entry.paths)) == (150, 100)
    log = [json.loads(line) for line in (tmp_path / "out" / "logs" / "run.jsonl").read_text().splitlines()]
    assert "150" in log[0]["left_out"][0]


@pytest.mark.parametrize("name", ["s.svs.gz", "s.TIF.zip", "s.ndpi.zst", "s.tiff.xz", "s.svs.7z"])
def test_a_slide_that_is_packed_is_named_and_other_packed_files_are_not(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"packed")
    (folder / "outlines.geojson.gz").write_bytes(b"packed")
    for slides in (collect_slides([folder]), collect_slides([f"{folder}/*"])):
        assert (named(slides), left(slides)) == (["a.tif"], {name: "packed: unpack it, then run again"})


@pytest.mark.parametrize("name", ["s.svs.part", "s.tif.crdownload", "s.ndpi.filepart"])
def test_a_slide_that_is_not_finished_is_named_whatever_of_it_is_there(folder: Path, name: str) -> None:
    (folder / name).write_bytes(bytes(100))
    assert "not finished" in left(collect_slides([folder]))[name]


@pytest.mark.parametrize("name", ["x.svs", "x.tif", "x.mrxs"])
def test_a_folder_that_is_named_like_a_slide_and_holds_none_is_told(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / "plain").mkdir()
    ways = (
        collect_slides([folder]), collect_slides([folder], recursive=True), collect_slides([f"{folder}/*"]),
    )  # fmt: skip
    assert [set(left(slides)) for slides in ways] == [{name}] * 3
    assert all("named like a slide" in left(slides)[name] for slides in ways)


def test_a_folder_that_is_named_like_a_slide_and_holds_one_is_looked_into(folder: Path) -> None:
    (folder / "x.svs").mkdir()
    shutil.copy(folder / "a.tif", folder / "x.svs" / "b.tif")
    assert left(collect_slides([folder])) == {"x.svs": "a folder inside, not looked into: --recursive does"}
    slides = collect_slides([folder], recursive=True)
    assert (named(slides), left(slides)) == (["a.tif", "b.tif"], {})
