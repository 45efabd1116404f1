"""NDPI read by its restart intervals, against OpenSlide: the same pixels, or not by the direct lane."""

import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from damage import flip_bytes, overwrite
from ndpi_files import interval_starts, write_ndpi_slide
from tiff_files import tissue_like

from wsi_area.errors import LaneError
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import (
    LaneDecision,
    borrow_reader,
    choose_lane,
    inspect,
    read_around_damage,
    read_overview,
    with_edges_proven,
)
from wsi_area.slides.header.cut_short import completeness
from wsi_area.slides.lanes import bands
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.stored.tiled_level import TiledLevel

PICTURE = tissue_like(208, 512)  # 26 rows of restart intervals: three bands and a quarter


def write(path: Path, *, subsampling: int = 0, across: int = 2) -> Path:
    mcus = PICTURE.shape[1] // (16 if subsampling else 8)
    return write_ndpi_slide(path, [PICTURE, PICTURE[::2, ::2]], interval_mcus=mcus // across, subsampling=subsampling)


def whole(info: SlideInfo, level: int = 0) -> Region:
    size = info.levels[level].size_px
    return Region(0, 0, size.width_px, size.height_px)


@pytest.mark.parametrize("across", [1, 2, 4, 8])
@pytest.mark.parametrize("subsampling", [0, 1])  # 4:4:4 and 4:2:2
def test_every_pixel_of_an_ndpi_slide_equals_openslides(tmp_path: Path, subsampling: int, across: int) -> None:
    info = inspect(write(tmp_path / "s.ndpi", subsampling=subsampling, across=across))
    assert choose_lane(info, [0, 1], "direct").lane == "direct"
    with borrow_reader(info, "direct") as direct, borrow_reader(info, "openslide") as reference:
        for level in (0, 1):
            ours, theirs = direct.read(level, whole(info, level)), reference.read(level, whole(info, level))
            assert np.array_equal(ours.valid, theirs.valid)
            assert np.array_equal(ours.rgb, theirs.rgb)


@pytest.mark.parametrize(
    "box",
    [
        Region(0, 0, 1, 1),
        Region(250, 60, 20, 10),
        Region(3, 70, 400, 131),
        Region(511, 207, 1, 1),
        Region(0, 5, 512, 58),
    ],
)
@pytest.mark.parametrize("kept_bytes", [0, 1 << 25])
def test_any_region_is_cut_from_the_same_pixels_however_much_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, box: Region, kept_bytes: int
) -> None:
    monkeypatch.setattr(bands, "KEPT_BYTES", kept_bytes)
    info = inspect(write(tmp_path / "s.ndpi"))
    seen = np.zeros(PICTURE.shape[:2], np.int64)
    with borrow_reader(info, "direct") as reader, borrow_reader(info, "openslide") as reference:
        assert np.array_equal(reader.read(0, box).rgb, reference.read(0, box).rgb)
        for tile in chain.from_iterable(reader.decoded_tiles(0, box)):
            at = tile.region_level_px
            seen[at.y_px : at.bottom_px, at.x_px : at.right_px] += 1
    wanted = np.zeros_like(seen)
    wanted[box.y_px : box.bottom_px, box.x_px : box.right_px] = 1
    assert np.array_equal(seen, wanted)


def test_many_threads_read_one_slide_at_once_and_get_what_one_thread_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bands, "KEPT_BYTES", 1 << 17)  # less than three bands: each is decoded again and again
    info = inspect(write(tmp_path / "s.ndpi"))
    boxes = [Region(x, y, 130, 60) for x in range(0, 380, 61) for y in range(0, 148, 37)]
    with borrow_reader(info, "direct") as reader, ThreadPoolExecutor(8) as pool:
        alone = [reader.read(0, box).rgb for box in boxes]
        together = list(pool.map(lambda box: reader.read(0, box).rgb, boxes))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_no_more_is_kept_than_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "KEPT_BYTES", 120_000)
    info = inspect(write(tmp_path / "s.ndpi"))
    with borrow_reader(info, "direct") as reader:
        reader.read(0, whole(info))
        kept_bytes = sum(band.rgb.nbytes for band in reader._bands._kept.values())
    assert kept_bytes == 73_728  # the last ones: of 64 × 256 px, and twice of the 16 rows that are left


