"""segmenters: the compiled half of windows that are judged by the sum of their scores.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``windows``, which checks the shapes: nothing here checks a bound. A running sum goes down each column,
and one along each row; no sum is kept.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part


def exceeds(
    scores_at: Any, height: int, width: int, radius: int, limit: int, column_at: Any, exceeds_at: Any
) -> None:  # fmt: skip
    """Write uint8 (h, w), 1 where the int16 (h, w) scores of a pixel's window add up to more than a limit.

    ``column`` is int64 (w,) and holds 0.
    """
    shape = (height, width)
    _judge(carray(scores_at, shape), radius, limit, carray(column_at, (1, width)), carray(exceeds_at, shape))


@native_part
def _judge(scores: Any, radius: int, limit: int, column: Any, exceeding: Any) -> None:
    height = len(scores)
    for y in range(min(radius, height)):
        _add(column, scores, y)
    for y in range(height):
        enters, leaves = y + radius < height, y - radius - 1 >= 0
        if enters and leaves:
            _move(column, scores, y + radius, y - radius - 1)
        elif enters:
            _add(column, scores, y + radius)
        elif leaves:
            _take(column, scores, y - radius - 1)
        _judge_row(column, radius, limit, exceeding, y)


@native_part
def _add(column: Any, scores: Any, y: int) -> None:
    for x in range(scores.shape[1]):
        column[0, x] += scores[y, x]


@native_part
def _take(column: Any, scores: Any, y: int) -> None:
    for x in range(scores.shape[1]):
        column[0, x] -= scores[y, x]


@native_part
def _move(column: Any, scores: Any, enters: int, leaves: int) -> None:
    for x in range(scores.shape[1]):
        column[0, x] += scores[enters, x] - scores[leaves, x]


@native_part
def _judge_row(column: Any, radius: int, limit: int, exceeding: Any, y: int) -> None:
    width = column.shape[1]
    total = np.int64(0)
    for x in range(min(radius, width)):
        total += column[0, x]
    begin = min(radius + 1, max(0, width - radius))  # in ranges: no question is asked of a pixel
    for x in range(begin):
        total += column[0, x + radius]
        exceeding[y, x] = total > limit
    for x in range(begin, max(0, width - radius)):
        total += column[0, x + radius] - column[0, x - radius - 1]
        exceeding[y, x] = total > limit
    for x in range(max(0, width - radius), width):
        if x > radius:
            total -= column[0, x - radius - 1]
        exceeding[y, x] = total > limit
