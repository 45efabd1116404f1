"""compute: the compiled half of hot spots: what a box of pixels has of every window that reaches into it.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``window_sums``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part


def add_box(
    codes_at: Any, tissue_at: Any, height: int, width: int, is_positive_at: Any, ys_at: Any, ys: int, xs_at: Any,
    xs: int, shapes_at: Any, shapes: int, first_at: Any, stop_at: Any, rim_rows: int, upto_at: Any, pad: int,
    sums_at: Any, n_sums: int, totals_at: Any,
) -> None:  # fmt: skip
    """Add the level-0 pixels of a box to the windows of each shape round some centres.

    At these addresses lie, contiguous: ``codes`` uint8 (h, w) and ``tissue`` uint32 (h, w) of the box,
    ``is_positive`` uint8 (256,) by code; ``ys`` and ``xs`` int64 of all centres, from the box's first row and column;
    ``shapes`` int64 (shapes, 8), of each the first row from the centre, its rows, where these begin in ``first`` and
    ``stop`` int64 (rows of all), which centres it reaches the box from (from, to, down and across), and where its sums
    begin; ``upto`` int64 (w + 1 + 2 pad, 2) for its own use, ``pad`` the widest window; ``sums`` int64, by shape
    (centres down, centres across, 2): tissue, and what of it is positive; ``totals`` int64 (2,) of the whole box.
    """
    _add_box(
        carray(codes_at, (height, width)),
        carray(tissue_at, (height, width)),
        carray(is_positive_at, 256),
        carray(ys_at, ys),
        carray(xs_at, xs),
        carray(shapes_at, (shapes, 8)),
        carray(first_at, rim_rows),
        carray(stop_at, rim_rows),
        carray(upto_at, (width + 1 + 2 * pad, 2)),
        pad,
        carray(sums_at, (n_sums, 2)),
        carray(totals_at, 2),
    )


@native_part
def _add_box(
    codes: Any, tissue: Any, is_positive: Any, ys: Any, xs: Any, shapes: Any, first: Any, stop: Any, upto: Any,
    pad: int, sums: Any, totals: Any,
) -> None:  # fmt: skip
    for at in range(pad + 1):
        upto[at, 0] = upto[at, 1] = 0
    for y in range(len(codes)):
        begin, end = _run_up(codes[y], tissue[y], is_positive, upto, pad)
        if begin == end:
            continue
        totals[0] += upto[len(upto) - 1, 0]
        totals[1] += upto[len(upto) - 1, 1]
        for k in range(len(shapes)):
            first_row, rows, rim = shapes[k, 0], shapes[k, 1], shapes[k, 2]
            top, bottom, left, right = shapes[k, 3], shapes[k, 4], shapes[k, 5], shapes[k, 6]
            for i in range(top, bottom):
                row = y - ys[i] - first_row
                if row < 0 or row >= rows:
                    continue
                at = shapes[k, 7] + (i - top) * (right - left)
                to_left, to_right = first[rim + row], stop[rim + row]
                for j in range(left, right):
                    if xs[j] + to_right <= begin or xs[j] + to_left >= end:
                        continue
                    a, b = xs[j] + to_left + pad, xs[j] + to_right + pad
                    sums[at + j - left, 0] += upto[b, 0] - upto[a, 0]
                    sums[at + j - left, 1] += upto[b, 1] - upto[a, 1]


@native_part
def _run_up(codes: Any, tissue: Any, is_positive: Any, upto: Any, pad: int) -> tuple[int, int]:
    """Write what a row has up to each column, and return the columns between which it has any: from, to."""
    width, any_px = len(codes), np.uint32(0)
    for x in range(width):
        any_px |= tissue[x]
    if any_px == 0:
        return 0, 0
    begin, end = 0, width
    while tissue[begin] == 0:
        begin += 1
    while tissue[end - 1] == 0:
        end -= 1
    of_tissue, of_positive = 0, 0
    for x in range(begin):
        upto[pad + x + 1, 0] = upto[pad + x + 1, 1] = 0
    for x in range(begin, end):
        n = int(tissue[x])
        of_tissue += n
        of_positive += n * is_positive[codes[x]]
        upto[pad + x + 1, 0] = of_tissue
        upto[pad + x + 1, 1] = of_positive
    for at in range(pad + end + 1, len(upto)):
        upto[at, 0] = of_tissue
        upto[at, 1] = of_positive
    return begin, end
