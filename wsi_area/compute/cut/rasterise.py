"""compute: which pixel centres lie inside an outline or a mask; exact, and the same however the slide is cut.

The rule for outlines, for a centre ``(x, y)``: a ray runs from it to the left; the centre is inside where the ray
crosses the boundary an odd number of times. An edge is crossed where ``min(y1, y2) <= y < max(y1, y2)`` and the edge
lies at or to the left of the centre. So a centre exactly on an edge belongs to what lies to the right of the edge,
on a horizontal edge to what lies below it (larger y), and outlines that share an edge share out the pixels along it:
none is owned twice, none is missed. Each comparison is decided exactly: in floating point where its error bound
allows, in whole or rational numbers where not.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.pixels import MaskArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_EDGES_AT_ONCE = 1 << 18
_CROSSINGS_AT_ONCE = 1 << 19  # of edges and rows: long edges cross every row of a tile
_PARTS_AT_ONCE = 5000  # whose points are held a few times over while their edges are made
_SAFE = 2.0**-50
"""Relative error of ``(x2-x1)·(y-y1) - (x-x1)·(y2-y1)`` is below 2^-51 of the sum of both products' magnitudes."""


@frozen_value(eq=False)
class _Edges:
    """The boundary as edges that run downwards (y grows), ordered by the polygon they belong to."""

    x1: Floats
    y1: Floats
    x2: Floats
    y2: Floats
    first: Ints  # (parts + 1,): part i owns the edges [first[i], first[i + 1])
    bounds: Floats  # (parts, 4): x0, y0, x1, y1


def inside_at(wkb: bytes, x_centres_l0_px: Floats, y_centres_l0_px: Floats) -> MaskArray:
    """Return bool (h, w), True where the centre of a pixel lies inside a geometry.

    Parameters
    ----------
    wkb : bytes
        A valid Polygon or MultiPolygon as well-known binary, level-0 px.
    x_centres_l0_px, y_centres_l0_px : float64 (w,), (h,)
        Ascending, level-0 px; pixel ``i`` of level 0 has its centre at ``i + 0.5``.

    >>> square = shapely.box(1, 1, 3, 3).wkb
    >>> inside_at(square, np.arange(4) + 0.5, np.arange(3) + 0.5).astype(int).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0]]
    """
    x, y = np.asarray(x_centres_l0_px, np.float64), np.asarray(y_centres_l0_px, np.float64)
    inside = np.zeros((len(y), len(x)), np.bool_)
    if not inside.size:
        return inside
    edges = _edges(wkb)
    box = edges.bounds
    met = (box[:, 0] <= x[-1]) & (box[:, 2] >= x[0]) & (box[:, 1] <= y[-1]) & (box[:, 3] >= y[0])
    for x1, y1, x2, y2 in _chunks(edges, np.flatnonzero(met)):
        _toggle(inside, x, y, x1, y1, x2, y2)
    return inside


def mask_codes_at(mask: DrawnMask, x_centres_l0_px: Floats, y_centres_l0_px: Floats) -> NDArray[np.uint8]:
    """Return the code of the mask pixel that holds each centre, uint8 (h, w).

    Beyond the last row or column, where a mask falls short of the slide by less than one of its pixels, the last one
    counts.

    >>> from wsi_area.model.drawn_mask import mask_of
    >>> mask = mask_of(np.array([[0, 1]], np.uint8), {1: "tumor"}, 2.0)
    >>> mask_codes_at(mask, np.array([0.5, 1.5, 2.5, 3.5]), np.array([0.5])).tolist()
    [[0, 0, 1, 1]]
    """
    columns = _mask_index(x_centres_l0_px, mask.scale_x, mask.width_px)
    rows = _mask_index(y_centres_l0_px, mask.scale_y, mask.height_px)
    return mask.codes_at(rows, columns)


