"""compute: which spots are drawn apart: by what a coarse look shows of them and beside them, or by where they lie.

The coarse look errs at outlines far more often than inside. A spot that shows nothing, but lies beside one that shows
something, is of a kind of its own: what was missed lies there, and not far away.
"""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.estimate.frame import Ints

Shares = NDArray[np.float64]

KINDS = (
    "nothing, and one class all round",
    "nothing, and other classes meet",
    "nothing, beside some",
    "little, or nearly all",
    "some",
    "all, beside some that is not",
    "all, and all round",
    "bare glass on the overview",
)
"""What a coarse look shows of what is estimated, by the number of the group."""

BARE = 7
"""The group of spots that the overview shows as bare glass: measuring whole would not read most of them."""

_LITTLE = 0.09
"""p (1 - p) of a spot of which a tenth, or all but a tenth, is shown."""


def kinds_of(shares: Shares, wanted: NDArray[np.bool_]) -> Ints:
    """Return the kind of each spot of a grid, int64 (rows, cols): an index into `KINDS`.

    Parameters
    ----------
    shares : float64 (rows, cols, k)
        The share of each class in each spot, as a coarse look has it.
    wanted : bool (k,)
        The classes that the estimate is about.
    """
    p = np.clip(shares[..., wanted].sum(axis=-1), 0.0, 1.0)
    p[p > 1 - 1e-9] = 1.0
    most, least = _round(p, np.maximum), _round(p, np.minimum)
    alike = np.zeros(p.shape, np.bool_)
    for k in range(shares.shape[2]):
        alike |= _round(shares[..., k], np.minimum) > 1 - 1e-9
    some = np.where(p * (1 - p) < _LITTLE, 3, 4)
    nothing = np.where(most > 0, 2, np.where(alike, 0, 1))
    everything = np.where(least < 1, 5, 6)
    return np.asarray(np.where(p == 0, nothing, np.where(p == 1, everything, some)), np.int64)


def _round(values: Shares, worst: "np.ufunc") -> Shares:
    """Return the largest or least value of each spot and the eight round it."""
    padded = np.pad(values, 1, mode="edge")
    rows, cols = values.shape
    found = values
    for dy in range(3):
        for dx in range(3):
            found = worst(found, padded[dy : dy + rows, dx : dx + cols])
    return found


def cells_of(place: Ints, count: int) -> Ints:
    """Return the cell of each spot, int64 (n,): so many compact cells, as even as can be.

    Each is a stretch of the Hilbert curve through the spots. With half as many again, or twice as many, each cell is
    whole in one of the larger ones.

    Parameters
    ----------
    place : int64 (n, 2)
        Row and column of each spot.
    count : int
        A power of two, or three quarters of one.
    """
    whole = 1 << (count - 1).bit_length()
    ranks = np.empty(len(place), np.int64)
    ranks[np.argsort(hilbert_place(place), kind="stable")] = np.arange(len(place))
    cells = ranks * whole // max(1, len(place))
    if whole == count:
        return cells
    fine, rest = np.divmod(cells, 4)  # of each four cells the last two are still one
    return np.asarray(3 * fine + np.minimum(rest, 2), np.int64)


def hilbert_place(place: Ints) -> Ints:
    """Return the place of each spot, by row and column, on the Hilbert curve, int64 (n,) (Hilbert 1891)."""
    y, x = (place[:, k].astype(np.int64).copy() for k in (0, 1))
    side = 1 << int(max(place.max(initial=0), 1)).bit_length()
    found, half = np.zeros(len(place), np.int64), side // 2
    while half:
        right, down = (x & half) > 0, (y & half) > 0
        found += half * half * ((3 * right) ^ down)
        turned = right & ~down
        x, y = np.where(turned, side - 1 - x, x), np.where(turned, side - 1 - y, y)
        x, y = np.where(down, x, y), np.where(down, y, x)
        half //= 2
    return found
