"""compute: how many reference points each stratum gets, and how many more would halve an interval; pure."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from wsi_area.compute.reference.share_limits import Floats, Ints
from wsi_area.compute.reference.stratified_area import StratifiedArea, stratified_area, with_scale

MOST_POINTS = 10_000_000
"""What an interval that no fewer points halve is not halved by."""
FLOOR = 50
"""Points that each stratum gets where the number asked for allows it: fewer say little of a rare mistake."""


def allocated(sizes_px: Sequence[int], points: int, floor: int = FLOOR) -> tuple[int, ...]:
    """Return the number of points of each stratum: a floor in each, the rest by size, at most its pixels.

    Where the points asked for do not allow the floor, it is what they allow, at least 2: of one point nothing can be
    said of how much points differ. So there can be more points than were asked for.

    >>> allocated([900, 100, 0], 300)
    (230, 70, 0)
    >>> allocated([10**6, 10**5, 30, 10**5], 40)
    (10, 10, 10, 10)
    """
    filled = [n for n, size in enumerate(sizes_px) if size]
    if not filled:
        return (0,) * len(sizes_px)
    each = max(2, min(floor, points // len(filled)))
    counts = [min(each, size) for size in sizes_px]
    left, total = max(0, points - sum(counts)), sum(sizes_px)
    shares = [Fraction(left * size, total) for size in sizes_px]
    whole = [math.floor(share) for share in shares]
    largest_remainders = sorted(filled, key=lambda n: (whole[n] - shares[n], n))
    for n in largest_remainders[: left - sum(whole)]:
        whole[n] += 1
    return tuple(min(count + more, size) for count, more, size in zip(counts, whole, sizes_px, strict=True))


def more_to_halve(
    hits: Ints, open_points: Ints, drawn: Ints, sizes: Floats, mapped: Floats, relative_u_area: float
) -> list[int] | None:
    """Return the points that each stratum needs besides, so that an interval becomes about half as wide.

    The interval is made again as it would be with more points, shared out for the spread that was seen (Neyman 1934).
    Half a point is added to either answer, as Jeffreys has it, since a stratum whose points all agree is not without
    spread. What nobody can tell stays as frequent as it was.

    Parameters
    ----------
    hits, open_points : int64 (readers, strata)
        Points of the class, and those that a reader cannot tell.
    drawn : int64 (strata,)
        All points.
    sizes, mapped : float64 (strata,)
        Areas of the strata, and the share of each that the map gives the class.
    relative_u_area : float
        Standard uncertainty of an area over the area, from the pixel size.

    Returns
    -------
    list of int, or None
        None where no number of points halves it: the pixel size, or what nobody can tell, is half of it or more.
    """
    told = drawn - open_points
    shares, unsure = (hits + 0.5) / (told + 1.0), open_points / np.maximum(drawn, 1)
    spread = sizes * np.sqrt(shares * (1 - shares)).mean(axis=0)
    parts = spread / spread.sum() if spread.sum() > 0 else spread

    def half_width(counts: Ints) -> float:
        further = counts - drawn
        not_told = np.rint(further * unsure).astype(np.int64)
        expected = hits + np.rint((further - not_told) * shares).astype(np.int64)
        areas = stratified_area(expected, open_points + not_told, counts, sizes, mapped)
        mean = StratifiedArea(*(getattr(areas, name).mean() for name in ("area", "low_95", "high_95", "u_published")))
        shown = with_scale(mean, relative_u_area)
        return float(shown.high_95 - shown.low_95) / 2

    def counts_of(total: int) -> Ints:
        planned: Ints = np.maximum(drawn, np.ceil(total * parts).astype(np.int64))
        return planned

    wanted, low = half_width(drawn) / 2, int(drawn.sum())
    high = 4 * max(1, low)
    while wanted <= 0 or half_width(counts_of(high)) > wanted:
        if wanted <= 0 or high >= MOST_POINTS:
            return None
        low, high = high, min(MOST_POINTS, 8 * high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half_width(counts_of(middle)) <= wanted else (middle, high)
    return [int(n) for n in counts_of(high) - drawn]
