import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.cut.rasterise import area_of, inside_at, mask_codes_at
from wsi_area.model.drawn_mask import mask_of

CENTRES = np.arange(24) + 0.5
halves = st.integers(0, 48).map(lambda n: n / 2)  # corners on and between pixel centres: the hardest ties
hundredths = st.integers(0, 2400).map(lambda n: n / 100)  # QuPath's grid, which binary numbers cannot hold
points = st.lists(st.tuples(halves, halves), min_size=4, max_size=12, unique=True)


def cells_of(corners):
    """Cut the hull of some points into triangles that share their edges."""
    return list(shapely.delaunay_triangles(shapely.MultiPoint(corners)).geoms)


def valid(corners):
    made = shapely.make_valid(shapely.Polygon(corners), method="structure", keep_collapsed=False)
    parts = [p for p in shapely.get_parts(made) if p.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)


@given(st.lists(st.tuples(hundredths, hundredths), min_size=3, max_size=15))
@settings(max_examples=80, deadline=None)
def test_away_from_edges_it_is_what_shapely_says(corners):
    geometry = valid(corners)
    x, y = np.meshgrid(CENTRES, CENTRES)
    clear = ~shapely.intersects_xy(geometry.boundary, x, y)
    inside = inside_at(geometry.wkb, CENTRES, CENTRES)
    assert np.array_equal(inside[clear], shapely.contains_xy(geometry, x, y)[clear])


@given(points)
@settings(max_examples=80, deadline=None)
def test_cells_that_share_edges_share_out_every_pixel(corners):
    cells = cells_of(corners)
    owners = sum((inside_at(c.wkb, CENTRES, CENTRES).astype(int) for c in cells), np.zeros((24, 24), int))
    assert owners.max(initial=0) <= 1
    if cells:
        hull = inside_at(shapely.MultiPoint(corners).convex_hull.wkb, CENTRES, CENTRES)
        assert np.array_equal(owners == 1, hull)


@given(st.integers(1, 23), st.integers(0, 24), st.integers(0, 24), st.lists(st.integers(1, 15), max_size=3))
@settings(max_examples=60, deadline=None)
def test_an_edge_with_more_points_on_one_side_than_on_the_other_is_still_one_edge(x, top, bottom, sixteenths):
    a, b = (Fraction(top), Fraction(0)), (Fraction(bottom), Fraction(24))
    on_it = [tuple(float(p + (q - p) * n / 16) for p, q in zip(a, b, strict=True)) for n in sorted(set(sixteenths))]
    left = shapely.Polygon([(-9, 0), (top, 0), (bottom, 24), (-9, 24)])
    right = shapely.Polygon([(top, 0), (99, 0), (99, 24), (bottom, 24), *reversed(on_it)])
    one, other = (inside_at(p.wkb, CENTRES, CENTRES) for p in (left, right))
    assert np.array_equal(one, ~other)


@given(points, st.integers(1, 23), st.integers(1, 23))
@settings(max_examples=40, deadline=None)
def test_the_answer_is_the_same_however_the_picture_is_cut(corners, row, column):
    wkb = valid(corners).wkb
    whole = inside_at(wkb, CENTRES, CENTRES)
    cut = [[inside_at(wkb, x, y) for x in (CENTRES[:column], CENTRES[column:])] for y in (CENTRES[:row], CENTRES[row:])]
    assert np.array_equal(np.block(cut), whole)


@given(
    st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)),
    st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)),
    st.floats(0.001, 0.999),
)
@settings(max_examples=80, deadline=None)
def test_centres_next_to_an_edge_are_decided_exactly(a, b, share):
    if a[1] == b[1]:
        return
    top, bottom = sorted((a, b), key=lambda p: p[1])
    y = top[1] + share * (bottom[1] - top[1])
    if not top[1] <= y < bottom[1]:
        return
    (ax, ay), (bx, by), exact_y = (*[tuple(map(Fraction, p)) for p in (top, bottom)], Fraction(y))
    edge = ax + (bx - ax) * (exact_y - ay) / (by - ay)  # where the edge is on this row, exactly
    near = float(edge)
    x = np.array([math.nextafter(near, -math.inf), near, math.nextafter(near, math.inf)])
    right_of = shapely.Polygon([top, bottom, (bottom[0] + 3e5, bottom[1]), (top[0] + 3e5, top[1])])
    assert inside_at(right_of.wkb, x, np.array([y]))[0].tolist() == [Fraction(v) >= edge for v in x]


