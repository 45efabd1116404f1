"""compute: the compiled half of sums of boxes: each sample is touched once, along its row, and nothing is copied.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``box_sums``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part

_BYTES_AT_ONCE = 257
"""Rows of bytes that add up in 16 bits."""
_WORDS_AT_ONCE = 65537
"""Rows of 16 bits that add up in 32."""


def sum_bytes(
    samples_at: Any, step: int, height: int, width: int, channels: int, factor: int, top: int, left: int, down_at: Any,
    sums_at: Any, rows: int, columns: int,
) -> None:  # fmt: skip
    """Write the sums of boxes of bytes.

    At these addresses lie: ``samples`` uint8 (h, w, channels), whole rows ``step`` samples after one another, the first
    sample ``top`` rows and ``left`` columns into its box; ``down`` uint16 (w, channels) for its own use; ``sums``
    uint32 (rows, columns, channels), of which every box has a sample.
    """
    samples = carray(samples_at, ((height - 1) * step + width * channels,))
    down, sums = carray(down_at, (width * channels,)), carray(sums_at, (rows, columns, channels))
    _sum_boxes(samples, step, height, width, factor, top, left, _BYTES_AT_ONCE, down, sums)


def sum_words(
    samples_at: Any, step: int, height: int, width: int, channels: int, factor: int, top: int, left: int, down_at: Any,
    sums_at: Any, rows: int, columns: int,
) -> None:  # fmt: skip
    """Write the sums of boxes of 16 bits; as `sum_bytes`, with ``down`` uint32 and ``sums`` uint64."""
    samples = carray(samples_at, ((height - 1) * step + width * channels,))
    down, sums = carray(down_at, (width * channels,)), carray(sums_at, (rows, columns, channels))
    _sum_boxes(samples, step, height, width, factor, top, left, _WORDS_AT_ONCE, down, sums)


@native_part
def _sum_boxes(
    samples: Any, step: int, height: int, width: int, factor: int, top: int, left: int, at_once: int, down: Any,
    sums: Any,
) -> None:  # fmt: skip
    channels = sums.shape[2]
    for row in range(len(sums)):
        sums[row] = 0
        first, end = max(row * factor - top, 0), min((row + 1) * factor - top, height)
        for begin in range(first, end, at_once):
            down[:] = 0
            for y in range(begin, min(begin + at_once, end)):
                _add_line(down, samples[y * step : y * step + down.size])
            if channels == 3:
                _add_boxes_of_three(down, factor, left, width, sums[row])
            else:
                _add_boxes(down, factor, left, width, sums[row])


@native_part
def _add_line(down: Any, line: Any) -> None:
    for i in range(down.size):
        down[i] += line[i]


@native_part
def _add_boxes_of_three(down: Any, factor: int, left: int, width: int, sums: Any) -> None:
    """Add samples of a line to their boxes, three channels at once."""
    for column in range(len(sums)):
        start, stop = max(column * factor - left, 0), min((column + 1) * factor - left, width)
        first, second, third = sums[column, 0], sums[column, 1], sums[column, 2]
        for x in range(start, stop):
            first += down[3 * x]
            second += down[3 * x + 1]
            third += down[3 * x + 2]
        sums[column, 0], sums[column, 1], sums[column, 2] = first, second, third


@native_part
def _add_boxes(down: Any, factor: int, left: int, width: int, sums: Any) -> None:
    channels = sums.shape[1]
    for column in range(len(sums)):
        start, stop = max(column * factor - left, 0), min((column + 1) * factor - left, width)
        for channel in range(channels):
            total = sums[column, channel]
            for x in range(start, stop):
                total += down[channels * x + channel]
            sums[column, channel] = total
