"""compute: totals over all spots from those that were drawn, by regression on what was known, and their intervals.

The total is the regression estimator (Särndal, Swensson and Wretman 1992, ch. 6): each spot drawn has a weight, the
same for every class, under which what was known of the drawn spots adds up to what is known of all. Where nothing was
known it is the expansion by the area.

The interval holds more than the scatter of what was drawn. In each group of strata one spot more is taken to have been
drawn, as far from what was foreseen as the worst that was. With few spots that widens it much, with many not at all. So
is a stratum in which every drawn spot was as foreseen not taken for one without error. The end of the interval is that
of the sum of such groups, with its skewness (Cornish and Fisher 1938).
"""

import numpy as np

from wsi_area.compute.estimate.frame import Floats, Ints, SpotFrame
from wsi_area.compute.estimate.strata import BARE, KINDS
from wsi_area.frozen_value import frozen_value

Z95 = 1.959963984540054
LEAST_MISS = 0.03
"""Share of a spot by which what is foreseen is taken to fail somewhere, even if no spot that was drawn shows it."""

WIDER_IN_CELLS = 1.1
"""Times as far the interval reaches where two spots were drawn in each of many cells, which tell the scatter poorly."""

_MOST_LEVERAGE = 0.9


@frozen_value(eq=False)
class Totals:
    """Totals over all spots, one for each quantity, in level-0 pixels."""

    estimate_px: Floats  # (q,)
    low_px: Floats  # (q,): ends of the 95 % interval
    high_px: Floats
    spread_px: Floats  # (strata, q): sd of a spot about what is foreseen, that of the worst among them

    @property
    def half_width_px(self) -> Floats:
        """Return half the width of each interval, float64 (q,)."""
        return (self.high_px - self.low_px) / 2


def weights_of(frame: SpotFrame, drawn: Ints) -> Floats:
    """Return the weight of each spot drawn, float64 (m,).

    Parameters
    ----------
    frame : SpotFrame
    drawn : int64 (m,)
        Which spots of it.
    """
    return _Fit.of(frame, drawn).weights


def totals_of(frame: SpotFrame, drawn: Ints, counted_px: Floats) -> Totals:
    """Return the totals of some quantities over all spots of a frame, with their 95 % intervals.

    Parameters
    ----------
    frame : SpotFrame
    drawn : int64 (m,)
        Which spots were drawn.
    counted_px : float64 (m, q)
        What was counted in each of them, level-0 px.
    """
    fit = _Fit.of(frame, drawn)
    estimate = fit.weights @ counted_px
    slopes = fit.inverse @ ((frame.known_px[drawn] * fit.expansion[:, None]).T @ counted_px)
    foreseen = frame.known_px[drawn] @ slopes
    missed = (counted_px - foreseen) / (1 - fit.leverage)[:, None]
    groups = [_Group.of(frame, drawn, group, missed, foreseen) for group in np.unique(frame.group[drawn]).tolist()]
    open_groups = [group for group in groups if group is not None]
    wider = WIDER_IN_CELLS if len(frame.sizes) > len(KINDS) else 1.0
    above, below = (wider * _reach(open_groups, sign, counted_px.shape[1]) for sign in (1, -1))
    seen, whole = counted_px.sum(axis=0), frame.whole_px
    beside = whole - float(frame.area_px[drawn].sum()) + seen  # were all that was not drawn of this class
    spread = np.zeros((len(frame.sizes), counted_px.shape[1]))
    for group in open_groups:
        spread[frame.group_of_stratum == group.number] = group.spread_px
    return Totals(estimate, np.clip(estimate - below, seen, beside), np.clip(estimate + above, seen, beside), spread)


@frozen_value(eq=False)
class _Fit:
    """The regression on what was known: the weights that come of it."""

    expansion: Floats  # (m,): spots of the stratum for each drawn
    inverse: Floats  # (k, k)
    weights: Floats  # (m,)
    leverage: Floats  # (m,): how far a spot draws the regression to itself

    @classmethod
    def of(cls, frame: SpotFrame, drawn: Ints) -> "_Fit":
        sizes = frame.sizes
        counts = np.bincount(frame.stratum[drawn], minlength=len(sizes))
        expansion = (sizes / np.maximum(counts, 1))[frame.stratum[drawn]]
        known = frame.known_px[drawn]
        moments = (known * expansion[:, None]).T @ known
        # what nobody saw, or is the same in every spot, has no slope of its own
        inverse = np.asarray(np.linalg.pinv(moments, rcond=1e-10, hermitian=True), np.float64)
        lacking = frame.known_total_px - expansion @ known
        weights = expansion * (1 + known @ inverse @ lacking)
        leverage = expansion * ((known @ inverse) * known).sum(axis=1)
        return cls(expansion, inverse, weights, np.minimum(leverage, _MOST_LEVERAGE))


