"""The overview: exact box means, the same in every lane."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiff_files import APERIO, remove_tiles, tissue_like, write_tiled

from wsi_area.model.geometry import Size
from wsi_area.slides import borrow_reader, close_readers, inspect, read_overview
from wsi_area.slides.lanes.overview import box_means, overview_level


@pytest.fixture(autouse=True)
def _closed_readers():
    yield
    close_readers()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 13), st.integers(1, 13), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_every_box_is_the_exact_mean_of_its_valid_pixels_rounded_half_up(
    height: int, width: int, factor: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    valid = rng.random((height, width)) < 0.6
    means, is_valid = box_means(rgb, valid, factor)
    for row in range(-(-height // factor)):
        for column in range(-(-width // factor)):
            box = np.s_[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
            colours = rgb[box][valid[box]].tolist()
            assert is_valid[row, column] == (len(colours) == valid[box].size)
            for channel in range(3) if colours else ():
                mean = Fraction(sum(c[channel] for c in colours), len(colours))
                assert means[row, column, channel] == int(mean + Fraction(1, 2))


def test_the_sums_of_a_large_factor_do_not_overflow() -> None:
    white = np.full((600, 601, 3), 255, np.uint8)
    for factor in (257, 258, 600):
        means, is_valid = box_means(white, np.ones((600, 601), bool), factor)
        assert (means == 255).all()
        assert is_valid.all()


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
