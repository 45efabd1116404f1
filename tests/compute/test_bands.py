"""Bands are exact: against discs and rings, scipy's distances, every cut into boxes, and distances that are whole."""

import os
import subprocess
import sys
import textwrap
from itertools import pairwise
from math import hypot, pi

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from wsi_area.compute.bands.band_counts import band_counts
from wsi_area.compute.bands.band_rule import band_rule, reach_px, whole_lengths
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.geometry import Region

Ints = NDArray[np.int64]
EDGES = (-12.3, -4.1, 0.0, 3.7, 9.2, 20.9)


def counted(
    class_map: NDArray[np.uint8], tissue: NDArray[np.uint32], edges: tuple[float, ...], mpp: Mpp, box: tuple[int, int],
    border: tuple[int, ...] = (2,), signal: NDArray[np.int32] | None = None,
) -> Ints:  # fmt: skip
    """The bands of a whole picture, cut into boxes of (height, width); of a signal what it adds up to there."""
    rule, (height, width) = band_rule(edges, mpp), class_map.shape
    halo_y, halo_x = rule.halo_px
    total = np.zeros((len(edges) - 1, 256), np.int64)
    for y in range(0, height, box[0]):
        for x in range(0, width, box[1]):
            bottom, right = min(y + box[0], height), min(x + box[1], width)
            top, left = max(0, y - halo_y), max(0, x - halo_x)
            window = class_map[top : bottom + halo_y, left : right + halo_x]
            core = Region(x - left, y - top, right - x, bottom - y)
            of_pixel = None if signal is None else signal[y:bottom, x:right]
            px, sums = band_counts(
                window, core, np.ascontiguousarray(tissue[y:bottom, x:right]), border, rule, of_pixel
            )
            assert signal is not None or not sums.any()
            total += px if signal is None else sums
    return total


def by_scipy(
    class_map: NDArray[np.uint8], tissue: NDArray[np.uint32], edges: tuple[float, ...], mpp: Mpp, border: int = 2
) -> Ints:
    inside = class_map == border
    steps = (mpp.y, mpp.x)
    outer = ndimage.distance_transform_edt(~inside, sampling=steps)
    inner = ndimage.distance_transform_edt(inside, sampling=steps)
    distance = np.where(inside, -inner, outer)
    found = np.zeros((len(edges) - 1, 256), np.int64)
    for band, (low, high) in enumerate(pairwise(edges)):
        within = (distance > low) & (distance <= high)
        np.add.at(found[band], class_map[within], tissue[within])
    return found


def random_map(seed: int, shape: tuple[int, int] = (140, 170)) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    random = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(random.standard_normal(shape), 4)
    class_map = np.digitize(field, np.quantile(field, [0.5, 0.8])).astype(np.uint8)
    return class_map, random.integers(0, 5, shape).astype(np.uint32)


