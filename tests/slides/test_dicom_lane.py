"""DICOM frames read by their place in the file, against OpenSlide: the same pixels, or not by the direct lane."""

import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damage import flip_bytes, overwrite
from dicom_files import CODINGS, write_dicom
from pydicom import config, dcmread
from pydicom.encaps import parse_basic_offsets
from tiff_files import halved, tissue_like

from wsi_area.errors import SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, choose_lane, close_readers, inspect, read_around_damage
from wsi_area.slides.stored import dicom_elements, dicom_frames

PICTURE = tissue_like(600, 700)  # 3 × 3 tiles of 256 px, the last of either partly outside
LOSSLESS = ("jpeg2000-rgb", "jpeg2000-rct", "raw")


def whole(info: SlideInfo, level: int = 0) -> Region:
    size = info.levels[level].size_px
    return Region(0, 0, size.width_px, size.height_px)


def require_direct_and_equal(path: Path) -> SlideInfo:
    """Return a slide of which every pixel of every level is the same in the two lanes."""
    info = inspect(path)
    levels = [level.index for level in info.levels]
    assert choose_lane(info, levels, "direct").lane == "direct"
    with borrow_reader(info, "direct") as direct, borrow_reader(info, "openslide") as reference:
        for level in levels:
            ours, theirs = direct.read(level, whole(info, level)), reference.read(level, whole(info, level))
            assert np.array_equal(ours.valid, theirs.valid)
            assert np.array_equal(ours.rgb, theirs.rgb)
    return info


@pytest.mark.parametrize("tile_px", [(256, 256), (240, 320)])
@pytest.mark.parametrize("coding", CODINGS)
def test_every_pixel_of_a_dicom_slide_equals_openslides(tmp_path: Path, coding: str, tile_px: tuple[int, int]) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURE, coding, tile_px=tile_px)
    write_dicom(tmp_path / "b.dcm", halved(PICTURE), coding, tile_px=tile_px, mpp=1.0)
    info = require_direct_and_equal(path)
    assert (info.vendor, len(info.levels)) == ("dicom", 2)
    if coding in LOSSLESS:
        with borrow_reader(info, "direct") as reader:
            assert np.array_equal(reader.read(0, whole(info)).rgb, PICTURE)


@pytest.mark.parametrize("coding", ["jpeg-420", "jpeg2000-rgb"])
@pytest.mark.parametrize(
    "further", [{"table": "none"}, {"table": "extended"}, {"fragments": 2}, {"fragments": 3}, {"fragments": 7}]
)
def test_frames_are_found_by_either_table_or_none_and_put_together_from_fragments(
    tmp_path: Path, coding: str, further: dict[str, Any]
) -> None:
    require_direct_and_equal(write_dicom(tmp_path / "a.dcm", PICTURE, coding, **further))


@pytest.mark.parametrize("held", [range(9), [8, 0, 3, 4, 1], [5], [7, 6, 2, 0]])
@pytest.mark.parametrize("coding", ["jpeg-422", "raw", "jpeg2000-ict"])
def test_sparse_frames_lie_where_they_say_and_the_others_are_not_valid(
    tmp_path: Path, coding: str, held: list[int]
) -> None:
    info = require_direct_and_equal(write_dicom(tmp_path / "a.dcm", PICTURE, coding, held=list(held)))
    with borrow_reader(info, "direct") as reader:
        valid = reader.read(0, whole(info)).valid
    shown = {
        3 * row + column for row, column in itertools.product(range(3), range(3)) if valid[256 * row, 256 * column]
    }
    assert shown == set(held)
    assert valid.sum() == sum(
        (88 if cell // 3 == 2 else 256) * (188 if cell % 3 == 2 else 256) for cell in held
    )  # fmt: skip


@pytest.mark.parametrize("length_is_said", [True, False])
@pytest.mark.parametrize("table", ["basic", "extended"])
def test_places_are_found_wherever_the_chunks_end_in_which_a_header_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, length_is_said: bool
) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURE, held=[4, 2, 8, 1, 0], table=table)
    if not length_is_said:
        scan = dcmread(path)
        scan["PerFrameFunctionalGroupsSequence"].is_undefined_length = True
        scan.save_as(path)
    for chunk_bytes in (25, 64, 100):
        monkeypatch.setattr(dicom_frames, "CHUNK_BYTES", chunk_bytes)
        monkeypatch.setattr(dicom_elements, "CHUNK_BYTES", chunk_bytes)
        close_readers()
        require_direct_and_equal(path)


