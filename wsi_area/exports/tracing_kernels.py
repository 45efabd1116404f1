"""exports: the compiled half of tracing: pixel edges followed row by row, joined into rings, each with its region.

A class map is swept once, from the top. Every edge between a traced pixel and one of another code is walked with
the pixel on the right hand (in a picture, whose y points down), so a region's outer ring has a positive area and
its holes a negative one. At a vertex an edge is continued along the same pixel or one that shares a side with it:
regions are 4-connected, and what touches at a corner only is apart. Ends of chains that wait for the next row lie
in two slots per column: ``down``, a chain whose last edge goes on downwards, and ``up``, a chain whose first edge
comes from below. Called through ``tracing``.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code, machine_part

X, Y, NEXT, OTHER_END, SADDLE = range(5)
"""Columns of a corner: its vertex; the corner after it in its chain; at an end of a chain the other end; whether
another corner of the same class may lie on the vertex."""
CORNER_FIELDS = 5
_NONE = -1
_DOWN, _RIGHT, _UP, _LEFT = range(4)


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
    larger = np.empty(max(2 * len(numbers), needed), np.int64)
    for i in range(len(numbers)):
        larger[i] = numbers[i]
    return larger


@machine_part
def _label_row(codes: Any, codes_above: Any, labels: Any, labels_above: Any, parent: Any, count: int) -> int:
    """Write the label of each pixel of a row, join labels that turn out to be one region, and return how many are.

    Rows stand between two pixels of no class.
    """
    for x in range(1, len(codes) - 1):
        code = codes[x]
        if code == 0:
            labels[x] = _NONE
            continue
        above = labels_above[x] if codes_above[x] == code else _NONE
        if codes[x - 1] == code:
            labels[x] = labels[x - 1]
            # where the pixel before has its like above it as well, the two are joined already
            if above != _NONE and codes_above[x - 1] != code and above != labels[x]:
                one, other = _root(parent, labels[x]), _root(parent, above)
                parent[max(one, other)] = min(one, other)
        elif above != _NONE:
            labels[x] = above
        else:
            parent[count] = count
            labels[x] = count
            count += 1
    return count


@machine_part
def _with_corner(corners: Any, n: int, tail: int, head: int) -> Any:
    """Put a corner behind a tail, or before a head, or make a chain of it alone; return both ends as they are now."""
    corners[n, NEXT], corners[n, OTHER_END] = _NONE, n
    if tail == _NONE and head == _NONE:
        return n, n
    if tail != _NONE:
        _join(corners, tail, n)
        return n, head
    _join(corners, n, head)
    return tail, n


@machine_part
def _join(corners: Any, tail: int, head: int) -> None:
    """Put one chain behind another."""
    first, last = corners[tail, OTHER_END], corners[head, OTHER_END]
    corners[tail, NEXT] = head
    corners[first, OTHER_END], corners[last, OTHER_END] = last, first


@machine_part
def _meets_at_corner(pixel: Any, p: int) -> bool:
    """Return True if a traced pixel meets its like across the vertex, and at no side."""
    code = pixel[p]
    return bool(code != 0 and code == pixel[p + 2] and code != pixel[p + 1] and code != pixel[(p + 3) % 4])


@machine_part
def _ring_out(
    corners: Any, head: int, rings: Any, ring_count: int, points: Any, touches: Any, touch_count: int, label: int,
    code: int,
) -> int:  # fmt: skip
    """Write a closed ring: its first point, how many it has, its label and class; and which points may touch others.

    Returns how many such points there are now.
    """
    first = rings[ring_count - 1, 0] + rings[ring_count - 1, 1] if ring_count else 0
    n, node = 0, head
    while node != _NONE:
        points[first + n, 0] = corners[node, X]
        points[first + n, 1] = corners[node, Y]
        if corners[node, SADDLE]:
            touches[touch_count] = first + n
            touch_count += 1
        n += 1
        node = corners[node, NEXT]
    rings[ring_count, 0], rings[ring_count, 1] = first, n
    rings[ring_count, 2], rings[ring_count, 3] = label, code
    return touch_count


@machine_code
def trace_rows(
    class_map: Any, is_traced: Any, first_y: int, codes_above: Any, labels_above: Any, parent: Any, label_count: int,
    up: Any, down: Any, corners: Any, corner_count: int, closed_count: int, rings: Any, points: Any, touches: Any,
) -> Any:  # fmt: skip
    """Sweep rows of a class map; return the rings that closed and what the next rows need.

    That is: how many rings closed, and their list; the list of points; of those that lie where a ring may pass again,
    ascending, how many and the list; then parent, label_count, corners and corner_count as they are now.

    Parameters
    ----------
    class_map : uint8 (h, w)
        Rows ``[first_y, first_y + h)`` of the whole map.
    is_traced : bool (256,)
        Of each code.
    codes_above, labels_above : uint8 (w + 2,), int64 (w + 2,)
        The row above, 0 where it is not traced, and its labels, each between two pixels of no class; changed to the
        last row.
    parent, label_count
        Union-find over labels.
    up, down : int64 (w + 1,)
        The waiting ends; changed.
    corners, corner_count
        The open chains, and corners of rings that closed.
    closed_count : int
        How many corners are of rings that closed.
    rings, points, touches : int64 (n, 4), int32 (n, 2), int64 (n,)
        Lists to write to, each again after the last call: of each ring the first of its points and how many, the label
        and the class; the points; and which of them may touch others.
    """
    height, width = class_map.shape
    codes, labels = np.zeros(width + 2, np.uint8), np.full(width + 2, _NONE, np.int64)
    ring_count, touch_count = 0, 0
    pixel, label = np.empty(4, np.uint8), np.empty(4, np.int64)
    for row in range(height):
        # room for a whole row at once: at a vertex four corners at most, and two rings that close; a label a pixel
        corners = _grown(corners, corner_count + 4 * (width + 1))
        points = _grown(points, corner_count - closed_count + 4 * (width + 1))
        rings = _grown(rings, ring_count + 2 * (width + 1))
        touches = _grown_list(touches, corner_count - closed_count + 4 * (width + 1))
        parent = _grown_list(parent, label_count + width)
        for x in range(width):
            codes[x + 1] = class_map[row, x] if is_traced[class_map[row, x]] else 0
        label_count = _label_row(codes, codes_above, labels, labels_above, parent, label_count)
        going_right, coming_left = _NONE, _NONE
        for x in range(width + 1):
            # round the vertex against the clock, from the upper left: a region goes on from one to the next
            pixel[0], pixel[1], pixel[2], pixel[3] = codes_above[x], codes[x], codes[x + 1], codes_above[x + 1]
            if (pixel[0] == pixel[3] and pixel[1] == pixel[2]) or (pixel[0] == pixel[1] and pixel[2] == pixel[3]):
                continue  # no edge, or edges that go straight on: what waits for them goes on waiting
            label[0], label[1], label[2], label[3] = labels_above[x], labels[x], labels[x + 1], labels_above[x + 1]
            saddle = int(_meets_at_corner(pixel, 0) or _meets_at_corner(pixel, 1))
            from_above, from_left = down[x], going_right
            to_above, to_left = up[x], coming_left
            going_right, coming_left = _NONE, _NONE
            up[x], down[x] = _NONE, _NONE
            for p in range(4):
                # the edge that ends here comes down along pixel 0, right along 1, up along 2, left along 3
                if pixel[p] == 0 or pixel[p] == pixel[(p + 3) % 4]:
                    continue
                q = p
                while pixel[q] == pixel[(q + 1) % 4]:
                    q = (q + 1) % 4
                # the edge that begins here goes left along pixel 0, down along 1, right along 2, up along 3
                out = (_LEFT, _DOWN, _RIGHT, _UP)[q]
                tail = from_above if p == 0 else (from_left if p == 1 else _NONE)
                head = to_above if out == _UP else (to_left if out == _LEFT else _NONE)
                if q != (p + 1) % 4:  # it turns
                    corners[corner_count, X], corners[corner_count, Y] = x, first_y + row
                    corners[corner_count, SADDLE] = saddle
                    tail, head = _with_corner(corners, corner_count, tail, head)
                    corner_count += 1
                if p < 2 and (out == _UP or out == _LEFT):  # noqa: SIM109 (compiled as it stands)
                    if corners[tail, OTHER_END] != head:
                        _join(corners, tail, head)
                    else:
                        touch_count = _ring_out(
                            corners, head, rings, ring_count, points, touches, touch_count, label[p], pixel[p]
                        )
                        ring_count += 1
                if p == 2:
                    up[x] = head
                elif p == 3:
                    coming_left = head
                if out == _DOWN:
                    down[x] = tail
                elif out == _RIGHT:
                    going_right = tail
        for x in range(1, width + 1):
            codes_above[x], labels_above[x] = codes[x], labels[x]
    return ring_count, rings, points, touch_count, touches, parent, label_count, corners, corner_count


@machine_code
def open_chains(up: Any, down: Any, corners: Any) -> Any:
    """Return the corners of the chains that still wait, without those of closed rings; the slots are renumbered."""
    count, total = 0, 0
    for x in range(len(up)):
        node = up[x]
        while node != _NONE:
            total += 1
            node = corners[node, NEXT]
    kept = np.empty((max(total, 64), CORNER_FIELDS), np.int32)
    tail_at = np.empty(len(corners), np.int64)  # read only where it was written
    last = _NONE
    for x in range(len(up)):
        node, first = up[x], count
        if node == _NONE:
            continue
        while node != _NONE:
            for field in range(CORNER_FIELDS):
                kept[count, field] = corners[node, field]
            kept[count, NEXT] = count + 1
            count += 1
            last, node = node, corners[node, NEXT]
        kept[count - 1, NEXT] = _NONE
        kept[first, OTHER_END], kept[count - 1, OTHER_END] = count - 1, first
        tail_at[last] = count - 1
        up[x] = first
    for x in range(len(down)):
        if down[x] != _NONE:
            down[x] = tail_at[down[x]]
    return kept, count


@machine_code
def roots_of(parent: Any, count: int) -> Any:
    """Return the label that each label was joined to, int64 (count,)."""
    roots = np.empty(count, np.int64)
    for label in range(count):
        roots[label] = _root(parent, label)
    return roots
