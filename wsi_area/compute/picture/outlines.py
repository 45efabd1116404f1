"""compute: outlines put together and taken apart; only those that meet are handed to the costly overlay."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]

_POLYGON = 3


def areal(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return the parts of a geometry that enclose an area, as a Polygon or MultiPolygon.

    >>> areal(shapely.union_all([shapely.box(0, 0, 1, 1), shapely.LineString([(3, 3), (4, 4)])])).geom_type
    'Polygon'
    """
    return _joined(shapely.get_parts(shapely.get_parts(geometry)))  # twice: a collection may hold a MultiPolygon


def united(geometries: Sequence[shapely.Geometry]) -> shapely.Geometry:
    """Return the union of valid polygons, in which what is covered twice counts once.

    >>> united([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1), shapely.box(9, 9, 10, 10)]).area
    4.0
    """
    given = np.array(geometries, dtype=object)
    groups = touching_groups(given)
    crowded = np.zeros(len(given), np.bool_)
    for group in groups:
        crowded[group] = True
    # group by group: all at once would take several times as long, and as much memory as all have together
    unions = [shapely.get_parts(shapely.get_parts(shapely.union_all(given[group]))) for group in groups]
    lone = given[~crowded]
    whole = shapely.get_type_id(lone) == _POLYGON
    return _joined(np.concatenate([lone[whole], shapely.get_parts(lone[~whole]), *unions]))


def touching_groups(geometries: Geometries) -> list[NDArray[np.intp]]:
    """Return the groups of two and more geometries that hang together by touching, each as their places.

    >>> boxes = [shapely.box(0, 0, 2, 1), shapely.box(5, 5, 6, 6), shapely.box(1, 0, 3, 1)]
    >>> [group.tolist() for group in touching_groups(np.array(boxes, dtype=object))]
    [[0, 2]]
    """
    one, other = shapely.STRtree(geometries).query(geometries, predicate="intersects")
    apart = one != other
    one, other = one[apart], other[apart]
    if not len(one):
        return []
    label = np.arange(len(geometries))
    while True:  # each takes the least label that it can see, and then that one's own
        least = label.copy()
        np.minimum.at(least, one, label[other])
        least = least[least]
        if np.array_equal(least, label):
            break
        label = least
    crowded = np.unique(one)
    order = crowded[np.argsort(label[crowded], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def less(geometry: shapely.Geometry, taken: shapely.Geometry) -> shapely.Geometry:
    """Return the rest of a valid Polygon or MultiPolygon without another.

    >>> less(shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)).area
    1.0
    """
    parts, met, others = _meeting(geometry, taken)
    if not met.any():
        return geometry
    left = shapely.difference(_joined(parts[met]), _joined(others))
    return _joined(np.concatenate([parts[~met], shapely.get_parts(shapely.get_parts(left))]))


def shared_area(one: shapely.Geometry, other: shapely.Geometry) -> float:
    """Return the area that two valid Polygons or MultiPolygons have in common.

    >>> shared_area(shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1))
    1.0
    """
    parts, met, others = _meeting(one, other)
    return float(shapely.intersection(_joined(parts[met]), _joined(others)).area) if met.any() else 0.0


def _meeting(one: shapely.Geometry, other: shapely.Geometry) -> tuple[Geometries, NDArray[np.bool_], Geometries]:
    """Return the parts of one, which of them meet the other, and the parts of the other that they meet."""
    parts, others = shapely.get_parts(one), shapely.get_parts(other)
    index, met_by = shapely.STRtree(others).query(parts, predicate="intersects")
    met = np.zeros(len(parts), np.bool_)
    met[index] = True
    return parts, met, others[np.unique(met_by)]


def _joined(parts: Geometries) -> shapely.Geometry:
    polygons = parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > 0)]
    return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)
