"""From what was typed to the slides: nothing twice, nothing unrelated, nothing missing without a word."""

import dataclasses
import io
import os
import unicodedata
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from wsi_area.compute.calibration.policy import GIVEN_FOR_SEVERAL
from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import SlideInput, collect_slides, with_overrides
from wsi_area.inputs.manifest import read_manifest
from wsi_area.inputs.slide_ids import safe_id, unique_ids
from wsi_area.inputs.typed_mpp import parse_mpp
from wsi_area.model.calibration import Mpp
from wsi_area.plain_text import plain


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def dicom(path: Path, series: str, size_bytes: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    header = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID = meta.MediaStorageSOPClassUID
    header.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    header.SeriesInstanceUID = series
    header.ImageComments = "x" * size_bytes
    header.save_as(path, enforce_file_format=True)


def names(slides: list[SlideInput]) -> list[str]:
    return [os.path.basename(slide.path) for slide in slides]


def test_a_folder_gives_its_slides_and_nothing_unrelated(tmp_path: Path) -> None:
    touch(
        tmp_path, "b.svs", "a.NDPI", "c.tif", "d.png", "notes.txt", "table.csv", ".hidden.svs", "._a.svs", "deep/e.svs"
    )
    assert names(collect_slides([str(tmp_path)])) == ["a.NDPI", "b.svs", "c.tif", "d.png"]
    assert names(collect_slides([str(tmp_path)], recursive=True)) == ["a.NDPI", "b.svs", "c.tif", "d.png", "e.svs"]


def test_the_parts_of_a_slide_are_not_slides(tmp_path: Path) -> None:
    touch(tmp_path, "vms/s.vms", "vms/tile_1.jpg", "vms/map.jpg", "mrx/m.mrxs", "mrx/m/Data0000.dat", "mrx/m/x.png")
    assert names(collect_slides([str(tmp_path)], recursive=True)) == ["m.mrxs", "s.vms"]


def test_a_file_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "scan.qptiff")
    (slide,) = collect_slides([str(tmp_path / "scan.qptiff")])
    assert slide == SlideInput(str(tmp_path / "scan.qptiff"), "scan")


def test_globs_reach_down_keep_to_slides_and_leave_brackets_in_folder_names_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "study [2024]"
    touch(folder, "a.svs", "x/b.svs", "x/y/c.svs", "x/readme.md")
    monkeypatch.chdir(folder)
    assert names(collect_slides(["*.svs"])) == ["a.svs"]
    assert names(collect_slides(["**/*"])) == ["a.svs", "b.svs", "c.svs"]
    assert names(collect_slides([str(folder / "a.svs")])) == ["a.svs"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    touch(tmp_path, "s[1].svs", "s1.svs")
    assert names(collect_slides([str(tmp_path / "s[1].svs")])) == ["s[1].svs"]


def test_each_slide_comes_once_in_the_order_it_was_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.svs", "b.svs")
    (tmp_path / "link.svs").symlink_to(tmp_path / "a.svs")
    typed = [str(tmp_path / "b.svs"), str(tmp_path), f"{tmp_path}/./b.svs", str(tmp_path / "link.svs")]
    assert names(collect_slides(typed)) == ["b.svs", "a.svs", "link.svs"]  # a link is a slide of its own


def test_a_link_back_up_does_not_go_round_for_ever(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.svs")
    (tmp_path / "in" / "up").symlink_to(tmp_path, target_is_directory=True)
    assert names(collect_slides([str(tmp_path)], recursive=True)) == ["a.svs"]


def test_lists_start_at_their_own_folder_and_skip_comments(tmp_path: Path) -> None:
    touch(tmp_path, "s/a.svs", "s/b.svs")
    (tmp_path / "list.txt").write_text(f"# today\n\ns/b.svs\n{tmp_path}/s/a.svs\n", encoding="utf-8-sig")
    assert names(collect_slides([f"@{tmp_path / 'list.txt'}"])) == ["b.svs", "a.svs"]


def test_a_dash_reads_the_list_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.svs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("a.svs\n"))
    assert names(collect_slides(["-"])) == ["a.svs"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("absent.svs", "absent.svs: no such file or folder"),
        ("*.svs", "*.svs: nothing matches"),
        ("empty", "empty: no slides in this folder"),
        ("@absent.txt", "absent.txt cannot be read"),
        ("@blank.txt", "blank.txt lists no slides"),
        ("@broken.txt", "nowhere.svs: no such file"),
    ],
)
def test_what_cannot_be_found_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, says: str) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "empty/notes.txt")
    (tmp_path / "blank.txt").write_text("# nothing\n")
    (tmp_path / "broken.txt").write_text("nowhere.svs\n")
    with pytest.raises(SettingsError) as refused:
        collect_slides([typed])
    assert says in str(refused.value)


