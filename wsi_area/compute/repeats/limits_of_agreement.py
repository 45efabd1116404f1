"""compute: the bias between two occasions and the limits of agreement, with exact intervals; pure."""

import math

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.repeats.two_way import TAIL, Interval
from wsi_area.frozen_value import frozen_value

Z_95 = 1.959963984540054


@frozen_value(eq=False)
class Agreement:
    """How the second of two occasions differs from the first: 95 % of the subjects lie between the limits."""

    bias: Interval
    sd: NDArray[np.float64]  # of the differences
    lower: Interval
    upper: Interval


def limits_of_agreement(differences: NDArray[np.float64]) -> Agreement:
    """Return the bias of differences and their limits of agreement (Bland and Altman, Lancet 1, 1986).

    The interval of the bias is Student's. Those of the limits are exact for normal differences: they are quantiles of
    a normal distribution, whose bounds follow the noncentral t (Carkeet, Optometry and Vision Science 92, 2015).

    Parameters
    ----------
    differences : float64 (..., subjects)
    """
    from scipy.special import nctdtrit, stdtrit  # imported here: it takes longer to load than most commands take

    n = differences.shape[-1]
    mean, sd = differences.mean(axis=-1), differences.std(axis=-1, ddof=1)
    error = sd / math.sqrt(n)
    near, far = (float(nctdtrit(n - 1, Z_95 * math.sqrt(n), p)) for p in (TAIL, 1 - TAIL))
    half = float(stdtrit(n - 1, 1 - TAIL)) * error
    return Agreement(
        Interval(mean, mean - half, mean + half),
        sd,
        Interval(mean - Z_95 * sd, mean - far * error, mean - near * error),
        Interval(mean + Z_95 * sd, mean + near * error, mean + far * error),
    )
