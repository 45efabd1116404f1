"""compute: whether outlines of many holes are valid, without looking at every point of a shell for every hole.

GEOS looks for each hole of a polygon at all points of its shell. An outline of tissue with 165 000 holes is so checked
in ten seconds, a larger slide's in minutes. Here such a polygon is taken apart into outlines whose check is as good as
that of the whole, and quick: GEOS decides each of them, and all by the same exact arithmetic.
"""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]

_MOST_LOOKS = 2_000_000
"""Of a hole at a point of its shell: some milliseconds."""
_FEW_POINTS = 100
"""A shell of fewer is quick to look at, however many holes it has."""


def is_valid(geometry: shapely.Geometry, most_looks: int = _MOST_LOOKS) -> bool:
    """Return True if a Polygon or MultiPolygon is valid: what GEOS says of it.

    Parameters
    ----------
    geometry
        Of any unit.
    most_looks
        Holes of a polygon × points of its shell, above which it is taken apart.

    >>> ring = shapely.box(0, 0, 9, 9).exterior
    >>> is_valid(shapely.Polygon(ring, [shapely.box(1, 1, 2, 2).exterior])), is_valid(shapely.Polygon(ring, [ring]))
    (True, False)
    """
    if _are_few(shapely.get_num_coordinates(geometry), most_looks):
        return bool(shapely.is_valid(geometry))
    if _is_costly(geometry, most_looks) and _valid_apart(geometry, most_looks):
        return True
    return bool(shapely.is_valid(geometry))  # a "no" is GEOS's own, too


def are_valid(geometries: Geometries) -> NDArray[np.bool_]:
    """Return bool (n,), True for each Polygon or MultiPolygon that is valid.

    >>> bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    >>> are_valid(np.array([shapely.box(0, 0, 1, 1), bow_tie], dtype=object)).tolist()
    [True, False]
    """
    few = _are_few(shapely.get_num_coordinates(geometries), _MOST_LOOKS)
    valid = np.empty(len(geometries), np.bool_)
    valid[few] = shapely.is_valid(geometries[few])
    valid[~few] = [is_valid(geometry) for geometry in geometries[~few]]
    return valid


def _are_few(points: Any, most_looks: int) -> Any:
    """Return True for so many points, one or an array, as cannot take more looks: a hole has 4 at least."""
    return points <= 4 * most_looks**0.5


def _is_costly(geometry: shapely.Geometry, most_looks: int) -> bool:
    return bool((_looks(shapely.get_parts(geometry)) > most_looks).any())


def _looks(parts: Geometries) -> NDArray[np.int64]:
    """Return the looks that each polygon takes, 0 where its shell has few points."""
    points = shapely.get_num_coordinates(shapely.get_exterior_ring(parts)).astype(np.int64)
    return np.where(points > _FEW_POINTS, points * shapely.get_num_interior_rings(parts), 0)


def _valid_apart(geometry: shapely.Geometry, most_looks: int) -> bool:
    """Return True if the polygons of a geometry are valid, each and together; False may be an exaggeration.

    Each polygon of many looks goes out of its group: those outside its shell must be valid together with the shell,
    and those inside together with its holes, which are then holes of a box. Whatever lies outside a shell meets
    nothing inside but in points of the shell.
    """
    groups = [shapely.get_parts(geometry)]
    easy = groups[0][_looks(groups[0]) <= most_looks]
    if not shapely.is_valid(easy).all():
        return False
    del easy
    while groups:
        group = groups.pop()
        looks = _looks(group)
        costly = int(looks.argmax())
        if looks[costly] <= most_looks:
            if not shapely.is_valid(shapely.multipolygons(group) if len(group) > 1 else group[0]):
                return False
            continue
        shell, holes = _taken_apart(group[costly])
        others = np.delete(group, costly)
        del group  # a large polygon is held as seldom as can be
        if not (shapely.is_valid(shell) and _holes_fit(shell, holes)):
            return False
        inside = shapely.covers(shell, others)
        groups.append(np.append(others[~inside], shell))
        groups.append(np.append(others[inside], _in_a_box(shell, holes)))
        del shell, holes, others
    return True


def _taken_apart(polygon: shapely.Polygon) -> tuple[shapely.Polygon, Geometries]:
    """Return the shell of a polygon, filled and made ready for many questions, and its holes as rings."""
    rings = shapely.get_rings(polygon)
    shell = shapely.polygons(rings[0])
    shapely.prepare(shell)
    return shell, rings[1:]


def _in_a_box(shell: shapely.Polygon, holes: Geometries) -> shapely.Polygon:
    """Return the holes of a polygon as those of a box round it: whether they fit each other, its shell apart."""
    x0, y0, x1, y1 = shell.bounds
    beside = 1 + max(x1 - x0, y1 - y0)
    box = shapely.box(x0 - beside, y0 - beside, x1 + beside, y1 + beside)
    return shapely.polygons(box.exterior, holes)


def _holes_fit(shell: shapely.Polygon, holes: Geometries) -> bool:
    """Return True if holes lie in a shell, and those that hang on it do not cut what it surrounds in two.

    Only a hole that meets the shell can cross it, and only a chain of holes that begins and ends at it can cut. So
    those that meet it are looked at together with all that hang on them.
    """
    chained = ~shapely.contains_properly(shell, holes)
    if not chained.any():
        return True
    tree, ends = shapely.STRtree(holes), np.flatnonzero(chained)
    while len(ends):
        met = np.unique(tree.query(holes[ends], predicate="intersects")[1])
        ends = met[~chained[met]]
        chained[ends] = True
    return bool(shapely.is_valid(shapely.polygons(shell.exterior, holes[chained])))
