"""The overview: exact box means, the same in every lane."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiff_files import APERIO, remove_tiles, spoil_tile, tissue_like, write_tiled

from wsi_area.model.geometry import Region, Size
from wsi_area.slides import borrow_reader, inspect, read_overview
from wsi_area.slides.lanes import direct_lane, overview
from wsi_area.slides.lanes.box_sums import BoxSums
from wsi_area.slides.lanes.overview import overview_level, overview_of, overview_parts, read_part
from wsi_area.slides.lanes.reading import DecodedTile, grid_boxes


def blocks_of(height: int, width: int, across: int, down: int) -> Iterator[Region]:
    return grid_boxes(Region(0, 0, width, height), across, down)


@settings(max_examples=60)
@given(
    st.integers(1, 13), st.integers(1, 13), st.integers(1, 6), st.integers(1, 7), st.integers(1, 7),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_every_box_is_the_exact_mean_of_its_valid_pixels_rounded_half_up_however_blocks_are_cut(
    height: int, width: int, factor: int, across: int, down: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    deep = rng.integers(0, 65536, (height, width), dtype=np.uint16)
    valid = rng.random((height, width)) < rng.choice([0.6, 0.95, 1.0])
    sums = BoxSums.of_rows(Size(width, height), factor, 0, height)
    for box in blocks_of(height, width, across, down):
        at = np.s_[box.y_px : box.bottom_px, box.x_px : box.right_px]
        sums.add(DecodedTile(box, rgb[at], valid[at], deep[at]))
    means, is_valid, deep_means = sums.means()
    assert deep_means is not None
    for row, column in np.ndindex(is_valid.shape):
        box = np.s_[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        samples = np.dstack([rgb[box], deep[box]])[valid[box]]
        assert is_valid[row, column] == (len(samples) == valid[box].size)
        seen = [*means[row, column].tolist(), int(deep_means[row, column])]
        wanted = [int(Fraction(sum(c), len(c)) + Fraction(1, 2)) if c else 0 for c in samples.T.tolist()]
        assert seen == wanted


@pytest.mark.parametrize("factor", [1, 11, 12, 15, 16, 181, 182, 255, 256, 257, 258, 600, 4096])
def test_the_sums_of_the_brightest_boxes_do_not_overflow(factor: int) -> None:
    height, width = 600, 4097
    sums = BoxSums.of_rows(Size(width, height), factor, 0, height)
    for box in blocks_of(height, width, 1000, 256):
        white = np.full((box.height_px, box.width_px, 3), 255, np.uint8)
        deepest = np.full(white.shape[:2], 65535, np.uint16)
        sums.add(DecodedTile(box, white, None, deepest))
    means, is_valid, deep = sums.means()
    assert (means == 255).all()
    assert (deep == 65535).all()
    assert is_valid.all()


@pytest.mark.parametrize(("tile_px", "side_px"), [(256, 1024), (240, 100), (512, 77), (128, 333)])
def test_each_stored_tile_is_decoded_once_however_the_boxes_lie_over_it(
    tmp_path: Path, tile_px: int, side_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = inspect(write_tiled(tmp_path / "s.tif", [tissue_like(1900, 2300)], tile_px=tile_px))
    decoded = []
    decode = direct_lane.decode_together
    monkeypatch.setattr(direct_lane, "decode_together", lambda data, *told: decoded.extend(data) or decode(data, *told))
    with borrow_reader(info, "direct") as reader:
        read_overview(info, reader, side_px)
    assert len(decoded) == -(-1900 // tile_px) * -(-2300 // tile_px)


@pytest.mark.parametrize(("tile_px", "part_px"), [(256, 1), (240, 3_000_000), (512, 10**9)])
@pytest.mark.parametrize("lane", ["direct", "openslide"])
def test_an_overview_read_in_parts_is_the_overview_also_where_tiles_are_missing_or_damaged(
    tmp_path: Path, tile_px: int, part_px: int, lane: str
) -> None:
    picture = tissue_like(2900, 2300)
    path = write_tiled(tmp_path / "s.svs", [picture], tile_px=tile_px, description=APERIO.format(w=2300, h=2900))
    info = inspect(spoil_tile(remove_tiles(path, [5]), 7))
    with borrow_reader(info, lane) as reader:
        whole = read_overview(info, reader)
    rows = overview_parts(info, 0, part_px)
    assert sum(end - first for first, end in rows) == 2900
    seen = overview_of(info, 0, [read_part(info, lane, 0, some) for some in reversed(rows)])
    assert np.array_equal(seen.rgb, whole.rgb)
    assert np.array_equal(seen.valid, whole.valid)
    assert not seen.valid.all()


@pytest.mark.parametrize("max_side_px", [1, 2, 3])
def test_parts_of_a_long_strip_add_up_also_where_each_touches_every_row_of_the_overview(
    tmp_path: Path, max_side_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = inspect(write_tiled(tmp_path / "s.tif", [tissue_like(1500, 4000)]))
    with borrow_reader(info, "direct") as reader:
        whole = read_overview(info, reader, max_side_px)
    monkeypatch.setattr(overview, "MAX_SIDE_PX", max_side_px)
    rows = overview_parts(info, 0, 1)
    assert len(rows) > 1
    seen = overview_of(info, 0, [read_part(info, "direct", 0, some) for some in rows], max_side_px)
    assert seen.valid.all()
    assert np.array_equal(seen.rgb, whole.rgb)


@pytest.mark.parametrize("max_side_px", [64, 300, 2048])
def test_both_lanes_give_the_same_overview_at_any_size(tmp_path: Path, max_side_px: int) -> None:
    fine = tissue_like(1501, 2001)
    path = write_tiled(tmp_path / "s.tif", [fine, np.ascontiguousarray(fine[:1500:4, :2000:4])], tile_px=240)
    info = inspect(path)
    views = []
    for lane in ("openslide", "direct"):
        with borrow_reader(info, lane) as reader:
            views.append(read_overview(info, reader, max_side_px))
    assert max(views[0].valid.shape) <= max_side_px
    assert views[0].size_l0_px == Size(2001, 1501)
    assert views[0].mpp is None
    assert np.array_equal(views[0].rgb, views[1].rgb)
    assert np.array_equal(views[0].valid, views[1].valid)


def test_the_coarsest_level_that_is_large_enough_is_used(testdata: Path) -> None:
    ndpi = inspect(testdata / "slides" / "test3-DAPI-2-387.ndpi")  # 4864 px high, halved six times
    assert [overview_level(ndpi, side) for side in (20_000, 4864, 2048, 600)] == [0, 1, 2, 4]


def test_a_small_slide_is_its_own_overview(tmp_path: Path) -> None:
    picture = tissue_like(200, 300)
    info = inspect(write_tiled(tmp_path / "s.tif", [picture], compression="zlib"))
    with borrow_reader(info, "openslide") as reader:
        assert np.array_equal(read_overview(info, reader).rgb, picture)


def test_where_nothing_was_scanned_the_overview_is_not_valid(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.svs", [tissue_like(1024, 1024)], description=APERIO.format(w=1024, h=1024))
    info = inspect(remove_tiles(path, [5]))
    with borrow_reader(info, "direct") as reader:
        view = read_overview(info, reader, 128)
    wanted = np.ones((128, 128), bool)
    wanted[32:64, 32:64] = False
    assert np.array_equal(view.valid, wanted)


def test_an_overview_is_never_made_from_a_level_that_must_not_be_used(testdata: Path) -> None:
    ndpi = inspect(testdata / "slides" / "test3-DAPI-2-387.ndpi")
    assert overview_level(ndpi, 600, usable_levels=(0, 1, 2)) == 2
    assert overview_level(ndpi, 600, usable_levels=(0,)) == 0
