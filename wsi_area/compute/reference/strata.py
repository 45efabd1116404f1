"""compute: the strata that reference points are drawn from: mapped classes, each away from and at its boundaries; pure.

A stratum has the number ``2 · class id + zone``, zone 1 being what lies near another class. Strata are defined on the
work grid, and sizes are level-0 pixels, so that no tile size changes them.
"""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.reference.share_limits import Ints
from wsi_area.model.pixels import ClassMap

NO_STRATUM = 0xFFFF
"""A pixel of no class: not scanned, outside the region of interest, unreadable."""

Strata = NDArray[np.uint16]


def strata_of(class_map: ClassMap, class_count: int, reach_px: int) -> Strata:
    """Return uint16 (h, w): the stratum of each pixel of a class map.

    Parameters
    ----------
    class_map : uint8 (h, w)
        Of a band of rows, with ``reach_px`` rows more on either side where there are any.
    class_count : int
        Codes from there on are no class, and make no boundary.
    reach_px : int
        A pixel is at a boundary if another class lies within so many pixels in x and y; 0: there is no such stratum.

    >>> strata_of(np.array([[0, 0, 0, 1, 1, 255]], np.uint8), 2, 1).tolist()
    [[0, 0, 1, 3, 2, 65535]]
    """
    is_class = class_map < class_count
    numbers = np.where(is_class, 2 * class_map.astype(np.uint16), NO_STRATUM).astype(np.uint16)
    if reach_px:
        # imported here: scipy.ndimage takes longer to load than most commands take
        from scipy.ndimage import maximum_filter, minimum_filter

        side = 2 * reach_px + 1
        highest = maximum_filter(np.where(is_class, class_map, 0), side, mode="nearest")
        lowest = minimum_filter(np.where(is_class, class_map, 255), side, mode="nearest")
        numbers += (is_class & (highest > lowest)).astype(np.uint16)
    return numbers


def row_sizes(strata: Strata, class_count: int, column_weights: Ints, row_weights: Ints) -> Ints:
    """Return int64 (h, 2 · class_count): the level-0 pixels of each stratum in each row; exact.

    Parameters
    ----------
    strata : uint16 (h, w)
    class_count : int
    column_weights, row_weights : int64 (w,), (h,)
        Level-0 pixels that a column and a row stands for.
    """
    height, count = strata.shape[0], 2 * class_count
    cells = strata.astype(np.int64)
    inside = cells < count
    cells += np.arange(height)[:, None] * count
    weights = np.broadcast_to(column_weights, strata.shape)[inside].astype(np.float64)  # exact: far below 2**53
    sums = np.bincount(cells[inside], weights, height * count).astype(np.int64)
    return np.asarray(sums.reshape(height, count) * row_weights[:, None])


def place_in_row(strata_row: Strata, stratum: int, rank: int, column_weights: Ints, row_weight: int) -> tuple[int, int]:
    """Return the column of a level-0 pixel and its number within the work pixel there.

    Parameters
    ----------
    strata_row : uint16 (w,)
    stratum : int
    rank : int
        The pixel's number among the level-0 pixels of that stratum in that row, work pixel by work pixel.
    column_weights : int64 (w,)
    row_weight : int
        Level-0 rows of this row.

    >>> place_in_row(np.array([0, 2, 0], np.uint16), 0, 5, np.array([2, 2, 2]), 2)
    (2, 1)
    """
    columns = np.flatnonzero(strata_row == stratum)
    ends = np.cumsum(column_weights[columns]) * row_weight
    found = int(np.searchsorted(ends, rank, side="right"))
    before = int(ends[found - 1]) if found else 0
    return int(columns[found]), rank - before
