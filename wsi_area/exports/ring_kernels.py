"""exports: the compiled half of rings: each begun at its upper left corner, and cut where it touches itself.

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


@machine_code
def turn_rings(points: Any, rings: Any, ring_count: int) -> None:
    """Let each ring of a list of points begin at its upper left corner; ``rings`` has its first point and how many."""
    for ring in range(ring_count):
        _turn_to_upper_left(points, rings[ring, 0], rings[ring, 1])


@machine_code
def simple_rings(points: Any, key: Any, order: Any) -> Any:
    """Return the ring cut where it touches itself: the points of simple rings one after the other, and their ends.

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
    cut, ends = np.empty((n, 2), np.int64), np.empty(n, np.int64)
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
        ends[ring] = count
        ring += 1
    return cut, ends, ring
