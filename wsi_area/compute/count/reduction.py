"""compute: box means of decoded pixels by a whole factor; compiled, plain loops, no temporaries."""

from dataclasses import replace

import numpy as np

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.errors import PlanError
from wsi_area.model.pixels import DeepArray, MaskArray, RgbArray, TilePixels

_ARGUMENTS = "uint8* uint8* int64 int64 int64 uint8* uint8* int64 int64"
NATIVE = (Native("wsi_area.compute.count.compiled_means", "fill_means", _ARGUMENTS),)


def box_mean(rgb: RgbArray, valid: MaskArray | None, factor: int) -> TilePixels:
    """Return the pixels reduced by ``factor``: uint8 (ceil(h/f), ceil(w/f), 3) RGB and its validity.

    Each box is the mean of its valid pixels, rounded half up, and is valid if at least half of it is; 0
    where nothing is. The last row and column of boxes may be partial. It is the rule that
    ``wsi_area.segmenters.colour.kernels`` applies on the fly, for segmenters that need the reduced pixels.

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
    if means_valid.size:
        fill = native_function(*NATIVE[0])
        pixels, mask = np.ascontiguousarray(rgb), np.ascontiguousarray(seen)
        fill(
            address_of(pixels), address_of(mask), height, width, int(factor),
            address_of(means), address_of(means_valid), *shape,
        )  # fmt: skip
    return TilePixels(means, means_valid)


def reduced(pixels: TilePixels, factor: int) -> TilePixels:
    """Return the pixels reduced by ``factor`` as `box_mean` does, the stored samples of a deep channel with them."""
    means = box_mean(pixels.rgb, pixels.valid, factor)
    return means if pixels.deep is None else replace(means, deep=_deep_mean(pixels.deep, pixels.valid, factor))


def _deep_mean(deep: DeepArray, valid: MaskArray, factor: int) -> DeepArray:
    """Return the mean of the valid samples of each box, uint16 (ceil(h/f), ceil(w/f)), rounded half up; 0 of none."""
    height, width = deep.shape
    down, across = -(-height // factor), -(-width // factor)
    room = ((0, down * factor - height), (0, across * factor - width))
    boxes = (down, factor, across, factor)
    sums = np.pad(np.where(valid, deep, np.uint16(0)), room).reshape(boxes).sum(axis=(1, 3), dtype=np.int64)
    n_px = np.pad(valid, room).reshape(boxes).sum(axis=(1, 3), dtype=np.int64)
    means: DeepArray = ((2 * sums + n_px) // np.maximum(2 * n_px, 1)).astype(np.uint16)
    return means
