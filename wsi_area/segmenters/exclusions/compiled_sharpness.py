"""segmenters: the compiled half of focus: details as squared differences of box means, and their energy in a window.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``sharpness``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_LARGEST_SHIFTED_BOX = 512  # of a larger one, a detail before it is divided does not fit into 32 bits
_STEPS = 4  # of a grey level in which a detail is measured, as in ``sharpness``


def detail(grey_at: Any, height: int, width: int, box: int, column_at: Any, sums_at: Any, details_at: Any) -> None:
    """Write the Laplacian of box means a box apart, int16 (h, w), where all five boxes lie in the picture.

    ``grey`` is uint8 (h, w); ``column`` int32 (w,) holds 0, ``sums`` int32 (2 box + 1, w) is for its own use.
    """
    shape = (height, width)
    _detail(
        carray(grey_at, shape), box, carray(column_at, (1, width)), carray(sums_at, (2 * box + 1, width)),
        carray(details_at, shape),
    )  # fmt: skip


def vote(
    judged_at: Any, fine_at: Any, coarse_at: Any, height: int, width: int, radius: int, limits_at: Any,
    columns_at: Any, votes_at: Any,
) -> None:  # fmt: skip
    """Write the vote of each pixel, int16 (h, w): 1 where its window is blurred, -1 where it is sharp, 0 where unsaid.

    ``judged`` is uint8 (h, w), ``fine`` and ``coarse`` int16 (h, w), 0 where not judged; ``limits`` int64 (3,): the
    least energy of a pixel, numerator and denominator of the least ratio; ``columns`` int64 (3, w) holds 0.
    """
    shape = (height, width)
    _tell(
        carray(judged_at, shape), carray(fine_at, shape), carray(coarse_at, shape), radius, carray(limits_at, 3),
        carray(columns_at, (3, width)), carray(votes_at, shape),
    )  # fmt: skip


@native_part
def _detail(grey: Any, box: int, column: Any, sums: Any, details: Any) -> None:
    height, width = grey.shape
    whole, ring = width - box + 1, 2 * box + 1
    above = box + (box - 1) // 2  # from the first row of the upper box to the row that the detail is of
    for y in range(height):
        _roll(column, grey, y, box)
        top = y - box + 1
        if top >= 0:
            _box_row(column, box, sums, top % ring)
        first = top - 2 * box
        if first >= 0:
            _laplacian(sums, first % ring, (first + box) % ring, top % ring, box, whole, details, first + above)


@native_part
def _roll(column: Any, grey: Any, y: int, box: int) -> None:
    """Have each column's sum hold the last ``box`` rows."""
    if y < box:
        for x in range(grey.shape[1]):
            column[0, x] += grey[y, x]
    else:
        for x in range(grey.shape[1]):
            column[0, x] += np.int32(grey[y, x]) - np.int32(grey[y - box, x])


@native_part
def _box_row(column: Any, box: int, sums: Any, at: int) -> None:
    """Write the sums of the boxes of one row, by their left pixel."""
    total = np.int32(0)
    for x in range(box - 1):
        total += column[0, x]
    for x in range(column.shape[1] - box + 1):
        total += column[0, x + box - 1]
        sums[at, x] = total
        total -= column[0, x]


@native_part
def _laplacian(
    sums: Any, upper: int, middle: int, lower: int, box: int, whole: int, details: Any, row: int
) -> None:  # fmt: skip
    at, area = box + (box - 1) // 2, box * box
    shift = 0
    while 1 << shift < area:
        shift += 1
    if 1 << shift == area and box <= _LARGEST_SHIFTED_BOX:
        for x in range(whole - 2 * box):
            value = 4 * sums[middle, x + box] - sums[middle, x] - sums[middle, x + 2 * box]
            value -= sums[upper, x + box] + sums[lower, x + box]
            details[row, x + at] = np.int32(value * _STEPS) >> shift
    else:
        for x in range(whole - 2 * box):
            value = 4 * sums[middle, x + box] - sums[middle, x] - sums[middle, x + 2 * box]
            value -= sums[upper, x + box] + sums[lower, x + box]
            value = np.int64(value) * _STEPS
            quotient = np.int64(value / area)  # exact: both are small, and what is left is looked at
            if quotient * area > value:
                quotient -= 1
            details[row, x + at] = quotient


@native_part
def _tell(judged: Any, fine: Any, coarse: Any, radius: int, limits: Any, columns: Any, votes: Any) -> None:
    height = len(judged)
    for y in range(min(radius, height)):
        _add(columns, judged, fine, coarse, y)
    for y in range(height):
        if y + radius < height:
            _add(columns, judged, fine, coarse, y + radius)
        if y - radius - 1 >= 0:
            _take(columns, judged, fine, coarse, y - radius - 1)
        _tell_row(columns, radius, limits, judged, votes, y)


@native_part
def _add(columns: Any, judged: Any, fine: Any, coarse: Any, y: int) -> None:
    for x in range(judged.shape[1]):
        columns[0, x] += judged[y, x]
    for x in range(judged.shape[1]):
        columns[1, x] += np.int32(fine[y, x]) * np.int32(fine[y, x])
    for x in range(judged.shape[1]):
        columns[2, x] += np.int32(coarse[y, x]) * np.int32(coarse[y, x])


@native_part
def _take(columns: Any, judged: Any, fine: Any, coarse: Any, y: int) -> None:
    for x in range(judged.shape[1]):
        columns[0, x] -= judged[y, x]
    for x in range(judged.shape[1]):
        columns[1, x] -= np.int32(fine[y, x]) * np.int32(fine[y, x])
    for x in range(judged.shape[1]):
        columns[2, x] -= np.int32(coarse[y, x]) * np.int32(coarse[y, x])


@native_part
def _tell_row(columns: Any, radius: int, limits: Any, judged: Any, votes: Any, y: int) -> None:
    width = judged.shape[1]
    least, numerator, denominator = limits[0], limits[1], limits[2]
    count = of_fine = of_coarse = np.int64(0)
    for x in range(min(radius, width)):
        count += columns[0, x]
        of_fine += columns[1, x]
        of_coarse += columns[2, x]
    for x in range(width):
        if x + radius < width:
            count += columns[0, x + radius]
            of_fine += columns[1, x + radius]
            of_coarse += columns[2, x + radius]
        if x > radius:
            count -= columns[0, x - radius - 1]
            of_fine -= columns[1, x - radius - 1]
            of_coarse -= columns[2, x - radius - 1]
        vote = np.int16(0)
        if judged[y, x] and of_coarse >= least * count:
            vote = np.int16(1) if of_fine * denominator < of_coarse * numerator else np.int16(-1)
        votes[y, x] = vote
