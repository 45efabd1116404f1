"""compute: the compiled half of objects: rows cut into runs of one code, runs joined into parts, parts measured.

Everything after the first look at the pixels works on runs, of which there are a hundred times fewer. Called
through ``run_lengths``, ``components`` and ``feret``, which check the shapes: nothing here checks a bound.
All of it in one file, because numba's cache on disk watches only the file of the function it compiled.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from wsi_area.compute.machine_code import machine_code

AREA, SUM_X2, SUM_Y2, LEFT, TOP, RIGHT, BOTTOM, FIRST_X, ABOVE = range(9)
"""Columns of a part's integers: level-0 px; twice the sums of the x and y of their centres; the box in work px;
the column of its first pixel in reading order (its row is TOP), and the part above that."""
PART_INTEGERS = 9
BEYOND_BOX = -1  # in ABOVE: the first pixel lies in the box's first row


def _part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled into whatever calls it, and kept on disk with that."""
    compiled: Callable[..., Any] = njit(nogil=True)(function)
    return compiled


@machine_code
def count_runs(class_map: Any, row_starts: Any) -> None:
    """Write where the runs of each row begin in the list of all runs, int64 (h + 1,)."""
    height, width = class_map.shape
    total = 0
    row_starts[0] = 0
    for y in range(height):
        row = class_map[y]
        n = 1
        for x in range(1, width):
            n += int(row[x] != row[x - 1])
        total += n
        row_starts[y + 1] = total


@machine_code
def fill_runs(class_map: Any, starts: Any, codes: Any) -> None:
    """Write the first column of each run, and its code."""
    height, width = class_map.shape
    i = 0
    for y in range(height):
        row = class_map[y]
        code = row[0]
        starts[i] = 0
        codes[i] = code
        i += 1
        for x in range(1, width):
            if row[x] != code:
                code = row[x]
                starts[i] = x
                codes[i] = code
                i += 1


@_part
def _end(starts: Any, i: int, row_end: int, width: int) -> int:
    """Return the column after a run."""
    return int(starts[i + 1]) if i + 1 < row_end else int(width)


@machine_code
def paint_runs(row_starts: Any, starts: Any, codes: Any, class_map: Any) -> None:
    """Write the class map that the runs were taken from."""
    height, width = class_map.shape
    for y in range(height):
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            class_map[y, starts[i] : _end(starts, i, row_end, width)] = codes[i]


