"""exports: the compiled half of rings: open chains, rings made simple and measured, holes that wait for their region.

Called through ``tracing`` and ``regions_in_order``.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code, machine_part

FIRST, LENGTH, LABEL, DOUBLED_AREA, CORNER, IS_IN_FILE = range(6)
"""Columns of what is known of a ring: its first point, which is the upper left one, and how many; its region's label,
of a hole that waits the row of the next one; twice the signed area; that point as a number that orders by y, then x;
and whether the points are in the file."""
_NONE = -1
_NEXT_CORNER, _END, _OTHER_SLOT = 2, 0, 1  # as ``tracing_kernels`` has them


@machine_code
def open_chains(codes: Any, slots: Any, corners: Any, kept: Any) -> Any:
    """Return the corners of the chains that still wait, without those of closed rings, and how many they are.

    The slots are renumbered. ``codes``, uint8 (w + 2,), is the row above them between two pixels of no class: an end
    waits where it changes. ``kept``, int32 (n, 3), is returned where they fit into it.
    """
    count, total = 0, 0
    for x in range(len(codes) - 1):
        node = slots[2 * x + 1, _END] if codes[x + 1] != 0 and codes[x + 1] != codes[x] else _NONE
        while node != _NONE:
            total += 1
            node = corners[node, _NEXT_CORNER]
    if total > len(kept):
        kept = np.empty((len(corners), corners.shape[1]), np.int32)
    for x in range(len(codes) - 1):
        if codes[x + 1] == 0 or codes[x + 1] == codes[x]:
            continue
        up = 2 * x + 1
        node = slots[up, _END]
        slots[up, _END] = count
        while node != _NONE:
            for field in range(_NEXT_CORNER):
                kept[count, field] = corners[node, field]
            kept[count, _NEXT_CORNER] = count + 1
            count += 1
            node = corners[node, _NEXT_CORNER]
        kept[count - 1, _NEXT_CORNER] = _NONE
        slots[slots[up, _OTHER_SLOT], _END] = count - 1
    return kept, count


@machine_part
def _put_from_upper_left(loop: Any, begin: int, end: int, points: Any, at: int) -> None:
    """Write a ring, its uppermost, then leftmost point first."""
    start = begin
    for i in range(begin + 1, end):
        if loop[i, 1] < loop[start, 1] or (loop[i, 1] == loop[start, 1] and loop[i, 0] < loop[start, 0]):
            start = i
    for i in range(begin, end):
        j = i + start - begin
        j = j if j < end else j - (end - begin)
        points[at + i - begin, 0], points[at + i - begin, 1] = loop[j, 0], loop[j, 1]


@machine_part
def _cut(points: Any, first: int, length: int, passages: Any, k: int, lengths: Any) -> Any:
    """Cut a ring that touches itself, in place; return how many rings it is then, and the passages that are used.

    ``lengths`` is written: how many points each has.
    """
    following, loop = np.empty(length, np.int64), np.empty((length, 2), np.int32)
    seen = np.zeros(length, np.bool_)
    for i in range(length):
        following[i] = i + 1
    following[length - 1] = 0
    while k < len(passages) and passages[k, 0] < first + length:
        i, j = passages[k, 0] - first, passages[k, 1] - first
        following[i], following[j] = following[j], following[i]
        k += 1
    count, found = 0, 0
    for start in range(length):
        i, begin = start, count
        while not seen[i]:
            seen[i] = True
            loop[count, 0], loop[count, 1] = points[first + i, 0], points[first + i, 1]
            count += 1
            i = following[i]
        if count > begin:
            lengths[found] = count - begin
            found += 1
    count = 0
    for ring in range(found):
        _put_from_upper_left(loop, count, count + lengths[ring], points, first + count)
        count += lengths[ring]
    return found, k


@machine_part
def _measure(points: Any, first: int, length: int, x_edges: Any, y_edges: Any, known: Any, at: int) -> int:
    """Write what is known of a ring; return its lowest y. Edges go along x or y, so that areas are sums of x dy."""
    y0 = np.int64(y_edges[points[first, 1]])
    area, lowest, y = np.int64(0), y0, y0
    for i in range(first + 1, first + length):
        next_y = y_edges[points[i, 1]]
        area += x_edges[points[i, 0]] * (next_y - y)  # where y changes x does not
        lowest = max(lowest, next_y)
        y = next_y
    area += x_edges[points[first, 0]] * (y0 - y)
    known[at, FIRST], known[at, LENGTH], known[at, IS_IN_FILE] = first, length, 0
    known[at, DOUBLED_AREA], known[at, CORNER] = 2 * area, (y0 << 32) + x_edges[points[first, 0]]
    return int(lowest)


@machine_code
def simple_rings(points: Any, rings: Any, passages: Any, x_edges: Any, y_edges: Any, known: Any, more: Any) -> int:
    """Cut rings where they touch themselves, among the points; return how many there are then.

    Each begins at its uppermost, then leftmost point.

    Parameters
    ----------
    points : int32 (n, 2)
        In columns and rows; changed where a ring is cut.
    rings : int64 (rings, 4)
        The first point of each and how many, label, class.
    passages : int64 (n, 2)
        Two points of a ring where it passes a vertex twice, ring by ring. Such a vertex has one way in and out too
        many: exchanging what follows the two passages makes two rings of one. Passages never cross, so each exchange
        leaves rings that do not cross either.
    x_edges, y_edges : int64 (w + 1,), (rows + 1,)
        Where columns and rows begin.
    known, more : int64 (rings + passages, 6), (rings + passages, 2)
        Written: what is known of each simple ring; its class and its lowest y.
    """
    found, k = 0, 0
    lengths = np.empty(len(passages) + 1, np.int64)
    for ring in range(len(rings)):
        first, length = rings[ring, 0], rings[ring, 1]
        count = 1
        lengths[0] = length
        if k < len(passages) and passages[k, 0] < first + length:
            count, k = _cut(points, first, length, passages, k, lengths)
        for part in range(count):
            more[found, 0] = rings[ring, 3]
            more[found, 1] = _measure(points, first, lengths[part], x_edges, y_edges, known, found)
            known[found, LABEL] = rings[ring, 2]
            first += lengths[part]
            found += 1
    return found


@machine_code
def gathered(points: Any, filed: Any, known: Any, x_edges: Any, y_edges: Any) -> Any:
    """Return the points of some rings one after the other, placed by the edges of columns and rows, int64 (n, 2).

    ``known`` is a row a ring; the points, int32 (n, 2), are those of rings that closed and those in the file.
    """
    total = 0
    for ring in range(len(known)):
        total += known[ring, LENGTH]
    found, n = np.empty((total, 2), np.int64), 0
    for ring in range(len(known)):
        first, length = known[ring, FIRST], known[ring, LENGTH]
        if known[ring, IS_IN_FILE]:
            for i in range(first, first + length):
                found[n, 0], found[n, 1] = x_edges[filed[i, 0]], y_edges[filed[i, 1]]
                n += 1
        else:
            for i in range(first, first + length):
                found[n, 0], found[n, 1] = x_edges[points[i, 0]], y_edges[points[i, 1]]
                n += 1
    return found


@machine_code
def put_together(points: Any, known: Any) -> Any:
    """Return the points of some rings one after the other as they are, int32 (n, 2)."""
    total = 0
    for ring in range(len(known)):
        total += known[ring, LENGTH]
    found, n = np.empty((total, 2), np.int32), 0
    for ring in range(len(known)):
        for i in range(known[ring, FIRST], known[ring, FIRST] + known[ring, LENGTH]):
            found[n, 0], found[n, 1] = points[i, 0], points[i, 1]
            n += 1
    return found


@machine_code
def lists_joined(heads: Any, tails: Any, rows: Any, roots: Any) -> Any:
    """Return the first and the last of the holes that wait for each region, int64 (labels,) each, or -1.

    ``heads`` and ``tails`` are those of the labels that reached the row above; the rows are linked where regions were
    joined.
    """
    joined_heads, joined_tails = np.full(len(roots), _NONE, np.int64), np.full(len(roots), _NONE, np.int64)
    for label in range(len(heads)):
        if heads[label] == _NONE:
            continue
        root = roots[label]
        if joined_heads[root] == _NONE:
            joined_heads[root] = heads[label]
        else:
            rows[joined_tails[root], LABEL] = heads[label]
        joined_tails[root] = tails[label]
    return joined_heads, joined_tails


@machine_code
def put_waiting(holes: Any, rows: Any, count: int, heads: Any, tails: Any) -> None:
    """Write holes behind the rows that wait, each at the end of its region's list."""
    for hole in range(len(holes)):
        label = holes[hole, LABEL]
        for column in range(holes.shape[1]):
            rows[count, column] = holes[hole, column]
        rows[count, LABEL] = _NONE
        if heads[label] == _NONE:
            heads[label] = count
        else:
            rows[tails[label], LABEL] = count
        tails[label] = count
        count += 1


