"""compute: how many spots are drawn at first, and how many more where the interval is still too wide."""

import numpy as np

from wsi_area.compute.estimate.frame import Floats, Ints, SpotFrame
from wsi_area.compute.estimate.strata import cells_of

LEAST_OF_KIND = 30
"""Spots drawn at least of each kind: with fewer the scatter within it is not known."""
FIRST_CELLS = 64
LEAST_GROWTH, MOST_GROWTH = 1.2, 1.6
_BEYOND = 1.05
"""Somewhat more than it would take, so that it takes few rounds."""


def first_counts(frame: SpotFrame) -> Ints:
    """Return how many spots of each stratum are drawn at first, int64 (strata,)."""
    return np.minimum(frame.sizes, LEAST_OF_KIND)


def growth_of(half_width_px: float, wanted_px: float) -> float:
    """Return by which factor the sample should grow, from how far its interval is from the one that is wanted.

    >>> growth_of(3.0, 1.0), growth_of(1.01, 1.0)
    (1.6, 1.2)
    """
    if wanted_px <= 0:
        return MOST_GROWTH
    return float(np.clip(_BEYOND * (half_width_px / wanted_px) ** 2, LEAST_GROWTH, MOST_GROWTH))


def more_counts(frame: SpotFrame, counts: Ints, spread_px: Floats, growth: float) -> Ints:
    """Return how many spots of each stratum are drawn next, int64 (strata,): the more, the less is foreseen there.

    Parameters
    ----------
    frame : SpotFrame
    counts : int64 (strata,)
        How many are drawn already; no stratum gets fewer.
    spread_px : float64 (strata,)
        The sd of a spot about what is foreseen (Neyman 1934).
    growth : float
        Of the number of all, about.
    """
    sizes = frame.sizes
    wanted = sizes * np.maximum(spread_px, 1e-9)
    total = growth * counts.sum()
    more = np.minimum(sizes, np.maximum(counts, np.ceil(wanted / wanted.sum() * total).astype(np.int64)))
    if more.sum() > counts.sum():
        return np.asarray(more)
    return np.asarray(np.minimum(sizes, np.ceil(counts * growth).astype(np.int64)))


def more_cells(frame: SpotFrame, count: int) -> tuple[SpotFrame, int]:
    """Return the spots in the next larger number of cells, and that number: half as many again, then twice as many."""
    larger = count * 3 // 2 if count & (count - 1) == 0 else count * 4 // 3
    return frame.in_strata(cells_of(frame.place, larger)), larger
