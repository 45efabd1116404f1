"""compute: the compiled half of holding two pictures of codes against each other: how often each pair occurs.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``agreement``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray


def weigh_pairs(
    one_at: Any, other_at: Any, height: int, width: int, column_weights_at: Any, row_weights_at: Any, totals_at: Any
) -> None:
    """Add the weight of each pixel to the total of its pair of codes.

    At these addresses lie: uint8 (height, width) each, contiguous, the pictures; int64 (w,) and (h,), the weights;
    int64 (256, 256), the totals.
    """
    one, other = carray(one_at, (height, width)), carray(other_at, (height, width))
    column_weights, row_weights = carray(column_weights_at, width), carray(row_weights_at, height)
    totals = carray(totals_at, (256, 256))
    for y in range(height):
        x = 0
        while x < width:
            # neighbours are mostly of one pair: a run of them is added up before the table is touched
            first, second, run = one[y, x], other[y, x], 0
            while x < width and one[y, x] == first and other[y, x] == second:
                run += column_weights[x]
                x += 1
            totals[first, second] += run * row_weights[y]
