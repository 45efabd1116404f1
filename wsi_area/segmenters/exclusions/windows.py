"""segmenters: sums over windows in whole numbers, the same whatever tile a pixel was cut out with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SettingsError

UInt = NDArray[np.unsignedinteger]


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
    sums: UInt = np.asarray(values).astype(dtype)
    if radius == 0:
        return sums
    for axis in (0, 1):
        running: UInt = np.zeros((sums.shape[0] + 1, sums.shape[1]), dtype)
        np.cumsum(sums, axis=0, dtype=dtype, out=running[1:])
        at = np.arange(sums.shape[0])
        sums = running[np.minimum(at + radius + 1, len(at))] - running[np.maximum(at - radius, 0)]
        sums = sums.T if axis == 0 else np.ascontiguousarray(sums.T)
    return sums
