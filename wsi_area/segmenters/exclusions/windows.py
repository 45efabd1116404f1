"""segmenters: sums over windows in whole numbers, the same whatever tile a pixel was cut out with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.errors import SettingsError

UInt = NDArray[np.unsignedinteger]

_ARGUMENTS = {
    "sum_bytes": "uint8* int64 int64 int64 uint32* uint32*",
    "sum_wide": "uint64* int64 int64 int64 uint64* uint64*",
}


def radius_px(scale_um: float, px_um: float) -> int:
    """Return how many whole pixels lie within a distance.

    >>> radius_px(25.0, 0.499)
    50
    """
    return int(scale_um / px_um)


def window_sum(values: NDArray[Any], radius: int, largest: int = 1) -> UInt:
    """Return the sum of each pixel's square window, cut at the rim of the picture; exact, of unsigned integers.

    Running sums wrap around, differences of them wrap back: only the sum of one window has to fit into the type,
    so none is rounded and none depends on where the picture begins.

    Parameters
    ----------
    values : (h, w) bool or integer, 0 or more
    radius
        The window is ``2 * radius + 1`` pixels a side.
    largest
        No value is larger.

    >>> window_sum(np.array([[1, 2, 3, 4]]), 1, largest=4).tolist()
    [[3, 6, 9, 7]]
    """
    bound = (2 * radius + 1) ** 2 * largest
    if bound >= 1 << 64:
        raise SettingsError(f"a window of {2 * radius + 1} px a side is too large to be summed; make it smaller")
    dtype = np.uint32 if bound < 1 << 32 else np.uint64
    given = np.asarray(values)
    if radius == 0 or not given.size:
        return given.astype(dtype)
    is_of_bytes = given.dtype.itemsize == 1 and dtype is np.uint32
    name, inner = ("sum_bytes", np.uint32) if is_of_bytes else ("sum_wide", np.uint64)
    add_up = native_function("wsi_area.segmenters.exclusions.compiled_windows", name, _ARGUMENTS[name])
    pixels = np.ascontiguousarray(given.view(np.uint8) if is_of_bytes else given.astype(np.uint64))
    column, sums = np.zeros(pixels.shape[1], inner), np.empty(pixels.shape, inner)
    add_up(address_of(pixels), *pixels.shape, radius, address_of(column), address_of(sums))
    return sums.astype(dtype, copy=False)
