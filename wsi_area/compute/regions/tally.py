"""compute: what of one box of a class map lies in each region: counts, and the parts of foci; pure."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.regions.boundaries import Spans
from wsi_area.compute.regions.under_spans import counts_under, parts_of, signal_under, tissue_under
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE, ClassScheme
from wsi_area.model.pixels import ClassMap

Ints = NDArray[np.int64]
FURTHER = ("unscanned", "outside_roi", "unreadable")
"""What follows the classes among the columns of counts."""


@frozen_value(eq=False)
class Groups:
    """Which column of the counts each code belongs to, and which codes make up a focus."""

    of_code: NDArray[np.uint8]  # (256,)
    in_focus: NDArray[np.uint8]  # (256,)
    count: int

    @staticmethod
    def of(scheme: ClassScheme) -> "Groups":
        """Return the classes by their ids, then what `FURTHER` names; a focus is made of tumour."""
        classes = len(scheme.classes)
        of_code = np.full(256, classes + FURTHER.index("unreadable"), np.uint8)
        of_code[:classes] = np.arange(classes)
        of_code[[UNSCANNED_CODE, OUTSIDE_ROI_CODE, UNREADABLE_CODE]] = classes + np.arange(len(FURTHER))
        in_focus = np.zeros(256, np.uint8)
        in_focus[[c.class_id for c in scheme.classes if c.is_tumor]] = 1
        return Groups(of_code, in_focus, classes + len(FURTHER))


@frozen_value(eq=False)
class Place:
    """Where a box lies: its first column and row on the work grid, and the level-0 edges of all its own."""

    row: int  # in the grid of boxes
    col: int
    x_px: int
    y_px: int
    x_edges_l0_px: Ints  # (w + 1,)
    y_edges_l0_px: Ints  # (h + 1,)

    @property
    def shape(self) -> tuple[int, int]:
        """Return its height and width in work px."""
        return len(self.y_edges_l0_px) - 1, len(self.x_edges_l0_px) - 1

    @property
    def centres_l0_px(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the middle of each work column and of each work row, level-0 px."""
        x, y = self.x_edges_l0_px.astype(np.float64), self.y_edges_l0_px.astype(np.float64)
        return (x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2


@frozen_value(eq=False)
class BoxTally:
    """What one box tells of the regions that meet it."""

    row: int
    col: int
    regions: NDArray[np.int32]  # (m,) that have a pixel in it, ascending
    counts: Ints  # (m, groups), level-0 px
    tissue_px: Ints  # (m, groups), of these the ones in the tissue layer; 0 where there is none
    signal: Ints  # (m, groups), the signal there in whole steps × level-0 px; 0 where there is none
    largest_px: Ints  # (m,), the largest part of a focus that reaches no side of the box; 0 for none
    part_regions: NDArray[np.int32]  # of the parts that reach a side
    part_px: Ints
    sides: dict[str, Ints]  # left, top, right, bottom: (k, 4) region, from, to, part; along the side, work grid


def tally_box(
    class_map: ClassMap,
    tissue: NDArray[np.uint32] | None,
    place: Place,
    groups: Groups,
    spans: Iterable[Spans],
    signal: NDArray[np.int32] | None = None,
) -> BoxTally:
    """Return the sums under the runs of a box.

    Parameters
    ----------
    class_map : uint8 (h, w)
    tissue : uint32 (h, w) or None
        Level-0 px of each pixel that are tissue; None where nobody asks, and it is 0 then.
    place, groups
        Where the box lies, and what its codes mean.
    spans
        Some whole regions at a time, `Spans` in order.
    signal : int32 (h, w) or None
        In whole steps; None where none is known, and it is 0 then.
    """
    class_map = np.ascontiguousarray(class_map)
    found: list[Ints] = []
    parts: list[NDArray[np.int64]] = []
    numbers, counts, of_tissue, of_signal = list[NDArray[np.int32]](), list[Ints](), list[Ints](), list[Ints]()
    count_of_parts = 0
    for piece in spans:
        own, at = np.unique(piece.regions, return_inverse=True)
        runs = np.array([at.ravel(), piece.rows, piece.starts, piece.ends], np.int32)
        shape, edges = (len(own), groups.count), (place.x_edges_l0_px, place.y_edges_l0_px)
        tally, of_foci = counts_under(class_map, groups.of_code, groups.in_focus, edges, runs, shape)
        tissue_px = np.zeros_like(tally)
        if tissue is not None:
            tissue_px = tissue_under(class_map, groups.of_code, tissue, runs, shape)
        summed = np.zeros_like(tally)
        if signal is not None:
            summed = signal_under(class_map, groups.of_code, signal, edges, runs, shape)
        of_foci[:, 0] = own[of_foci[:, 0]]
        part, new_parts = parts_of(of_foci)
        found.append(of_foci)
        parts.append(part + count_of_parts)
        count_of_parts += new_parts
        numbers.append(own)
        counts.append(tally)
        of_tissue.append(tissue_px)
        of_signal.append(summed)
    return _tally(place, groups, numbers, (counts, of_tissue, of_signal), (found, parts, count_of_parts))


def _tally(
    place: Place,
    groups: Groups,
    numbers: Sequence[NDArray[np.int32]],
    sums: tuple[Sequence[Ints], Sequence[Ints], Sequence[Ints]],
    foci: tuple[Sequence[Ints], Sequence[Ints], int],
) -> BoxTally:
    regions = np.concatenate([np.empty(0, np.int32), *numbers])
    none = np.empty((0, groups.count), np.int64)
    counts, tissue_px, signal = (np.concatenate([none, *of_kind]) for of_kind in sums)
    order = np.argsort(regions)
    regions = regions[order]
    runs = np.concatenate([np.empty((0, 4), np.int64), *foci[0]])
    part_of_run = np.concatenate([np.empty(0, np.int64), *foci[1]])
    area, region_of, at_side = _parts(place, runs, part_of_run, foci[2])
    largest = np.zeros(len(regions), np.int64)
    inner = ~at_side
    np.maximum.at(largest, np.searchsorted(regions, region_of[inner]), area[inner])
    renumbered = np.cumsum(at_side) - 1
    sides = _sides(place, runs, renumbered[part_of_run] if len(part_of_run) else part_of_run)
    return BoxTally(
        place.row, place.col, regions, counts[order], tissue_px[order], signal[order], largest, region_of[at_side],
        area[at_side], sides,
    )  # fmt: skip


def _parts(
    place: Place, runs: Ints, part_of_run: Ints, count: int
) -> tuple[Ints, NDArray[np.int32], NDArray[np.bool_]]:
    """Return area, region and whether it reaches a side of the box, of each part."""
    area, region_of, at_side = np.zeros(count, np.int64), np.zeros(count, np.int32), np.zeros(count, np.bool_)
    height, width = place.shape
    x, y = place.x_edges_l0_px, place.y_edges_l0_px
    np.add.at(area, part_of_run, (x[runs[:, 3]] - x[runs[:, 2]]) * (y[runs[:, 1] + 1] - y[runs[:, 1]]))
    region_of[part_of_run] = runs[:, 0]
    reaches = (runs[:, 1] == 0) | (runs[:, 1] == height - 1) | (runs[:, 2] == 0) | (runs[:, 3] == width)
    at_side[part_of_run[reaches]] = True
    return area, region_of, at_side


def _sides(place: Place, runs: Ints, part_of_run: Ints) -> dict[str, Ints]:
    """Return the runs of foci along each side of the box, on the work grid."""
    height, width = place.shape

    def across(chosen: NDArray[np.bool_]) -> Ints:
        own = runs[chosen]
        return np.stack([own[:, 0], own[:, 2] + place.x_px, own[:, 3] + place.x_px, part_of_run[chosen]], axis=1)

    def down(chosen: NDArray[np.bool_]) -> Ints:
        own = runs[chosen]
        row = own[:, 1] + place.y_px
        return _merged(np.stack([own[:, 0], row, row + 1, part_of_run[chosen]], axis=1))

    return {
        "top": across(runs[:, 1] == 0),
        "bottom": across(runs[:, 1] == height - 1),
        "left": down(runs[:, 2] == 0),
        "right": down(runs[:, 3] == width),
    }


def _merged(runs: Ints) -> Ints:
    """Return pixels along a side as runs: neighbours of one part become one."""
    if len(runs) < 2:
        return runs
    goes_on = (runs[1:, 0] == runs[:-1, 0]) & (runs[1:, 1] == runs[:-1, 2]) & (runs[1:, 3] == runs[:-1, 3])
    first = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    merged: Ints = runs[first].copy()
    merged[:, 2] = runs[np.append(first[1:] - 1, len(runs) - 1), 2]
    return merged
