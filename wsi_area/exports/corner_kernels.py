"""exports: the compiled half of what outlines will cost: their corners counted, without following them.

Called through ``outline_cost``.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code


@machine_code
def count_corners(class_map: Any, is_traced: Any, first_y: int, above: Any, x_digits: Any, y_digits: Any) -> Any:
    """Return the number of corners above some rows of a class map, and of the digits of their coordinates.

    Round a vertex lie four pixels. A region that has one of them has a convex corner there, one that has three a
    reflex one, and one that has two beside each other none.

    Parameters
    ----------
    class_map : uint8 (h, w)
        Rows ``[first_y, first_y + h)``.
    is_traced : bool (256,)
        Of each code.
    above : uint8 (w,)
        The row above, 0 where it is not traced; changed to the last row.
    x_digits, y_digits : int64 (w + 1,), (rows + 1,)
        How many digits the coordinate of each edge has.
    """
    height, width = class_map.shape
    codes = np.empty(width, np.uint8)
    corners, digits = 0, 0
    pixel = np.empty(4, np.uint8)
    for row in range(height):
        for x in range(width):
            codes[x] = class_map[row, x] if is_traced[class_map[row, x]] else 0
        for x in range(width + 1):
            pixel[0] = above[x - 1] if x else 0
            pixel[1] = codes[x - 1] if x else 0
            pixel[2] = codes[x] if x < width else 0
            pixel[3] = above[x] if x < width else 0
            if pixel[0] == pixel[1] and pixel[1] == pixel[2] and pixel[2] == pixel[3]:
                continue
            for p in range(4):
                if pixel[p] == 0 or pixel[p] == pixel[(p + 3) % 4]:
                    continue
                length = 1
                while pixel[(p + length) % 4] == pixel[p]:
                    length += 1
                if length != 2:
                    corners += 1
                    digits += x_digits[x] + y_digits[first_y + row]
        for x in range(width):
            above[x] = codes[x]
    return corners, digits
