"""segmenters: windows judged by the sum of their scores, in whole numbers: the same whatever tile a pixel lies in."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.model.pixels import MaskArray

Scores = NDArray[np.int16]
"""int16 (h, w): what a pixel says for a rule, above 0, or against it, in each window that it lies in."""

_ARGUMENTS = "int16* int64 int64 int64 int64 int64* uint8*"
NATIVE = (Native("wsi_area.segmenters.exclusions.compiled_scores", "exceeds", _ARGUMENTS),)


def radius_px(scale_um: float, px_um: float) -> int:
    """Return the number of whole pixels that lie within a distance.

    >>> radius_px(25.0, 0.499)
    50
    """
    return int(scale_um / px_um)


def exceeds(scores: Scores, radius: int, limit: int = 0) -> MaskArray:
    """Return bool (h, w), True where the scores of a pixel's square window add up to more than a limit.

    The window is cut at the rim of the picture. A share of it becomes scores: more than half of a window is ink where
    ink scores 1 and all else -1, and the sum is above 0. So one sum is enough, and none of them is kept.

    Parameters
    ----------
    scores : int16 (h, w)
    radius
        The window is ``2 * radius + 1`` pixels a side.
    limit
        The sum must be above it.

    >>> exceeds(np.array([[1, 1, -1, -1, -1]], np.int16), 1).tolist()
    [[True, True, False, False, False]]
    """
    height, width = scores.shape
    found = np.empty((height, width), np.bool_)
    if found.size:
        add_up = native_function(*NATIVE[0])
        given, column = np.ascontiguousarray(scores), np.zeros(width, np.int64)
        add_up(address_of(given), height, width, radius, limit, address_of(column), address_of(found))
    return found


def scores_of(mask: MaskArray, among: MaskArray, of_mask: int, of_others: int) -> Scores:
    """Return int16 (h, w): one score where the mask is, another for the others among which it is looked for, else 0.

    >>> scores_of(np.array([[True, False, False]]), np.array([[True, True, False]]), 70, -30).tolist()
    [[70, -30, 0]]
    """
    scores: Scores = mask * np.int16(of_mask - of_others)
    scores += among * np.int16(of_others)
    return scores
