"""compute: the compiled half of counting a class map: a histogram of its codes, each pixel with its weight.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``count_class_map``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part


def weigh_codes(
    class_map_at: Any,
    height: int,
    width: int,
    line_px: int,
    column_weights_at: Any,
    row_weights_at: Any,
    of_rows_at: Any,
    totals_at: Any,
) -> None:
    """Add the level-0 pixels of each code of a class map to ``totals``.

    At these addresses lie: uint8 pixels, the lines ``line_px`` bytes apart; int64 (w,) and (h,), the weights; int64
    (4, 256), all 0, for its own use and left so; int64 (256,), the totals.
    """
    _weigh(
        carray(class_map_at, (height * line_px,)),
        line_px,
        carray(column_weights_at, (width,)),
        carray(row_weights_at, (height,)),
        carray(of_rows_at, (4, 256)),
        carray(totals_at, (256,)),
    )


@native_part
def _weigh(class_map: Any, line_px: int, column_weights: Any, row_weights: Any, of_rows: Any, totals: Any) -> None:
    height, width = row_weights.shape[0], column_weights.shape[0]
    # neighbours are mostly of one code: four sums for each, so that no addition waits for the last
    whole = width - width % 4
    for y in range(height):
        line = y * line_px
        for x in range(0, whole, 4):
            of_rows[0, class_map[line + x]] += column_weights[x]
            of_rows[1, class_map[line + x + 1]] += column_weights[x + 1]
            of_rows[2, class_map[line + x + 2]] += column_weights[x + 2]
            of_rows[3, class_map[line + x + 3]] += column_weights[x + 3]
        for x in range(whole, width):
            of_rows[0, class_map[line + x]] += column_weights[x]
        # rows of one weight, which most neighbours are, are added up together
        if y + 1 == height or row_weights[y + 1] != row_weights[y]:
            for code in range(256):
                for lane in range(4):
                    totals[code] += of_rows[lane, code] * row_weights[y]
                    of_rows[lane, code] = 0
