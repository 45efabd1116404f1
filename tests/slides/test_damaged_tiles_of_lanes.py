"""What each lane makes of damaged stored tiles: what is missing, what is lost, and that both say the same."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from damage import flip_bytes, overwrite, set_tile_number, stored_span
from synthetic import FileForm, disc, write_slide
from tiff_files import tissue_like, write_aperio_jpeg2000, write_tiled

from wsi_area.errors import TileReadError
from wsi_area.model.geometry import Region, Size
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, inspect, read_around_damage
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.lanes.reading import SlideReader, grid_boxes
from wsi_area.slides.stored import openslide_calls

SIZE = Size(1024, 768)
FOURTH = Region(0, 256, 256, 256)  # stored tile 4 of 4 × 3


def state_of(reader: SlideReader, box: Region) -> str:
    """Return the state of a box in a lane: read, missing or damaged."""
    try:
        valid = reader.read(0, box).valid
    except TileReadError:
        return "damaged"
    return "read" if valid.all() else "missing" if not valid.any() else "in part"


TORN = {
    "count 0": ({"TileByteCounts": 0}, "missing"),
    "count 0 and no place": ({"TileByteCounts": 0, "TileOffsets": 0}, "missing"),
    "no place": ({"TileOffsets": 0}, "damaged"),
    "beyond the end": ({"TileByteCounts": 1 << 27}, "damaged"),
    "into the next tile's middle": ({"TileOffsets": None}, "damaged"),
}


FORMS = [
    *product(["aperio", "tiff"], ["jpeg", "deflate", "lzw"], TORN),
    *product(["aperio"], ["jpeg2000"], TORN),
    *product(["aperio", "tiff"], ["none"], [torn for torn in TORN if torn != "into the next tile's middle"]),
]
"""Of uncompressed pixels nothing says where they begin, and JPEG 2000 is Aperio's alone."""


@pytest.mark.parametrize(("kind", "compression", "torn"), FORMS)
def test_a_tile_is_missing_where_it_has_no_bytes_and_damaged_where_it_has_no_place_in_both_lanes(
    tmp_path: Path, kind: str, compression: str, torn: str
) -> None:
    form = FileForm(kind, compression=compression)
    path = write_slide(tmp_path / "s.svs", SIZE, {"tissue": disc(SIZE, 400, 380, 340)}, form, noise_sd=6.0).path
    offset, count = stored_span(path, 5)
    for tag, number in TORN[torn][0].items():
        set_tile_number(path, tag, 4, offset + count // 2 if number is None else number)
    info = inspect(path)
    for lane in ("openslide", "direct"):
        with borrow_reader(info, lane) as reader:
            assert state_of(reader, FOURTH) == TORN[torn][1]
            assert state_of(reader, Region(256, 0, 768, 768)) == "read"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("how", ["jpeg of YCbCr", "jpeg of RGB", "deflate", "deflate of differences", "lzw"])
def test_both_lanes_find_the_same_damage_whatever_bytes_are_changed(tmp_path: Path, how: str, seed: int) -> None:
    compression, _, of = how.partition(" of ")
    path = write_tiled(
        tmp_path / "s.tif", [tissue_like(512, 512)], compression=compression, predictor=of == "differences",
        photometric="ycbcr" if of == "YCbCr" else "rgb", subsampling=(2, 2) if of == "YCbCr" else None,
    )  # fmt: skip
    offset, count = stored_span(path, 3)
    flip_bytes(path, offset + 40, offset + count - 4, 5, seed)
    info = inspect(path)
    box = Region(256, 256, 256, 256)
    states = []
    for lane in ("openslide", "direct"):
        with borrow_reader(info, lane) as reader:
            states.append(state_of(reader, box))
            assert state_of(reader, Region(0, 0, 512, 256)) == "read"
    assert states[0] == states[1]
    if compression == "deflate":  # it has a checksum
        assert states == ["damaged", "damaged"]


def test_what_is_left_over_behind_a_jpeg_is_damage_to_the_openslide_lane_too(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(256, 512)])
    offset, count = stored_span(path, 0)
    # the second tile's data behind the first one's: all rows are there, and then more
    tail = path.read_bytes()[offset + count - 2000 : offset + count - 2]
    head = path.read_bytes()[offset : offset + count - 2]
    grown = head + tail + b"\xff\xd9"
    place = path.stat().st_size
    with path.open("ab") as file:
        file.write(grown)
    set_tile_number(path, "TileOffsets", 0, place)
    set_tile_number(path, "TileByteCounts", 0, len(grown))
    info = inspect(path)
    for lane in ("openslide", "direct"):
        with borrow_reader(info, lane) as reader, pytest.raises(TileReadError, match="extraneous bytes"):
            reader.read(0, Region(0, 0, 256, 256))


