"""compute: the compiled half of box means: plain loops, no temporaries.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``reduction``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part


def fill_means(
    rgb_at: Any,
    valid_at: Any,
    height: int,
    width: int,
    factor: int,
    means_at: Any,
    means_valid_at: Any,
    rows: int,
    columns: int,
) -> None:
    """Write the means and which of them are valid; all arrays are contiguous and lie at these addresses."""
    _fill(
        carray(rgb_at, (height, width, 3)),
        carray(valid_at, (height, width)),
        factor,
        carray(means_at, (rows, columns, 3)),
        carray(means_valid_at, (rows, columns)),
    )


@native_part
def _fill(rgb: Any, valid: Any, factor: int, means: Any, means_valid: Any) -> None:
    height, width = valid.shape
    for row in range(means_valid.shape[0]):
        top, bottom = row * factor, min((row + 1) * factor, height)
        for column in range(means_valid.shape[1]):
            left, right = column * factor, min((column + 1) * factor, width)
            red = green = blue = seen = np.int64(0)
            for y in range(top, bottom):
                for x in range(left, right):
                    keep = np.int64(valid[y, x])
                    red += rgb[y, x, 0] * keep
                    green += rgb[y, x, 1] * keep
                    blue += rgb[y, x, 2] * keep
                    seen += keep
            means_valid[row, column] = 2 * seen >= (bottom - top) * (right - left)
            count = max(seen, np.int64(1))
            means[row, column, 0] = (2 * red + count) // (2 * count)
            means[row, column, 1] = (2 * green + count) // (2 * count)
            means[row, column, 2] = (2 * blue + count) // (2 * count)
