"""exports: the compiled half of rings: each begun at its upper left corner, placed, measured, made simple.

Called through ``tracing``.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code, machine_part


@machine_part
def _turn_to_upper_left(points: Any, first: int, n: int) -> None:
    """Let a ring of n points begin at its uppermost, then leftmost one."""
    start = first
    for i in range(first + 1, first + n):
        if points[i, 1] < points[start, 1] or (points[i, 1] == points[start, 1] and points[i, 0] < points[start, 0]):
            start = i
    if start == first:
        return
    turned = np.empty((n, 2), np.int64)
    for i in range(n):
        j = start + i if start + i < first + n else start + i - n
        turned[i, 0], turned[i, 1] = points[j, 0], points[j, 1]
    for i in range(n):
        points[first + i, 0], points[first + i, 1] = turned[i, 0], turned[i, 1]


@machine_part
def _doubled_area(points: Any, first: int, n: int) -> int:
    """Return twice the signed area of a ring of n points (the shoelace formula); from its first, so that it fits."""
    x0, y0, doubled = points[first, 0], points[first, 1], 0
    for i in range(first + 1, first + n - 1):
        x, y = points[i, 0] - x0, points[i, 1] - y0
        doubled += x * (points[i + 1, 1] - y0) - (points[i + 1, 0] - x0) * y
    return doubled


@machine_code
def placed_rings(points: Any, rings: Any, ring_count: int, x_edges: Any, y_edges: Any) -> Any:
    """Return twice the signed area of each ring, int64 (ring_count,), once it is begun anew and placed.

    Each ring of the list of points begins at its upper left corner then, and has its coordinates where ``x_edges`` and
    ``y_edges`` have them. ``rings`` has the first point of each, and how many.
    """
    doubled = np.empty(ring_count, np.int64)
    for ring in range(ring_count):
        first, n = rings[ring, 0], rings[ring, 1]
        _turn_to_upper_left(points, first, n)
        for i in range(first, first + n):
            points[i, 0], points[i, 1] = x_edges[points[i, 0]], y_edges[points[i, 1]]
        doubled[ring] = _doubled_area(points, first, n)
    return doubled


@machine_code
def simple_rings(points: Any, key: Any, order: Any) -> Any:
    """Return the ring cut where it touches itself: the points of simple rings one after the other, and of each its end.

    With them, twice their signed areas, and how many rings there are.

    Each begins at its uppermost, then leftmost point. ``key`` is a number for each vertex, ``order`` sorts it.

    A vertex that is passed twice has one way in and out too many: exchanging what follows the two passages makes
    two rings of one. Passages never cross, so each exchange leaves rings that do not cross either.
    """
    n = len(points)
    following = np.empty(n, np.int64)
    for i in range(n):
        following[i] = i + 1 if i + 1 < n else 0
    for k in range(n - 1):
        i, j = order[k], order[k + 1]
        if key[i] == key[j]:
            following[i], following[j] = following[j], following[i]
    cut, ends, doubled = np.empty((n, 2), np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    seen = np.zeros(n, np.bool_)
    count, ring = 0, 0
    for i in range(n):
        if seen[i]:
            continue
        first = count
        while not seen[i]:
            seen[i] = True
            cut[count, 0], cut[count, 1] = points[i, 0], points[i, 1]
            count += 1
            i = following[i]
        _turn_to_upper_left(cut, first, count - first)
        ends[ring], doubled[ring] = count, _doubled_area(cut, first, count - first)
        ring += 1
    return cut, ends, doubled, ring
