"""An outline of many holes is looked at in parts, and the answer is the one that GEOS gives for the whole."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.picture.valid_outlines import are_valid, is_valid


def combed(x: float, y: float, side: float) -> list[tuple[float, float]]:
    """A square whose left side is a comb of 60 teeth that point outwards; the other sides are straight."""
    teeth = np.linspace(y + side, y, 121)[1:-1]
    comb = [(x - side / 8 * (n % 2 == 0), float(v)) for n, v in enumerate(teeth)]
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side), *comb]


def some_ring(rng: np.random.Generator, low: int, high: int) -> list[tuple[float, float]]:
    """A triangle, a box or a diamond with corners on whole numbers: such often meet in a point or along a side."""
    x, y = rng.integers(low, high, 2)
    w, h = rng.integers(1, 4, 2)
    kind = rng.integers(3)
    if kind == 0:
        return [(x, y), (x + w, y), (x, y + h)]
    if kind == 1:
        return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    return [(x, y + h), (x + w, y), (x + 2 * w, y + h), (x + w, y + 2 * h)]


def crosses(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    """Two rings have more in common than points at which they touch."""
    return one.crosses(other) or one.intersection(other).length > 0


def made(seed: int, *, tidy: bool) -> shapely.MultiPolygon:
    """Combed squares beside, over or in each other, with holes and islands; where tidy, few rings cross."""
    rng = np.random.default_rng(seed)
    polygons: list[shapely.Polygon] = []
    for _ in range(rng.integers(1, 4)):
        x, y = (int(v) for v in rng.choice([0, 0, 20], 2))
        shell = combed(x, y, 16) if rng.random() < 0.8 else combed(x + 4, y + 4, 8)
        rings: list[shapely.LinearRing] = []
        for _ in range(rng.integers(1, 14)):
            one = shapely.LinearRing(some_ring(rng, x, x + 13))
            fits = shapely.Polygon(shell).covers(one) and not any(crosses(one, other) for other in rings)
            if fits or not tidy:
                rings.append(one)
        polygons.append(shapely.Polygon(shell, rings))
    polygons += [shapely.Polygon(some_ring(rng, 0, 34)) for _ in range(rng.integers(0, 5))]
    if not tidy:
        return shapely.MultiPolygon(polygons)
    kept = polygons[:1]
    for one in polygons[1:]:
        if all(one.disjoint(other) or shapely.relate_pattern(one, other, "F***0****") for other in kept):
            kept.append(one)
    return shapely.MultiPolygon(kept)


@pytest.mark.parametrize("tidy", [True, False])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_whatever_is_drawn_the_answer_is_that_of_geos(tidy, seed):
    drawn = made(seed, tidy=tidy)
    assert is_valid(drawn, most_looks=0) == drawn.is_valid


SHELL = combed(0, 0, 16)
CHAIN = [[(8, 4 * n), (10, 4 * n + 2), (8, 4 * n + 4), (6, 4 * n + 2)] for n in range(4)]
"""Diamonds one on the other, from one side of the shell to the other."""
ROUND = [[(4, 4), (8, 4), (6, 6)], [(8, 4), (12, 4), (12, 8)], [(12, 8), (12, 12), (8, 12)], [(8, 12), (4, 12), (4, 4)]]
"""Four triangles, each with a corner in common with the next."""
FAULTS = {
    "holes that cut it in two": [(SHELL, CHAIN)],
    "a hole whose corners lie on two sides": [(SHELL, [[(5, 0), (16, 8), (6, 5)]])],
    "a ring of holes that cuts a piece out": [(SHELL, ROUND)],
    "a hole outside": [(SHELL, [[(20, 1), (21, 1), (21, 2)]])],
    "a hole across the side": [(SHELL, [[(14, 1), (18, 1), (18, 2)]])],
    "a hole in a hole": [(SHELL, [[(2, 2), (9, 2), (9, 9), (2, 9)], [(4, 4), (5, 4), (5, 5)]])],
    "holes with a side in common": [(SHELL, [[(2, 2), (4, 2), (4, 4), (2, 4)], [(4, 2), (6, 2), (6, 4), (4, 4)]])],
    "a hole that crosses itself": [(SHELL, [[(2, 2), (6, 6), (6, 2), (2, 6)]])],
    "a shell that crosses itself": [([*SHELL[:1], (16, 16), (16, 0), *SHELL[3:]], [[(3, 4), (5, 4), (4, 6)]])],
    "an island beside its hole": [(SHELL, [[(2, 2), (9, 2), (9, 9), (2, 9)]]), ([(10, 10), (12, 10), (12, 12)], [])],
    "an island over its hole's side": [(SHELL, [[(2, 2), (9, 2), (9, 9), (2, 9)]]), ([(8, 3), (12, 3), (12, 5)], [])],
    "an island over its shell's side": [(SHELL, [[(2, 2), (9, 2), (9, 9), (2, 9)]]), ([(14, 3), (18, 3), (18, 5)], [])],
    "twice the same": [(SHELL, [[(2, 2), (9, 2), (9, 9), (2, 9)]])] * 2,
    "one in the flesh of another": [
        (SHELL, [[(9, 9), (12, 9), (12, 12)]]),
        (combed(3, 3, 4), [[(4, 4), (5, 4), (5, 5)]]),
    ],
}
SOUND = {
    "holes that nearly cut it in two": [(SHELL, CHAIN[1:])],
    "a ring of holes that is open": [(SHELL, ROUND[:3])],
    "holes that meet in one point": [(SHELL, [[(8, 8), (x, y), (x, y + 1)] for x, y in ((4, 8), (11, 8), (5, 3))])],
    "an island that touches its hole, which touches the shell": [
        (SHELL, [[(2, 0), (9, 3), (9, 9), (2, 9)]]),
        ([(2, 0), (5, 5), (4, 6)], []),
    ],
    "one in a hole of another": [
        (SHELL, [[(1, 1), (12, 1), (12, 12), (1, 12)]]),
        (combed(4, 4, 4), [[(5, 5), (7, 5), (7, 7)]]),
        ([(6, 5.5), (6.5, 5.5), (6.5, 6)], []),
    ],
    "a neighbour that touches it": [(SHELL, [[(2, 2), (9, 2), (9, 9)]]), ([(16, 3), (18, 3), (18, 5)], [])],
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_found(what):
    drawn = shapely.MultiPolygon(FAULTS[what])
    assert not drawn.is_valid
    assert not is_valid(drawn, most_looks=0)


@pytest.mark.parametrize("what", SOUND)
def test_what_is_sound_is_told_by_its_parts_alone(what, monkeypatch):
    drawn = shapely.MultiPolygon(SOUND[what])
    assert drawn.is_valid
    asked: list[shapely.Geometry] = []
    geos = shapely.is_valid

    def watched(geometry):
        asked.append(geometry)
        return geos(geometry)

    monkeypatch.setattr(shapely, "is_valid", watched)
    assert is_valid(drawn, most_looks=0)
    assert asked
    assert all(one is not drawn for one in asked)


def test_a_plain_polygon_and_none_at_all_are_answered():
    assert is_valid(shapely.Polygon(SHELL))
    assert is_valid(shapely.Polygon())
    assert is_valid(shapely.MultiPolygon())
    assert not is_valid(shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))


def test_each_of_many_outlines_is_answered_for_itself():
    holes = [[(x, y), (x + 1, y), (x + 1, y + 1)] for x in range(1, 200, 2) for y in range(1, 200, 2)]
    shell = combed(0, 0, 202)
    faults = [[(0, 0), (2, 2), (2, 0), (0, 2)], [(0, 0), (1, 0), (1, 1)]]
    large = [shapely.Polygon(shell, holes), shapely.Polygon(shell, [*holes, holes[0]])]
    small = [shapely.Polygon(ring) for ring in faults]
    drawn = np.array([small[0], large[0], small[1], large[1]] * 2, dtype=object)
    assert are_valid(drawn).tolist() == [False, True, True, False] * 2
    assert are_valid(drawn[:0]).tolist() == []
