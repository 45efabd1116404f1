"""Tracing: what it draws is held against regions grown pixel by pixel (scipy), polygons (shapely) and GDAL."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from traced import with_peak_bytes

from wsi_area.errors import ResultError
from wsi_area.exports.tracing import sweep
from wsi_area.exports.tracing.rings import DOUBLED_AREA, FIRST, KNOWN_FIELDS, LENGTH, RingBatch
from wsi_area.exports.tracing.sweep import cut_rings, traced_regions


@dataclass(frozen=True)
class TracedRegion:
    """A region of a batch, ring by ring."""

    class_id: int
    shell: np.ndarray
    holes: list[np.ndarray]
    area_px: int


MAPS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 3))


def traced(class_map: np.ndarray, *class_ids: int) -> list[TracedRegion]:
    return traced_in_bands([class_map], class_map, *class_ids)


def traced_in_bands(bands: list[np.ndarray], class_map: np.ndarray, *class_ids: int) -> list[TracedRegion]:
    height, width = class_map.shape
    return regions(traced_regions(bands, np.arange(width + 1), np.arange(height + 1), class_ids or (1, 2, 3)))


def regions(batches: Iterable[RingBatch]) -> list[TracedRegion]:
    """Every region of some batches, whose holes may lie in a later one."""
    found: list[TracedRegion] = []
    for batch in batches:
        for ring, class_id, area_px in zip(
            np.split(batch.points, batch.ends[:-1]), batch.class_ids.tolist(), batch.areas_px.tolist(), strict=True
        ):
            if area_px:
                found.append(TracedRegion(class_id, ring, [], area_px))
            else:
                assert class_id == found[-1].class_id
                found[-1].holes.append(ring)
    return found


def polygon(region: TracedRegion) -> shapely.Polygon:
    return shapely.Polygon(region.shell, region.holes)


def grown(class_map: np.ndarray) -> list[tuple[int, shapely.Geometry]]:
    """The 4-connected regions as unions of unit squares."""
    found = []
    for code in (1, 2, 3):
        parts, count = ndimage.label(class_map == code)
        for part in range(1, count + 1):
            y, x = np.nonzero(parts == part)
            found.append((code, shapely.union_all(shapely.box(x, y, x + 1, y + 1))))
    return found


@settings(max_examples=150, deadline=None)
@given(class_map=MAPS)
def test_regions_are_those_that_grow_pixel_by_pixel(class_map):
    expected, found = grown(class_map), traced(class_map)
    assert len(found) == len(expected)
    for region in found:
        outline = polygon(region)
        assert outline.is_valid
        assert region.area_px == outline.area
        same = [e for code, e in expected if code == region.class_id and e.equals(outline)]
        assert len(same) == 1


@settings(max_examples=100, deadline=None)
@given(class_map=MAPS, data=st.data())
def test_neither_order_nor_corners_depend_on_how_the_map_is_cut_into_bands(class_map, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(class_map)), max_size=4)))
    bands = np.split(class_map, cuts)
    again = traced_in_bands(bands, class_map)
    whole = traced(class_map)
    assert [r.class_id for r in again] == [r.class_id for r in whole]
    for one, other in zip(again, whole, strict=True):
        assert [ring.tolist() for ring in (one.shell, *one.holes)] == [r.tolist() for r in (other.shell, *other.holes)]


def test_a_large_noisy_map_is_the_same_as_gdal_makes_it():
    features = pytest.importorskip("rasterio.features", reason="no rasterio: pip install rasterio")
    class_map = np.kron(np.random.default_rng(5).integers(0, 4, (90, 120)), np.ones((2, 3))).astype(np.uint8)
    class_map[::7] = 0
    theirs = [
        (int(value), shapely.geometry.shape(g))
        for g, value in features.shapes(class_map, mask=class_map > 0, connectivity=4)
    ]
    ours = [(r.class_id, polygon(r)) for r in traced(class_map)]
    assert sorted((c, p.normalize().wkt) for c, p in ours) == sorted((c, p.normalize().wkt) for c, p in theirs)


def test_many_small_bands_and_growing_lists_keep_every_region(monkeypatch):
    class_map = (np.random.default_rng(6).random((300, 211)) < 0.55).astype(np.uint8)
    whole = traced(class_map, 1)
    monkeypatch.setattr(sweep, "_ROWS_AT_ONCE", 7)
    pieces = traced(class_map, 1)
    assert sum(r.area_px for r in whole) == class_map.sum() == sum(r.area_px for r in pieces)
    assert [r.shell.tolist() for r in whole] == [r.shell.tolist() for r in pieces]
    assert len(whole) == ndimage.label(class_map)[1]


@pytest.mark.parametrize(("seed", "codes"), [(7, 2), (8, 3), (9, 4)])
def test_corners_of_closed_rings_are_let_go_while_regions_stay_as_they_are(monkeypatch, seed, codes):
    class_map = np.kron(np.random.default_rng(seed).integers(0, codes, (40, 50)), np.ones((3, 2))).astype(np.uint8)
    whole = traced(class_map)
    monkeypatch.setattr(sweep, "_ROWS_AT_ONCE", 5)
    monkeypatch.setattr(sweep, "_LET_GO_FROM", -(1 << 40))  # after every few rows
    pieces = traced(class_map)
    assert [[r.class_id, r.area_px, r.shell.tolist(), [hole.tolist() for hole in r.holes]] for r in whole] == [
        [r.class_id, r.area_px, r.shell.tolist(), [hole.tolist() for hole in r.holes]] for r in pieces
    ]
    assert all(polygon(r).is_valid and polygon(r).area == r.area_px for r in pieces)


@pytest.mark.parametrize("seed", [10, 11, 12])
def test_holes_are_in_the_order_of_their_upper_left_corners(seed):
    class_map = np.pad((np.random.default_rng(seed).random((40, 50)) < 0.6).astype(np.uint8), 1, constant_values=1)
    largest = max(traced(class_map, 1), key=lambda r: len(r.holes))
    corners = [(hole[0][1], hole[0][0]) for hole in largest.holes]
    assert len(corners) > 20
    assert corners == sorted(corners)


def test_pixels_that_touch_at_a_corner_are_apart():
    assert [r.area_px for r in traced(np.eye(3, dtype=np.uint8))] == [1, 1, 1]


def test_a_ring_of_five_pixels_has_its_full_area():
    ring = np.ones((5, 5), np.uint8)
    ring[1:4, 1:4] = 0
    [region] = traced(ring)
    assert (region.area_px, len(region.shell), [len(h) for h in region.holes]) == (16, 4, [4])


def test_a_hole_that_touches_its_shell_at_a_corner_is_a_ring_of_its_own():
    class_map = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], np.uint8)
    [region] = traced(class_map)
    assert polygon(region).is_valid
    assert region.holes[0].tolist() == [[1, 1], [1, 2], [2, 2], [2, 1]]


def test_a_ring_is_cut_wherever_it_touches_itself():
    eight = np.array([[0, 0], [2, 0], [2, 2], [4, 2], [4, 4], [2, 4], [2, 2], [0, 2]])
    square = np.array([[7, 7], [9, 7], [9, 9], [7, 9]])
    known, more, touches, edges = (
        np.zeros((2, KNOWN_FIELDS), np.int64),
        np.zeros((2, 2), np.int64),
        [2, 6, 9],
        np.arange(10),
    )
    known[:, FIRST], known[:, LENGTH], known[:, DOUBLED_AREA], more[:] = (0, 8), (8, 4), (16, 8), [(1, 4), (2, 9)]
    points = np.concatenate([eight, square]).astype(np.int32)
    closed = cut_rings(points, known, more, np.array(touches, np.int32), edges, edges)
    assert closed.known[:, DOUBLED_AREA].tolist() == [8, 8, 8]
    assert sorted(closed.more.tolist()) == [[1, 2], [1, 4], [2, 9]]
    parts = np.split(closed.points, [4, 8])
    assert sorted(shapely.Polygon(p).bounds for p in parts) == [(0, 0, 2, 2), (2, 2, 4, 4), (7, 7, 9, 9)]


def test_codes_that_are_not_asked_for_are_what_lies_between():
    class_map = np.array([[255, 1, 254], [2, 1, 253], [0, 0, 0]], np.uint8)
    assert [(r.class_id, r.area_px) for r in traced(class_map, 1)] == [(1, 2)]


def test_a_region_is_placed_by_the_edges_of_its_columns_and_rows():
    whole = np.ones((2, 3), np.uint8)
    [placed] = regions(traced_regions([whole], np.array([0, 4, 8, 10]), np.array([0, 5, 7]), [1]))
    assert placed.shell.tolist() == [[0, 0], [10, 0], [10, 7], [0, 7]]
    assert placed.area_px == 70


def test_an_empty_map_has_no_regions():
    assert traced(np.zeros((4, 5), np.uint8)) == []


@pytest.mark.parametrize("edges", [([0, 2**31], [0, 1]), ([0, 1], [0, 2**31]), ([0, 2**40], [0, 2**40])])
def test_a_frame_beyond_what_coordinates_can_say_is_refused_with_its_size(edges):
    x_edges, y_edges = (np.array(e) for e in edges)
    with pytest.raises(ResultError, match=f"{x_edges[-1]} x {y_edges[-1]} level-0 px cannot be outlined; 2147483647"):
        list(traced_regions([np.ones((1, 1), np.uint8)], x_edges, y_edges, [1]))


def test_the_largest_frame_is_outlined_exactly():
    most = 2**31 - 1
    [region] = regions(traced_regions([np.ones((1, 1), np.uint8)], np.array([0, most]), np.array([0, most]), [1]))
    assert region.shell.tolist() == [[0, 0], [most, 0], [most, most], [0, most]]
    assert region.area_px == most * most


@pytest.mark.parametrize("seed", [13, 14, 15])
@pytest.mark.parametrize("width", [1, 3, 700])
def test_lists_that_grow_row_by_row_lose_no_ring(monkeypatch, seed, width):
    class_map = np.random.default_rng(seed).integers(0, 3, (400, width)).astype(np.uint8)
    monkeypatch.setattr(sweep, "_ROWS_AT_ONCE", 200)  # in which each list grows several times
    found = traced(class_map, 1, 2)
    assert len(found) == sum(ndimage.label(class_map == code)[1] for code in (1, 2))
    assert sum(region.area_px for region in found) == (class_map > 0).sum()
    assert sum(polygon(region).area for region in found) == (class_map > 0).sum()


def sieve(rows: int, columns: int) -> Iterable[np.ndarray]:
    """One region with a hole at every other pixel of every other row, in bands."""
    x = np.arange(columns)
    for first in range(0, rows, 64):
        y = np.arange(first, min(rows, first + 64))
        is_hole = ((y % 2 == 1) & (y < rows - 1))[:, None] & ((x % 2 == 1) & (x < columns - 1))
        yield (~is_hole).astype(np.uint8)


def test_a_further_hole_of_a_region_takes_less_than_100_bytes_of_memory_until_the_region_has_gone_out():
    def rings(rows: int) -> int:
        return sum(
            len(batch.ends) for batch in traced_regions(sieve(rows, 401), np.arange(402), np.arange(rows + 1), [1])
        )

    rings(70)  # what is loaded once
    (few, few_bytes), (many, many_bytes) = (with_peak_bytes(lambda rows=rows: rings(rows)) for rows in (1001, 3001))
    assert (few, many) == (1 + 500 * 200, 1 + 1500 * 200)
    assert many_bytes - few_bytes < 100 * (many - few)


def test_rings_that_closed_leave_no_memory_behind():
    def rings(rows: int) -> int:
        dots = (1 - band for band in sieve(rows, 401))  # as many regions of one pixel each
        return sum(len(batch.ends) for batch in traced_regions(dots, np.arange(402), np.arange(rows + 1), [1]))

    rings(70)
    (few, few_bytes), (many, many_bytes) = (with_peak_bytes(lambda rows=rows: rings(rows)) for rows in (2001, 6001))
    assert many - few == 2000 * 200
    assert many_bytes - few_bytes < 200_000  # where each row begins
