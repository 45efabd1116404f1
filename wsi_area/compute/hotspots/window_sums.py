"""compute: the tissue and the positive of every window of a grid, added up box by box, as whole level-0 pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.hotspots.window import Window
from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.model.geometry import Region

Ints = NDArray[np.int64]
_ARGUMENTS = "uint32* uint8* int64 int64 int64* int64 int64* int64 int64* int64 int64* int64* int64 int64* int64* int64"


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
    windows: Sequence[Window],
) -> tuple[WindowSums, ...]:
    """Return what a box of work pixels adds to each window that reaches into it, by the shapes of windows.

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
    windows : sequence of Window
        One or more; the pixels of a row are added up once for all of them.
    """
    reached = [_reached(box, ys_px, xs_px, window) for window in windows]
    sizes = [2 * (bottom - top) * (right - left) for top, bottom, left, right in reached]
    rims = np.cumsum([0, *(window.rows_px for window in windows)])
    begins = np.cumsum([0, *sizes])
    shapes = np.array(
        [
            (window.first_row_px, window.rows_px, rim, *centres, begin)
            for window, rim, centres, begin in zip(windows, rims[:-1], reached, begins[:-1], strict=True)
        ],
        np.int64,
    )
    sums = np.zeros(int(begins[-1]), np.int64)
    if sums.size:
        tissue = np.ascontiguousarray(tissue_l0_px, np.uint32)
        positive = np.ascontiguousarray(is_positive).view(np.uint8)
        ys, xs = ys_px - box.y_px, xs_px - box.x_px
        first = np.concatenate([window.first_px for window in windows], dtype=np.int64)
        stop = np.concatenate([window.stop_px for window in windows], dtype=np.int64)
        upto = np.empty((2, tissue.shape[1] + 1), np.int64)
        add_box = native_function("wsi_area.compute.hotspots.compiled_windows", "add_box", _ARGUMENTS)
        add_box(
            address_of(tissue), address_of(positive), *tissue.shape, address_of(ys), len(ys), address_of(xs), len(xs),
            address_of(shapes), len(shapes), address_of(first), address_of(stop), len(first), address_of(upto),
            address_of(sums), len(sums),
        )  # fmt: skip
    return tuple(
        WindowSums(top, left, sums[begin:end].reshape(2, bottom - top, right - left))
        for (top, bottom, left, right), begin, end in zip(reached, begins[:-1], begins[1:], strict=True)
    )


def _reached(box: Region, ys_px: Ints, xs_px: Ints, window: Window) -> tuple[int, int, int, int]:
    """Return the centres from which a window reaches into a box: from and to, down and across the grid."""
    last_row = window.first_row_px + window.rows_px - 1
    top, bottom = np.searchsorted(ys_px, (box.y_px - last_row, box.bottom_px - window.first_row_px))
    left, right = np.searchsorted(
        xs_px, (box.x_px - int(window.stop_px.max()) + 1, box.right_px - int(window.first_px.min()))
    )
    return int(top), int(bottom), int(left), int(right)
