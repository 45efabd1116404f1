"""Regions painted all at once, some rows and columns at a time, are those painted one by one over the whole picture."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.cut.rasterise import inside_at
from wsi_area.compute.regions.painted import painted_regions

X, Y = np.arange(37) * 2.0 + 1.0, np.arange(29) * 2.0 + 1.0


def some_regions(seed: int) -> list[shapely.Geometry]:
    """Boxes, stars with holes and regions of several parts; some lie beside the picture, many over each other."""
    rng = np.random.default_rng(seed)
    found: list[shapely.Geometry] = []
    for _ in range(rng.integers(1, 12)):
        x, y = rng.uniform(-10, 80, 2).round(int(rng.integers(0, 3)))
        kind = rng.integers(3)
        if kind == 0:
            found.append(shapely.box(x, y, x + rng.integers(1, 30), y + rng.integers(1, 30)))
        elif kind == 1:
            round_ = shapely.Point(x, y).buffer(rng.uniform(3, 30), quad_segs=3)
            found.append(round_.difference(shapely.Point(x, y).buffer(2.5)))
        else:
            found.append(shapely.MultiPolygon([shapely.box(x, y, x + 4, y + 9), shapely.box(x + 5, y, x + 20, y + 3)]))
    return found


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 29), columns=st.integers(1, 37))
@settings(max_examples=60, deadline=None)
def test_the_later_region_lies_on_top_however_the_picture_is_cut(seed, rows, columns):
    regions = some_regions(seed)
    codes = [7 + n % 5 for n in range(len(regions))]
    expected = np.full((len(Y), len(X)), 3, np.uint8)
    for region, code in zip(regions, codes, strict=True):
        expected[inside_at(region.wkb, X, Y)] = code
    made = painted_regions([region.wkb for region in regions], codes)
    found = np.full_like(expected, 3)
    for top in range(0, len(Y), rows):
        of_rows = made.rows(X, Y[top : top + rows])
        for left in range(0, len(X), columns):
            block = found[top : top + rows, left : left + columns].copy()
            of_rows.paint(block, left)
            found[top : top + rows, left : left + columns] = block
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_no_pixel_is_painted_in_a_picture_of_none(shape):
    made = painted_regions([shapely.box(0, 0, 50, 50).wkb], [1])
    picture = np.empty(shape, np.uint8)
    made.rows(X[: shape[1]], Y[: shape[0]]).paint(picture, 0)
    assert picture.shape == shape


def test_without_a_region_a_picture_stays_as_it_is():
    picture = np.full((len(Y), len(X)), 9, np.uint8)
    painted_regions([], []).rows(X, Y).paint(picture, 0)
    assert (picture == 9).all()
