"""Hot spots are exact: every window against its pixels one by one, the planted one found, none over another."""

from math import pi, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from wsi_area.compute.hotspots.best_windows import best_windows
from wsi_area.compute.hotspots.window import Shape, Window, centres_px, grid_step_px, hpf_area_mm2, window_of
from wsi_area.compute.hotspots.window_sums import window_sums
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region

Ints = NDArray[np.int64]
AREA = 0.004


def summed(
    tissue: NDArray[np.uint32], positive: NDArray[np.bool_], box: int, ys: Ints, xs: Ints, window: Window
) -> Ints:
    height, width = tissue.shape
    sums = np.zeros((2, len(ys), len(xs)), np.int64)
    for y in range(0, height, box):
        for x in range(0, width, box):
            part = Region(x, y, min(box, width - x), min(box, height - y))
            cut = np.s_[y : part.bottom_px, x : part.right_px]
            of = positive[cut].astype(np.uint8)
            (one,) = window_sums(of, tissue[cut], (1,), part, ys, xs, (window,)).windows
            sums[:, one.row : one.row + one.px.shape[1], one.col : one.col + one.px.shape[2]] += one.px
    return sums


def inside(shape: Shape, y: float, x: float, size: tuple[int, int], mpp: Mpp) -> NDArray[np.bool_]:
    """Which pixels a window has, by the geometry of a disc, or by the columns and rows of a square."""
    rows, cols = np.ogrid[: size[0], : size[1]]
    if shape == "round":
        return ((rows - y) * mpp.y) ** 2 + ((cols - x) * mpp.x) ** 2 <= AREA * 1e6 / pi
    high, wide = (round(1000 * sqrt(AREA) / step) for step in (mpp.y, mpp.x))
    down, across = (rows - y + high // 2), (cols - x + wide // 2)
    return (down >= 0) & (down < high) & (across >= 0) & (across < wide)


@pytest.mark.parametrize("shape", ["round", "square"])
@pytest.mark.parametrize(("mpp", "box"), [(Mpp(2.0, 2.0), 50), (Mpp(1.9, 3.1), 37), (Mpp(4.3, 1.7), 200)])
def test_every_window_has_what_its_pixels_have(shape: Shape, mpp: Mpp, box: int) -> None:
    random = np.random.default_rng(4)
    tissue = random.integers(0, 5, (120, 150)).astype(np.uint32)
    positive = random.random((120, 150)) > 0.6
    ys, xs = centres_px(120, 11), centres_px(150, 14)
    sums = summed(tissue, positive, box, ys, xs, window_of(AREA, shape, mpp))
    for i, y in enumerate(ys):
        for j, x in enumerate(xs):
            at = inside(shape, float(y), float(x), tissue.shape, mpp)
            assert sums[:, i, j].tolist() == [tissue[at].sum(), tissue[at & positive].sum()]


@pytest.mark.parametrize("box", [Region(0, 0, 90, 70), Region(40, 30, 50, 40), Region(80, 60, 10, 10)])
def test_each_of_several_windows_has_what_it_has_alone(box: Region) -> None:
    random, mpp = np.random.default_rng(9), Mpp(2.0, 1.7)
    tissue = random.integers(0, 3, (box.height_px, box.width_px)).astype(np.uint32)
    positive = random.random(tissue.shape) > 0.5
    ys, xs = centres_px(70, 6), centres_px(90, 7)
    windows = [window_of(area, shape, mpp) for area in (0.004, 0.0003, 0.03) for shape in ("round", "square")]
    found = window_sums(positive.astype(np.uint8), tissue, (1,), box, ys, xs, windows)
    assert (found.tissue_px, found.positive_px) == (tissue.sum(), tissue[positive].sum())
    for window, one in zip(windows, found.windows, strict=True):
        for i, y in enumerate(ys):
            for j, x in enumerate(xs):
                expected = [0, 0]
                for row, first, stop in zip(range(window.rows_px), window.first_px, window.stop_px, strict=True):
                    at = y + window.first_row_px + row - box.y_px
                    if 0 <= at < box.height_px:
                        cut = slice(max(x + first - box.x_px, 0), max(x + stop - box.x_px, 0))
                        expected[0] += int(tissue[at, cut].sum())
                        expected[1] += int(tissue[at, cut][positive[at, cut]].sum())
                row, col = i - one.row, j - one.col
                inside = 0 <= row < one.px.shape[1] and 0 <= col < one.px.shape[2]
                assert expected == (one.px[:, row, col].tolist() if inside else [0, 0])


@pytest.mark.parametrize("shape", ["round", "square"])
@pytest.mark.parametrize("area_mm2", [0.2, 1.0, 2.0])
@pytest.mark.parametrize("mpp", [Mpp(1.0, 1.0), Mpp(0.25, 0.27), Mpp(2.0, 2.0)])
def test_a_window_has_its_stated_area_within_its_rim(shape: Shape, area_mm2: float, mpp: Mpp) -> None:
    counted = window_of(area_mm2, shape, mpp).n_work_px * mpp.pixel_area_mm2
    assert counted == pytest.approx(area_mm2, rel=0.006)


def test_ten_high_power_fields_are_as_large_as_pathologists_say() -> None:
    # field number 22 and 18 mm at × 40: 2.37 and 1.59 mm² (WHO classification of tumours, breast, 5th edition)
    assert hpf_area_mm2(10, 22, 40) == pytest.approx(2.37, abs=0.01)
    assert hpf_area_mm2(10, 18, 40) == pytest.approx(1.59, abs=0.01)


@pytest.mark.parametrize("shape", ["round", "square"])
@pytest.mark.parametrize("place", [(60, 60), (110, 330), (205, 118)])
def test_the_planted_hot_spot_comes_first(shape: Shape, place: tuple[int, int]) -> None:
    mpp = Mpp(1.0, 1.0)
    tissue = np.ones((260, 400), np.uint32)
    positive = np.random.default_rng(2).random((260, 400)) > 0.9
    positive[inside("round", *place, tissue.shape, mpp)] = True
    ys, xs = centres_px(260, 5), centres_px(400, 5)
    window = window_of(AREA, shape, mpp)
    first = best_windows(summed(tissue, positive, 128, ys, xs, window), ys, xs, window, mpp, 0, 1)[0]
    assert (first.y_px, first.x_px) == pytest.approx(place, abs=5)


@pytest.mark.parametrize("shape", ["round", "square"])
def test_no_window_shares_a_pixel_with_another_and_each_is_the_best_that_is_left(shape: Shape) -> None:
    mpp, size = Mpp(1.3, 1.0), (200, 230)
    random = np.random.default_rng(6)
    tissue, positive = np.ones(size, np.uint32), random.random(size) > 0.5
    ys, xs = centres_px(200, 4), centres_px(230, 4)
    window = window_of(AREA, shape, mpp)
    sums = summed(tissue, positive, 77, ys, xs, window)
    found = best_windows(sums, ys, xs, window, mpp, 0, 50)
    masks = [inside(shape, one.y_px, one.x_px, size, mpp) for one in found]
    assert len(found) > 2
    assert np.sum(masks, axis=0).max() == 1
    taken = np.zeros(size, bool)
    for one, mask in zip(found, masks, strict=True):
        free = max(
            int(sums[1, i, j])
            for i, y in enumerate(ys)
            for j, x in enumerate(xs)
            if not (inside(shape, y, x, size, mpp) & taken).any() or (y, x) == (one.y_px, one.x_px)
        )
        assert one.positive_px <= free
        if not taken.any():
            assert one.positive_px == sums[1].max()
        taken |= mask


def test_a_window_with_too_little_tissue_is_none() -> None:
    mpp, tissue = Mpp(1, 1), np.zeros((100, 300), np.uint32)
    tissue[:, 200:] = 1
    tissue[45:55, 45:55] = 1  # a speck, all of it positive
    positive = np.zeros((100, 300), bool)
    positive[45:55, 45:55] = positive[:, 290:] = True
    window = window_of(0.002, "square", mpp)
    ys, xs = centres_px(100, 5), centres_px(300, 5)
    sums = summed(tissue, positive, 64, ys, xs, window)
    assert all(one.x_px > 200 for one in best_windows(sums, ys, xs, window, mpp, 0.5 * 2000, 9))
    assert any(one.x_px < 100 for one in best_windows(sums, ys, xs, window, mpp, 0, 9))


def test_where_nothing_is_positive_there_is_no_hot_spot() -> None:
    sums = np.stack([np.full((3, 3), 9), np.zeros((3, 3), int)]).astype(np.int64)
    ys = xs = np.arange(3)
    assert best_windows(sums, ys, xs, window_of(AREA, "round", Mpp(1, 1)), Mpp(1, 1), 0, 3) == ()


def test_a_grid_never_has_more_centres_along_an_axis_than_asked() -> None:
    assert grid_step_px(50, 0.5, 10_000, 2048) == 100
    assert len(centres_px(10_000, grid_step_px(0.5, 0.5, 10_000, 2048))) <= 2048
