"""compute: the compiled half of parts: runs joined into parts, and what is summed over each of them.

Everything after the first look at the pixels works on runs, of which there are a hundred times fewer. Called
through ``components``, ``size_filter`` and ``feret``, which check the shapes: nothing here checks a bound.
"""

from typing import Any

from wsi_area.compute.machine_code import machine_code, machine_part

AREA, SUM_X2, SUM_Y2, LEFT, TOP, RIGHT, BOTTOM, FIRST_X, ABOVE = range(9)
"""Columns of a part's integers: level-0 px; twice the sums of the x and y of their centres; the box in work px;
the column of its first pixel in reading order (its row is TOP), and the part above that."""
PART_INTEGERS = 9
BEYOND_BOX = -1  # in ABOVE: the first pixel lies in the box's first row


@machine_part
def _end(starts: Any, i: int, row_end: int, width: int) -> int:
    """Return the column after a run; not ``compiled_runs``'s: see ``machine_code``."""
    return int(starts[i + 1]) if i + 1 < row_end else int(width)


@machine_part
def _root(parents: Any, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@machine_part
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


@machine_part
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


@machine_part
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
        i, j, x = row_starts[y - 1], begin, 0
        while j < row_end:  # both rows at once, from one end of a run to the next
            upper_end, lower_end = _end(starts, i, begin, width), _end(starts, j, row_end, width)
            end = min(upper_end, lower_end)
            _count_pair(codes, numbers, i, j, end - x, column_of_code, contacts)
            x = end
            i += upper_end == end
            j += lower_end == end


@machine_part
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
