"""compute: what is read off sorted values: percentiles, the median, how often each value occurs.

numpy has all three, and loads its masked arrays for the first call of any: 7 ms of CPU, a fiftieth of a small slide.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def percentiles(values: NDArray[np.floating], wanted: Sequence[float]) -> NDArray[np.float64]:
    """Return percentiles, between two values where they lie on a line between them, as `numpy.percentile` does.

    Parameters
    ----------
    values : float (n,)
        At least one; none is NaN.
    wanted : sequence of float
        0 to 100.

    >>> percentiles(np.array([4.0, 1.0, 2.0]), (0, 25, 100)).tolist()
    [1.0, 1.5, 4.0]
    """
    last = len(values) - 1
    places = [share / 100 * last for share in wanted]
    lower = [min(int(place), last) for place in places]
    upper = [min(one + 1, last) for one in lower]
    ordered = np.partition(values, sorted({*lower, *upper}))
    return np.array(
        [_between(float(ordered[a]), float(ordered[b]), p - a) for p, a, b in zip(places, lower, upper, strict=True)]
    )


def _between(low: float, high: float, share: float) -> float:
    """Return the value on the way from one to the other, reckoned from the nearer end."""
    return low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)


def median(values: NDArray[np.floating]) -> float:
    """Return the value in the middle, or the mean of the two in the middle; of at least one, none of which is NaN.

    >>> median(np.array([4.0, 1.0, 2.0, 3.0]))
    2.5
    """
    lower, upper = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, [lower, upper])
    return (float(ordered[lower]) + float(ordered[upper])) / 2


def distinct(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct values of (n,) in ascending order, and how often each occurs.

    >>> [found.tolist() for found in distinct(np.array([7, 2, 7]))]
    [[2, 7], [1, 2]]
    """
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    return ordered[starts], np.diff(starts, append=len(ordered))