@pytest.mark.parametrize("mpp", [Mpp(1.03, 1.03), Mpp(0.71, 1.37), Mpp(2.9, 0.83)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bands_are_those_of_scipys_distances_over_the_whole_picture(seed: int, mpp: Mpp) -> None:
    class_map, tissue = random_map(seed)
    assert (counted(class_map, tissue, EDGES, mpp, (140, 170)) == by_scipy(class_map, tissue, EDGES, mpp)).all()


@pytest.mark.parametrize("box", [(140, 170), (64, 64), (31, 97), (7, 170), (140, 5)])
def test_bands_are_the_same_integers_for_every_cut_into_boxes(box: tuple[int, int]) -> None:
    class_map, tissue = random_map(8)
    whole = by_scipy(class_map, tissue, EDGES, Mpp(0.9, 1.13))
    assert (counted(class_map, tissue, EDGES, Mpp(0.9, 1.13), box) == whole).all()


@pytest.mark.parametrize("box", [(140, 170), (64, 64), (31, 97), (1, 33)])
@pytest.mark.parametrize("mpp", [Mpp(0.9, 1.13), Mpp(2.9, 0.83)])
def test_a_signal_is_added_up_over_the_tissue_of_each_band_whatever_the_cut(mpp: Mpp, box: tuple[int, int]) -> None:
    class_map, tissue = random_map(4)
    signal = np.random.default_rng(4).integers(0, 6_000_000, class_map.shape).astype(np.int32)
    expected = by_scipy(class_map, tissue.astype(np.int64) * signal, EDGES, mpp)
    assert (counted(class_map, tissue, EDGES, mpp, box, signal=signal) == expected).all()


def test_a_signal_beyond_32_bits_of_a_pixel_s_share_wraps_nowhere() -> None:
    class_map = np.full((3, 200), 1, np.uint8)
    class_map[:, 0] = 2
    tissue, signal = np.full((3, 200), 4096, np.uint32), np.full((3, 200), 2**31 - 1, np.int32)
    found = counted(class_map, tissue, (0.0, 500.0), Mpp(1, 1), (3, 200), signal=signal)
    assert int(found[0, 1]) == 3 * 199 * 4096 * (2**31 - 1)


@pytest.mark.parametrize(("radius_um", "mpp"), [(60.0, Mpp(0.5, 0.5)), (45.0, Mpp(0.5, 0.25)), (30.0, Mpp(0.25, 0.4))])
def test_a_disc_has_bands_of_the_area_of_rings(radius_um: float, mpp: Mpp) -> None:
    side_um, edges = 2 * radius_um + 90, (-20.0, 0.0, 15.0, 40.0)
    height, width = round(side_um / mpp.y), round(side_um / mpp.x)
    y, x = np.ogrid[:height, :width]
    inside = np.hypot((y - height / 2) * mpp.y, (x - width / 2) * mpp.x) <= radius_um
    found = counted(inside.astype(np.uint8), np.ones(inside.shape, np.uint32), edges, mpp, (128, 100), (1,))
    for band, (low, high) in enumerate(pairwise(edges)):
        ring_um2 = pi * ((radius_um + high) ** 2 - (radius_um + low) ** 2)
        rim_um = 2 * pi * (2 * radius_um + high + low)
        assert abs(found[band].sum() * mpp.x * mpp.y - ring_um2) < rim_um * max(mpp.x, mpp.y)


@pytest.mark.parametrize("mpp", [0.1, 0.3, 0.25])
def test_a_pixel_at_an_edge_is_in_the_band_that_ends_there_whatever_floating_point_says(mpp: float) -> None:
    class_map = np.zeros((1, 101), np.uint8)
    class_map[0, 0] = 1
    edges = (0.0, 3 * mpp, 30 * mpp)  # 3 × 0.1 is 0.30000000000000004
    found = counted(class_map, np.ones((1, 101), np.uint32), edges, Mpp(mpp, mpp), (1, 40), (1,))
    assert found[:, 0].tolist() == [3, 27]


def test_the_nearest_pixel_of_a_class_is_one_step_inside_and_the_next_is_outside() -> None:
    class_map = np.array([[0, 0, 1, 1, 1, 1, 0]], np.uint8)
    found = counted(class_map, np.ones((1, 7), np.uint32), (-2.0, -1.0, 0.0, 1.0), Mpp(1, 1), (1, 7), (1,))
    assert found[:, 1].tolist() == [2, 0, 0]  # at exactly -1: (-2, -1]
    assert found[:, 0].tolist() == [0, 0, 2]


@pytest.mark.parametrize("code", [UNSCANNED_CODE, OUTSIDE_ROI_CODE, UNREADABLE_CODE])
def test_what_has_no_class_is_in_no_band_and_makes_no_border(code: int) -> None:
    class_map = np.full((9, 40), 1, np.uint8)
    class_map[:, :10] = code
    found = counted(class_map, np.ones((9, 40), np.uint32), (-5.0, 0.0, 5.0), Mpp(1, 1), (9, 40), (1,))
    assert not found.any()
    class_map[:, 30:] = 0
    found = counted(class_map, np.ones((9, 40), np.uint32), (-5.0, 0.0, 5.0), Mpp(1, 1), (9, 40), (1,))
    assert (found[0, 1], found[1, 0], found.sum()) == (4 * 9, 5 * 9, 9 * 9)


def test_bands_that_begin_away_from_the_border_leave_out_what_is_nearer() -> None:
    class_map, tissue = random_map(5)
    for edges in ((3.7, 9.2), (-12.3, -4.1), (-4.1, 9.2)):
        assert (counted(class_map, tissue, edges, Mpp(1.03, 0.9), (50, 60)) ==
                by_scipy(class_map, tissue, edges, Mpp(1.03, 0.9))).all()  # fmt: skip


def test_a_reach_is_the_most_columns_whose_distance_is_within_the_radius() -> None:
    reach = reach_px(7.3, Mpp(0.9, 1.7))
    for row, columns in enumerate(reach):
        assert hypot(row * 1.7, columns * 0.9) <= 7.3 < hypot(row * 1.7, (columns + 1) * 0.9)
    assert whole_lengths(0.1, 0.3) == [1, 3]


BOUNDED = """
    import numpy as np
    from wsi_area.compute.bands import band_counts, compiled_bands, compiled_reach
    from wsi_area.compute.bands.band_rule import band_rule
    from wsi_area.model.calibration import Mpp
    compiled_bands._STRIP, compiled_bands._CHUNK, compiled_reach._CHUNK = 4, 3, 3
    random, side_of = np.random.default_rng(5), np.zeros(256, np.uint8)
    side_of[:200], side_of[2] = 2, 1
    for edges in ((0, 4), (-3, 0), (-6, -2, 0, 3, 5.5, 9), (1, 2, 3), (-4, -1)):
        for _ in range(6):
            top, left, rows, columns = *random.integers(1, 5, 2), *random.integers(4, 25, 2)
            coarse = random.choice([0, 1, 2, 2, 255], (7, 7)).astype(np.uint8)
            window = coarse.repeat(6, 0).repeat(6, 1)[: rows + top + 3, : columns + left + 2]
            tissue = random.integers(0, 2, (rows, columns)).astype(np.uint32)
            rule = band_rule(edges, Mpp(1.3, 0.9))
            outer, inner = band_counts._table(rule.outside), band_counts._table(rule.inside)
            begins, below, along = (np.full((n, window.shape[1]), -(1 << 30), np.int32) for n in (16, 8, 11))
            compiled_bands._count_bands(
                window, top, left, tissue, side_of, outer, inner, np.concatenate([rule.outside.band, rule.inside.band]),
                begins, below, along, np.empty((4, window.shape[1]), np.uint8), np.zeros((len(edges) + 1, 256), int),
                random.integers(0, 99, tissue.shape if rows % 2 else (1, 0)), np.zeros((len(edges) + 1, 256), int),
            )
"""


def test_no_number_is_read_that_was_not_written_nor_any_beyond_the_window() -> None:
    plain = {**os.environ, "NUMBA_DISABLE_JIT": "1"}  # as Python, in which an index far below 0 raises
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BOUNDED)], capture_output=True, text=True, env=plain, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
