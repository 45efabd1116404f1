"""compute: the compiled half of hot spots: what a box of pixels has of every window that reaches into it.

Called through ``window_sums``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from wsi_area.compute.machine_code import machine_code


@machine_code
def add_box(
    tissue: Any, is_positive: Any, y0: int, x0: int, ys: Any, xs: Any, first_row: int, first: Any, stop: Any,
    upto: Any, sums: Any,
) -> None:  # fmt: skip
    """Add the level-0 pixels of a box to the windows round some centres: int64 (2, centres y, centres x).

    ``tissue`` uint32 (h, w) and ``is_positive`` uint8 (h, w) from work row ``y0`` and column ``x0`` on, ``ys`` and
    ``xs`` int64 of the centres, ``first_row``, ``first`` and ``stop`` of the window, ``upto`` int64 (2, w + 1) for its
    own use. The first of the sums is tissue, the second what of it is positive.
    """
    height, width = tissue.shape
    rows = len(first)
    upto[0, 0] = 0
    upto[1, 0] = 0
    for y in range(height):
        for x in range(width):
            n = int(tissue[y, x])
            upto[0, x + 1] = upto[0, x] + n
            upto[1, x + 1] = upto[1, x] + n * is_positive[y, x]
        if upto[0, width] == 0:
            continue
        for i in range(len(ys)):
            row = y0 + y - ys[i] - first_row
            if row < 0 or row >= rows:
                continue
            for j in range(len(xs)):
                left = min(max(xs[j] + first[row] - x0, 0), width)
                right = min(max(xs[j] + stop[row] - x0, 0), width)
                if right > left:
                    sums[0, i, j] += upto[0, right] - upto[0, left]
                    sums[1, i, j] += upto[1, right] - upto[1, left]