@pytest.mark.parametrize("named", ["a.dcm", "b.dcm", "c.dcm"])
@pytest.mark.parametrize("cuts", [(1, 2), (3, 8), (4, 6)])
@pytest.mark.parametrize("further", [{}, {"held": [8, 7, 6, 5, 4, 3, 2, 1, 0]}, {"coding": "raw"}, {"fragments": 3}])
def test_a_level_that_goes_on_in_other_files_is_read_from_all_of_them(
    tmp_path: Path, further: dict[str, Any], cuts: tuple[int, int], named: str
) -> None:
    for number, (name, first, end) in enumerate(zip("abc", (0, *cuts), (*cuts, 9), strict=True), 1):
        write_dicom(tmp_path / f"{name}.dcm", PICTURE, part=(number, first, end), **further)
    info = require_direct_and_equal(tmp_path / named)
    with borrow_reader(info, "direct") as reader:
        assert reader.read(0, whole(info)).valid.all()


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda path: write_dicom(path, PICTURE, held=[0, 1, 2, 3, 0]), "two frames claim the same place"),
        (lambda path: write_dicom(path, PICTURE, held=[4, 4]), "two frames claim the same place"),
        (lambda path: write_dicom(path, PICTURE, table="none", fragments=2), "18 items for 9 frames"),
        (lambda path: write_dicom(path, PICTURE, NumberOfFrames=7), "lists 9 offsets for 7 frames"),
        (lambda path: write_dicom(path, PICTURE, "raw", NumberOfFrames=12), "9 frames|12 frames"),
    ],
)
def test_what_cannot_be_followed_is_left_to_openslide_with_the_reason(tmp_path: Path, write: Any, why: str) -> None:
    decision = choose_lane(inspect(write(tmp_path / "a.dcm")), [0], "auto")
    assert decision.lane == "openslide"
    assert decision.reason.startswith("level 0: its DICOM frames cannot be followed: ")
    assert any(part in decision.reason for part in why.split("|"))


def test_two_parts_of_a_level_that_overlap_are_left_to_openslide(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", PICTURE, part=(1, 0, 5))
    path = write_dicom(tmp_path / "b.dcm", 255 - PICTURE, part=(2, 4, 9))
    decision = choose_lane(inspect(path), [0], "auto")
    assert (decision.lane, "two frames claim" in decision.reason) == ("openslide", True)


@pytest.mark.parametrize(
    "further",
    [
        {"SOPInstanceUID": "1.2." + 70 * "3"},
        {"series": "1.2." + 70 * "3"},
        {"series": "1.2." + 80 * "5", "SOPInstanceUID": "1.2." + 90 * "3"},
    ],
)
def test_a_uid_that_is_too_long_is_nobodys_business(tmp_path: Path, further: dict[str, Any]) -> None:
    with config.disable_value_validation():
        path = write_dicom(tmp_path / "a.dcm", PICTURE, **further)
    require_direct_and_equal(path)  # a warning would be an error here


# ---- damage


def frame_span(path: Path, number: int) -> tuple[int, int]:
    """Return the place of a frame's item in a file with a basic table, and the bytes of the frame."""
    scan = dcmread(path)
    offset = parse_basic_offsets(scan.PixelData)[number]
    at = path.read_bytes().index(scan.PixelData) + 8 + 4 * int(scan.NumberOfFrames) + offset
    return at, int.from_bytes(path.read_bytes()[at + 4 : at + 8], "little")


def damaged_boxes(info: SlideInfo, lane: str) -> set[Region]:
    with borrow_reader(info, lane) as reader:
        return {part.region_level_px for part in read_around_damage(reader, 0, whole(info))[1]}


MIDDLE = Region(256, 256, 256, 256)


@pytest.mark.parametrize(
    ("how", "at", "content"),
    [
        ("its item is none", 0, b"\0\0\0\0"),
        ("its item is longer than its place", 4, (1 << 20).to_bytes(4, "little")),
        ("its item claims 4 GB", 4, b"\xf0\xff\xff\xff"),
        ("its item is cut short", 4, (400).to_bytes(4, "little")),
        ("its item is empty", 4, bytes(4)),
        ("its begin is lost", 8, bytes(64)),
        ("its middle is lost", 2000, bytes(3000)),
    ],
)
def test_a_damaged_frame_is_lost_alone_in_both_lanes(tmp_path: Path, how: str, at: int, content: bytes) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURE)
    overwrite(path, frame_span(path, 4)[0] + at, content)
    info = inspect(path)
    assert damaged_boxes(info, "direct") == damaged_boxes(info, "openslide") == {MIDDLE}, how
    assert choose_lane(info, [0], "auto").lane == "direct"  # what is damaged proves nothing either way
    with (
        borrow_reader(info, "direct") as reader,
        pytest.raises(TileReadError, match=r"'a', level 0, .* row 1 column 1"),
    ):
        reader.read(0, MIDDLE)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("coding", ["jpeg-420", "jpeg-444", "jpeg-rgb"])
def test_both_lanes_find_the_same_damage_whatever_bytes_of_a_frame_are_changed(
    tmp_path: Path, coding: str, seed: int
) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURE, coding)
    at, count = frame_span(path, 4)
    flip_bytes(path, at + 8 + 40, at + 8 + count - 4, 5, seed)
    info = inspect(path)
    seen = damaged_boxes(info, "direct")
    assert seen == damaged_boxes(info, "openslide")
    assert seen <= {MIDDLE}


def spoil_table(path: Path, table: str, numbers: dict[int, int]) -> Path:
    """Have the table of a file say of frames (counted from 0) that they begin where others do."""
    scan = dcmread(path)
    step = 4 if table == "basic" else 8
    content = path.read_bytes()
    at = content.index(scan.PixelData) + 8 if table == "basic" else content.index(scan.ExtendedOffsetTable)
    entries = {n: content[at + step * n : at + step * (n + 1)] for n in range(int(scan.NumberOfFrames))}
    for number, other in numbers.items():
        overwrite(path, at + step * number, entries[other])
    return path


