"""compute: the limits of a share of which so many were seen among so many; pure."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TAIL = 0.025
"""Chance that a limit leaves outside, at either end."""


def share_limits(hits: Ints, trials: Ints) -> tuple[Floats, Floats]:
    """Return the lower and the upper 95 % limit of shares, float64, of the shape that both arrays make together.

    Clopper and Pearson (Biometrika 26, 1934): exact, so that they cover at least 95 % for every share and every number
    of trials; of no trial nothing is known, and the limits are 0 and 1. Normal limits are ± 0 where all trials agree.

    Parameters
    ----------
    hits, trials : int64
        Seen, and looked at; ``0 <= hits <= trials``.

    >>> low, high = share_limits(np.array([0, 1, 50]), np.array(50))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.0005, 0.9289], [0.0711, 0.1065, 1.0])
    >>> [limit.tolist() for limit in share_limits(np.array(0), np.array(0))]
    [0.0, 1.0]
    """
    # imported here: scipy.special takes longer to load than most commands take
    from scipy.special import betaincinv

    seen, looked_at = np.broadcast_arrays(np.asarray(hits, np.int64), np.asarray(trials, np.int64))
    # a few pairs stand for thousands of draws
    pairs, place = np.unique(np.stack([seen.ravel(), looked_at.ravel()]), axis=1, return_inverse=True)
    k, n = pairs[0].astype(np.float64), pairs[1].astype(np.float64)
    low, high = np.zeros(len(k)), np.ones(len(k))
    some, rest = k > 0, k < n
    low[some] = betaincinv(k[some], (n - k + 1)[some], TAIL)
    high[rest] = betaincinv((k + 1)[rest], (n - k)[rest], 1 - TAIL)
    back = place.reshape(seen.shape)
    return low[back], high[back]
