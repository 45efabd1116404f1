"""compute: foci merged over the seams of the boxes that they were found in; pure, the same for every cut."""

import math

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.objects.components import FOCUS, GAP, PART_FIELDS, REACH, FociSummary, largest
from wsi_area.compute.objects.feret import merged_extents_um
from wsi_area.compute.objects.part_columns import BEYOND_BOX
from wsi_area.compute.objects.seams import SeamGrid, beside, objects_of_parts
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import UNREADABLE_CODE
from wsi_area.model.objects import FOCI_KEPT_MOST, FOCUS_FIELDS, Foci


class FociMerge:
    """Gathers the summaries of all boxes, in any order, and merges them.

    Parameters
    ----------
    set_name
        What the foci are called: "tumor".
    mpp
        µm per level-0 pixel, None where unknown.
    kept_most
        Foci listed one by one.
    """

    def __init__(self, set_name: str, mpp: Mpp | None, kept_most: int = FOCI_KEPT_MOST) -> None:
        self._set_name, self._mpp, self._kept_most = set_name, mpp, kept_most
        self._summaries: list[FociSummary] = []
        self._waiting: list[NDArray[np.void]] = []

    def add(self, summary: FociSummary) -> None:
        """Take the summary of one box."""
        self._summaries.append(summary)
        self._waiting.append(summary.foci)
        if sum(map(len, self._waiting)) > 2 * self._kept_most:  # of a slide of noise, only the largest are kept
            self._waiting = [largest(np.concatenate(self._waiting), self._kept_most)]

    def merged(self) -> Foci:
        """Return the foci of the slide, once every box has been added."""
        summaries = sorted(self._summaries, key=lambda s: (s.seams.row, s.seams.col))
        seamed, hole_count = _seamed(summaries, self._mpp)
        listed = largest(np.concatenate([*self._waiting, seamed]), self._kept_most)
        area_px = sum(s.foci_px for s in summaries) + int(seamed["area_px"].sum())
        extents_um = [s.foci_extent_um for s in summaries] + seamed["extent_um"].tolist()
        return Foci(
            set_name=self._set_name,
            count=sum(s.foci_count for s in summaries) + len(seamed),
            area_px=area_px,
            filled_px=area_px + sum(s.foci_hole_px for s in summaries) + int(seamed["hole_px"].sum()),
            hole_count=sum(s.hole_count for s in summaries) + hole_count,
            touching_border=sum(s.foci_touching_border for s in summaries) + int(seamed["touches_border"].sum()),
            touching_unread=sum(s.foci_touching_unread for s in summaries) + int(seamed["touches_unread"].sum()),
            max_feret_mm=math.nan if self._mpp is None else max(extents_um) / 1000,
            listed=_listed(listed, self._mpp),
        )


@frozen_value(eq=False)
class _All:
    """The parts of all boxes, one after the other."""

    parts: NDArray[np.void]
    kinds: NDArray[np.uint8]
    objects: NDArray[np.int64]  # the object of each part


def _seamed(summaries: list[FociSummary], mpp: Mpp | None) -> tuple[NDArray[np.void], int]:
    """Return the foci that reach a seam, of PART_FIELDS, and the number of enclosed holes that do."""
    grid = SeamGrid([s.seams for s in summaries])
    count, objects = objects_of_parts(grid, REACH)
    everything = _All(np.concatenate([s.parts for s in summaries]), grid.kinds[1:], objects[1:])
    unread = _touching_unread(grid)[1:]
    everything.parts["touches_unread"] |= unread
    sums = np.zeros(count, PART_FIELDS)
    sums["left"] = sums["top"] = np.iinfo(np.int64).max
    parts, at = everything.parts, everything.objects
    for name in ("area_px", "hole_px", "sum_x2", "sum_y2"):
        np.add.at(sums[name], at, parts[name])
    for name in ("left", "top"):
        np.minimum.at(sums[name], at, parts[name])
    for name in ("right", "bottom"):
        np.maximum.at(sums[name], at, parts[name])
    for name in ("touches_border", "touches_unread"):
        np.logical_or.at(sums[name], at, parts[name])
    first = _first_parts(everything, count)
    known = first >= 0
    sums["first_x"][known], sums["first_y"][known] = parts["first_x"][first[known]], parts["first_y"][first[known]]
    sums["extent_um"] = _extents_um(summaries, everything, count, mpp)
    hole_count = _give_holes(summaries, grid, everything, sums, first)
    kinds = np.zeros(count, np.uint8)
    kinds[at] = everything.kinds
    return sums[kinds == FOCUS], hole_count