@machine_code
def waited(rows: Any, heads: Any) -> Any:
    """Return the holes of some lists, a list after the other, int64 (n, 6); their label is the place of their list."""
    total = 0
    for place in range(len(heads)):
        row = heads[place]
        while row != _NONE:
            total += 1
            row = rows[row, LABEL]
    found, n = np.empty((total, rows.shape[1]), np.int64), 0
    for place in range(len(heads)):
        row = heads[place]
        while row != _NONE:
            for column in range(rows.shape[1]):
                found[n, column] = rows[row, column]
            found[n, LABEL] = place
            n += 1
            row = rows[row, LABEL]
    return found


@machine_code
def regions_merged(outer: Any, class_ids: Any, holes: Any, order: Any) -> Any:
    """Return rings in order, int64 (n, 6), each region's outer one before its holes; of each its class and its area.

    Parameters
    ----------
    outer, class_ids : int64 (regions, 6), (regions,)
        The rings round regions in order, and their classes.
    holes, order : int64 (n, 6), (n,)
        The holes, whose label is the place of their region, and in which order they are wanted: by that label first.

    Returns
    -------
    tuple
        With the rings int64 (n,) twice: classes; of an outer ring what its region covers, of a hole 0.
    """
    total = len(outer) + len(holes)
    known = np.empty((total, outer.shape[1]), np.int64)
    classes, areas_px = np.empty(total, np.int64), np.zeros(total, np.int64)
    n, k = 0, 0
    for place in range(len(outer)):
        begin, doubled = n, outer[place, DOUBLED_AREA]
        for column in range(outer.shape[1]):
            known[n, column] = outer[place, column]
        classes[n] = class_ids[place]
        n += 1
        while k < len(holes) and holes[order[k], LABEL] == place:
            hole = order[k]
            for column in range(outer.shape[1]):
                known[n, column] = holes[hole, column]
            classes[n] = class_ids[place]
            doubled += holes[hole, DOUBLED_AREA]
            n += 1
            k += 1
        areas_px[begin] = doubled // 2
    return known, classes, areas_px


@machine_code
def vertices_of(points: Any, rings: Any, touches: Any, width: int, height: int) -> Any:
    """Return the vertex of each of some points as one number, int64 (n,): the same only for points of one ring.

    ``touches``, int32 (n,), are the points, ring by ring; ``width`` and ``height`` bound the columns and rows.
    """
    vertices, ring = np.empty(len(touches), np.int64), 0
    for n in range(len(touches)):
        i = touches[n]
        while i >= rings[ring, 0] + rings[ring, 1]:
            ring += 1
        vertices[n] = (np.int64(ring) * height + points[i, 1]) * width + points[i, 0]
    return vertices
