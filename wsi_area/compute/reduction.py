"""compute: box means of decoded pixels by a whole factor; compiled, plain loops, no temporaries."""

from typing import Any

import numpy as np
from numba import njit

from wsi_area.errors import PlanError
from wsi_area.model.pixels import MaskArray, RgbArray, TilePixels


def box_mean(rgb: RgbArray, valid: MaskArray | None, factor: int) -> TilePixels:
    """Return the pixels reduced by ``factor``: uint8 (ceil(h/f), ceil(w/f), 3) RGB and its validity.

    Each box is the mean of its valid pixels, rounded half up, and is valid if at least half of it is; 0
    where nothing is. The last row and column of boxes may be partial. It is the rule that
    ``wsi_area.segmenters.kernels`` applies on the fly, for segmenters that need the reduced pixels.

    Parameters
    ----------
    rgb
        uint8 (h, w, 3) RGB, any view; not changed.
    valid
        bool (h, w), or None where all of it is valid.
    factor
        Pixels per box each way.

    Raises
    ------
    PlanError
        If the factor is not a whole number of 1 or more.

    >>> rgb = np.array([[[10, 0, 0], [13, 0, 0], [7, 0, 0]]], np.uint8)
    >>> box_mean(rgb, None, 2).rgb[..., 0].tolist()
    [[12, 7]]
    """
    if factor < 1 or factor != int(factor):
        raise PlanError(f"reduce factor is {factor}; it must be a whole number of 1 or more")
    height, width = rgb.shape[:2]
    seen = np.ones((height, width), np.bool_) if valid is None else valid
    if factor == 1:
        return TilePixels(rgb, seen)
    shape = (-(-height // factor), -(-width // factor))
    means, means_valid = np.empty((*shape, 3), np.uint8), np.empty(shape, np.bool_)
    # one layout and one constness: compiled once, whatever view comes in
    pixels = np.ascontiguousarray(rgb).view()
    mask = np.ascontiguousarray(seen).view()
    pixels.setflags(write=False)
    mask.setflags(write=False)
    _fill(pixels, mask, int(factor), means, means_valid)
    return TilePixels(means, means_valid)


def _fill_in_python(rgb: Any, valid: Any, factor: int, means: Any, means_valid: Any) -> None:
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


try:
    _fill = njit(nogil=True, cache=True)(_fill_in_python)  # compiled on the first call, then read from disk
except RuntimeError:  # no place to cache: wsi_area.segmenters.compiled says so, and what to do
    _fill = njit(nogil=True)(_fill_in_python)
