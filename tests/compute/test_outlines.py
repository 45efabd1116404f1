import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.picture.outlines import areal, less, shared_area, united

# boxes of whole pixels: their unions can be counted in a picture
boxes = st.lists(
    st.tuples(st.integers(0, 18), st.integers(0, 18), st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=8
)


def shapes(corners):
    return [shapely.box(x, y, x + w, y + h) for x, y, w, h in corners]


def picture(corners):
    seen = np.zeros((24, 24), bool)
    for x, y, w, h in corners:
        seen[y : y + h, x : x + w] = True
    return seen


@given(boxes, boxes)
@settings(max_examples=60, deadline=None)
def test_unions_differences_and_overlaps_have_the_areas_of_their_pixels(some, others):
    one, other = united(shapes(some)), united(shapes(others))
    assert one.is_valid
    assert one.area == picture(some).sum()
    assert shared_area(one, other) == (picture(some) & picture(others)).sum()
    left = less(one, other)
    assert left.is_valid
    assert left.area == (picture(some) & ~picture(others)).sum()


def test_neighbours_that_share_an_edge_become_one_polygon_and_lone_ones_stay():
    union = united(shapes([(0, 0, 2, 2), (2, 0, 2, 2), (10, 10, 1, 1)]))
    assert sorted(part.area for part in union.geoms) == [1, 8]


def test_what_only_touches_loses_nothing():
    box = shapely.box(0, 0, 2, 2)
    assert less(box, shapely.box(2, 0, 4, 2)).equals(box)
    assert shared_area(box, shapely.box(2, 0, 4, 2)) == 0
    assert less(box, shapely.box(-1, -1, 3, 3)).is_empty


@pytest.mark.parametrize("empty", [shapely.Point(1, 1), shapely.LineString([(0, 0), (1, 1)]), shapely.Polygon()])
def test_what_encloses_nothing_is_empty(empty):
    assert areal(empty).is_empty


def test_areas_are_found_however_deep_they_lie():
    two = shapely.MultiPolygon(shapes([(0, 0, 1, 1), (5, 5, 1, 1)]))
    nested = shapely.GeometryCollection([two, shapely.Point(9, 9)])
    assert areal(nested).area == 2
    assert areal(nested).geom_type == "MultiPolygon"
