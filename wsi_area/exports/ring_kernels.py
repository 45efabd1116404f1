"""exports: the compiled half of rings: each begun at its upper left corner, placed, measured, made simple.

Called through ``tracing``.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code, machine_part


@machine_part
def _upper_left(points: Any, first: int, end: int) -> int:
    """Return the uppermost, then leftmost of some points."""
    start, least = first, (np.int64(points[first, 1]) << 32) + points[first, 0]
    for i in range(first + 1, end):
        key = (np.int64(points[i, 1]) << 32) + points[i, 0]  # one comparison, which the machine needs not foresee
        start, least = (i, key) if key < least else (start, least)
    return start


@machine_part
def _place_from_upper_left(points: Any, first: int, end: int, x_edges: Any, y_edges: Any, cut: Any, at: int) -> None:
    """Write a ring where its columns and rows begin, its uppermost, then leftmost point first."""
    start = _upper_left(points, first, end)
    for i in range(start, end):
        cut[at, 0], cut[at, 1] = x_edges[points[i, 0]], y_edges[points[i, 1]]
        at += 1
    for i in range(first, start):
        cut[at, 0], cut[at, 1] = x_edges[points[i, 0]], y_edges[points[i, 1]]
        at += 1


@machine_part
def _turn_to_upper_left(points: Any, first: int, n: int) -> None:
    """Let a ring of n points begin at its uppermost, then leftmost one."""
    start = _upper_left(points, first, first + n)
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
    x, y = 0, 0
    for i in range(first + 1, first + n):
        next_x, next_y = points[i, 0] - x0, points[i, 1] - y0
        doubled += x * next_y - next_x * y
        x, y = next_x, next_y
    return doubled


@machine_code
def simple_rings(points: Any, rings: Any, passages: Any, x_edges: Any, y_edges: Any) -> Any:
    """Return rings cut where they touch themselves: the points of simple rings one after the other.

    With them, of each its end, twice its signed area and the ring that it was part of, and how many there are. Each
    begins at its uppermost, then leftmost point. ``rings`` has the first point of each and how many; ``passages``,
    int64 (n, 2), two points of a ring where it passes a vertex twice, ring by ring; the edges say where columns and
    rows begin.

    A vertex that is passed twice has one way in and out too many: exchanging what follows the two passages makes
    two rings of one. Passages never cross, so each exchange leaves rings that do not cross either.
    """
    last = len(rings) - 1
    used = rings[last, 0] + rings[last, 1] if last >= 0 else 0  # more points than are used may stand there
    following, seen = np.empty(used, np.int64), np.zeros(used, np.bool_)  # of rings that touch themselves alone
    total = 0
    for ring in range(len(rings)):
        total += rings[ring, 1]
    cut = np.empty((total, 2), np.int64)
    ends, doubled, source = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    count, found, k = 0, 0, 0
    for ring in range(len(rings)):
        first, end = rings[ring, 0], rings[ring, 0] + rings[ring, 1]
        if k == len(passages) or passages[k, 0] >= end:  # most rings, and so without steps from point to point
            _place_from_upper_left(points, first, end, x_edges, y_edges, cut, count)
            begin, count = count, count + end - first
            ends[found], doubled[found], source[found] = count, _doubled_area(cut, begin, count - begin), ring
            found += 1
            continue
        for i in range(first, end):
            following[i] = i + 1 if i + 1 < end else first
        while k < len(passages) and passages[k, 0] < end:
            i, j = passages[k, 0], passages[k, 1]
            following[i], following[j] = following[j], following[i]
            k += 1
        for start in range(first, end):
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
        first, length = known[ring, 0], known[ring, 1]
        if known[ring, filed_column]:
            for i in range(length):
                found[n + i, 0], found[n + i, 1] = filed[first + i, 0], filed[first + i, 1]
        else:
            for i in range(length):
                found[n + i, 0], found[n + i, 1] = points[first + i, 0], points[first + i, 1]
        n += length
    return found