@pytest.mark.parametrize("numbers", [{4: 3}, {4: 8}, {4: 5, 5: 4}, {8: 0}, {0: 1}])
@pytest.mark.parametrize("table", ["basic", "extended"])
def test_a_table_that_does_not_ascend_is_refused_before_openslide_dies_of_it(
    tmp_path: Path, table: str, numbers: dict[int, int]
) -> None:
    path = spoil_table(write_dicom(tmp_path / "a.dcm", PICTURE, table=table), table, numbers)
    with pytest.raises(SlideOpenError, match=r"a\.dcm: .* table of offsets frame \d of 9 .* export it again"):
        inspect(path)


@pytest.mark.parametrize("organization", ["TILED_SPARSE", "3D"])
@pytest.mark.parametrize("coding", ["jpeg-420", "raw", "jpeg2000-rgb"])
def test_sparse_frames_without_places_are_refused_before_openslide_dies_of_them(
    tmp_path: Path, coding: str, organization: str
) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURE, coding, DimensionOrganizationType=organization)
    with pytest.raises(SlideOpenError, match=f"frames are {organization}, and do not say where"):
        inspect(path)


@pytest.mark.parametrize("spoiled", ["a.dcm", "b.dcm", "c.dcm"])
def test_a_damaged_table_is_found_in_any_file_of_the_series(tmp_path: Path, spoiled: str) -> None:
    write_dicom(tmp_path / "a.dcm", PICTURE, part=(1, 0, 4))
    write_dicom(tmp_path / "b.dcm", PICTURE, part=(2, 4, 9))
    write_dicom(tmp_path / "c.dcm", halved(PICTURE), mpp=1.0)
    spoil_table(tmp_path / spoiled, "basic", {1: 0})
    for named in ("a.dcm", "c.dcm"):
        with pytest.raises(SlideOpenError, match=rf"{spoiled}: .* table of offsets"):
            inspect(tmp_path / named)


@pytest.mark.parametrize("coding", ["jpeg-420", "raw"])
@pytest.mark.parametrize("lost", [100, 20_000, 40_000])
def test_a_file_that_ends_early_loses_the_frames_behind_its_end(tmp_path: Path, coding: str, lost: int) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURE, coding)
    path.write_bytes(path.read_bytes()[:-lost])
    info = inspect(path)
    seen = damaged_boxes(info, "direct")
    assert Region(512, 512, 188, 88) in seen  # the last
    assert Region(0, 0, 256, 256) not in seen
    assert seen == damaged_boxes(info, "openslide")


@pytest.mark.parametrize("coding", ["jpeg-420", "jpeg2000-rgb", "raw"])
@pytest.mark.parametrize("parts", [[(1, 0, 2), (2, 2, 7)], [(1, 0, 3), (2, 5, 9)], [(1, 2, 4), (2, 4, 8)]])
def test_frames_of_a_file_that_is_not_there_are_lost_and_not_unscanned(
    tmp_path: Path, parts: list[tuple[int, int, int]], coding: str
) -> None:
    for part in parts:
        write_dicom(tmp_path / f"{part[0]}.dcm", PICTURE, coding, part=part)
    info = inspect(tmp_path / "1.dcm")
    held = {frame for _, first, end in parts for frame in range(first, end)}
    lost = {
        Region(256 * x, 256 * y, 188 if x == 2 else 256, 88 if y == 2 else 256)
        for y, x in itertools.product(range(3), range(3))
        if 3 * y + x not in held
    }
    assert damaged_boxes(info, "direct") == damaged_boxes(info, "openslide") == lost
    assert choose_lane(info, [0], "auto").lane == "direct"
    with borrow_reader(info, "direct") as reader, pytest.raises(TileReadError, match="one of several files is lost"):
        reader.read(0, whole(info))


@pytest.mark.parametrize("tag", [0x00080008, 0x00080018, 0x0020000E, 0x00480006, 0x00280008])
@pytest.mark.parametrize("vr", [b"XX", b"ZZ", b"OW"])
def test_a_header_with_a_spoiled_type_ends_as_a_slide_that_cannot_be_opened_or_is_read(
    tmp_path: Path, tag: int, vr: bytes
) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURE)
    element = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    overwrite(path, path.read_bytes().index(element, 132) + 4, vr)
    try:
        info = inspect(path)
    except SlideOpenError:  # and no other error
        return
    assert choose_lane(info, [0], "auto").reason


# ---- real slides


@pytest.mark.parametrize(
    "name",
    [
        "camelyon16_tumor_072/multiframe_camelyon_challenge_image.dcm",
        "wsi2dcm_jpeg2000/jpeg2000.dcm",
        "wsi2dcm_raw/raw.dcm",
    ],
)
def test_all_pixels_of_a_real_dicom_slide_equal_openslides(testdata: Path, name: str) -> None:
    require_direct_and_equal(testdata / "slides" / name)
