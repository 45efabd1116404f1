"""compute: how many spots are drawn at first, and how many more where the interval is still too wide."""

from collections.abc import Callable

import numpy as np

from wsi_area.compute.cut.skipping import AUDIT_MIN_TILES
from wsi_area.compute.estimate.estimator import Totals
from wsi_area.compute.estimate.frame import Floats, Ints, SpotFrame
from wsi_area.compute.estimate.strata import BARE, cells_of
from wsi_area.frozen_value import frozen_value

LEAST_OF_KIND = 40
"""Spots drawn at least of each kind: with fewer the scatter within it is not known."""
DRAWN_WHOLE = 2 * LEAST_OF_KIND
"""Spots of a kind up to which all of it is drawn: the few that are unlike the others decide there."""
BARE_DRAWN = AUDIT_MIN_TILES
BARE_SHARE = 0.25
"""Of the number of cells: spots of bare glass that are drawn beside them."""
FIRST_CELLS = 96
LEAST_GROWTH, MOST_GROWTH = 1.2, 1.6
_LEAST_TRIED = 1.005
_BEYOND = 1.05
"""Somewhat more than it would take, so that it takes few rounds."""


@frozen_value(eq=False)
class Sample:
    """Spots that are drawn: so many of each stratum."""

    frame: SpotFrame
    counts: Ints  # (strata,)
    cells: int | None  # of the design without a coarse look

    @property
    def drawn(self) -> Ints:
        """Return the spots of the frame that are drawn, int64 (m,)."""
        return self.frame.drawn(self.counts)

    @property
    def is_all(self) -> bool:
        """Return True if every spot is drawn."""
        return int(self.counts.sum()) >= len(self.frame)


def first_sample(frame: SpotFrame, *, has_look: bool) -> Sample:
    """Return the spots that are drawn at first.

    Parameters
    ----------
    frame : SpotFrame
    has_look : bool
        Whether a coarse look says of each spot what kind it is; else two are drawn in each of some cells.
    """
    if has_look:
        return Sample(frame, first_counts(frame), None)
    return in_cells(frame, FIRST_CELLS)


def in_cells(frame: SpotFrame, cells: int) -> Sample:
    """Return two spots in each of so many compact cells, and some of the bare glass, which is a stratum of its own."""
    bare = frame.group == BARE
    stratum = np.full(len(frame), cells, np.int64)
    stratum[~bare] = cells_of(frame.place[~bare], cells)
    found = frame.in_strata(stratum)
    counts = np.minimum(found.sizes, 2)
    if bare.any():
        counts[cells] = min(int(bare.sum()), max(BARE_DRAWN, round(BARE_SHARE * cells)))
    return Sample(found, counts, cells)


def is_exact(totals: Totals, aim: int, half_width_pct: float | None) -> bool:
    """Return True if the interval of a quantity, by its index, is as narrow as was asked; False where nothing was."""
    if half_width_pct is None:
        return False
    return bool(totals.half_width_px[aim] <= half_width_pct / 100 * totals.estimate_px[aim])


def next_sample(
    sample: Sample, totals: Totals, aim: int, half_width_pct: float | None, is_allowed: Callable[[Sample], bool]
) -> Sample | None:
    """Return the larger sample of the next round; None where no larger one is allowed.

    Parameters
    ----------
    sample, totals
        What was drawn, and what it came to.
    aim : int
        Which quantity has to be exact, by its index.
    half_width_pct : float or None
        How exact, in percent of it; None where all that is allowed is to be drawn.
    is_allowed
        Whether a sample may be drawn.
    """
    if sample.cells is not None:
        finer = in_cells(sample.frame, more_cells(sample.cells))
        return finer if is_allowed(finer) else None
    growth = MOST_GROWTH
    if half_width_pct is not None:
        wanted_px = half_width_pct / 100 * float(totals.estimate_px[aim])
        growth = growth_of(float(totals.half_width_px[aim]), wanted_px)
    while growth > _LEAST_TRIED:
        more = more_counts(sample.frame, sample.counts, totals.spread_px[:, aim], growth)
        larger = Sample(sample.frame, more, None)
        if is_allowed(larger):
            return larger
        growth = 1 + (growth - 1) / 2
    return None


def first_counts(frame: SpotFrame) -> Ints:
    """Return the number of spots of each stratum that are drawn at first, int64 (strata,)."""
    counts = np.where(frame.sizes <= DRAWN_WHOLE, frame.sizes, LEAST_OF_KIND)
    counts[BARE:] = np.minimum(frame.sizes[BARE:], BARE_DRAWN)
    return np.asarray(counts)


def growth_of(half_width_px: float, wanted_px: float) -> float:
    """Return by which factor the sample should grow, from how far its interval is from the one that is wanted.

    >>> growth_of(3.0, 1.0), growth_of(1.01, 1.0)
    (1.6, 1.2)
    """
    if wanted_px <= 0:
        return MOST_GROWTH
    return float(np.clip(_BEYOND * (half_width_px / wanted_px) ** 2, LEAST_GROWTH, MOST_GROWTH))


def more_counts(frame: SpotFrame, counts: Ints, spread_px: Floats, growth: float) -> Ints:
    """Return the number of spots of each stratum drawn next, int64 (strata,): the more, the less is foreseen there.

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


def more_cells(count: int) -> int:
    """Return the next larger number of cells: half as many again, then twice as many.

    >>> more_cells(64), more_cells(96)
    (96, 128)
    """
    return count * 3 // 2 if count & (count - 1) == 0 else count * 4 // 3
