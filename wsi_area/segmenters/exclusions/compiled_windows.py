"""segmenters: the compiled half of sums over windows: a running sum down each column, and one along each row.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``windows``, which checks the shapes: nothing here checks a bound. Sums wrap around and back.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part


def sum_bytes(values_at: Any, height: int, width: int, radius: int, column_at: Any, sums_at: Any) -> None:
    """Write the sum of each pixel's window: of uint8 (h, w) into uint32 (h, w), with uint32 (w,) that holds 0."""
    shape = (height, width)
    _fill(carray(values_at, shape), radius, carray(column_at, (1, width)), carray(sums_at, shape))


def sum_wide(values_at: Any, height: int, width: int, radius: int, column_at: Any, sums_at: Any) -> None:
    """Write the sum of each pixel's window: of uint64 (h, w) into uint64 (h, w), with uint64 (w,) that holds 0."""
    shape = (height, width)
    _fill(carray(values_at, shape), radius, carray(column_at, (1, width)), carray(sums_at, shape))


@native_part
def _fill(values: Any, radius: int, column: Any, sums: Any) -> None:
    height = len(values)
    for y in range(min(radius, height)):
        _add(column, values, y)
    for y in range(height):
        if y + radius < height:
            _add(column, values, y + radius)
        if y - radius - 1 >= 0:
            _take(column, values, y - radius - 1)
        _sum_row(column, radius, sums, y)


@native_part
def _add(column: Any, values: Any, y: int) -> None:
    for x in range(values.shape[1]):
        column[0, x] += values[y, x]


@native_part
def _take(column: Any, values: Any, y: int) -> None:
    for x in range(values.shape[1]):
        column[0, x] -= values[y, x]


@native_part
def _sum_row(column: Any, radius: int, sums: Any, y: int) -> None:
    width = column.shape[1]
    total = column[0, 0] - column[0, 0]  # 0 of the type in which sums wrap around
    for x in range(min(radius, width)):
        total += column[0, x]
    for x in range(max(0, min(width, width - radius))):  # in three ranges: no question is asked of a pixel
        total += column[0, x + radius]
        if x > radius:
            total -= column[0, x - radius - 1]
        sums[y, x] = total
    for x in range(max(0, width - radius), width):
        if x > radius:
            total -= column[0, x - radius - 1]
        sums[y, x] = total
