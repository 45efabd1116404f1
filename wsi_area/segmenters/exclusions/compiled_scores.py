"""segmenters: the compiled half of windows that are judged by the sum of their scores.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``windows``, which checks the shapes: nothing here checks a bound. A running sum goes down each column.
Where all columns that some windows can reach speak the same way, so do the windows; only between them are columns
added up, and no sum is kept.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_BLOCK_PX = 64  # pixels of a row that are judged at once where their columns agree


def exceeds(
    values_at: Any, values_row: int, among_at: Any, among_row: int, height: int, width: int, of_value: int,
    of_among: int, radius: int, limit: int, columns_at: Any, exceeds_at: Any,
) -> None:  # fmt: skip
    """Write uint8 (h, w), 1 where the scores of a pixel's window add up to more than a limit.

    A score is ``of_value`` × ``values``, int16 (h, w), and ``of_among`` × ``among``, uint8 (h, w); their rows lie so
    many elements apart. ``columns`` is int32 (3, w) and holds 0.
    """
    shape = (height, width)
    _judge(
        carray(values_at, (height, values_row)), carray(among_at, (height, among_row)), np.int32(of_value),
        np.int32(of_among), radius, limit, carray(columns_at, (3, width)), carray(exceeds_at, shape),
    )  # fmt: skip


def mask_exceeds(
    mask_at: Any, mask_row: int, among_at: Any, among_row: int, height: int, width: int, of_mask: int, of_among: int,
    radius: int, limit: int, columns_at: Any, exceeds_at: Any,
) -> None:  # fmt: skip
    """Write what ``exceeds`` writes, of values that are a mask, uint8 (h, w)."""
    shape = (height, width)
    _judge(
        carray(mask_at, (height, mask_row)), carray(among_at, (height, among_row)), np.int32(of_mask),
        np.int32(of_among), radius, limit, carray(columns_at, (3, width)), carray(exceeds_at, shape),
    )  # fmt: skip


@native_part
def _judge(
    values: Any, among: Any, of_value: Any, of_among: Any, radius: int, limit: int, columns: Any, exceeding: Any
) -> None:
    height = len(values)
    for y in range(min(radius, height)):
        _add(columns, values, among, of_value, of_among, y)
    for y in range(height):
        enters, leaves = y + radius < height, y - radius - 1 >= 0
        if enters and leaves:
            _move(columns, values, among, of_value, of_among, y + radius, y - radius - 1)
        elif enters:
            _add(columns, values, among, of_value, of_among, y + radius)
        elif leaves:
            _add(columns, values, among, -of_value, -of_among, y - radius - 1)
        _judge_row(columns, radius, limit, exceeding, y)


@native_part
def _add(columns: Any, values: Any, among: Any, of_value: Any, of_among: Any, y: int) -> None:
    for x in range(columns.shape[1]):
        columns[0, x] += np.int32(of_value * values[y, x] + of_among * among[y, x])


@native_part
def _move(
    columns: Any, values: Any, among: Any, of_value: Any, of_among: Any, enters: int, leaves: int
) -> None:  # fmt: skip
    for x in range(columns.shape[1]):
        change = of_value * (np.int32(values[enters, x]) - np.int32(values[leaves, x]))
        columns[0, x] += np.int32(change + of_among * (np.int32(among[enters, x]) - np.int32(among[leaves, x])))


@native_part
def _judge_row(columns: Any, radius: int, limit: int, exceeding: Any, y: int) -> None:
    """Judge the windows of a row by the least and the most of the columns that each block of them can reach."""
    width = columns.shape[1]
    sums, leasts, mosts, found = columns[0], columns[1], columns[2], exceeding[y]
    for block in range(-(-width // _BLOCK_PX)):
        part = sums[block * _BLOCK_PX : min(width, (block + 1) * _BLOCK_PX)]
        least = most = part[0]
        for x in range(part.size):  # spelt out: of min and max the compiler makes no vectors
            least = part[x] if part[x] < least else least
            most = part[x] if part[x] > most else most
        leasts[block], mosts[block] = least, most
    for block in range(-(-width // _BLOCK_PX)):
        begin, end = block * _BLOCK_PX, min(width, (block + 1) * _BLOCK_PX)
        first, last = max(0, begin - radius) // _BLOCK_PX, min(width - 1, end - 1 + radius) // _BLOCK_PX
        least, most = leasts[first], mosts[first]
        for reached in range(first + 1, last + 1):
            least = leasts[reached] if leasts[reached] < least else least
            most = mosts[reached] if mosts[reached] > most else most
        if most <= min(limit, 0):
            found[begin:end] = 0
        elif least > limit and least >= 0:
            found[begin:end] = 1
        else:
            _judge_block(sums, radius, limit, found, begin, end)


@native_part
def _judge_block(sums: Any, radius: int, limit: int, found: Any, begin: int, end: int) -> None:
    width = len(sums)
    total = np.int64(0)
    for value in sums[max(0, begin - radius - 1) : min(width, begin + radius)]:
        total += value
    if begin > radius and end + radius <= width:  # no question is asked of a pixel
        entering, leaving = sums[begin + radius : end + radius], sums[begin - radius - 1 : end - radius - 1]
        part = found[begin:end]
        for x in range(len(part)):
            total += np.int64(entering[x]) - np.int64(leaving[x])
            part[x] = total > limit
        return
    for x in range(begin, end):
        if x + radius < width:
            total += sums[x + radius]
        if x > radius:
            total -= sums[x - radius - 1]
        found[x] = total > limit
