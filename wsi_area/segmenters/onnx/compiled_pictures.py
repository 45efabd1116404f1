"""segmenters: the compiled half of a network's windows: pixels into the numbers it is shown.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``. Called
through ``wsi_area.segmenters.onnx.picture``, which checks every index: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part


def look_up(
    pixels_at: Any, pixels_bytes: int, row_bytes: int, rows_at: Any, height: int, columns_at: Any, width: int,
    tables_at: Any, first: int, is_planar: int, out_at: Any,
) -> None:  # fmt: skip
    """Write what the tables make of each pixel of a window, which is picked out by its rows and columns.

    At these addresses lie: uint8 pixels of three bytes, the rows ``row_bytes`` apart; int64 (height,), the rows; int64
    (width,), the columns; words (3, 256), a table for each colour; words (3, height, width), or (height, width, 3)
    where not planar, the window. ``first`` is the byte of a pixel that the first table is for: 0, or 2 for BGR.
    """
    pixels = carray(pixels_at, pixels_bytes)
    rows, columns = carray(rows_at, height), carray(columns_at, width)
    tables, out = carray(tables_at, 768), carray(out_at, 3 * height * width)
    plane = height * width
    low = 0  # most of a window is cut out as it lies: columns [low, high); before and behind it may be mirrored
    while low + 1 < width and columns[low + 1] != columns[low] + 1:
        low += 1
    high = low + 1
    while high < width and columns[high] == columns[high - 1] + 1:
        high += 1
    for y in range(height):
        row, to = rows[y] * row_bytes, y * width
        if is_planar:
            for k in range(3):
                line, table = out[k * plane + to : k * plane + to + width], tables[256 * k : 256 * k + 256]
                source = pixels[row + first + k * (1 - first) :]
                middle, run = line[low:high], source[3 * columns[low] :]
                for x in range(low):
                    line[x] = table[source[3 * columns[x]]]
                for x in range(high - low):
                    middle[x] = table[run[3 * x]]
                for x in range(high, width):
                    line[x] = table[source[3 * columns[x]]]
        else:
            line = out[3 * to : 3 * (to + width)]
            for x in range(width):
                source = pixels[row + 3 * columns[x] :]
                line[3 * x] = tables[source[first]]
                line[3 * x + 1] = tables[256 + np.int64(source[1])]
                line[3 * x + 2] = tables[512 + np.int64(source[2 - first])]


def blend(
    pixels_at: Any, pixels_bytes: int, row_bytes: int,
    rows_at: Any, row_weights_at: Any, row_taps: int, height: int,
    columns_at: Any, column_weights_at: Any, column_taps: int, width: int,
    first_px: int, line_at: Any, line_pixels: int, sums_at: Any, scale_at: Any, first: int, is_planar: int, out_at: Any,
) -> None:  # fmt: skip
    """Write a window whose pixels are weighted sums: of rows first, then of columns, each tap added to those before.

    At these addresses lie: uint8 pixels of three bytes, the rows ``row_bytes`` apart; int64 and float32
    (height, row_taps), the rows and their weights; int64 and float32 (column_taps, width), the columns, counted from
    ``first_px``, and their weights; for its own use float32 (line_pixels, 3), a row of the pixels from there on, and
    float32 (width,); float32 (2, 3), by what each colour is multiplied, and what is then subtracted; float32, the
    window. ``first`` and ``is_planar`` are those of `look_up`.
    """
    pixels, line, sums = carray(pixels_at, pixels_bytes), carray(line_at, 3 * line_pixels), carray(sums_at, width)
    rows, row_weights = carray(rows_at, (height, row_taps)), carray(row_weights_at, (height, row_taps))
    columns = carray(columns_at, (column_taps, width))
    column_weights = carray(column_weights_at, (column_taps, width))
    scale, out = carray(scale_at, (2, 3)), carray(out_at, 3 * height * width)
    for y in range(height):
        _sum_rows(pixels[3 * first_px :], row_bytes, rows[y], row_weights[y], line)
        for k in range(3):
            colour, factor, shift = line[first + k * (1 - first) :], scale[0, k], scale[1, k]
            for tap in range(column_taps):
                of_tap, weights = columns[tap], column_weights[tap]
                for x in range(width):
                    part = colour[3 * of_tap[x]] * weights[x]
                    sums[x] = part if tap == 0 else sums[x] + part
            if is_planar:
                to = (k * height + y) * width
                target = out[to : to + width]
                for x in range(width):
                    target[x] = sums[x] * factor - shift
            else:
                target = out[3 * y * width + k :]
                for x in range(width):
                    target[3 * x] = sums[x] * factor - shift


@native_part
def _sum_rows(pixels: Any, row_bytes: int, rows: Any, weights: Any, line: Any) -> None:
    """Write the weighted sum of rows of pixels, byte by byte."""
    for tap in range(rows.size):
        weight, source = weights[tap], pixels[rows[tap] * row_bytes :]
        for k in range(line.size):
            part = np.float32(source[k]) * weight
            line[k] = part if tap == 0 else line[k] + part
