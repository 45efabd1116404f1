"""compute: the compiled half of the class picture: plain loops, no temporaries.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``majority_picture``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part


def count_sample(
    block_at: Any,
    line_px: int,
    step_y: int,
    step_x: int,
    owner_rows_at: Any,
    rows: int,
    owner_columns_at: Any,
    columns: int,
    place_of_at: Any,
    seen_at: Any,
    picture_height: int,
    picture_width: int,
    places: int,
) -> None:
    """Add every step-th pixel of a block, its first one first, to what the picture pixels that own them have seen.

    The block's lines lie ``line_px`` bytes apart; ``seen`` is uint16 (picture_height,
    picture_width, places).
    """
    _count(
        carray(block_at, (rows * step_y * line_px,)),
        line_px,
        step_y,
        step_x,
        carray(owner_rows_at, (rows,)),
        carray(owner_columns_at, (columns,)),
        carray(place_of_at, (256,)),
        carray(seen_at, (picture_height, picture_width, places)),
    )


@native_part
def _count(
    block: Any,
    line_px: int,
    step_y: int,
    step_x: int,
    owner_rows: Any,
    owner_columns: Any,
    place_of: Any,
    seen: Any,
) -> None:
    for row in range(owner_rows.shape[0]):
        line = row * step_y * line_px
        of_row = seen[owner_rows[row]]
        for column in range(owner_columns.shape[0]):
            of_row[owner_columns[column], place_of[block[line + column * step_x]]] += np.uint16(1)
