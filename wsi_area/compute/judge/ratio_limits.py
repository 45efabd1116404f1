"""compute: the limits of a ratio that few and unequal slides or patients say; pure."""

import math

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

SHARE_WIDENING = 1.2
"""A share has a long tail where one patient of few is unlike the others: without this, Dice of 10 real patients held
the true one in 92 % of samples, with it in 95 % (``benchmarks/coverage/group_ratios.py``)."""


def ratio_limits(part: Ints, whole: Ints, *, is_share: bool) -> tuple[float, float] | None:
    """Return the 95 % limits of ``Σ part / Σ whole`` over units that were drawn independently.

    Each unit is left out in turn (jackknife; Efron 1982), on the scale of the logarithm, or of the logit for a share.
    Student's t has one degree less than the effective number of units, ``(Σ whole)² / Σ whole²`` (Kish 1965): one
    large patient among small ones says little more than one.

    Parameters
    ----------
    part, whole : int64 (units,)
    is_share : bool
        Whether the ratio lies between 0 and 1.

    Returns
    -------
    (low, high), or None
        None where a ratio without one of the units is 0, infinite, or a whole share: that scale has no such value.

    >>> ratio_limits(np.array([5, 5, 5]), np.array([10, 10, 10]), is_share=True)
    (0.5, 0.5)
    >>> [round(limit, 3) for limit in ratio_limits(np.array([9, 10, 12]), np.array([10, 10, 10]), is_share=False)]
    [0.712, 1.499]
    """
    # imported here: scipy.special takes longer to load than most commands take
    from scipy.special import stdtrit

    count = len(part)
    parts, wholes = int(part.sum()) - part, int(whole.sum()) - whole
    if count < 2 or (wholes <= 0).any() or (parts <= 0).any() or (is_share and (parts >= wholes).any()):
        return None
    all_parts, all_wholes = int(part.sum()), int(whole.sum())
    without = np.log(parts / ((wholes - parts) if is_share else wholes))
    centre = math.log(all_parts / ((all_wholes - all_parts) if is_share else all_wholes))
    u = math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    effective = all_wholes**2 / sum(int(n) ** 2 for n in whole)
    half = (SHARE_WIDENING if is_share else 1.0) * float(stdtrit(max(1.0, effective - 1), 0.975)) * u
    ends = [math.exp(min(centre + side, 700.0)) for side in (-half, half)]
    low, high = (end / (1 + end) if is_share else end for end in ends)
    return low, high