def test_no_paths_at_all_is_an_error() -> None:
    with pytest.raises(SettingsError, match="no slides were given"):
        collect_slides([])


def test_the_files_of_one_dicom_series_are_one_slide_named_after_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "case7"
    for number, size in enumerate((10, 5000, 100)):
        dicom(folder / f"{number}.dcm", "1.2.3", size)
    for typed in ([str(folder)], [str(tmp_path)], [f"{folder}/*.dcm"], [str(folder / "0.dcm"), str(folder)]):
        (slide,) = collect_slides(typed)
        assert (os.path.basename(slide.path), slide.slide_id) == ("1.dcm", "case7")  # the largest: the finest level


def test_two_series_in_one_folder_are_two_slides(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", "1.2.3")
    dicom(tmp_path / "b.dcm", "1.2.4", 900)
    dicom(tmp_path / "c.dcm", "1.2.4")
    assert [slide.slide_id for slide in collect_slides([str(tmp_path)])] == ["a", "b"]


def test_dicom_files_without_a_suffix_are_found_by_their_first_bytes(tmp_path: Path) -> None:
    dicom(tmp_path / "series" / "1.2.840.1", "1.2.3")
    dicom(tmp_path / "series" / "IM0001", "1.2.3", 700)
    touch(tmp_path, "series/README", "series/x.7")
    (slide,) = collect_slides([str(tmp_path / "series")])
    assert (os.path.basename(slide.path), slide.slide_id) == ("IM0001", "series")


def test_a_broken_dicom_file_is_a_slide_of_its_own_to_be_reported_where_it_is_opened(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", "1.2.3")
    touch(tmp_path, "broken.dcm")
    assert names(collect_slides([str(tmp_path)])) == ["a.dcm", "broken.dcm"]


def test_equal_stems_are_told_apart_by_path_whatever_the_order(tmp_path: Path) -> None:
    touch(tmp_path, "x/s.svs", "y/s.svs", "y/t.svs", "y/S.tif")
    typed = [str(tmp_path / name) for name in ("x/s.svs", "y/s.svs", "y/t.svs", "y/S.tif")]
    forward = {slide.path: slide.slide_id for slide in collect_slides(typed)}
    backward = {slide.path: slide.slide_id for slide in collect_slides(typed[::-1])}
    assert forward == backward
    assert len({slide_id.casefold() for slide_id in forward.values()}) == 4
    assert forward[typed[2]] == "t"
    assert forward[typed[0]].startswith("s-")


@given(st.text(max_size=200))
def test_any_name_becomes_one_that_stays_in_its_folder(name: str) -> None:
    made = safe_id(name)
    assert 0 < len(made.encode()) <= 151
    assert unicodedata.is_normalized("NFC", made)
    assert plain(made) == made
    assert not set(made) & set('/\\:*?"<>| \t\n')
    assert os.path.basename(made) == made
    assert made not in {".", ".."}
    assert not made.startswith((".", "-", "="))
    assert safe_id(made) == made


@given(st.lists(st.text(max_size=6), max_size=8))
def test_ids_are_unique_for_any_names(stems: list[str]) -> None:
    ids = unique_ids(stems, [f"/{number}" for number in range(len(stems))])
    assert len({unicodedata.normalize("NFD", made).casefold() for made in ids}) == len(stems)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Müller 12", "Müller_12"),
        ("Mu\u0308ller", "Müller"),
        ("切片", "切片"),
        ("Срез 7", "Срез_7"),
        ("مقطع", "مقطع"),
        ("हिन्दी", "हिन्दी"),
        ("-rf", "rf"),
        ("a\u202eb", "a_b"),
        ("CON", "CON_"),
        ("nul.x", "nul.x_"),
        ("a/b\\c", "a_b_c"),
        ("..", "slide"),
    ],
)
def test_odd_names_become_plain(name: str, made: str) -> None:
    assert safe_id(name) == made


def test_mpp_takes_one_number_or_two() -> None:
    assert parse_mpp(None) is None
    assert parse_mpp("0.25") == Mpp(0.25, 0.25)
    assert parse_mpp("0.25, 0.5") == Mpp(0.25, 0.5)