def test_a_zeroed_part_of_a_jpeg_2000_tile_is_damage_in_both_lanes(tmp_path: Path) -> None:
    path = write_aperio_jpeg2000(tmp_path / "s.svs", tissue_like(512, 512), 33005)
    offset, count = stored_span(path, 1)
    overwrite(path, offset + count // 2, bytes(count // 10))
    info = inspect(path)
    for lane in ("openslide", "direct"):
        with borrow_reader(info, lane) as reader, pytest.raises(TileReadError, match="are 0"):
            reader.read(0, Region(256, 0, 256, 256))


@pytest.mark.parametrize("compression", ["jpeg", "deflate", "none"])
def test_a_tile_that_begins_where_another_does_is_not_shown_twice(tmp_path: Path, compression: str) -> None:
    form = FileForm("aperio", compression=compression)
    path = write_slide(tmp_path / "s.svs", SIZE, {"tissue": disc(SIZE, 400, 380, 340)}, form, noise_sd=6.0).path
    offset, count = stored_span(path, 5)
    set_tile_number(path, "TileOffsets", 4, offset)
    set_tile_number(path, "TileByteCounts", 4, count + 16)
    info = inspect(path)
    for lane in ("openslide", "direct"):
        with borrow_reader(info, lane) as reader:
            assert state_of(reader, FOURTH) == "damaged"
            assert state_of(reader, Region(0, 0, 1024, 256)) == "read"


def test_of_uncompressed_tiles_the_one_that_reaches_into_two_others_is_lost_in_both_lanes(tmp_path: Path) -> None:
    form = FileForm("aperio", compression="none")
    path = write_slide(tmp_path / "s.svs", SIZE, {"tissue": disc(SIZE, 400, 380, 340)}, form).path
    offset, count = stored_span(path, 8)
    set_tile_number(path, "TileOffsets", 4, offset + count // 3)
    info = inspect(path)
    for lane in ("openslide", "direct"):
        with borrow_reader(info, lane) as reader:
            assert lost_px(reader, info, 0, 300).sum() == 256**2
            assert state_of(reader, FOURTH) == "damaged"


def without_stored_tiles(info: SlideInfo) -> SlideInfo:
    """Return a slide of which the format does not say how it is stored, as MIRAX does not."""
    return replace(info, vendor="mirax", levels=tuple(replace(n, stored_tile_px=None) for n in info.levels))


def lost_px(reader: SlideReader, info: SlideInfo, level: int, step_px: int) -> np.ndarray:
    """Return the pixels of a level that are lost when it is read in squares of so many pixels."""
    size = info.levels[level].size_px
    lost = np.zeros((size.height_px, size.width_px), np.bool_)
    for box in grid_boxes(Region(0, 0, size.width_px, size.height_px), step_px, step_px):
        for part in read_around_damage(reader, level, box)[1]:
            at = part.region_level_px
            lost[at.y_px : at.bottom_px, at.x_px : at.right_px] = True
    return lost


def test_where_a_format_shows_no_stored_tiles_what_is_lost_is_halved_down_to_256_px(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(1100, 1300)], tile_px=64)
    bad = [7, 9 * 21 + 13]  # stored tiles of 64 px: (row 0, column 7), (row 9, column 13)
    for index in bad:
        overwrite(path, stored_span(path, index)[0], b"no picture")
    info = without_stored_tiles(inspect(path))
    reader = OpenSlideReader(info)
    for step_px in (100, 256, 512, 777):
        lost = lost_px(reader, info, 0, step_px)
        assert lost[0:256, 256:512].all()
        assert lost[512:768, 768:1024].all()
        assert lost.sum() == 2 * 256**2
    reader.close()


def test_what_is_lost_of_tall_strips_is_a_strip_whatever_is_asked_for(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(400, 2048)], tile_px=16)
    overwrite(path, stored_span(path, 3 * 128 + 5)[0], b"no picture")
    info = inspect(path)
    for lane, step_px in product(("openslide", "direct"), (50, 333)):
        with borrow_reader(info, lane) as reader:
            lost = lost_px(reader, info, 0, step_px)
        assert lost[48:64, 80:96].all()
        assert lost.sum() == 256


def test_every_handle_that_died_of_a_bad_tile_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(1024, 1024)], tile_px=128)
    for index in range(0, 64, 2):
        overwrite(path, stored_span(path, index)[0], b"no picture")
    info = inspect(path)
    opened, closed = [], []
    open_one, close_one = openslide_calls.open_slide, openslide_calls.close
    monkeypatch.setattr(openslide_calls, "open_slide", lambda file: opened.append(open_one(file)) or opened[-1])
    monkeypatch.setattr(openslide_calls, "close", lambda handle: closed.append(id(handle)) or close_one(handle))
    reader = OpenSlideReader(info, checks_tiles=False)
    assert lost_px(reader, info, 0, 200).sum() == 32 * 128**2
    assert len(opened) > 32
    assert len(closed) >= len(opened) - 1  # the live one
    reader.close()
    assert sorted(closed) == sorted(id(handle) for handle in opened)
