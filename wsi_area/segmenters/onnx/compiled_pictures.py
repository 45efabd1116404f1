"""segmenters: the compiled half of a network's windows: pixels into the numbers it is shown.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``. Called
through ``wsi_area.segmenters.onnx.picture``, which checks every index: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray


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
    first_px: int, line_at: Any, line_pixels: int, scale_at: Any, first: int, is_planar: int, out_at: Any,
) -> None:  # fmt: skip
    """Write a window whose pixels are weighted sums: of rows first, then of columns, each tap added to those before.

    At these addresses lie: uint8 pixels of three bytes, the rows ``row_bytes`` apart; int64 and float32
    (height, row_taps), the rows and their weights; likewise of columns, which are counted from ``first_px``; float32
    (line_pixels, 3), for its own use, a row of the pixels from there on; float32 (2, 3), by what each colour is
    multiplied, and what is then subtracted; float32, the window.
    ``first`` and ``is_planar`` are those of `look_up`.
    """
    pixels, line = carray(pixels_at, pixels_bytes), carray(line_at, 3 * line_pixels)
    rows, row_weights = carray(rows_at, (height, row_taps)), carray(row_weights_at, (height, row_taps))
    columns = carray(columns_at, (width, column_taps))
    column_weights = carray(column_weights_at, (width, column_taps))
    scale, out = carray(scale_at, (2, 3)), carray(out_at, 3 * height * width)
    step, to_next = (height * width, 1) if is_planar else (1, 3)
    for y in range(height):
        row, weight = rows[y, 0] * row_bytes + 3 * first_px, row_weights[y, 0]
        for k in range(3 * line_pixels):
            line[k] = np.float32(pixels[row + k]) * weight
        for tap in range(1, row_taps):
            row, weight = rows[y, tap] * row_bytes + 3 * first_px, row_weights[y, tap]
            for k in range(3 * line_pixels):
                line[k] += np.float32(pixels[row + k]) * weight
        for x in range(width):
            at, weight = 3 * columns[x, 0], column_weights[x, 0]
            one, two, three = line[at + first] * weight, line[at + 1] * weight, line[at + 2 - first] * weight
            for tap in range(1, column_taps):
                at, weight = 3 * columns[x, tap], column_weights[x, tap]
                one += line[at + first] * weight
                two += line[at + 1] * weight
                three += line[at + 2 - first] * weight
            to = (y * width + x) * to_next
            out[to] = one * scale[0, 0] - scale[1, 0]
            out[to + step] = two * scale[0, 1] - scale[1, 1]
            out[to + 2 * step] = three * scale[0, 2] - scale[1, 2]
