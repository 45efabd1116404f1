"""compute: the tallies of all boxes of a slide put together: counts add up, foci are joined over the seams; pure."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.regions.tally import BoxTally
from wsi_area.frozen_value import frozen_value

Ints = NDArray[np.int64]


@frozen_value(eq=False)
class RegionCounts:
    """What lies in each region of a slide, level-0 px; the same for every cut into boxes."""

    px: Ints  # (regions, classes + 3): by class, then unscanned, outside the region of interest, unreadable
    tissue_px: Ints  # (regions, classes + 3), of these the ones in the tissue layer; 0 where there is none
    signal: Ints  # (regions, classes + 3), the signal of each class there, in whole steps × px; 0 where there is none
    largest_focus_px: Ints  # (regions,), the largest connected part of the tumour inside; corners join


def merged(tallies: Iterable[BoxTally], regions: int, groups: int) -> RegionCounts:
    """Return the counts of each region, from the tallies of all boxes that it meets, in any order."""
    boxes = sorted(tallies, key=lambda box: (box.row, box.col))
    px, tissue_px, signal = np.zeros((3, regions, groups), np.int64)
    found = RegionCounts(px, tissue_px, signal, np.zeros(regions, np.int64))
    for box in boxes:
        found.px[box.regions] += box.counts
        found.tissue_px[box.regions] += box.tissue_px
        found.signal[box.regions] += box.signal
        found.largest_focus_px[box.regions] = np.maximum(found.largest_focus_px[box.regions], box.largest_px)
    offsets = np.concatenate([[0], np.cumsum([len(box.part_px) for box in boxes])]).astype(np.int64)
    total = int(offsets[-1])
    if total:
        # imported here: its sparse matrices take 0.1 s to load, and only foci at a seam need them
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        pairs = np.concatenate([np.empty((0, 2), np.int64), *_pairs(boxes, offsets)])
        graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(total, total))
        count, label = connected_components(graph, directed=False)
        area, region = np.zeros(count, np.int64), np.zeros(count, np.int64)
        np.add.at(area, label, np.concatenate([box.part_px for box in boxes]))
        region[label] = np.concatenate([box.part_regions for box in boxes])
        np.maximum.at(found.largest_focus_px, region, area)
    return found


def _pairs(boxes: Sequence[BoxTally], offsets: Ints) -> Iterable[Ints]:
    """Yield the pairs of parts that touch over a seam, numbered over all boxes."""
    yield _touching(*(_lines(boxes, offsets, side, 0, shift) for side, shift in (("bottom", 1), ("top", 0))))
    yield _touching(*(_lines(boxes, offsets, side, 1, shift) for side, shift in (("right", 1), ("left", 0))))


def _lines(boxes: Sequence[BoxTally], offsets: Ints, side: str, axis: int, shift: int) -> Ints:
    """Return all runs along one kind of seam: region, seam, from, to, part; the seam is that before row or column."""
    found = [np.empty((0, 5), np.int64)]
    for box, offset in zip(boxes, offsets[:-1], strict=True):
        runs = box.sides[side]
        seam = np.full(len(runs), (box.row, box.col)[axis] + shift)
        found.append(np.stack([runs[:, 0], seam, runs[:, 1], runs[:, 2], runs[:, 3] + offset], axis=1))
    return np.concatenate(found)


def _touching(one: Ints, other: Ints) -> Ints:
    """Return the parts of runs of one region on either side of a seam that touch, at a side or a corner."""
    if not len(one) or not len(other):
        return np.empty((0, 2), np.int64)
    reach = int(max(one[:, 3].max(), other[:, 3].max())) + 2
    seams = int(max(one[:, 1].max(), other[:, 1].max())) + 1
    keys = [(runs[:, 0] * seams + runs[:, 1]) * reach for runs in (one, other)]
    order = np.argsort(keys[1] + other[:, 2])
    other, key = other[order], keys[1][order]
    first = np.searchsorted(key + other[:, 3], keys[0] + one[:, 2], "left")
    last = np.searchsorted(key + other[:, 2], keys[0] + one[:, 3], "right")
    count = np.maximum(last - first, 0)
    at = np.repeat(first - np.cumsum(count) + count, count) + np.arange(int(count.sum()))
    return np.stack([np.repeat(one[:, 4], count), other[at, 4]], axis=1)
