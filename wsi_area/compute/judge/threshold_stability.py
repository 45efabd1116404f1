"""compute: what the tissue area would be with another threshold, and whether that is worth a look."""

import math

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.finding import QaFinding
from wsi_area.model.threshold import SHIFTS

UNSTABLE_LIMIT = 0.05
"""Relative change of the tissue area for a threshold moved by 5 %: beyond it, the threshold makes the number."""


def shares_by_shift(counted_px: NDArray[np.int64], of_tiles: int) -> dict[str, tuple[float, float]] | None:
    """Return the tissue at each threshold as a share of that at the one used, with its standard uncertainty.

    The share is a ratio of sums over tiles, and its uncertainty that of a ratio estimator, with the correction for a
    sample that is a large part of all; 0 where every tile was counted.

    Parameters
    ----------
    counted_px
        int64 (tiles, 3): level-0 px of tissue at the thresholds, in the order of `SHIFTS`, of each tile in the sample.
    of_tiles
        Tiles that were read.

    >>> shares_by_shift(np.array([[110, 100, 80], [60, 50, 40]]), 2)
    {'-5%': (1.1333333333333333, 0.0), 'used': (1.0, 0.0), '+5%': (0.8, 0.0)}
    >>> shares_by_shift(np.array([[5, 0, 0]]), 2) is None
    True
    """
    n, used_px = len(counted_px), int(counted_px[:, 1].sum())
    if not used_px:
        return None
    shares = {}
    for column, shift in enumerate(SHIFTS):
        share = int(counted_px[:, column].sum()) / used_px
        residuals = counted_px[:, column] - share * counted_px[:, 1]
        of_sample = 1 - n / of_tiles
        u = 0.0 if n < 2 else math.sqrt(of_sample * n / (n - 1) * float(np.sum(residuals**2))) / used_px
        shares[shift] = share, math.nan if n < 2 and of_sample else u
    return shares


def relative_change(share_by_shift: dict[str, float | None]) -> float | None:
    """Return the largest relative change of the tissue over the shifts, or None if there is nothing to compare.

    >>> round(relative_change({"-5%": 1.1, "used": 1.0, "+5%": 0.95}), 9)
    0.1
    """
    known = [abs(share - 1) for share in share_by_shift.values() if share is not None]
    return max(known, default=None)


def threshold_findings(
    slide_id: str,
    share_by_shift: dict[str, float | None],
    tissue_area_mm2: float | None,
    limit: float = UNSTABLE_LIMIT,
) -> tuple[QaFinding, ...]:
    """Return ``THRESHOLD_UNSTABLE`` with its numbers if the tissue area hangs on the threshold, else nothing.

    >>> threshold_findings("a", {"-5%": 1.1, "used": 1.0, "+5%": 0.95}, 10.0)[0].code
    'THRESHOLD_UNSTABLE'
    >>> threshold_findings("a", {"-5%": 1.01, "used": 1.0, "+5%": 0.995}, 10.0)
    ()
    """
    change = relative_change(share_by_shift)
    if change is None or change <= limit:
        return ()
    texts = [
        f"{shift}: {share - 1:+.1%}" if tissue_area_mm2 is None else f"{shift}: {share * tissue_area_mm2:.6g} mm²"
        for shift, share in share_by_shift.items()
        if share is not None
    ]
    message = f"the tissue area changes by {change:.1%} if the threshold moves by 5 % ({', '.join(texts)})"
    remedy = "look at the class map; set segmenter.threshold, or report the area with this range"
    return (QaFinding(slide_id, "THRESHOLD_UNSTABLE", "warning", change, limit, "", message, remedy),)