def _touching_unread(grid: SeamGrid) -> NDArray[np.bool_]:
    """Return the parts that touch an unreadable pixel across a seam, at a side or a corner."""
    found = np.zeros(len(grid.kinds), np.bool_)
    for one, other in grid.all():
        for shift in (-1, 0, 1):
            a, b = beside(one, other, shift)
            found[a.parts[b.codes == UNREADABLE_CODE]] = True
            found[b.parts[a.codes == UNREADABLE_CODE]] = True
    return found


def _first_parts(everything: _All, count: int) -> NDArray[np.int64]:
    """Return the part that holds each object's first pixel in reading order; −1 for an object without parts."""
    first = np.full(count, -1, np.int64)
    order = np.lexsort((everything.parts["first_x"], everything.parts["first_y"]))[::-1]
    first[everything.objects[order]] = order  # the last one written stays
    return first


def _extents_um(summaries: list[FociSummary], everything: _All, count: int, mpp: Mpp | None) -> NDArray[np.float64]:
    points = np.concatenate([np.diff(s.hulls.starts) for s in summaries])
    groups = np.repeat(everything.objects, points)
    x, y = (np.concatenate([getattr(s.hulls, name) for s in summaries]) for name in ("x_l0_px", "y_l0_px"))
    return merged_extents_um(groups, count, x, y, mpp)


def _give_holes(
    summaries: list[FociSummary], grid: SeamGrid, everything: _All, sums: NDArray[np.void], first: NDArray[np.int64]
) -> int:
    """Add each enclosed hole to the focus around it; return how many there are.

    The pixel above a hole's first one lies outside the hole, and belongs to the focus around it: were it of a
    gap it would be of this one, which would begin there.
    """
    is_open = np.zeros(len(sums), np.bool_)
    np.logical_or.at(is_open, everything.objects, np.concatenate([s.is_open for s in summaries]))
    above = np.concatenate([_above(s, grid) for s in summaries])
    holes = [n for n in np.flatnonzero((first >= 0) & ~is_open) if everything.kinds[first[n]] == GAP]
    around = everything.objects[above[first[holes]] - 1]
    np.add.at(sums["hole_px"], around, sums["area_px"][holes])
    return len(holes)


def _above(summary: FociSummary, grid: SeamGrid) -> NDArray[np.int64]:
    """Return the part above each part's first pixel, numbered over all boxes; 0 where it reaches no seam."""
    row, col = summary.seams.row, summary.seams.col
    above = summary.above.astype(np.int64)
    found = np.where(above > 0, above + grid.before(row, col), 0)
    beyond = above == BEYOND_BOX
    if row > 0 and beyond.any():
        upper = grid.bottom_side(row - 1, col)
        found[beyond] = upper.parts[summary.parts["first_x"][beyond] - summary.x_px]
    return found


def _listed(foci: NDArray[np.void], mpp: Mpp | None) -> NDArray[np.void]:
    listed = np.zeros(len(foci), FOCUS_FIELDS)
    listed["object_id"] = np.arange(1, len(foci) + 1)
    listed["area_px"], listed["filled_px"] = foci["area_px"], foci["area_px"] + foci["hole_px"]
    listed["centroid_x_l0_px"] = foci["sum_x2"] / (2 * foci["area_px"])
    listed["centroid_y_l0_px"] = foci["sum_y2"] / (2 * foci["area_px"])
    listed["x_l0_px"], listed["y_l0_px"] = foci["left"], foci["top"]
    listed["width_l0_px"], listed["height_l0_px"] = foci["right"] - foci["left"], foci["bottom"] - foci["top"]
    listed["max_feret_mm"] = math.nan if mpp is None else foci["extent_um"] / 1000
    listed["touches_border"], listed["touches_unread"] = foci["touches_border"], foci["touches_unread"]
    return listed