def area_of(wkb: bytes) -> float:
    """Return the area that a geometry encloses in the square of its unit, holes left out.

    >>> area_of(shapely.box(0, 0, 4, 2.5).wkb)
    10.0
    """
    return float(shapely.area(shapely.from_wkb(wkb)))


def _mask_index(centres: Floats, scale: float, length_px: int) -> Ints:
    return np.clip(np.floor(np.asarray(centres, np.float64) / scale), 0, length_px - 1).astype(np.intp)


@lru_cache(maxsize=32)  # the classes of a few slides; keyed by the geometry, so nothing stale can be found
def _edges(wkb: bytes) -> _Edges:
    geometry = shapely.from_wkb(wkb)
    count = int(shapely.get_num_geometries(geometry))
    ends = np.empty((4, int(shapely.get_num_coordinates(geometry))), np.float64)
    first, bounds, filled = np.zeros(count + 1, np.intp), np.empty((count, 4), np.float64), 0
    for start in range(0, count, _PARTS_AT_ONCE):
        numbers = np.arange(start, min(start + _PARTS_AT_ONCE, count))
        edges_of_part, few, bounds[numbers] = _downward(geometry, numbers)
        first[numbers + 1] = filled + np.cumsum(edges_of_part)
        ends[:, filled : filled + few.shape[1]] = few
        filled += few.shape[1]
    x1, y1, x2, y2 = ends[:, :filled]
    return _Edges(x1, y1, x2, y2, first, bounds)


def _downward(geometry: shapely.Geometry, numbers: Ints) -> tuple[Ints, Floats, Floats]:
    """Return of some parts of a geometry how many edges each has, the edges float64 (4, n), and the bounds."""
    parts = shapely.get_geometry(geometry, numbers)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    start = np.flatnonzero(ring_of_point[:-1] == ring_of_point[1:])  # rings are closed: no edge joins two of them
    a, b, part = points[start], points[start + 1], part_of_ring[ring_of_point[start]]
    slanted = a[:, 1] != b[:, 1]  # a ray along a horizontal edge does not cross it
    a, b, part = a[slanted], b[slanted], part[slanted]
    # one direction for each edge, whichever ring it belongs to: neighbours then compute the same numbers
    up = (a[:, 1] > b[:, 1])[:, None]
    top, bottom = np.where(up, b, a), np.where(up, a, b)
    return np.bincount(part, minlength=len(parts)), np.hstack([top, bottom]).T, shapely.bounds(parts).reshape(-1, 4)


def _chunks(edges: _Edges, parts: Ints) -> Iterator[tuple[Floats, Floats, Floats, Floats]]:
    """Yield the edges of some parts; a long run of neighbours comes as one slice."""
    breaks = np.flatnonzero(np.diff(parts) != 1) + 1
    spans = [(edges.first[run[0]], edges.first[run[-1] + 1]) for run in np.split(parts, breaks) if len(run)]
    if len(spans) > 1:
        picked = np.concatenate([np.arange(start, stop) for start, stop in spans])
        for n in range(0, len(picked), _EDGES_AT_ONCE):
            few = picked[n : n + _EDGES_AT_ONCE]
            yield edges.x1[few], edges.y1[few], edges.x2[few], edges.y2[few]
        return
    for start, stop in spans:
        for n in range(start, stop, _EDGES_AT_ONCE):
            s = slice(n, min(n + _EDGES_AT_ONCE, stop))
            yield edges.x1[s], edges.y1[s], edges.x2[s], edges.y2[s]


def _toggle(inside: MaskArray, x: Floats, y: Floats, x1: Floats, y1: Floats, x2: Floats, y2: Floats) -> None:
    """Turn over every pixel at and to the right of each crossing."""
    near = (y1 <= y[-1]) & (y2 > y[0]) & (np.minimum(x1, x2) <= x[-1])
    x1, y1, x2, y2 = x1[near], y1[near], x2[near], y2[near]
    first, last = np.searchsorted(y, y1, "left"), np.searchsorted(y, y2, "left")  # rows with y1 <= y < y2
    crossed = np.cumsum(last - first)
    many = np.arange(_CROSSINGS_AT_ONCE, crossed[-1] if len(crossed) else 0, _CROSSINGS_AT_ONCE)
    for few in np.split(np.arange(len(crossed)), np.searchsorted(crossed, many)):
        _toggle_rows(inside, x, y, (x1[few], y1[few], x2[few], y2[few]), first[few], last[few])


