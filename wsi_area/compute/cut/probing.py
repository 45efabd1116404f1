"""compute: the tiles in which the tissue is counted at other thresholds too: a few of those that are read anyway."""

from collections.abc import Sequence

from wsi_area.model.plan import SlidePlan

LEAST_PROBED = 16
"""Tiles that are counted at other thresholds; all of a slide that has no more."""
PROBED_SHARE = 1 / 16
"""Of the tiles that are read, where there are many: a tile in the sample is classified three times."""
MOST_PROBED = 128


def probed_tiles(plan: SlidePlan) -> frozenset[int]:
    """Return the numbers of the tiles to be counted at other thresholds, evenly among those that are read.

    They hang on the cut of the slide alone, so that a run that is continued, or divided, counts the same ones.
    """
    return evenly_among([number for number in range(plan.tile_count) if plan.is_read(number)])


def evenly_among(read: Sequence[int]) -> frozenset[int]:
    """Return the tiles that are read, by their numbers in order, and counted at other thresholds."""
    count = min(len(read), MOST_PROBED, max(LEAST_PROBED, round(PROBED_SHARE * len(read))))
    return frozenset(read[(2 * k + 1) * len(read) // (2 * count)] for k in range(count))
