"""exports: the compiled half of what outlines will cost: their corners counted, without following them.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``outline_cost``, which gives the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part


def count_corners(
    class_map_at: Any, height: int, width: int, is_traced_at: Any, first_y: int, above_at: Any, codes_at: Any,
    x_digits_at: Any, y_digits_at: Any, rows: int, counts_at: Any,
) -> None:  # fmt: skip
    """Add the corners above some rows of a class map, and the digits of their coordinates.

    Round a vertex lie four pixels. A region that has one of them has a convex corner there, one that has three a
    reflex one, and one that has two beside each other none.

    At these addresses lie: ``class_map`` uint8 (h, w), rows ``[first_y, first_y + h)``; ``is_traced`` bool (256,), of
    each code; ``above`` uint8 (w,), the row above, 0 where it is not traced, changed to the last row; ``codes`` uint8
    (w,), for its own use; ``x_digits`` and ``y_digits`` int64 (w + 1,) and (rows,), how many digits the coordinate of
    each edge has; ``counts`` int64 (2,), corners and digits.
    """
    _count_corners(
        carray(class_map_at, (height, width)), carray(is_traced_at, 256), first_y, carray(above_at, width),
        carray(codes_at, width), carray(x_digits_at, width + 1), carray(y_digits_at, rows), carray(counts_at, 2),
    )  # fmt: skip


@native_part
def _count_corners(
    class_map: Any, is_traced: Any, first_y: int, above: Any, codes: Any, x_digits: Any, y_digits: Any, counts: Any
) -> None:
    height, width = class_map.shape
    corners, digits = 0, 0
    for row in range(height):
        for x in range(width):
            codes[x] = class_map[row, x] if is_traced[class_map[row, x]] else 0
        for x in range(width + 1):
            a, b, c, d = 0, 0, 0, 0
            if x:
                a, b = above[x - 1], codes[x - 1]
            if x < width:
                c, d = codes[x], above[x]
            ab, bc, cd, da = a == b, b == c, c == d, d == a
            if ab & bc & cd:
                continue
            # of each pixel, by whether it is like the ones beside it
            n = int((a != 0) & (not ab) & (not da)) + int((b != 0) & (not bc) & (not ab))
            n += int((c != 0) & (not cd) & (not bc)) + int((d != 0) & (not da) & (not cd))
            # three alike: the one in their middle is like both beside it, and the fourth is like none
            n += int((a != 0) & ab & da & (not bc)) + int((b != 0) & bc & ab & (not cd))
            n += int((c != 0) & cd & bc & (not da)) + int((d != 0) & da & cd & (not ab))
            corners += n
            digits += n * (x_digits[x] + y_digits[first_y + row])
        for x in range(width):
            above[x] = codes[x]
    counts[0] += corners
    counts[1] += digits
