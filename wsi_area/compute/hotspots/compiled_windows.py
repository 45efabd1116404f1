"""compute: the compiled half of hot spots: what a box of pixels has of every window that reaches into it.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``window_sums``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part


def add_box(
    tissue_at: Any, is_positive_at: Any, height: int, width: int, ys_at: Any, ys: int, xs_at: Any, xs: int,
    shapes_at: Any, shapes: int, first_at: Any, stop_at: Any, rim_rows: int, upto_at: Any, sums_at: Any, n_sums: int,
) -> None:  # fmt: skip
    """Add the level-0 pixels of a box to the windows of each shape round some centres.

    At these addresses lie, contiguous: ``tissue`` uint32 (h, w), ``is_positive`` uint8 (h, w), ``ys`` and ``xs`` int64
    of all centres, from the box's first row and column; ``shapes`` int64 (shapes, 8), of each the first row from the
    centre, its rows, where these begin in ``first`` and ``stop`` int64 (rows of all), which centres it reaches the box
    from (from, to, down and across), and where its sums begin; ``upto`` int64 (2, w + 1) for its own use; ``sums``
    int64, by shape (2, centres down, centres across): tissue, and what of it is positive.
    """
    _add_box(
        carray(tissue_at, (height, width)),
        carray(is_positive_at, (height, width)),
        carray(ys_at, ys),
        carray(xs_at, xs),
        carray(shapes_at, (shapes, 8)),
        carray(first_at, rim_rows),
        carray(stop_at, rim_rows),
        carray(upto_at, (2, width + 1)),
        carray(sums_at, n_sums),
    )


@native_part
def _add_box(
    tissue: Any, is_positive: Any, ys: Any, xs: Any, shapes: Any, first: Any, stop: Any, upto: Any, sums: Any
) -> None:
    height, width = tissue.shape
    for y in range(height):
        of_tissue, of_positive = 0, 0
        upto[0, 0] = upto[1, 0] = 0
        for x in range(width):
            n = int(tissue[y, x])
            of_tissue += n
            of_positive += n * is_positive[y, x]
            upto[0, x + 1] = of_tissue
            upto[1, x + 1] = of_positive
        if of_tissue == 0:
            continue
        for k in range(len(shapes)):
            first_row, rows, rim = shapes[k, 0], shapes[k, 1], shapes[k, 2]
            top, bottom, left, right = shapes[k, 3], shapes[k, 4], shapes[k, 5], shapes[k, 6]
            across = right - left
            for i in range(top, bottom):
                row = y - ys[i] - first_row
                if row < 0 or row >= rows:
                    continue
                at = shapes[k, 7] + (i - top) * across
                positive_at = at + (bottom - top) * across
                for j in range(left, right):
                    begin = min(max(xs[j] + first[rim + row], 0), width)
                    end = min(max(xs[j] + stop[rim + row], 0), width)
                    sums[at + j - left] += upto[0, end] - upto[0, begin]
                    sums[positive_at + j - left] += upto[1, end] - upto[1, begin]
