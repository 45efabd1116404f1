"""compute: the compiled half of parts: runs joined into parts, and what is summed over each of them.

Everything after the first look at the pixels works on runs, of which there are a hundred times fewer. Imported only
where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``. Called through
``parts_kernels``, which checks types and shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part
from wsi_area.compute.objects.part_columns import (
    ABOVE,
    AREA,
    BEYOND_BOX,
    BOTTOM,
    FIRST_X,
    LEFT,
    PART_INTEGERS,
    RIGHT,
    SUM_X2,
    SUM_Y2,
    TOP,
)


@native_part
def _end(starts: Any, i: int, row_end: int, width: int) -> int:
    """Return the column after a run; not ``compiled_runs``'s, of which a change would not be seen."""
    return int(starts[i + 1]) if i + 1 < row_end else int(width)


@native_part
def _root(parents: Any, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@native_part
def _join(parents: Any, i: int, j: int) -> None:
    """Join two trees; the root is the run that comes first in reading order."""
    a, b = _root(parents, i), _root(parents, j)
    if a < b:
        parents[b] = a
    elif b < a:
        parents[a] = b


def join_pairs(one_at: Any, other_at: Any, pairs: int, first_at: Any, parts: int) -> None:
    """Write for each part the first of those that it is joined to, directly or by others, int64 (n,)."""
    one, other, first = carray(one_at, pairs), carray(other_at, pairs), carray(first_at, parts)
    for i in range(parts):
        first[i] = i
    for k in range(pairs):
        _join(first, one[k], other[k])
    for i in range(parts):
        first[i] = _root(first, i)


def join_runs(
    row_starts_at: Any, height: int, starts_at: Any, codes_at: Any, runs: int, width: int, kinds_at: Any,
    reach_at: Any, numbers_at: Any, count_at: Any,
) -> None:  # fmt: skip
    """Write the part of each run, int32 (n,), numbered from 1 in reading order, 0 where its kind is 0; and how many.

    ``kinds`` says of each code what it belongs to, ``reach`` of each kind whether corners join (1) or not (0).
    """
    row_starts, starts, codes = carray(row_starts_at, height + 1), carray(starts_at, runs), carray(codes_at, runs)
    kinds, numbers = carray(kinds_at, 256), carray(numbers_at, runs)
    _join_rows(row_starts, starts, codes, width, kinds, carray(reach_at, 256), numbers)
    carray(count_at, 1)[0] = _numbered(codes, kinds, numbers)


@native_part
def _join_rows(row_starts: Any, starts: Any, codes: Any, width: int, kinds: Any, reach: Any, numbers: Any) -> None:
    """Join the runs of a part, of which the first is the root of the others."""
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


@native_part
def _numbered(codes: Any, kinds: Any, numbers: Any) -> int:
    """Write the number of each run's part in place of its parent; return how many there are."""
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


@native_part
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


def sum_parts(
    row_starts_at: Any, height: int, starts_at: Any, codes_at: Any, numbers_at: Any, runs: int, width: int,
    x_edges_at: Any, y_edges_at: Any, mark_of_code_at: Any, parts: int, integers_at: Any, marks_at: Any,
    code_of_part_at: Any,
) -> None:  # fmt: skip
    """Write the integers of each part, the marks of the codes that it holds, and the code it begins with."""
    _sum_parts(
        carray(row_starts_at, height + 1), carray(starts_at, runs), carray(codes_at, runs), carray(numbers_at, runs),
        width, carray(x_edges_at, width + 1), carray(y_edges_at, height + 1), carray(mark_of_code_at, 256),
        carray(integers_at, (parts, PART_INTEGERS)), carray(marks_at, parts), carray(code_of_part_at, parts),
    )  # fmt: skip


@native_part
def _sum_parts(
    row_starts: Any, starts: Any, codes: Any, numbers: Any, width: int, x_edges: Any, y_edges: Any,
    mark_of_code: Any, integers: Any, marks: Any, code_of_part: Any,
) -> None:  # fmt: skip
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


def mark_touching(
    row_starts_at: Any, height: int, starts_at: Any, codes_at: Any, numbers_at: Any, runs: int, width: int, code: int,
    mark: int, parts: int, marks_at: Any,
) -> None:  # fmt: skip
    """Add a mark to each part that has a pixel of a code beside it or at a corner."""
    row_starts, starts, codes = carray(row_starts_at, height + 1), carray(starts_at, runs), carray(codes_at, runs)
    numbers, marks = carray(numbers_at, runs), carray(marks_at, parts)
    for y in range(height):
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


@native_part
def _mark_pair(codes: Any, numbers: Any, i: int, j: int, code: int, mark: int, marks: Any) -> None:
    if codes[i] == code and numbers[j] > 0:
        marks[numbers[j] - 1] |= mark
    if codes[j] == code and numbers[i] > 0:
        marks[numbers[i] - 1] |= mark


def count_contacts(
    row_starts_at: Any, height: int, starts_at: Any, codes_at: Any, numbers_at: Any, runs: int, width: int,
    column_of_code_at: Any, parts: int, columns: int, contacts_at: Any,
) -> None:  # fmt: skip
    """Add the pairs of neighbouring pixels (no corners) of each part and each code outside it."""
    row_starts, starts, codes = carray(row_starts_at, height + 1), carray(starts_at, runs), carray(codes_at, runs)
    numbers, column_of_code = carray(numbers_at, runs), carray(column_of_code_at, 256)
    contacts = carray(contacts_at, (parts, columns))
    for y in range(height):
        begin, row_end = row_starts[y], row_starts[y + 1]
        for j in range(begin + 1, row_end):
            _count_pair(codes, numbers, j - 1, j, 1, column_of_code, contacts)
        if y == 0:
            continue
        i, j, x = row_starts[y - 1], begin, 0
        while j < row_end:  # both rows at once, from one end of a run to the next
            upper_end, lower_end = _end(starts, i, begin, width), _end(starts, j, row_end, width)
            end = min(upper_end, lower_end)
            _count_pair(codes, numbers, i, j, end - x, column_of_code, contacts)
            x = end
            i += upper_end == end
            j += lower_end == end


@native_part
def _count_pair(codes: Any, numbers: Any, i: int, j: int, pairs: int, column_of_code: Any, contacts: Any) -> None:
    if numbers[i] == numbers[j]:
        return
    if numbers[i] > 0:
        contacts[numbers[i] - 1, column_of_code[codes[j]]] += pairs
    if numbers[j] > 0:
        contacts[numbers[j] - 1, column_of_code[codes[i]]] += pairs


def outline_rows(
    row_starts_at: Any, height: int, starts_at: Any, numbers_at: Any, runs: int, width: int, tops_at: Any,
    offsets_at: Any, parts: int, lefts_at: Any, rights_at: Any, rows: int,
) -> None:  # fmt: skip
    """Write the first and the last column of each part in each of its rows; of parts with an offset below 0, none."""
    row_starts, starts, numbers = carray(row_starts_at, height + 1), carray(starts_at, runs), carray(numbers_at, runs)
    tops, offsets = carray(tops_at, parts), carray(offsets_at, parts)
    lefts, rights = carray(lefts_at, rows), carray(rights_at, rows)
    for y in range(height):
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            n = numbers[i] - 1
            if n < 0 or offsets[n] < 0:
                continue
            at = offsets[n] + y - tops[n]
            x, end = int(starts[i]), _end(starts, i, row_end, width)
            lefts[at], rights[at] = min(lefts[at], x), max(rights[at], end)
