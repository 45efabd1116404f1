"""Foci merged over seams: the same as in one piece, and the same as other tools find."""

import math
from pathlib import Path

import numpy as np
import pytest
from class_map_cuts import TUMOUR, Edges, foci_of, unit_edges
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import regionprops

from wsi_area.model.calibration import Mpp
from wsi_area.model.objects import Foci

CORNERS = np.ones((3, 3), np.uint8)
UNKNOWN = (253, 254, 255)


def random_map(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Blobs, specks, holes, and now and then pixels of unknown class."""
    random = np.random.default_rng(seed)
    sd = random.choice([0.0, 0.7, 1.5])
    field = ndimage.gaussian_filter(random.standard_normal((height, width)), sd)
    class_map = np.where(field > np.quantile(field, random.choice([0.3, 0.5, 0.8])), 2, 0).astype(np.uint8)
    class_map[(class_map == 2) & (random.random((height, width)) < 0.3)] = 3
    class_map[(class_map == 0) & (random.random((height, width)) < 0.3)] = 1
    for code in UNKNOWN:
        class_map[random.random((height, width)) < random.choice([0, 0, 0.02])] = code
    return class_map


def as_tuple(foci: Foci) -> tuple[object, ...]:
    totals = [getattr(foci, name) for name in Foci.__slots__ if name != "listed"]
    return (*(repr(t) for t in totals), foci.listed.tobytes())


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    box_px=st.integers(1, 41),
)
def test_no_cut_changes_a_bit_of_any_focus(seed: int, height: int, width: int, box_px: int) -> None:
    class_map = random_map(seed, height, width)
    random = np.random.default_rng(seed)
    edges = tuple(np.append(0, np.cumsum(random.integers(1, 5, n))) for n in (width, height))
    mpp = Mpp(0.25, 0.31)
    whole, cut = (foci_of(class_map, px, mpp, edges) for px in (10**6, box_px))
    assert as_tuple(cut) == as_tuple(whole)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    box_px=st.integers(1, 41),
)
def test_every_figure_is_what_other_tools_find_on_the_whole_map(
    seed: int, height: int, width: int, box_px: int
) -> None:
    class_map = random_map(seed, height, width)
    foci = foci_of(class_map, box_px, Mpp(1.0, 2.0))
    tumour = np.isin(class_map, TUMOUR)
    numbered, count = ndimage.label(tumour, CORNERS)
    assert foci.count == len(foci.listed) == count
    assert foci.area_px == tumour.sum()
    expected = {}
    for region in regionprops(numbered):
        top, left, bottom, right = region.bbox
        rows, cols = np.nonzero(numbered == region.label)
        y, x = region.centroid
        expected[rows[0], cols[0]] = (
            len(rows), x + 0.5, y + 0.5, left, top, right - left, bottom - top, _extent_um(rows, cols, 1.0, 2.0),
            top == 0 or left == 0 or bottom == height or right == width,
            bool((ndimage.binary_dilation(numbered == region.label, CORNERS) & (class_map == 253)).any()),
        )  # fmt: skip
    in_order = sorted(expected, key=lambda at: (-expected[at][0], at))
    for n, (focus, at) in enumerate(zip(foci.listed, in_order, strict=True)):
        found = (
            focus["area_px"], focus["centroid_x_l0_px"], focus["centroid_y_l0_px"], focus["x_l0_px"], focus["y_l0_px"],
            focus["width_l0_px"], focus["height_l0_px"], focus["max_feret_mm"] * 1000,
        )  # fmt: skip
        assert found == pytest.approx(expected[at][:8], rel=1e-12)
        assert (focus["touches_border"], focus["touches_unread"]) == expected[at][8:]
        assert focus["object_id"] == n + 1
    assert foci.touching_border == foci.listed["touches_border"].sum()
    assert foci.touching_unread == foci.listed["touches_unread"].sum()


def _extent_um(rows: NDArray[np.int64], cols: NDArray[np.int64], um_x: float, um_y: float) -> float:
    """The largest distance of any two corners of any two pixels."""
    corners = np.concatenate([np.stack([(cols + i) * um_x, (rows + j) * um_y], axis=1) for i in (0, 1) for j in (0, 1)])
    return float(pdist(np.unique(corners, axis=0)).max())


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    box_px=st.integers(1, 41),
)
def test_the_filled_area_is_that_of_a_flood_from_the_border_and_from_what_is_unknown(
    seed: int, height: int, width: int, box_px: int
) -> None:
    class_map = random_map(seed, height, width)
    foci = foci_of(class_map, box_px)
    tumour = np.isin(class_map, TUMOUR)
    gaps, count = ndimage.label(~tumour)  # sides only
    framed = np.pad(tumour, 1)
    enclosed = ndimage.binary_fill_holes(framed)[1:-1, 1:-1] & ~tumour
    reached = set(gaps[np.isin(class_map, UNKNOWN)]) | {0}
    holes = [n for n in range(1, count + 1) if n not in reached and enclosed[gaps == n].all()]
    assert foci.hole_count == len(holes)
    assert foci.filled_px == tumour.sum() + np.isin(gaps, holes).sum()
    assert foci.listed["filled_px"].sum() == foci.filled_px


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), box_px=st.integers(3, 41))
def test_the_filled_area_of_a_focus_is_its_own_flood_less_the_floods_of_the_foci_inside(seed: int, box_px: int) -> None:
    class_map = random_map(seed, 40, 40)
    class_map[class_map > 200] = 0
    numbered, count = ndimage.label(np.isin(class_map, TUMOUR), CORNERS)
    floods = [ndimage.binary_fill_holes(numbered == n) for n in range(1, count + 1)]
    expected = {}
    for n, flood in enumerate(floods, 1):
        inside = [other for m, other in enumerate(floods, 1) if m != n and flood[numbered == m].all()]
        own = flood & ~np.any(inside, axis=0) if inside else flood
        rows, cols = np.nonzero(numbered == n)
        expected[-len(rows), rows[0], cols[0]] = int(own.sum())
    foci = foci_of(class_map, box_px)
    assert foci.listed["filled_px"].tolist() == [expected[at] for at in sorted(expected)]


def disc(size_px: int, radius_px: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:size_px, :size_px] + 0.5
    return np.asarray((x - size_px / 2) ** 2 + (y - size_px / 2) ** 2 <= radius_px**2)


@pytest.mark.parametrize("box_px", [64, 100, 301])
def test_a_disc_is_as_wide_as_its_diameter_and_a_corner(box_px: int) -> None:
    class_map = np.where(disc(301, 120), 2, 0).astype(np.uint8)
    foci = foci_of(class_map, box_px, Mpp(0.5, 0.5))
    extent_um = foci.max_feret_mm * 1000
    assert 2 * 120 * 0.5 - 1 <= extent_um <= 2 * (120 + math.sqrt(0.5)) * 0.5
    assert foci.area_px == pytest.approx(math.pi * 120**2, rel=2e-3)
    assert foci.listed["centroid_x_l0_px"].tolist() == foci.listed["centroid_y_l0_px"].tolist() == [150.5]


@pytest.mark.parametrize("box_px", [64, 100, 301])
def test_a_ring_has_the_area_of_its_band_and_when_filled_that_of_its_disc(box_px: int) -> None:
    ring = disc(301, 120) & ~disc(301, 70)
    foci = foci_of(np.where(ring, 3, 0).astype(np.uint8), box_px)
    assert (foci.count, foci.hole_count) == (1, 1)
    assert foci.area_px == ring.sum() == pytest.approx(math.pi * (120**2 - 70**2), rel=2e-3)
    assert foci.filled_px == disc(301, 120).sum()


@pytest.mark.parametrize("box_px", [64, 301])
def test_an_island_in_a_ring_is_a_focus_of_its_own_and_no_part_of_the_ring_s_filled_area(box_px: int) -> None:
    class_map = np.where((disc(301, 120) & ~disc(301, 70)) | disc(301, 30), 2, 0).astype(np.uint8)
    foci = foci_of(class_map, box_px)
    ring, island = foci.listed
    assert ring["filled_px"] == disc(301, 120).sum() - disc(301, 30).sum()
    assert island["filled_px"] == island["area_px"] == disc(301, 30).sum()
    assert foci.filled_px == disc(301, 120).sum()


@pytest.mark.parametrize("box_px", [64, 301])
@pytest.mark.parametrize("code", UNKNOWN)
def test_a_hole_that_holds_a_pixel_of_unknown_class_is_not_enclosed(box_px: int, code: int) -> None:
    class_map = np.where(disc(301, 120) & ~disc(301, 70), 2, 0).astype(np.uint8)
    class_map[150, 150] = code
    foci = foci_of(class_map, box_px)
    assert (foci.hole_count, foci.filled_px) == (0, foci.area_px)
    assert foci.touching_unread == 0  # the pixel lies in the middle, away from the ring


@pytest.mark.parametrize("box_px", [1, 2, 3, 6])
def test_a_focus_that_meets_an_unreadable_pixel_only_at_a_corner_is_flagged(box_px: int) -> None:
    class_map = np.zeros((6, 6), np.uint8)
    class_map[2, 2], class_map[3, 3], class_map[0, 5] = 2, 253, 2
    class_map[5, 5] = 255  # never scanned: that is known, and flags nothing
    foci = foci_of(class_map, box_px)
    assert foci.listed["touches_unread"].tolist() == [False, True]
    assert foci.listed["touches_border"].tolist() == [True, False]


@pytest.mark.parametrize("box_px", [1, 2, 3, 4, 5])
def test_foci_join_at_corners_over_the_corner_of_four_boxes_and_gaps_do_not(box_px: int) -> None:
    class_map = np.full((4, 4), 2, np.uint8)
    class_map[[1, 2], [1, 2]] = 0  # two holes that meet at a corner
    assert foci_of(class_map, box_px).hole_count == 2
    class_map = np.zeros((4, 4), np.uint8)
    class_map[[0, 1, 2, 3], [3, 2, 1, 0]] = 2  # one focus, a diagonal
    foci = foci_of(class_map, box_px, Mpp(1000.0, 1000.0))
    assert (foci.count, foci.area_px) == (1, 4)
    assert foci.max_feret_mm == pytest.approx(math.hypot(4, 4))


def test_an_extent_is_measured_in_micrometres_of_each_axis() -> None:
    class_map = np.zeros((20, 20), np.uint8)
    class_map[5, 2:12] = 2  # 10 wide
    class_map[10:18, 15] = 2  # 8 high
    foci = foci_of(class_map, 7, Mpp(0.2, 0.5))
    flat, upright = foci.listed["max_feret_mm"] * 1000
    assert flat == pytest.approx(math.hypot(10 * 0.2, 0.5))
    assert upright == pytest.approx(math.hypot(0.2, 8 * 0.5))
    assert foci.max_feret_mm * 1000 == pytest.approx(upright)  # the smaller focus reaches further
    assert foci.listed["area_px"].tolist() == [10, 8]


@pytest.mark.parametrize("box_px", [3, 100])
def test_work_pixels_of_several_sizes_weigh_what_they_stand_for(box_px: int) -> None:
    class_map = np.array([[0, 0, 0, 0], [0, 2, 2, 0], [0, 2, 0, 2]], np.uint8)
    edges: Edges = np.array([0, 4, 8, 12, 14]), np.array([0, 4, 8, 9])  # the last column and row are partial
    foci = foci_of(class_map, box_px, Mpp(1.0, 1.0), edges)
    level_0 = np.zeros((9, 14), np.uint8)
    level_0[4:8, 4:12] = level_0[8:9, 4:8] = level_0[8:9, 12:14] = 2
    expected = foci_of(level_0, 10**6, Mpp(1.0, 1.0))
    assert as_tuple(foci) == as_tuple(expected)


def test_of_a_slide_of_noise_the_totals_are_of_all_and_the_list_is_the_same_for_every_cut() -> None:
    class_map = np.where(np.random.default_rng(3).random((300, 300)) < 0.2, 2, 0).astype(np.uint8)
    whole = foci_of(class_map, 10**6, Mpp(0.5, 0.5))
    assert whole.count > 3000
    for box_px in (40, 77, 10**6):
        few = foci_of(class_map, box_px, Mpp(0.5, 0.5), kept_most=100)
        assert len(few.listed) == 100
        assert few.listed.tobytes() == whole.listed[:100].tobytes()
        assert as_tuple(few)[:-1] == as_tuple(whole)[:-1]


def test_equal_foci_are_numbered_by_where_they_lie() -> None:
    class_map = np.zeros((9, 9), np.uint8)
    class_map[[0, 4, 4, 8], [4, 8, 0, 2]] = 2
    foci = foci_of(class_map, 3)
    assert list(zip(foci.listed["x_l0_px"], foci.listed["y_l0_px"], strict=True)) == [(4, 0), (0, 4), (8, 4), (2, 8)]


@pytest.mark.parametrize("box_px", [5, 100])
def test_nothing_has_no_foci_and_a_slide_without_pixel_size_no_millimetres(box_px: int) -> None:
    nothing = foci_of(np.zeros((12, 13), np.uint8), box_px, Mpp(1.0, 1.0))
    assert (nothing.count, nothing.area_px, nothing.filled_px, nothing.max_feret_mm) == (0, 0, 0, 0.0)
    everything = foci_of(np.full((12, 13), 2, np.uint8), box_px, None)
    assert (everything.count, everything.area_px, everything.hole_count) == (1, 156, 0)
    assert math.isnan(everything.max_feret_mm)
    assert np.isnan(everything.listed["max_feret_mm"]).all()


@pytest.mark.parametrize("box_px", [512, 4000])
def test_the_tumour_of_a_real_class_map_is_what_other_tools_find(testdata: Path, box_px: int) -> None:
    found = np.asarray(Image.open(testdata / "masks" / "bcss_TCGA-A2-A0YE_class_map.png"))
    tumour = found == 1
    class_map = np.where(tumour, 2, np.where(found == 0, 254, 1)).astype(np.uint8)  # 0: outside what was annotated
    foci = foci_of(class_map, box_px, Mpp(0.25, 0.25))
    numbered, count = ndimage.label(tumour, CORNERS)
    sizes = np.bincount(numbered.ravel())[1:]
    assert (foci.count, foci.area_px) == (count, 3_396_902)
    assert foci.listed["area_px"].tolist() == sorted(sizes.tolist(), reverse=True)
    extents = [
        0.25 * _extent_um(*(c[ConvexHull(np.stack([rows, cols], axis=1)).vertices] for c in (rows, cols)), 1.0, 1.0)
        for rows, cols in (np.nonzero(numbered == n) for n in 1 + np.argsort(-sizes)[:3])
    ]
    assert foci.listed["max_feret_mm"][:3] * 1000 == pytest.approx(extents, rel=1e-12)


@pytest.mark.parametrize("box_px", [100, 2000])
def test_the_metastases_of_a_real_slide_are_those_its_pathologist_drew(testdata: Path, box_px: int) -> None:
    mask = np.asarray(Image.open(testdata / "masks" / "camelyon16_tumor_072_level0.png"))
    mpp = Mpp(28.969, 28.968)
    foci = foci_of(np.where(mask > 0, 2, 0).astype(np.uint8), box_px, mpp)
    assert foci.count == 4
    assert foci.area_px * mpp.pixel_area_mm2 == pytest.approx(6.0035, abs=1e-4)
    assert foci.filled_px == ndimage.binary_fill_holes(mask).sum()  # the outlines leave a few pixels between them


def test_edges_of_the_whole_grid_are_what_the_helper_says() -> None:
    columns, rows = unit_edges(np.zeros((2, 3), np.uint8), 4)
    assert columns.tolist() == [0, 4, 8, 12]
    assert rows.tolist() == [0, 4, 8]