@frozen_value(eq=False)
class _Group:
    """Strata of one kind of which not every spot was drawn: how far what is foreseen fails there."""

    number: int
    spots: int
    drawn: int
    missed_px: Floats  # (m, q)
    variance_px2: Floats  # (q,): of the total, from the scatter within the strata
    of_freedom_px4: Floats  # (q,): the squares of what each stratum adds to it, each over its degrees of freedom
    worst_px: Floats  # (2, q): the most that a spot more could have, above and below what is foreseen

    @classmethod
    def of(cls, frame: SpotFrame, drawn: Ints, group: int, missed: Floats, foreseen: Floats) -> "_Group | None":
        sizes, own = frame.sizes, frame.group[drawn] == group
        strata = np.flatnonzero(frame.group_of_stratum == group)
        counts = np.bincount(frame.stratum[drawn][own], minlength=len(sizes))
        n_spots, n_drawn = int(sizes[strata].sum()), int(counts[strata].sum())
        if n_drawn >= n_spots:
            return None
        rest = missed[own]
        means = _by_stratum(frame.stratum[drawn][own], rest, len(sizes)) / np.maximum(counts, 1)[:, None]
        squares = _by_stratum(frame.stratum[drawn][own], (rest - means[frame.stratum[drawn][own]]) ** 2, len(sizes))
        told = (counts > 1) & (counts < sizes)
        n, size = counts[told], sizes[told]
        variances = (size**2 * (1 - n / size) / (n - 1) / n)[:, None] * squares[told]
        of_freedom = (1 / (n - 1)) @ variances**2
        area = frame.area_px[drawn][own][:, None]
        least = frame.bare_miss if group == BARE else LEAST_MISS
        seen = np.maximum(np.abs(rest).max(axis=0), least * float(area.max()))
        room = np.stack([(area - foreseen[own]).max(axis=0), foreseen[own].max(axis=0)])
        worst = np.maximum(np.minimum(seen, np.maximum(room, 0.0)), np.stack([rest.max(axis=0), (-rest).max(axis=0)]))
        return cls(group, n_spots, n_drawn, rest, variances.sum(axis=0), of_freedom, worst)

    @property
    def open_share(self) -> float:
        """Return the share of its spots that were not drawn."""
        return 1 - self.drawn / self.spots

    @property
    def spread_px(self) -> Floats:
        """Return the sd of its spots about what is foreseen, the worst among them, float64 (q,)."""
        ends = [np.vstack([sign * self.missed_px, self.worst_px[side]]) for side, sign in ((0, 1), (1, -1))]
        return np.asarray(np.maximum(*(end.std(axis=0, ddof=1) for end in ends)))

    def cumulants(self, side: int) -> tuple[Floats, Floats, Floats]:
        """Return mean, variance and third cumulant of how far its total may lie on one side, float64 (q,) each."""
        sign = 1 - 2 * side
        n, spots, share = self.drawn, self.spots, self.open_share
        missed = sign * self.missed_px
        beyond = self.worst_px[side] - missed.mean(axis=0)
        mean = spots * np.sqrt(share) * beyond / (n + 1)
        variance = self.variance_px2 * (n - 1) / (n + 1) + spots**2 * share * (beyond / (n + 1)) ** 2
        whole = np.vstack([missed, self.worst_px[side]])
        centred = whole - whole.mean(axis=0)
        third = 2 * spots**3 * share**1.5 * (centred**3).sum(axis=0) / ((n + 1) * (n + 2) * (n + 3))
        alone = spots**2 * share * (centred**2).sum(axis=0) / (n * (n + 1))  # were its strata one
        return mean, variance, third * np.minimum(1.0, variance / np.maximum(alone, 1e-60)) ** 1.5


def _reach(groups: list[_Group], sign: int, quantities: int) -> Floats:
    """Return the reach of the interval on one side, float64 (q,)."""
    mean, variance, third = (np.zeros(quantities) for _ in range(3))
    for group in groups:
        of_group = group.cumulants(0 if sign > 0 else 1)
        mean, variance, third = mean + of_group[0], variance + of_group[1], third + of_group[2]
    skewness = np.maximum(third / np.maximum(variance, 1e-60) ** 1.5, 0.0)
    scatter = sum((group.variance_px2 for group in groups), np.zeros(quantities))
    of_freedom = sum((group.of_freedom_px4 for group in groups), np.zeros(quantities))
    freedom = np.maximum(5.0, scatter**2 / np.maximum(of_freedom, 1e-60))  # Satterthwaite 1946
    student = Z95 * (1 + (Z95**2 + 1) / (4 * freedom))
    return np.asarray(mean + np.sqrt(variance) * (student + (Z95**2 - 1) / 6 * skewness))


def _by_stratum(stratum: Ints, values: Floats, count: int) -> Floats:
    found = np.zeros((count, values.shape[1]))
    np.add.at(found, stratum, values)
    return found
