"""compute: the tissue and the positive of every window of a grid, added up box by box, as whole level-0 pixels."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.hotspots.window import Window
from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap

Ints = NDArray[np.int64]
_ARGUMENTS = (
    "uint8* uint32* int64 int64 uint8* int64* int64 int64* int64 int64* int64 int64* int64* int64 int64* int64 int64* "
    "int64 int64*"
)
NATIVE = (Native("wsi_area.compute.hotspots.compiled_windows", "add_box", _ARGUMENTS),)


@frozen_value(eq=False)
class WindowSums:
    """What one box adds to the windows whose centres lie in a part of the grid."""

    row: int  # of the first centre, on the grid
    col: int
    px: Ints  # (2, rows, columns): level-0 px of tissue, and of what of it is positive


@frozen_value(eq=False)
class BoxSums:
    """What one box has: of the whole slide, and of each area's windows."""

    tissue_px: int  # level-0 px
    positive_px: int
    windows: tuple[WindowSums, ...]


def window_sums(
    class_map: ClassMap,
    tissue_l0_px: NDArray[np.uint32],
    positive_ids: Collection[int],
    box: Region,
    ys_px: Ints,
    xs_px: Ints,
    windows: Sequence[Window],
) -> BoxSums:
    """Return the sums of a box of work pixels, and its part of each window that reaches into it, by their shapes.

    Parameters
    ----------
    class_map : uint8 (h, w)
        Codes of the box.
    tissue_l0_px : uint32 (h, w)
        Level-0 pixels of tissue under each work pixel of the box.
    positive_ids : collection of int
        Class codes of what is positive.
    box : Region
        Where the box lies on the work grid.
    ys_px, xs_px : int64
        Centres of the grid, in work pixels.
    windows : sequence of Window
        One or more; the pixels of a row are added up once for all of them.
    """
    reached = [_reached(box, ys_px, xs_px, window) for window in windows]
    begins = np.cumsum([0, *((bottom - top) * (right - left) for top, bottom, left, right in reached)])
    rims = np.cumsum([0, *(window.rows_px for window in windows)])
    shapes = np.array(
        [
            (window.first_row_px, window.rows_px, rim, *centres, begin)
            for window, rim, centres, begin in zip(windows, rims[:-1], reached, begins[:-1], strict=True)
        ],
        np.int64,
    )
    sums, totals, is_positive = np.zeros((int(begins[-1]), 2), np.int64), np.zeros(2, np.int64), np.zeros(256, np.uint8)
    is_positive[list(positive_ids)] = 1
    codes, tissue = np.ascontiguousarray(class_map), np.ascontiguousarray(tissue_l0_px, np.uint32)
    ys, xs = ys_px - box.y_px, xs_px - box.x_px
    first = np.concatenate([window.first_px for window in windows], dtype=np.int64)
    stop = np.concatenate([window.stop_px for window in windows], dtype=np.int64)
    pad = max(int(window.stop_px.max() - window.first_px.min()) for window in windows)
    upto = np.empty((codes.shape[1] + 1 + 2 * pad, 2), np.int64)
    add_box = native_function(*NATIVE[0])
    add_box(
        address_of(codes), address_of(tissue), *codes.shape, address_of(is_positive), address_of(ys), len(ys),
        address_of(xs), len(xs), address_of(shapes), len(shapes), address_of(first), address_of(stop), len(first),
        address_of(upto), pad, address_of(sums), len(sums), address_of(totals),
    )  # fmt: skip
    parts = tuple(
        WindowSums(top, left, sums[begin:end].reshape(bottom - top, right - left, 2).transpose(2, 0, 1))
        for (top, bottom, left, right), begin, end in zip(reached, begins[:-1], begins[1:], strict=True)
    )
    return BoxSums(int(totals[0]), int(totals[1]), parts)


def _reached(box: Region, ys_px: Ints, xs_px: Ints, window: Window) -> tuple[int, int, int, int]:
    """Return the centres from which a window reaches into a box: from and to, down and across the grid."""
    last_row = window.first_row_px + window.rows_px - 1
    top, bottom = np.searchsorted(ys_px, (box.y_px - last_row, box.bottom_px - window.first_row_px))
    left, right = np.searchsorted(
        xs_px, (box.x_px - int(window.stop_px.max()) + 1, box.right_px - int(window.first_px.min()))
    )
    return int(top), int(bottom), int(left), int(right)
