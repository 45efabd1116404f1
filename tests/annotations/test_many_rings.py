"""An outline of many rings is looked at all at once, and says what each ring alone would have said."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.annotations.raw import Parsed, RawOutline, points_area, ring_areas
from wsi_area.annotations.validity import OutlinedRegion, regions_of
from wsi_area.model.finding import QaFinding


def star(centre: tuple[float, float], radius: float, corners: int, seed: int) -> np.ndarray:
    """A ring without crossings, counter-clockwise, not closed."""
    angles = np.arange(corners) * (2 * np.pi / corners)
    radii = radius * np.random.default_rng(seed).uniform(0.5, 1, corners)
    return np.stack([centre[0] + radii * np.cos(angles), centre[1] + radii * np.sin(angles)], axis=-1)


def polygons(seed: int, count: int) -> list[list[np.ndarray]]:
    """Stars on a grid, each with up to three holes in its middle."""
    rng = np.random.default_rng(seed)
    found = []
    for n in range(count):
        x, y = 100.0 * (n % 7) + 60, 100.0 * (n // 7) + 60
        holes = [star((x + 8 * (k - 1), y), 3, int(rng.integers(3, 6)), seed + k)[::-1] for k in range(rng.integers(4))]
        found.append([star((x, y), 45, int(rng.integers(5, 40)), seed + n), *holes])
    return found


def drawn(made: list[list[np.ndarray]]) -> tuple[OutlinedRegion, tuple[QaFinding, ...]]:
    """The region of one outline, and what was noticed."""
    parsed = Parsed("many.geojson")
    closed = tuple(tuple(np.concatenate([ring, ring[:1]]) for ring in polygon) for polygon in made)
    parsed.outlines.append(RawOutline(0, "tumor", closed))
    [region], findings = regions_of(parsed)
    return region, findings


@settings(max_examples=50)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 30))
def test_areas_by_points_are_those_of_the_polygons(seed, count):
    made = polygons(seed, count)
    expected = [shapely.Polygon(shell, holes).area for shell, *holes in made]
    assert points_area(tuple(tuple(polygon) for polygon in made)) == pytest.approx(sum(expected), rel=1e-12)
    rings = [ring for polygon in made for ring in polygon]
    areas = pytest.approx([shapely.Polygon(ring).area for ring in rings], rel=1e-12)
    assert ring_areas(rings) == areas
    assert ring_areas([np.concatenate([ring, ring[:1]]) for ring in rings]) == areas


def test_rings_without_an_area_have_none_wherever_they_stand():
    square = np.array([[1e9, 1e9], [1e9 + 2, 1e9], [1e9 + 2, 1e9 + 2], [1e9, 1e9 + 2]])
    nothing, point, line = np.empty((0, 2)), square[:1], square[:2]
    assert ring_areas([nothing, square, point, line, square, nothing]).tolist() == [0, 4, 0, 0, 4, 0]
    assert ring_areas([nothing, point]).tolist() == [0, 0]
    assert ring_areas([]).tolist() == []


@pytest.mark.parametrize(("seed", "count"), [(1, 2), (2, 40), (3, 300)])
def test_an_outline_of_many_rings_is_the_polygons_that_were_drawn(seed, count):
    made = polygons(seed, count)
    region, findings = drawn(made)
    assert findings == ()
    expected = shapely.MultiPolygon([shapely.Polygon(shell, holes) for shell, *holes in made])
    assert region.geometry.normalize().equals_exact(expected.normalize(), tolerance=0)


@pytest.mark.parametrize("at", [0, 17, 39])
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ([[5.0, 5.0], [7.0, 5.0]], "2 distinct points"),
        ([[5.0, 5.0], [9.0, 5.0], [5.0, 5.0]], "2 distinct points"),
        ([[5.0, 5.0], [1e13, 5.0], [5.0, 9.0]], "beyond"),
    ],
)
def test_one_broken_ring_among_many_is_told_and_the_others_stay(at, broken, said):
    made = polygons(5, 40)
    whole = [*made[:at], [np.array(broken)], *made[at:]]
    region, [told] = drawn(whole)
    assert told.code == "OUTLINE_PART_INVALID"
    assert said in told.message
    expected = sum(shapely.Polygon(shell, holes).area for shell, *holes in made)
    assert region.geometry.area == pytest.approx(expected, rel=1e-12)


def test_a_hole_of_two_points_takes_nothing_away_from_its_outline():
    made = polygons(8, 12)
    made[7].append(np.array([[5.0, 5.0], [7.0, 5.0]]))
    region, _ = drawn(made)
    expected = sum(
        shapely.Polygon(shell, holes[: len(holes) - (n == 7)]).area for n, (shell, *holes) in enumerate(made)
    )
    assert region.geometry.area == pytest.approx(expected, rel=1e-12)
