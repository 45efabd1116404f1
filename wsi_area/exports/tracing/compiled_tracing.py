"""exports: the compiled half of tracing: pixel edges followed row by row, joined into rings, each with its region.

A class map is swept once, from the top. Every edge between a traced pixel and one of another code is walked with
the pixel on the right hand (in a picture, whose y points down), so a region's outer ring has a positive area and
its holes a negative one. At a vertex an edge is continued along the same pixel or one that shares a side with it:
regions are 4-connected, and what touches at a corner only is apart. The two ends of a chain wait in slots, two of
each column and two of the row: ``down``, a chain whose last edge goes on downwards, and ``up``, a chain whose first
edge comes from below; ``right`` and ``left`` likewise, along the row.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``tracing``, which sees to it that there is room: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part
from wsi_area.exports.tracing.rings import CORNER, DOUBLED_AREA, FIRST, KNOWN_FIELDS, LABEL, LENGTH

_X2, _Y, _NEXT = range(3)  # of a corner, as ``CORNER_FIELDS`` says
_END, _OTHER_SLOT = range(2)
# Columns of a slot: the corner that waits in it, and where the other end of its chain waits.
_NONE = -1


@native_part
def _root(parent: Any, label: int) -> int:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return int(label)


@native_part
def _united(parent: Any, label: int, other_label: int) -> None:
    """Make one region of two labels."""
    one, other = _root(parent, label), _root(parent, other_label)
    parent[max(one, other)] = min(one, other)


@native_part
def _put_corner(corners: Any, n: int, x: int, y: int, is_saddle: bool, after: int) -> None:
    """Write a corner and the one after it."""
    corners[n, _X2], corners[n, _Y], corners[n, _NEXT] = 2 * x + is_saddle, y, after


@native_part
def _pair(slots: Any, one: int, other: int) -> None:
    """Note of two slots that the two ends of one chain wait in them."""
    slots[one, _OTHER_SLOT], slots[other, _OTHER_SLOT] = other, one


@native_part
def _begin(slots: Any, n: int, head_slot: int, tail_slot: int) -> None:
    """Let a corner be a chain of its own."""
    slots[head_slot, _END], slots[tail_slot, _END] = n, n
    _pair(slots, head_slot, tail_slot)


@native_part
def _move(slots: Any, n: int, old: int, new: int) -> None:
    """Let a corner be the end of a chain whose end waited in one slot, and wait in another."""
    slots[new, _END] = n
    _pair(slots, new, slots[old, _OTHER_SLOT])


@native_part
def _close(corners: Any, slots: Any, n: int, tail_slot: int, head_slot: int) -> bool:
    """Put a corner behind the end of one chain and before the begin of another; return True if that is a ring."""
    corners[slots[tail_slot, _END], _NEXT] = n
    if slots[tail_slot, _OTHER_SLOT] == head_slot:
        return True
    corners[n, _NEXT] = slots[head_slot, _END]
    _pair(slots, slots[tail_slot, _OTHER_SLOT], slots[head_slot, _OTHER_SLOT])
    return False


@native_part
def _ring_out(
    corners: Any, head: int, known: Any, more: Any, ring: int, used: int, points: Any, touches: Any, touch_count: int,
    label: int, code: int, x_edges: Any, y_edges: Any,
) -> Any:  # fmt: skip
    """Write a closed ring from its uppermost, then leftmost point on, and what is known of it.

    With it, which of its points may touch others. Returns how many of those there are now, and how many points are
    used: what comes before that corner in the chain is copied behind its end, and stays where it was for nothing.
    """
    n, node, start, touches_before = used, head, used, touch_count
    first = (np.int64(corners[head, _Y]) << 32) + (corners[head, _X2] >> 1)
    lowest, y_place = corners[head, _Y], y_edges[corners[head, _Y]]
    area, first_y = np.int64(0), y_place  # edges go along x or y, so that the area is a sum of x dy
    while node != _NONE:
        x, y = corners[node, _X2] >> 1, corners[node, _Y]
        points[n, 0], points[n, 1] = x, y
        place = (np.int64(y) << 32) + x
        if place < first:
            start, first = n, place
        lowest = max(lowest, y)
        area += x_edges[x] * (y_edges[y] - y_place)  # where y changes x does not
        y_place = y_edges[y]
        touches[touch_count] = n
        touch_count += corners[node, _X2] & 1
        n += 1
        node = corners[node, _NEXT]
    area += x_edges[corners[head, _X2] >> 1] * (first_y - y_place)
    length = n - used
    for i in range(used, start):
        points[n, 0], points[n, 1] = points[i, 0], points[i, 1]
        n += 1
    if touch_count == touches_before + 1:  # what touches itself does so with two points
        touch_count = touches_before
    for i in range(touches_before, touch_count):
        if touches[i] < start:
            touches[i] += length
    known[ring, FIRST], known[ring, LENGTH] = start, length
    known[ring, LABEL], known[ring, DOUBLED_AREA] = label, 2 * area
    known[ring, CORNER] = (y_edges[points[start, 1]] << 32) + x_edges[points[start, 0]]
    more[ring, 0], more[ring, 1] = code, y_edges[lowest]
    return touch_count, n


def trace_rows(
    class_map_at: Any, height: int, width: int, traced_at: Any, first_y: int, codes_at: Any, changes_at: Any,
    labels_at: Any, slots_at: Any, parent_at: Any, labels: int, corners_at: Any, corners: int, known_at: Any,
    more_at: Any, rings: int, points_at: Any, points: int, touches_at: Any, touches: int, x_edges_at: Any,
    y_edges_at: Any, y_edges: int, below_at: Any, turns_at: Any, state_at: Any,
) -> None:  # fmt: skip
    """Sweep rows of a class map, those of which everything has room; write the rings that closed.

    At these addresses lie, contiguous: ``class_map`` uint8 (h, w), rows ``[first_y, first_y + h)`` of the whole map;
    ``traced`` uint8 (256,), of each code itself, or 0 where it is not traced; ``codes`` uint8 (w + 2,) and ``changes``
    uint8 (w + 1,), the row above between two pixels of no class, and at which vertices it changes, changed to the last
    row; ``labels`` int32 (w + 1,), of the row above the label of each run of pixels of one code, where it begins,
    changed likewise; ``slots`` int32 (2 w + 4, 2), the waiting ends: of each column one that goes down and one that
    comes up, then those of the row; ``x_edges`` and ``y_edges`` int64 (w + 1,) and (rows + 1,), where columns and rows
    begin. For its own use: ``below`` uint8 (2 w + 3,) of which the ends are 0, ``turns`` int32 (w + 1,).

    Lists that grow, with their lengths: ``parent`` int64, union-find over labels; ``corners`` int32 (n, 3), of open
    chains and of rings that closed; ``known`` int64 (n, 5) and ``more`` int64 (n, 2), what is known of each ring, its
    class and its lowest y; ``points`` int32 (n, 2); ``touches`` int32, those of the points that may touch others.

    ``state``, int64 (7,), is read and written: the rows that are done, corners, those of rings that closed, labels,
    rings, points, touches.
    """
    _trace_rows(
        carray(class_map_at, (height, width)), carray(traced_at, 256), first_y, carray(codes_at, width + 2),
        carray(changes_at, width + 1), carray(labels_at, width + 1), carray(slots_at, (2 * width + 4, 2)),
        carray(parent_at, labels), carray(corners_at, (corners, 3)), carray(known_at, (rings, KNOWN_FIELDS)),
        carray(more_at, (rings, 2)), carray(points_at, (points, 2)), carray(touches_at, touches),
        carray(x_edges_at, width + 1), carray(y_edges_at, y_edges), carray(below_at, 2 * width + 3),
        carray(turns_at, width + 1), carray(state_at, 7),
    )  # fmt: skip


@native_part
def _trace_rows(
    class_map: Any, traced: Any, first_y: int, codes: Any, changes: Any, labels: Any, slots: Any, parent: Any,
    corners: Any, known: Any, more: Any, points: Any, touches: Any, x_edges: Any, y_edges: Any, scratch: Any,
    turns: Any, state: Any,
) -> None:  # fmt: skip
    height, width = class_map.shape
    below, below_changes = scratch[: width + 2], scratch[width + 2 :]
    corner_count, closed_count, label_count, ring_count, used, touch_count = (
        state[1], state[2], state[3], state[4], state[5], state[6],
    )  # fmt: skip
    right, left = 2 * width + 2, 2 * width + 3
    row = state[0]
    while row < height:
        # room for a whole row: at a vertex four corners at most, and two rings that close; a label a pixel
        most = corner_count - closed_count + 4 * (width + 1)
        if (
            (len(corners) < corner_count + 4 * (width + 1)) | (len(points) < used + 2 * most)
            | (len(known) < ring_count + 2 * (width + 1)) | (len(touches) < touch_count + most)
            | (len(parent) < label_count + width)
        ):  # fmt: skip
            break
        for x in range(width):
            below[x + 1] = traced[class_map[row, x]]
        for x in range(width + 1):
            below_changes[x] = below[x] != below[x + 1]
        # edges turn, and runs of pixels begin and end, at no other vertex
        turn_count = 0
        for x in range(width + 1):
            turns[turn_count] = x
            turn_count += changes[x] | below_changes[x]
        y = first_y + row
        c_label, d_label = _NONE, _NONE
        for turn in range(turn_count):
            # round the vertex against the clock, from the upper left, lie the pixels a, b, c and d
            x = turns[turn]
            a, b, c, d, a_label, b_label = codes[x], below[x], below[x + 1], codes[x + 1], d_label, c_label
            ab, bc, cd, da = a == b, b == c, c == d, d == a
            if not da:
                d_label = labels[x]
            if bc:
                if cd & (c != 0) and b_label != d_label:
                    _united(parent, b_label, d_label)
            else:
                if cd:
                    c_label = d_label
                elif c != 0:
                    c_label = label_count
                    parent[label_count] = label_count
                    label_count += 1
                labels[x] = c_label
                if ab & cd:  # edges that go straight on: what waits for them goes on waiting
                    continue
            # a pixel meets its like across the vertex, and at no side
            is_saddle = ((a != 0) & (a == c) & (not ab) & (not da)) | ((b != 0) & (b == d) & (not ab) & (not bc))
            # A region turns round the one or three pixels of it that follow each other. The edge that ends here comes
            # down along a, right along b, up along c, left along d, the first of them; the edge that begins here goes
            # left along a, down along b, right along c, up along d, the last. In this order an end leaves its slot
            # before another one enters.
            down, up = 2 * x, 2 * x + 1
            if (a != 0) & (not da):
                if not ab:
                    n, corner_count = corner_count, corner_count + 1
                    _put_corner(corners, n, x, y, is_saddle, _NONE)
                    if _close(corners, slots, n, down, left):
                        touch_count, used = _ring_out(
                            corners, slots[left, _END], known, more, ring_count, used, points, touches, touch_count,
                            a_label, a, x_edges, y_edges,
                        )  # fmt: skip
                        closed_count += known[ring_count, LENGTH]
                        ring_count += 1
                elif bc:
                    n, corner_count = corner_count, corner_count + 1
                    _put_corner(corners, n, x, y, is_saddle, _NONE)
                    corners[slots[down, _END], _NEXT] = n
                    _move(slots, n, down, right)
            if (b != 0) & (not ab):
                if not bc:
                    n, corner_count = corner_count, corner_count + 1
                    _put_corner(corners, n, x, y, is_saddle, _NONE)
                    corners[slots[right, _END], _NEXT] = n
                    _move(slots, n, right, down)
                elif cd:
                    n, corner_count = corner_count, corner_count + 1
                    _put_corner(corners, n, x, y, is_saddle, _NONE)
                    if _close(corners, slots, n, right, up):
                        touch_count, used = _ring_out(
                            corners, slots[up, _END], known, more, ring_count, used, points, touches, touch_count,
                            b_label, b, x_edges, y_edges,
                        )  # fmt: skip
                        closed_count += known[ring_count, LENGTH]
                        ring_count += 1
            if (d != 0) & (not cd):
                if not da:
                    n, corner_count = corner_count, corner_count + 1
                    _put_corner(corners, n, x, y, is_saddle, slots[up, _END])
                    _move(slots, n, up, left)
                elif ab:
                    n, corner_count = corner_count, corner_count + 1
                    _put_corner(corners, n, x, y, is_saddle, _NONE)
                    _begin(slots, n, left, down)
            if (c != 0) & (not bc):
                if not cd:
                    n, corner_count = corner_count, corner_count + 1
                    _put_corner(corners, n, x, y, is_saddle, _NONE)
                    _begin(slots, n, up, right)
                elif da:
                    n, corner_count = corner_count, corner_count + 1
                    _put_corner(corners, n, x, y, is_saddle, slots[left, _END])
                    _move(slots, n, left, up)
        for x in range(width + 1):
            codes[x], changes[x] = below[x], below_changes[x]
        row += 1
    state[0], state[1], state[2], state[3] = row, corner_count, closed_count, label_count
    state[4], state[5], state[6] = ring_count, used, touch_count


def find_roots(parent_at: Any, count: int, roots_at: Any) -> None:
    """Write the label that each label was joined to; at these addresses lie int64 (count,), the first is changed."""
    _find_roots(carray(parent_at, count), carray(roots_at, count))


@native_part
def _find_roots(parent: Any, roots: Any) -> None:
    for label in range(len(parent)):
        roots[label] = _root(parent, label)