@pytest.mark.parametrize("text", ["", "0", "-1", "a", "0.25,", "1,2,3", "nan", "0,25"])
def test_an_mpp_that_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--mpp"):
        parse_mpp(text)


def test_a_manifest_row_speaks_for_its_slide_and_mpp_for_the_others(tmp_path: Path) -> None:
    touch(tmp_path, "a.svs", "b.svs", "c.svs")
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,mpp_x,mpp_reason,slide_id\na.svs,0.25,scanner log,first\nb.svs,,,second\n")
    slides = collect_slides([str(tmp_path)], mpp="0.5", mpp_reason="all at once", manifest=manifest)
    assert [slide.slide_id for slide in slides] == ["first", "second", "c"]
    overrides = [slide.override for slide in slides]
    assert [o.mpp.x for o in overrides if o] == [0.25, 0.5, 0.5]
    assert [o.source for o in overrides if o] == ["manifest line 2", GIVEN_FOR_SEVERAL, GIVEN_FOR_SEVERAL]
    assert [o.note for o in overrides if o] == ["scanner log", "all at once", "all at once"]
    assert {o.rung for o in overrides if o} == {"override"}


def test_a_size_given_for_one_slide_alone_is_that_slides_own(tmp_path: Path) -> None:
    touch(tmp_path, "a.svs")
    (slide,) = collect_slides([str(tmp_path)], mpp="0.5", mpp_reason="scale bar")
    assert slide.override is not None
    assert slide.override.source == "--mpp"


def test_with_and_without_a_reason_the_command_line_and_a_manifest_are_under_one_rule(tmp_path: Path) -> None:
    touch(tmp_path, "a.svs")
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,mpp_x\na.svs,0.5\n")
    (by_row,), (by_option,) = (
        collect_slides([], manifest=manifest),
        collect_slides([str(tmp_path / "a.svs")], mpp="0.5"),
    )
    assert by_option.override is not None
    assert by_row.override == dataclasses.replace(by_option.override, source="manifest line 2")
    manifest.write_text("path,mpp_x,mpp_reason\na.svs,0.5,25\n")
    with pytest.raises(SettingsError, match="mpp_reason is '25'; say in words"):
        collect_slides([], manifest=manifest)
    with pytest.raises(SettingsError, match="the reason of --mpp is '25'; say in words"):
        collect_slides([str(tmp_path / "a.svs")], mpp="0.5", mpp_reason="25")


def test_without_paths_the_manifest_names_the_slides(tmp_path: Path) -> None:
    touch(tmp_path, "a.svs", "b.svs")
    manifest = tmp_path / "m.csv"
    manifest.write_text("path\nb.svs\n")
    assert names(list(collect_slides([], manifest=manifest))) == ["b.svs"]


def test_a_manifest_may_name_a_dicom_slide_by_its_folder_or_by_any_of_its_files(tmp_path: Path) -> None:
    for number, size in enumerate((10, 900)):
        dicom(tmp_path / "case" / f"{number}.dcm", "1.2.3", size)
    manifest = tmp_path / "m.csv"
    for named in ("case", "case/0.dcm", "case/1.dcm"):
        manifest.write_text(f"path,mpp_x,mpp_reason\n{named},0.25,log\n")
        (slide,) = collect_slides([str(tmp_path / "case")], manifest=manifest)
        assert slide.override is not None, named


def test_a_row_that_was_not_asked_for_is_logged_with_whether_its_file_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "a.svs", "b.svs")
    manifest = tmp_path / "m.csv"
    manifest.write_text("path\na.svs\ntypo.svs\n")
    collect_slides([str(tmp_path / "a.svs")], manifest=manifest)
    assert "lines 3 (not there) name slides that were not asked for" in caplog.text
    manifest.write_text("path\na.svs\nb.svs\n")
    collect_slides([str(tmp_path / "a.svs")], manifest=manifest)
    assert "lines 3 name slides that were not asked for" in caplog.text


def test_an_id_from_the_manifest_may_not_be_another_slides(tmp_path: Path) -> None:
    touch(tmp_path, "a.svs", "b.svs")
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,slide_id\na.svs,B\n")
    slides = collect_slides([str(tmp_path)])
    with pytest.raises(SettingsError, match=r"a\.svs and .*b\.svs would both be"):
        with_overrides(slides, mpp=None, rows=read_manifest(manifest))


def test_a_reason_without_a_size_is_an_error(tmp_path: Path) -> None:
    touch(tmp_path, "a.svs")
    with pytest.raises(SettingsError, match="without --mpp"):
        collect_slides([str(tmp_path)], mpp_reason="because")