def _toggle_rows(
    inside: MaskArray, x: Floats, y: Floats, ends: tuple[Floats, Floats, Floats, Floats], first: Ints, last: Ints
) -> None:
    """Turn over the pixels right of edges of which each crosses the rows from its first to before its last."""
    x1, y1, x2, y2 = ends
    crossed = last - first
    edge = np.repeat(np.arange(len(crossed)), crossed)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed) + first[edge]
    column = first_column(x, y[row], x1[edge], y1[edge], x2[edge], y2[edge])
    height, width = inside.shape
    kept = column < width
    turns = np.bincount(row[kept] * width + column[kept], minlength=height * width).reshape(height, width)
    # sums wrap at 256, which leaves odd odd and even even
    inside ^= (np.cumsum(turns.astype(np.uint8), axis=1, dtype=np.uint8) & 1).astype(np.bool_)


def first_column(x: Floats, y: Floats, x1: Floats, y1: Floats, x2: Floats, y2: Floats) -> Ints:
    """Return the first column whose centre lies at or to the right of each edge, on the row of each crossing."""
    crossing = x1 + (x2 - x1) * ((y - y1) / (y2 - y1))
    column = np.searchsorted(x, crossing, "left")
    # the estimate may be one off where a centre lies next to the edge, so both neighbours are decided exactly
    moved = np.ones(len(column), np.bool_)
    while moved.any():
        before = np.clip(column - 1, 0, len(x) - 1)
        back = (column > 0) & _at_or_right(x[before], y, x1, y1, x2, y2)
        at = np.clip(column, 0, len(x) - 1)
        on = (column < len(x)) & ~back & ~_at_or_right(x[at], y, x1, y1, x2, y2)
        moved = back | on
        column = column - back + on
    return column


def _at_or_right(x: Floats, y: Floats, x1: Floats, y1: Floats, x2: Floats, y2: Floats) -> MaskArray:
    """Return True for each point that lies on its edge or to the right of it; edges run downwards.

    The sign of ``(x - x1)·(y2 - y1) - (x2 - x1)·(y - y1)``, with the filter of Shewchuk (1997), "Adaptive Precision
    Floating-Point Arithmetic and Fast Robust Geometric Predicates", section 4.3.
    """
    left, right = (x - x1) * (y2 - y1), (x2 - x1) * (y - y1)
    side = left - right
    result = side >= 0
    unsure = np.flatnonzero(np.abs(side) <= _SAFE * (np.abs(left) + np.abs(right)))
    if len(unsure):
        result[unsure] = _exactly_at_or_right(*(v[unsure] for v in (x, y, x1, y1, x2, y2)))
    return result


def _exactly_at_or_right(*coordinates: Floats) -> MaskArray:
    """Return the same in whole numbers where a grid of 1/256 px holds all six coordinates, else in fractions."""
    grid = np.stack(coordinates) * 256.0
    whole = np.rint(grid)
    on_grid = ((grid == whole) & (np.abs(whole) < 2**30)).all(axis=0)  # differences < 2^31, products < 2^62
    result = np.zeros(len(on_grid), np.bool_)
    px, py, ax, ay, bx, by = whole[:, on_grid].astype(np.int64)
    result[on_grid] = (px - ax) * (by - ay) >= (bx - ax) * (py - ay)
    for i in np.flatnonzero(~on_grid):
        fx, fy, gx, gy, hx, hy = (Fraction(float(v[i])) for v in coordinates)
        result[i] = (fx - gx) * (hy - gy) >= (hx - gx) * (fy - gy)
    return result
