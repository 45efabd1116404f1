"""compute: the tissue and the positive of every window of a grid, added up box by box, as whole level-0 pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.hotspots.compiled_windows import add_box
from wsi_area.compute.hotspots.window import Window
from wsi_area.model.geometry import Region

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class WindowSums:
    """What one box adds to the windows whose centres lie in a part of the grid."""

    row: int  # of the first centre, on the grid
    col: int
    px: Ints  # (2, rows, columns): level-0 px of tissue, and of what of it is positive


def window_sums(
    tissue_l0_px: NDArray[np.uint32],
    is_positive: NDArray[np.bool_],
    box: Region,
    ys_px: Ints,
    xs_px: Ints,
    window: Window,
) -> WindowSums:
    """Return what a box of work pixels adds to each window that reaches into it.

    Parameters
    ----------
    tissue_l0_px : uint32 (h, w)
        Level-0 pixels of tissue under each work pixel of the box.
    is_positive : bool (h, w)
        Whether what lies there is positive.
    box : Region
        Where the box lies on the work grid.
    ys_px, xs_px : int64
        Centres of the grid, in work pixels.
    window : Window
    """
    last_row = window.first_row_px + window.rows_px - 1
    top, bottom = np.searchsorted(ys_px, (box.y_px - last_row, box.bottom_px - window.first_row_px))
    left, right = np.searchsorted(
        xs_px, (box.x_px - int(window.stop_px.max()) + 1, box.right_px - int(window.first_px.min()))
    )
    sums = np.zeros((2, bottom - top, right - left), np.int64)
    if sums.size:
        add_box(
            tissue_l0_px, np.ascontiguousarray(is_positive).view(np.uint8), box.y_px, box.x_px, ys_px[top:bottom],
            xs_px[left:right], window.first_row_px, window.first_px, window.stop_px,
            np.empty((2, box.width_px + 1), np.int64), sums,
        )  # fmt: skip
    return WindowSums(int(top), int(left), sums)
