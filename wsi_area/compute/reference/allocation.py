"""compute: how many reference points each stratum gets, and how many more would halve an interval; pure."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from wsi_area.compute.reference.share_limits import Ints

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


def more_to_halve(hits: Ints, drawn: Ints, sizes: Sequence[float], half_width: float, fixed: float) -> list[int] | None:
    """Return the points that each stratum needs besides, so that an interval becomes about half as wide.

    The best shares (Neyman 1934) for the spread that was seen, half a point added to either answer, as Jeffreys has it,
    since a stratum whose points all agree is not without spread.

    Parameters
    ----------
    hits, drawn : int64 (strata,)
        Points of the class, and all points.
    sizes : sequence of float
        Areas of the strata.
    half_width : float
        Of the interval now.
    fixed : float
        The part of it that points do not change: that of the pixel size.

    Returns
    -------
    list of int, or None
        None where the fixed part alone is half of it or more: no number of points halves it.
    """
    wanted = (half_width / 2) ** 2 - fixed**2
    if wanted <= 0:
        return None
    shares = (np.asarray(hits) + 0.5) / (np.asarray(drawn) + 1.0)
    spread = np.asarray(sizes) * np.sqrt(shares * (1 - shares)) * (np.asarray(sizes) > 0)
    best = 1.96**2 * spread * spread.sum() / wanted
    return [max(0, math.ceil(n - have)) for n, have in zip(best.tolist(), np.asarray(drawn).tolist(), strict=True)]
