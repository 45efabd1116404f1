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
def simple_rings(points: Any, rings: Any, passages: Any, x_edges: Any, y_edges: Any) -> Any:
    """Return rings cut where they touch themselves: the points of simple rings one after the other.

    With them, of each its end, twice its signed area and the ring that it was part of, and how many there are. Each
    begins at its uppermost, then leftmost point. ``rings`` has the first point of each and how many; ``passages``,
    int64 (n, 2), two points of a ring where it passes a vertex twice; the edges say where columns and rows begin.

    A vertex that is passed twice has one way in and out too many: exchanging what follows the two passages makes
    two rings of one. Passages never cross, so each exchange leaves rings that do not cross either.
    """
    last = len(rings) - 1
    used = rings[last, 0] + rings[last, 1] if last >= 0 else 0  # more points than are used may stand there
    following = np.empty(used, np.int64)
    total = 0
    for ring in range(len(rings)):
        first, n = rings[ring, 0], rings[ring, 1]
        total += n
        for i in range(first, first + n):
            following[i] = i + 1 if i + 1 < first + n else first
    for k in range(len(passages)):
        i, j = passages[k, 0], passages[k, 1]
        following[i], following[j] = following[j], following[i]
    cut = np.empty((total, 2), np.int64)
    ends, doubled, source = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    seen = np.zeros(used, np.bool_)
    count, found = 0, 0
    for ring in range(len(rings)):
        first = rings[ring, 0]
        for start in range(first, first + rings[ring, 1]):
            if seen[start]:
                continue
            i, begin = start, count
            while not seen[i]:
                seen[i] = True
                cut[count, 0], cut[count, 1] = x_edges[points[i, 0]], y_edges[points[i, 1]]
                count += 1
                i = following[i]
            _turn_to_upper_left(cut, begin, count - begin)
            ends[found], doubled[found], source[found] = count, _doubled_area(cut, begin, count - begin), ring
            found += 1
    return cut, ends, doubled, source, found


@machine_code
def gathered(points: Any, filed: Any, known: Any) -> Any:
    """Return the points of some rings one after the other, int64 (n, 2).

    ``known`` has of each ring in its first two columns the first point and how many, in its last whether they are among
    ``filed`` instead of ``points``.
    """
    total, filed_column = 0, known.shape[1] - 1
    for ring in range(len(known)):
        total += known[ring, 1]
    found, n = np.empty((total, 2), np.int64), 0
    for ring in range(len(known)):
        first = known[ring, 0]
        for i in range(first, first + known[ring, 1]):
            if known[ring, filed_column]:
                found[n, 0], found[n, 1] = filed[i, 0], filed[i, 1]
            else:
                found[n, 0], found[n, 1] = points[i, 0], points[i, 1]
            n += 1
    return found