@machine_code
def tally_runs(
    row_starts: Any, starts: Any, codes: Any, width: int, tile_px: int, x_edges: Any, y_edges: Any, counts: Any
) -> None:
    """Add each run's level-0 pixels to its code, tile by tile: int64 (tile rows, tile columns, 256)."""
    for y in range(len(row_starts) - 1):
        height_px = y_edges[y + 1] - y_edges[y]
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            x, end = int(starts[i]), _end(starts, i, row_end, width)
            while x < end:
                col = x // tile_px
                stop = min(end, (col + 1) * tile_px)
                counts[y // tile_px, col, codes[i]] += (x_edges[stop] - x_edges[x]) * height_px
                x = stop


@_part
def _root(parents: Any, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@_part
def _join(parents: Any, i: int, j: int) -> None:
    """Join two trees; the root is the run that comes first in reading order."""
    a, b = _root(parents, i), _root(parents, j)
    if a < b:
        parents[b] = a
    elif b < a:
        parents[a] = b


@machine_code
def join_runs(row_starts: Any, starts: Any, codes: Any, width: int, kinds: Any, reach: Any, numbers: Any) -> int:
    """Write the part of each run, numbered from 1 in reading order, 0 where its kind is 0; return how many.

    ``kinds`` says of each code what it belongs to, ``reach`` of each kind whether corners join (1) or not (0).
    """
    for i in range(len(numbers)):
        numbers[i] = i
    for y in range(len(row_starts) - 1):
        begin, row_end = row_starts[y], row_starts[y + 1]
        for j in range(begin + 1, row_end):
            kind = kinds[codes[j]]
            if kind and kind == kinds[codes[j - 1]]:
                _join(numbers, j - 1, j)
        if y == 0:
            continue
        i = row_starts[y - 1]
        for j in range(begin, row_end):
            x, end = int(starts[j]), _end(starts, j, row_end, width)
            while _end(starts, i, begin, width) < x:
                i += 1
            kind = kinds[codes[j]]
            if kind == 0:
                continue
            near = int(reach[kind])
            k = i
            while k < begin and starts[k] < end + near:
                if kinds[codes[k]] == kind and _end(starts, k, begin, width) + near > x:
                    _join(numbers, k, j)
                k += 1
    for i in range(len(numbers)):  # while the list is still of parents only
        numbers[i] = _root(numbers, i)
    count = 0
    for i in range(len(numbers)):  # a root comes before its members, so it has its number already
        if kinds[codes[i]] == 0:
            numbers[i] = 0
        elif numbers[i] == i:
            count += 1
            numbers[i] = -count
        else:
            numbers[i] = numbers[numbers[i]]
    for i in range(len(numbers)):
        numbers[i] = -numbers[i]
    return count


@_part
def _run_at(starts: Any, begin: int, row_end: int, x: int) -> int:
    """Return the run of a row that holds a column."""
    low, high = begin, row_end - 1
    while low < high:
        middle = (low + high + 1) // 2
        if starts[middle] <= x:
            low = middle
        else:
            high = middle - 1
    return low


@machine_code
def sum_parts(
    row_starts: Any, starts: Any, codes: Any, numbers: Any, width: int, x_edges: Any, y_edges: Any,
    mark_of_code: Any, integers: Any, marks: Any, code_of_part: Any,
) -> None:  # fmt: skip
    """Write the integers of each part, the marks of the codes that it holds, and the code it begins with."""
    seen = 0
    for y in range(len(row_starts) - 1):
        y0, y1 = y_edges[y], y_edges[y + 1]
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            n = numbers[i] - 1
            if n < 0:
                continue
            x, end = int(starts[i]), _end(starts, i, row_end, width)
            part = integers[n]
            if n == seen:  # parts are numbered in reading order: this is its first pixel
                seen += 1
                part[LEFT], part[TOP], part[RIGHT], part[FIRST_X] = x, y, end, x
                part[ABOVE] = BEYOND_BOX
                if y > 0:
                    part[ABOVE] = numbers[_run_at(starts, row_starts[y - 1], row_starts[y], x)]
                code_of_part[n] = codes[i]
            part[LEFT], part[RIGHT], part[BOTTOM] = min(part[LEFT], x), max(part[RIGHT], end), y + 1
            x0, x1 = x_edges[x], x_edges[end]
            part[AREA] += (x1 - x0) * (y1 - y0)
            part[SUM_X2] += (x1 * x1 - x0 * x0) * (y1 - y0)
            part[SUM_Y2] += (y1 * y1 - y0 * y0) * (x1 - x0)
            marks[n] |= mark_of_code[codes[i]]


@machine_code
def mark_touching(
    row_starts: Any, starts: Any, codes: Any, numbers: Any, width: int, code: int, mark: int, marks: Any
) -> None:
    """Add a mark to each part that has a pixel of a code beside it or at a corner."""
    for y in range(len(row_starts) - 1):
        begin, row_end = row_starts[y], row_starts[y + 1]
        for j in range(begin + 1, row_end):
            _mark_pair(codes, numbers, j - 1, j, code, mark, marks)
        if y == 0:
            continue
        i = row_starts[y - 1]
        for j in range(begin, row_end):
            x, end = int(starts[j]), _end(starts, j, row_end, width)
            while _end(starts, i, begin, width) < x:
                i += 1
            k = i
            while k < begin and starts[k] <= end:
                _mark_pair(codes, numbers, k, j, code, mark, marks)
                k += 1


@_part
def _mark_pair(codes: Any, numbers: Any, i: int, j: int, code: int, mark: int, marks: Any) -> None:
    if codes[i] == code and numbers[j] > 0:
        marks[numbers[j] - 1] |= mark
    if codes[j] == code and numbers[i] > 0:
        marks[numbers[i] - 1] |= mark


@machine_code
def count_contacts(
    row_starts: Any, starts: Any, codes: Any, numbers: Any, width: int, column_of_code: Any, contacts: Any
) -> None:
    """Add the pairs of neighbouring pixels (no corners) of each part and each code outside it."""
    for y in range(len(row_starts) - 1):
        begin, row_end = row_starts[y], row_starts[y + 1]
        for j in range(begin + 1, row_end):
            _count_pair(codes, numbers, j - 1, j, 1, column_of_code, contacts)
        if y == 0:
            continue
        i = row_starts[y - 1]
        for j in range(begin, row_end):
            x, end = int(starts[j]), _end(starts, j, row_end, width)
            while _end(starts, i, begin, width) <= x:
                i += 1
            k = i
            while k < begin and starts[k] < end:
                shared_px = min(end, _end(starts, k, begin, width)) - max(x, int(starts[k]))
                _count_pair(codes, numbers, k, j, shared_px, column_of_code, contacts)
                k += 1


@_part
def _count_pair(codes: Any, numbers: Any, i: int, j: int, pairs: int, column_of_code: Any, contacts: Any) -> None:
    if numbers[i] == numbers[j]:
        return
    if numbers[i] > 0:
        contacts[numbers[i] - 1, column_of_code[codes[j]]] += pairs
    if numbers[j] > 0:
        contacts[numbers[j] - 1, column_of_code[codes[i]]] += pairs


@machine_code
def outline_rows(
    row_starts: Any, starts: Any, numbers: Any, width: int, tops: Any, offsets: Any, lefts: Any, rights: Any
) -> None:
    """Write the first and the last column of each part in each of its rows; of parts with an offset below 0, none."""
    for y in range(len(row_starts) - 1):
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            n = numbers[i] - 1
            if n < 0 or offsets[n] < 0:
                continue
            at = offsets[n] + y - tops[n]
            x, end = int(starts[i]), _end(starts, i, row_end, width)
            lefts[at], rights[at] = min(lefts[at], x), max(rights[at], end)


@_part
def _half_hull(xs: Any, ys: Any, sign: int, hull_x: Any, hull_y: Any, begin: int) -> int:
    """Append one side of a convex hull to a list and return its new length.

    Andrew's monotone chain (Inf. Process. Lett. 9, 1979) over points of rising y: ``sign`` 1 keeps the side of
    small x, −1 that of large x. Points on a straight line are left out.
    """
    end = begin
    for i in range(len(xs)):
        while end - begin >= 2:
            ax, ay, bx, by = hull_x[end - 2], hull_y[end - 2], hull_x[end - 1], hull_y[end - 1]
            if sign * ((bx - ax) * (ys[i] - ay) - (xs[i] - ax) * (by - ay)) < 0:
                break
            end -= 1
        hull_x[end], hull_y[end] = xs[i], ys[i]
        end += 1
    return end


@_part
def _widest_um2(hull_x: Any, hull_y: Any, um_x: float, um_y: float) -> float:
    """Return the square of the largest distance of two points, µm²."""
    widest = 0.0
    for i in range(len(hull_x)):
        for j in range(i):
            x_um, y_um = abs(hull_x[i] - hull_x[j]) * um_x, abs(hull_y[i] - hull_y[j]) * um_y
            widest = max(widest, x_um * x_um + y_um * y_um)
    return widest


@machine_code
def hull_parts(
    tops: Any, offsets: Any, row_counts: Any, lefts: Any, rights: Any, x_edges: Any, y_edges: Any, um_x: float,
    um_y: float, kept: Any, extents_um: Any, hull_starts: Any, hull_x: Any, hull_y: Any,
) -> None:  # fmt: skip
    """Write each part's largest extent, and the corners of its convex hull where they are to be kept."""
    rows_most = 0
    for n in range(len(tops)):
        rows_most = max(rows_most, row_counts[n])
    xs, ys = np.empty(rows_most + 1, np.int64), np.empty(rows_most + 1, np.int64)
    own_x, own_y = np.empty(2 * rows_most + 2, np.int64), np.empty(2 * rows_most + 2, np.int64)
    kept_end = 0
    for n in range(len(tops)):
        hull_starts[n] = kept_end
        if offsets[n] < 0:
            continue
        rows, at = row_counts[n], offsets[n]
        for k in range(rows + 1):  # corners lie on the edges between rows; each edge has the wider of its two rows
            ys[k] = y_edges[tops[n] + k]
            xs[k] = x_edges[min(lefts[at + min(k, rows - 1)], lefts[at + max(k - 1, 0)])]
        end = _half_hull(xs[: rows + 1], ys[: rows + 1], 1, own_x, own_y, 0)
        for k in range(rows + 1):
            xs[k] = x_edges[max(rights[at + min(k, rows - 1)], rights[at + max(k - 1, 0)])]
        end = _half_hull(xs[: rows + 1], ys[: rows + 1], -1, own_x, own_y, end)
        if kept[n]:
            hull_x[kept_end : kept_end + end] = own_x[:end]
            hull_y[kept_end : kept_end + end] = own_y[:end]
            kept_end += end
        else:
            extents_um[n] = np.sqrt(_widest_um2(own_x[:end], own_y[:end], um_x, um_y))
    hull_starts[len(tops)] = kept_end


@machine_code
def measure_hulls(point_starts: Any, x: Any, y: Any, um_x: float, um_y: float, extents_um: Any) -> None:
    """Write the largest extent of each group of points; a group's points are sorted by y, then by x."""
    for n in range(len(extents_um)):
        begin, stop = point_starts[n], point_starts[n + 1]
        lowest, highest, ys = np.empty((3, stop - begin), np.int64)
        rows = 0
        for i in range(begin, stop):
            if rows and ys[rows - 1] == y[i]:
                highest[rows - 1] = x[i]
            else:
                lowest[rows], highest[rows], ys[rows] = x[i], x[i], y[i]
                rows += 1
        hull_x, hull_y = np.empty((2, 2 * rows), np.int64)
        end = _half_hull(lowest[:rows], ys[:rows], 1, hull_x, hull_y, 0)
        end = _half_hull(highest[:rows], ys[:rows], -1, hull_x, hull_y, end)
        extents_um[n] = np.sqrt(_widest_um2(hull_x[:end], hull_y[:end], um_x, um_y))