def test_a_level_that_openslide_makes_while_decoding_is_left_to_it_and_so_is_the_overview_of_one(
    tmp_path: Path, testdata: Path
) -> None:
    info = inspect(testdata / "slides" / "test3-DAPI-2-387.ndpi")
    assert [choose_lane(info, [n], "auto").lane for n in range(7)] == ["direct"] * 4 + ["openslide"] * 3
    with pytest.raises(LaneError, match="level 5: 0 tiled pages"):
        choose_lane(info, [5], "direct")
    with borrow_reader(info, "direct") as direct, borrow_reader(info, "openslide") as reference:
        for side_px in (100, 200, 1024):
            ours, theirs = (read_overview(info, reader, side_px) for reader in (direct, reference))
            assert np.array_equal(ours.rgb, theirs.rgb)


def test_all_pixels_of_a_real_ndpi_slide_equal_openslides(testdata: Path) -> None:
    info = inspect(testdata / "slides" / "test3-DAPI-2-387.ndpi")
    with borrow_reader(info, "direct") as direct, borrow_reader(info, "openslide") as reference:
        for level in range(4):
            ours, theirs = direct.read(level, whole(info, level)), reference.read(level, whole(info, level))
            assert ours.valid.all()
            assert np.array_equal(ours.rgb, theirs.rgb)


@pytest.mark.parametrize(("across", "edges"), [(1, 2), (2, 2 * 26), (4, 2 * 26 + 2 * 2)])
def test_intervals_as_wide_as_the_slide_have_no_edges_at_its_sides(tmp_path: Path, across: int, edges: int) -> None:
    info = inspect(write(tmp_path / "s.ndpi", across=across))
    proven = LaneDecision("direct", "a sample is equal")
    decision = with_edges_proven(info, proven, 0, [whole(info)], "auto")
    assert decision.reason == f"a sample is equal, and so do all {edges} edge tiles that are read"


PROVEN = LaneDecision("direct", "a sample is equal")


def test_intervals_of_an_edge_are_compared_a_band_at_once(tmp_path: Path, asked_of_openslide: list[Region]) -> None:
    info = inspect(write(tmp_path / "s.ndpi", across=4))  # of 128 px
    for _ in range(2):  # the second time all of them are known
        assert with_edges_proven(info, PROVEN, 0, [whole(info)], "direct").lane == "direct"
    sides = {Region(x, y, 128, 64 if y < 192 else 16) for x in (0, 384) for y in (0, 64, 128, 192)}
    ends = {Region(x, y, 128, 8) for x in (128, 256) for y in (0, 200)}
    assert set(asked_of_openslide) == sides | ends
    assert len(asked_of_openslide) == len(sides | ends)


