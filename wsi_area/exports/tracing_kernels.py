"""exports: the compiled half of tracing: pixel edges followed row by row, joined into rings, each with its region.

A class map is swept once, from the top. Every edge between a traced pixel and one of another code is walked with
the pixel on the right hand (in a picture, whose y points down), so a region's outer ring has a positive area and
its holes a negative one. At a vertex an edge is continued along the same pixel or one that shares a side with it:
regions are 4-connected, and what touches at a corner only is apart. The two ends of a chain wait in slots, two of
each column and two of the row: ``down``, a chain whose last edge goes on downwards, and ``up``, a chain whose first
edge comes from below; ``right`` and ``left`` likewise, along the row. Called through ``tracing``.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code, machine_part

X2, Y, NEXT = range(3)
"""Columns of a corner: twice its vertex's column, and one more where another corner of the same class may lie on the
vertex; its row; the corner after it in its chain."""
CORNER_FIELDS = 3
END, OTHER_SLOT = range(2)
"""Columns of a slot: the corner that waits in it, and where the other end of its chain waits."""
_NONE = -1


@machine_part
def _root(parent: Any, label: int) -> int:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return int(label)


@machine_part
def _grown(array: Any, needed: int) -> Any:
    """Return the array, or a longer one with its content where so many rows do not fit."""
    if needed <= len(array):
        return array
    larger = np.empty((max(2 * len(array), needed), array.shape[1]), array.dtype)
    for i in range(len(array)):  # loops, here as elsewhere: numba takes seconds to compile what numpy does in a line
        for j in range(array.shape[1]):
            larger[i, j] = array[i, j]
    return larger


@machine_part
def _grown_list(numbers: Any, needed: int) -> Any:
    """Return the numbers, or a longer list with its content where so many do not fit."""
    if needed <= len(numbers):
        return numbers
    larger = np.empty(max(2 * len(numbers), needed), numbers.dtype)
    for i in range(len(numbers)):
        larger[i] = numbers[i]
    return larger


@machine_part
def _united(parent: Any, label: int, other_label: int) -> None:
    """Make one region of two labels."""
    one, other = _root(parent, label), _root(parent, other_label)
    parent[max(one, other)] = min(one, other)


@machine_part
def _put_corner(corners: Any, n: int, x: int, y: int, is_saddle: bool, after: int) -> None:
    """Write a corner and the one after it."""
    corners[n, X2], corners[n, Y], corners[n, NEXT] = 2 * x + is_saddle, y, after


@machine_part
def _pair(slots: Any, one: int, other: int) -> None:
    """Note of two slots that the two ends of one chain wait in them."""
    slots[one, OTHER_SLOT], slots[other, OTHER_SLOT] = other, one


@machine_part
def _begin(slots: Any, n: int, head_slot: int, tail_slot: int) -> None:
    """Let a corner be a chain of its own."""
    slots[head_slot, END], slots[tail_slot, END] = n, n
    _pair(slots, head_slot, tail_slot)


@machine_part
def _move(slots: Any, n: int, old: int, new: int) -> None:
    """Let a corner be the end of a chain whose end waited in one slot, and wait in another."""
    slots[new, END] = n
    _pair(slots, new, slots[old, OTHER_SLOT])


@machine_part
def _close(corners: Any, slots: Any, n: int, tail_slot: int, head_slot: int) -> bool:
    """Put a corner behind the end of one chain and before the begin of another; return True if that is a ring."""
    corners[slots[tail_slot, END], NEXT] = n
    if slots[tail_slot, OTHER_SLOT] == head_slot:
        return True
    corners[n, NEXT] = slots[head_slot, END]
    _pair(slots, slots[tail_slot, OTHER_SLOT], slots[head_slot, OTHER_SLOT])
    return False


@machine_part
def _ring_out(
    corners: Any, head: int, rings: Any, ring_count: int, used: int, points: Any, touches: Any, touch_count: int,
    label: int, code: int,
) -> Any:  # fmt: skip
    """Write a closed ring from its uppermost, then leftmost point on: its place, label and class.

    With it, which of its points may touch others. Returns how many of those there are now, and how many points are
    used: what comes before that corner in the chain is copied behind its end, and stays where it was for nothing.
    """
    n, node, start, touches_before = used, head, used, touch_count
    top, leftmost = corners[head, Y], corners[head, X2] >> 1
    while node != _NONE:
        x, y = corners[node, X2] >> 1, corners[node, Y]
        points[n, 0], points[n, 1] = x, y
        if (y < top) | ((y == top) & (x < leftmost)):
            start, top, leftmost = n, y, x
        touches[touch_count] = n
        touch_count += corners[node, X2] & 1
        n += 1
        node = corners[node, NEXT]
    length = n - used
    for i in range(used, start):
        points[n, 0], points[n, 1] = points[i, 0], points[i, 1]
        n += 1
    if touch_count == touches_before + 1:  # what touches itself does so with two points
        touch_count = touches_before
    for i in range(touches_before, touch_count):
        if touches[i] < start:
            touches[i] += length
    rings[ring_count, 0], rings[ring_count, 1] = start, length
    rings[ring_count, 2], rings[ring_count, 3] = label, code
    return touch_count, n


@machine_code
def trace_rows(
    class_map: Any, traced: Any, first_y: int, codes: Any, changes: Any, labels: Any, parent: Any, label_count: int,
    slots: Any, corners: Any, corner_count: int, closed_count: int, rings: Any, points: Any, touches: Any,
) -> Any:  # fmt: skip
    """Sweep rows of a class map; return the rings that closed and what the next rows need.

    That is: how many rings closed, and their list; the list of points; of those that lie where a ring may pass again,
    how many and the list; then parent, label_count, corners and corner_count as they are now.

    Parameters
    ----------
    class_map : uint8 (h, w)
        Rows ``[first_y, first_y + h)`` of the whole map.
    traced : uint8 (256,)
        Of each code itself, or 0 where it is not traced.
    codes, changes : uint8 (w + 2,), (w + 1,)
        The row above between two pixels of no class, and at which vertices it changes; changed to the last row.
    labels : int32 (w + 1,)
        Of the row above, the label of each run of pixels of one code, where it begins; changed likewise.
    parent, label_count
        Union-find over labels.
    slots : int32 (2 w + 4, 2)
        The waiting ends: of each column one that goes down and one that comes up, then those of the row; changed.
    corners, corner_count
        The open chains, and corners of rings that closed.
    closed_count : int
        How many corners are of rings that closed.
    rings, points, touches : int64 (n, 4), int32 (n, 2), (n,)
        Lists to write to, each again after the last call: of each ring the first of its points and how many, the label
        and the class; the points; and which of them may touch others.
    """
    height, width = class_map.shape
    below, below_changes = np.zeros(width + 2, np.uint8), np.empty(width + 1, np.uint8)
    turns = np.empty(width + 1, np.int32)
    ring_count, touch_count, used = 0, 0, 0
    right, left = 2 * width + 2, 2 * width + 3
    for row in range(height):
        # room for a whole row at once: at a vertex four corners at most, and two rings that close; a label a pixel
        corners = _grown(corners, corner_count + 4 * (width + 1))
        points = _grown(points, 2 * (corner_count - closed_count + 4 * (width + 1)))
        rings = _grown(rings, ring_count + 2 * (width + 1))
        touches = _grown_list(touches, corner_count - closed_count + 4 * (width + 1))
        parent = _grown_list(parent, label_count + width)
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
                    _put_corner(corners, corner_count, x, y, is_saddle, _NONE)
                    if _close(corners, slots, corner_count, down, left):
                        touch_count, used = _ring_out(
                            corners, slots[left, END], rings, ring_count, used, points, touches, touch_count,
                            a_label, a,
                        )  # fmt: skip
                        ring_count += 1
                    corner_count += 1
                elif bc:
                    _put_corner(corners, corner_count, x, y, is_saddle, _NONE)
                    corners[slots[down, END], NEXT] = corner_count
                    _move(slots, corner_count, down, right)
                    corner_count += 1
            if (b != 0) & (not ab):
                if not bc:
                    _put_corner(corners, corner_count, x, y, is_saddle, _NONE)
                    corners[slots[right, END], NEXT] = corner_count
                    _move(slots, corner_count, right, down)
                    corner_count += 1
                elif cd:
                    _put_corner(corners, corner_count, x, y, is_saddle, _NONE)
                    if _close(corners, slots, corner_count, right, up):
                        touch_count, used = _ring_out(
                            corners, slots[up, END], rings, ring_count, used, points, touches, touch_count,
                            b_label, b,
                        )  # fmt: skip
                        ring_count += 1
                    corner_count += 1
            if (d != 0) & (not cd):
                if not da:
                    _put_corner(corners, corner_count, x, y, is_saddle, slots[up, END])
                    _move(slots, corner_count, up, left)
                    corner_count += 1
                elif ab:
                    _put_corner(corners, corner_count, x, y, is_saddle, _NONE)
                    _begin(slots, corner_count, left, down)
                    corner_count += 1
            if (c != 0) & (not bc):
                if not cd:
                    _put_corner(corners, corner_count, x, y, is_saddle, _NONE)
                    _begin(slots, corner_count, up, right)
                    corner_count += 1
                elif da:
                    _put_corner(corners, corner_count, x, y, is_saddle, slots[left, END])
                    _move(slots, corner_count, left, up)
                    corner_count += 1
        for x in range(width + 1):
            codes[x], changes[x] = below[x], below_changes[x]
    return ring_count, rings, points, touch_count, touches, parent, label_count, corners, corner_count


@machine_code
def roots_of(parent: Any, count: int) -> Any:
    """Return the label that each label was joined to, int64 (count,)."""
    roots = np.empty(count, np.int64)
    for label in range(count):
        roots[label] = _root(parent, label)
    return roots