def test_a_centre_on_an_edge_belongs_to_what_lies_right_of_it_or_below():
    box = shapely.box(1.5, 1.5, 3.5, 3.5)  # all four edges run through centres
    inside = inside_at(box.wkb, CENTRES[:5], CENTRES[:5])
    assert np.argwhere(inside).tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]


def test_holes_and_parts_are_left_out_and_let_in():
    ring = shapely.box(0, 0, 20, 20).difference(shapely.box(5, 5, 15, 15))
    both = shapely.MultiPolygon([ring, shapely.box(8, 8, 12, 12), shapely.box(22, 22, 24, 24)])
    inside = inside_at(both.wkb, CENTRES, CENTRES)
    assert inside.sum() == 400 - 100 + 16 + 4
    assert not inside[6, 6]
    assert inside[10, 10]


@pytest.mark.parametrize("radius", [50.0, 123.4])
def test_the_pixels_of_a_circle_are_its_area_within_what_the_boundary_allows(radius):
    angle = np.linspace(0, 2 * math.pi, 5000, endpoint=False)
    circle = shapely.Polygon(np.stack([200.3 + radius * np.cos(angle), 170.7 + radius * np.sin(angle)], axis=-1))
    pixels = inside_at(circle.wkb, np.arange(400) + 0.5, np.arange(400) + 0.5).sum()
    area = 5000 / 2 * radius**2 * math.sin(2 * math.pi / 5000)
    assert area_of(circle.wkb) == pytest.approx(area, rel=1e-12)
    assert abs(pixels - area) < 3 * math.sqrt(0.09 * 2 * math.pi * radius)


def test_a_polygon_made_of_whole_pixels_has_as_many_pixels_as_area():
    picture = np.random.default_rng(5).random((40, 40)) < 0.6
    boxes = [shapely.box(x, y, x + 1, y + 1) for y, x in np.argwhere(picture)]
    union = shapely.union_all(boxes)
    centres = np.arange(40) + 0.5
    assert np.array_equal(inside_at(union.wkb, centres, centres), picture)
    assert area_of(union.wkb) == picture.sum()


def test_work_pixels_of_unequal_size_are_judged_by_their_own_centres():
    x, y = np.array([1.0, 3.5, 7.0]), np.array([10.0, 30.0])
    assert inside_at(shapely.box(3, 0, 8, 20).wkb, x, y).tolist() == [[False, True, True], [False, False, False]]


@pytest.mark.parametrize("wkb", [shapely.MultiPolygon().wkb, shapely.Polygon().wkb, shapely.box(90, 90, 91, 91).wkb])
def test_what_encloses_nothing_here_leaves_everything_outside(wkb):
    assert not inside_at(wkb, CENTRES, CENTRES).any()
    assert inside_at(wkb, CENTRES, CENTRES[:0]).shape == (0, 24)


def test_threads_and_other_processes_get_the_same_answer():
    angle = np.linspace(0, 2 * math.pi, 999, endpoint=False)
    wkb = shapely.Polygon(np.stack([12 + 9 * np.cos(angle), 12 + 9 * np.sin(angle)], axis=-1)).wkb
    expected = inside_at(wkb, CENTRES, CENTRES)
    with ThreadPoolExecutor(8) as pool:
        copies = [pickle.loads(pickle.dumps(wkb)) for _ in range(32)]
        assert all(np.array_equal(a, expected) for a in pool.map(lambda w: inside_at(w, CENTRES, CENTRES), copies))


def test_a_mask_pixel_covers_as_many_slide_pixels_as_its_scale_says():
    codes = np.random.default_rng(5).integers(0, 5, (6, 7))
    found = mask_codes_at(mask_of(codes, {}, 4.0), np.arange(28) + 0.5, np.arange(24) + 0.5)
    assert np.array_equal(found, np.kron(codes, np.ones((4, 4), int)))
    finer = mask_codes_at(mask_of(found, {}, 0.25), np.arange(7) + 0.5, np.arange(6) + 0.5)
    assert np.array_equal(finer, codes)


def test_where_a_mask_falls_short_its_last_pixel_counts():
    found = mask_codes_at(mask_of(np.array([[1, 2]]), {}, 4.0), np.arange(10) + 0.5, np.arange(6) + 0.5)
    assert found[5].tolist() == [1] * 4 + [2] * 6
