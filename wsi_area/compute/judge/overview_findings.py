"""compute: whether the tissue on the overview is what the tissue that was counted explains; pure."""

from collections.abc import Sequence

import numpy as np

from wsi_area.model.burden import SlideBurden
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.counts import ClassCounts
from wsi_area.model.finding import QaFinding

OVERVIEW_LIMIT = 0.02
"""Share of the tissue by which the overview may differ from what the tissue that was counted explains. Six real slides
lie between the two, one of them 0.3 % beyond; compared with the count alone two of them differ by 2.1 and 11.3 %."""

REACHED = 0.9
"""Share of what lies above the threshold that is no brighter, or darker, than tissue alone is taken to be."""


def least_cover(histogram: Sequence[int], threshold: float, bin_levels: int = 1) -> float | None:
    """Return the share of a box that tissue covers at least, where the mean of the box exceeds the threshold.

    The border is sharp, the background the mean of what lies below the threshold, and tissue what a tenth of what
    lies above it exceeds: on an overview the mean of small tissue is that of its rims.

    Parameters
    ----------
    histogram
        Pixels by what the threshold is of.
    threshold
        In the units of that; tissue exceeds it.
    bin_levels
        Levels in each bin of the histogram.

    Returns
    -------
    float or None
        Between 0 and 1; None where nothing lies on one side of the threshold.

    >>> least_cover([60, 0, 0, 0, 40], 1)
    0.25
    """
    counts = np.asarray(histogram, np.int64)
    levels = (np.arange(counts.size) + 0.5) * bin_levels - 0.5
    first = int(threshold) // bin_levels + 1
    below, above = counts[:first].sum(), counts[first:].sum()
    if not below or not above:
        return None
    background = levels[:first] @ counts[:first] / below
    tissue = levels[first + int(np.searchsorted(np.cumsum(counts[first:]), REACHED * above))]
    return float(np.clip((threshold - background) / (tissue - background), 0, 1))


def counted_share(counts: ClassCounts) -> float | None:
    """Return the share of what was scanned that is not background; None where nothing was, or a part was not read."""
    px = counts.px_by_class
    scanned = sum(px)
    return None if not scanned or counts.unreadable_px else 1 - px[BACKGROUND_ID] / scanned


def relative_difference(on_overview: float, counted: float, by_box: float | None = None) -> float:
    """Return the distance of the overview beyond what the count explains, as a share of the tissue.

    A pixel of the overview is a box of many that were counted. Where tissue ends softly, the overview has as much as
    was counted; where it ends sharply, all boxes that enough tissue covers. All between the two is explained.

    >>> round(relative_difference(0.22, 0.19), 3), relative_difference(0.22, 0.19, 0.23)
    (0.136, 0.0)
    """
    low, high = sorted((counted, counted if by_box is None else by_box))
    beyond = max(low - on_overview, on_overview - high, 0.0)
    return beyond / max(counted, on_overview, 1e-9)


def overview_findings(
    burden: SlideBurden, on_overview: float | None, by_box: float | None = None, limit: float = OVERVIEW_LIMIT
) -> tuple[QaFinding, ...]:
    """Return ``OVERVIEW_DIFFERS`` where the tissue that was counted does not explain what is tissue on the overview.

    Where something could not be read, the two are of different pixels, and nothing is said.

    Parameters
    ----------
    burden
        What was counted.
    on_overview
        Share of the overview that exceeds the threshold; None where the threshold alone does not make the count.
    by_box
        Share of what was scanned in boxes as wide as pixels of the overview, that enough tissue covers; None where
        they were not looked at.
    limit
        Between 0 and 1.
    """
    counted = counted_share(burden.counts)
    if on_overview is None or counted is None:
        return ()
    difference = relative_difference(on_overview, counted, by_box)
    if difference <= limit:
        return ()
    boxes = "" if by_box is None else f", in boxes as wide as its pixels {by_box:.2%} would be"
    message = (
        f"at its threshold {on_overview:.2%} of the overview is tissue, {counted:.2%} was counted{boxes}: "
        f"{difference:.1%} more than that explains"
    )
    remedy = (
        "look at the thumbnail beside the class map: a level of the file may show another picture, or the threshold "
        "may lie within the noise of the finer pixels; then set a coarser tiling.work_mpp"
    )
    return (QaFinding(burden.slide_id, "OVERVIEW_DIFFERS", "info", difference, limit, "", message, remedy),)
