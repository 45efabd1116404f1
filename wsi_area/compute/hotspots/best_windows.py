"""compute: the windows that have most, none over another, out of every one of a grid."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bands.band_rule import whole_lengths
from wsi_area.compute.hotspots.window import Window, radius_um
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp

Ints = NDArray[np.int64]


@frozen_value
class FoundWindow:
    """One window of the grid."""

    x_px: int  # its centre, work px
    y_px: int
    tissue_px: int  # level-0 px
    positive_px: int


def best_windows(
    sums: Ints, ys_px: Ints, xs_px: Ints, window: Window, work_mpp: Mpp, least_tissue_px: float, most: int
) -> tuple[FoundWindow, ...]:
    """Return the windows with the most positive pixels, the best first; of equal ones the upper, then the left one.

    Each is the best of all that lie clear of those before it.

    Parameters
    ----------
    sums : int64 (2, rows, columns)
        Level-0 pixels of tissue and of what of it is positive, of every window of the grid.
    ys_px, xs_px : int64 (rows,), (columns,)
        Centres, in work pixels.
    window, work_mpp
        Their shape, and µm per work pixel.
    least_tissue_px : float
        A window with less tissue is none.
    most : int
        How many.
    """
    positive = np.where(sums[0] >= max(1.0, least_tissue_px), sums[1], -1)
    found: list[FoundWindow] = []
    while len(found) < most and positive.size:
        row, col = np.unravel_index(int(positive.argmax()), positive.shape)
        if positive[row, col] <= 0:
            break
        y, x = int(ys_px[row]), int(xs_px[col])
        found.append(FoundWindow(x, y, int(sums[0, row, col]), int(sums[1, row, col])))
        positive[_over(ys_px - y, xs_px - x, window, work_mpp)] = -1
    return tuple(found)


def _over(dy_px: Ints, dx_px: Ints, window: Window, work_mpp: Mpp) -> NDArray[np.bool_]:
    """Return the windows that share a pixel with one, bool (rows, columns), by their offsets from it."""
    if window.shape == "square":
        height, width = window.rows_px, int((window.stop_px - window.first_px).max())
        return np.logical_and.outer(np.abs(dy_px) < height, np.abs(dx_px) < width)
    reach, x, y = whole_lengths(2 * radius_um(window.area_mm2), work_mpp.x, work_mpp.y)
    # as floating point numbers: the product of 12 digits with itself is longer than 64 bits, and a tie is no matter
    squares = (dy_px[:, None] * float(y)) ** 2 + (dx_px * float(x)) ** 2
    return np.asarray(squares <= float(reach) ** 2 * (1 + 1e-9))
