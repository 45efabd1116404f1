"""segmenters: the compiled half of an answer that is read between its pixels.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``. Called
through ``wsi_area.segmenters.onnx.between``, which checks every index: nothing here checks a bound.
"""

from typing import Any

from numba import carray


def read_between(
    answer_at: Any, channels: int, height: int, width: int, rows_at: Any, row_weights_at: Any, row_taps: int,
    out_height: int, columns_at: Any, column_weights_at: Any, column_taps: int, out_width: int, line_at: Any,
    out_at: Any,
) -> None:  # fmt: skip
    """Write weighted sums of an answer's rows and then of its columns, each tap added to those before.

    At these addresses lie: float32 (channels, height, width), the answer; int64 and float32 (row_taps, out_height), the
    rows and their weights; likewise of columns; float32 (width,), for its own use; float32
    (channels, out_height, out_width), the sums.
    """
    answer, line = carray(answer_at, channels * height * width), carray(line_at, width)
    rows, row_weights = carray(rows_at, (row_taps, out_height)), carray(row_weights_at, (row_taps, out_height))
    columns = carray(columns_at, (column_taps, out_width))
    column_weights = carray(column_weights_at, (column_taps, out_width))
    out = carray(out_at, channels * out_height * out_width)
    for channel in range(channels):
        for y in range(out_height):
            for tap in range(row_taps):
                at, weight = (channel * height + rows[tap, y]) * width, row_weights[tap, y]
                source = answer[at : at + width]
                for x in range(width):
                    line[x] = source[x] * weight if tap == 0 else line[x] + source[x] * weight
            to = (channel * out_height + y) * out_width
            sums = out[to : to + out_width]
            for tap in range(column_taps):
                of_tap, weights = columns[tap], column_weights[tap]
                for x in range(out_width):
                    part = line[of_tap[x]] * weights[x]
                    sums[x] = part if tap == 0 else sums[x] + part
