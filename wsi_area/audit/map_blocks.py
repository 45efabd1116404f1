"""audit: the class map of one slide held against its truth, block by block, in level-0 pixels."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.audit.truth import NO_TRUTH, Truth
from wsi_area.compute.cut.roi import inside_roi
from wsi_area.compute.judge.agreement import pair_counts
from wsi_area.model.classes import BACKGROUND_ID, OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.drawn import RegionOfInterest
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap, TilePlace
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.storage.in_order import InOrder

Ints = NDArray[np.int64]

OUTSIDE_WITHIN, WITHOUT_TRUTH = "outside_within", "without_truth"
"""Why a pixel with a class is not compared: it lies outside what is compared, or its truth is not known."""
_REASONS = {UNSCANNED_CODE: "unscanned", OUTSIDE_ROI_CODE: "outside_roi", UNREADABLE_CODE: "unreadable"}
_OUTSIDE_WITHIN_CODE = 252  # as many classes are never compared
_COLUMNS_AT_ONCE = 2048


def held_against(
    slide: OpenedSlide, truth: Truth, roi: RegionOfInterest | None, compared_as: Sequence[Sequence[int]], threads: int
) -> tuple[Ints, dict[str, int]]:
    """Return the confusion matrix of a slide, int64 (k, k), and the level-0 pixels that are in none of it, by reason.

    Parameters
    ----------
    slide
        With a class map.
    truth
        Of that slide, with the ids of the classes that are compared.
    roi
        Where to compare; None for everywhere.
    compared_as
        The classes of the run that are compared as class 1, 2 …; any other is class 0, the rest.
    threads
        That share the blocks.

    Raises
    ------
    ResultError
        If the class map is damaged.
    """
    blocks, k = _Blocks(slide, truth, roi, compared_as), len(compared_as) + 1
    counts = np.zeros((256, 256), np.int64)

    def add(more: Ints) -> None:
        np.add(counts, more, out=counts)

    with InOrder(threads, add) as in_order:
        for top, bottom in blocks.strips():
            in_order.give(blocks.pairs_of_rows, top, bottom)
    left_out = {why: int(counts[:, code].sum()) for code, why in _REASONS.items()}
    left_out |= {
        OUTSIDE_WITHIN: int(counts[:, _OUTSIDE_WITHIN_CODE].sum()),
        WITHOUT_TRUTH: int(counts[NO_TRUTH, :k].sum()),
    }
    return counts[:k, :k], left_out


class _Blocks:
    """The class map and the truth of a slide, on one grid."""

    def __init__(
        self, slide: OpenedSlide, truth: Truth, roi: RegionOfInterest | None, compared_as: Sequence[Sequence[int]]
    ) -> None:
        self._class_map = slide.class_map_boxes()
        self._truth, self._roi, self._tile_px = truth, roi, slide.grid.tile_px
        self._column_weights, self._row_weights = slide.grid.weights()
        columns, rows = (edges.astype(np.float64) for edges in slide.grid.edges_l0_px)
        self._x_centres, self._y_centres = (columns[:-1] + columns[1:]) / 2, (rows[:-1] + rows[1:]) / 2
        self._table = np.full(256, BACKGROUND_ID, np.uint8)  # a code of the run → the id of what it is compared as
        self._table[list(_REASONS)] = list(_REASONS)
        for class_id, members in enumerate(compared_as, 1):
            self._table[list(members)] = class_id

    def strips(self) -> Iterator[tuple[int, int]]:
        """Yield the first row of each strip and the one behind its last: whole tiles, none of them twice."""
        height, side = len(self._y_centres), self._tile_px
        yield from ((top, min(top + side, height)) for top in range(0, height, side))

    def pairs_of_rows(self, top: int, bottom: int) -> Ints:
        """Return the level-0 pixels of some rows by true and found class, or code, int64 (256, 256)."""
        drawn = self._truth.rows(self._x_centres, self._y_centres[top:bottom])
        counts = np.zeros((256, 256), np.int64)
        width, side = len(self._x_centres), _COLUMNS_AT_ONCE
        for left in range(0, width, side):
            right = min(left + side, width)
            seen = np.take(self._table, np.asarray(self._class_map[top:bottom, left:right], np.uint8))
            self._leave_out_beyond(seen, left, top)
            counts += pair_counts(
                drawn.codes(left, right), seen, self._column_weights[left:right], self._row_weights[top:bottom]
            )
        return counts

    def _leave_out_beyond(self, seen: ClassMap, left: int, top: int) -> None:
        """Mark the classes outside the region in which to compare."""
        if self._roi is None:
            return
        height, width = seen.shape
        x, y = self._x_centres[left : left + width], self._y_centres[top : top + height]
        inside = inside_roi(self._roi, TilePlace(Region(left, top, width, height), x, y))
        seen[~inside & ~np.isin(seen, list(_REASONS))] = _OUTSIDE_WITHIN_CODE