@pytest.mark.parametrize("across", [1, 2, 4])
def test_openslide_keeps_what_a_band_that_is_compared_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, across: int
) -> None:
    kept: list[int | None] = []
    opened = OpenSlideReader.__init__

    def spied(self: OpenSlideReader, info: SlideInfo, *, checks_tiles: bool, kept_bytes: int | None) -> None:
        kept.append(kept_bytes)
        opened(self, info, checks_tiles=checks_tiles, kept_bytes=kept_bytes)

    monkeypatch.setattr(OpenSlideReader, "__init__", spied)
    info = inspect(write(tmp_path / "s.ndpi", across=across))
    with closing(DirectReader(info)) as reader:
        reader.reference()
    assert kept == [(1 << 20) + 64 * (512 // across) * 4]  # argb of 64 rows of an interval


@pytest.mark.parametrize(("row", "column"), [(0, 0), (5, 3), (8, 0), (17, 3), (25, 2)])
def test_an_interval_that_differs_is_named_though_a_band_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: int, column: int
) -> None:
    info = inspect(write(tmp_path / "s.ndpi", across=4))
    decode = DirectReader._decode_intervals

    def otherwise(self: DirectReader, n: int, tiles: TiledLevel, some: range, out: RgbArray) -> tuple[str | None, ...]:
        damage = decode(self, n, tiles, some, out)
        if 4 * row + column in some:
            out[8 * some.index(4 * row + column) + 2, 3, 1] ^= 1
        return damage

    monkeypatch.setattr(DirectReader, "_decode_intervals", otherwise)
    decision = with_edges_proven(info, PROVEN, 0, [whole(info)], "auto")
    assert decision.lane == "openslide"
    assert decision.reason == f"level 0: stored tile {(row, column)} (row, column): 1 of 1024 pixels differ"


def test_a_damaged_interval_of_an_edge_is_damaged_in_both_lanes_and_no_difference(
    tmp_path: Path, asked_of_openslide: list[Region]
) -> None:
    path = write(tmp_path / "s.ndpi")
    begin, end = interval_at(path, 20)
    overwrite(path, (begin + end) // 2, bytes(end - (begin + end) // 2))
    info = inspect(path)
    assert with_edges_proven(info, PROVEN, 0, [whole(info)], "direct").lane == "direct"
    assert Region(0, 88, 256, 8) in asked_of_openslide  # its neighbours in the band, each by itself
    assert Region(256, 64, 256, 64) in asked_of_openslide


# ---- damage


def interval_at(path: Path, index: int) -> tuple[int, int]:
    """Return the place of a restart interval of the finest level in a file, and that of its end marker."""
    content = path.read_bytes()
    jpeg_at = content.index(b"\xff\xd8")
    starts = interval_starts(content[jpeg_at:])[:52]
    return jpeg_at + starts[index], jpeg_at + starts[index + 1] - 2


def damaged_boxes(info: SlideInfo, lane: str) -> set[Region]:
    with borrow_reader(info, lane) as reader:
        parts = read_around_damage(reader, 0, whole(info))[1]
    return {part.region_level_px for part in parts}


@pytest.mark.parametrize("index", [0, 5, 20, 50])
@pytest.mark.parametrize("how", ["zeros to its end", "zeros in its middle", "another marker"])
def test_a_damaged_interval_is_lost_alone_in_both_lanes(tmp_path: Path, how: str, index: int) -> None:
    path = write(tmp_path / "s.ndpi")
    begin, end = interval_at(path, index)
    middle = (begin + end) // 2
    at, content = {
        "zeros to its end": (middle, bytes(end - middle)),
        "zeros in its middle": (middle - 60, bytes(120)),
        "another marker": (end, bytes((0xFF, 0xD0 + (index + 3) % 8))),
    }[how]
    overwrite(path, at, content)
    info = inspect(path)
    lost = Region(256 * (index % 2), 8 * (index // 2), 256, 8)
    assert damaged_boxes(info, "direct") == damaged_boxes(info, "openslide") == {lost}
    with borrow_reader(info, "direct") as reader:
        rest = read_around_damage(reader, 0, whole(info))[0].valid
    assert rest.sum() == rest.size - lost.area_px


@pytest.mark.parametrize("index", [1, 4, 33])
def test_a_lost_marker_costs_the_intervals_on_either_side_in_both_lanes(tmp_path: Path, index: int) -> None:
    path = write(tmp_path / "s.ndpi")
    overwrite(path, interval_at(path, index)[1], b"\x12\x34")
    info = inspect(path)
    lost = {Region(256 * (n % 2), 8 * (n // 2), 256, 8) for n in (index, index + 1)}
    assert damaged_boxes(info, "direct") == damaged_boxes(info, "openslide") == lost


@pytest.mark.parametrize(("index", "other"), [(3, 30), (30, 3), (7, 8)])
def test_a_place_that_is_listed_wrongly_is_damage_and_the_file_can_be_certified(
    tmp_path: Path, index: int, other: int
) -> None:
    path = write(tmp_path / "s.ndpi")
    starts = interval_starts(path.read_bytes()[12:])[:52]
    table_at = path.read_bytes().index(struct.pack("<52I", *starts))
    overwrite(path, table_at + 4 * index, struct.pack("<I", starts[other]))
    info = inspect(path)
    assert completeness(info).file_bytes == path.stat().st_size
    lost = damaged_boxes(info, "direct")
    assert Region(256 * (index % 2), 8 * (index // 2), 256, 8) in lost
    assert lost == damaged_boxes(info, "openslide")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("subsampling", [0, 1])
def test_both_lanes_find_the_same_damage_whatever_bytes_are_changed(
    tmp_path: Path, subsampling: int, seed: int
) -> None:
    path = write(tmp_path / "s.ndpi", subsampling=subsampling)
    begin, _ = interval_at(path, 4)
    _, end = interval_at(path, 9)
    flip_bytes(path, begin, end, 12, seed)
    info = inspect(path)
    assert damaged_boxes(info, "direct") == damaged_boxes(info, "openslide")
