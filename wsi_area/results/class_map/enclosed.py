"""results: the background of a class map that the envelope of its tissue encloses, box by box, read from its store."""

import math
from collections.abc import Collection
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.objects.envelope import envelope, within
from wsi_area.compute.picture.majority_picture import PictureGrid, SampleCounts
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import MaskArray
from wsi_area.results.class_map.sparse_class_map import tiles_of
from wsi_area.results.layout import SlideLayout

SAMPLE_PX = 4
"""Work pixels that are asked across a box, at least: all of them where there are fewer than 8."""
_TISSUE, _BACKGROUND, _OTHER = 0, 1, 2


@frozen_value
class EnvelopeRule:
    """How the envelope of a class map is made."""

    side_work_px: int  # of a box
    box_um: tuple[float, float]
    closing_um: float
    fill_um: float


@frozen_value(eq=False)
class EnclosedBackground:
    """Background within the envelope."""

    n_px: int  # level-0 px, estimated box by box
    boxes: MaskArray  # bool (rows, columns), True where the background of a box is in the envelope


@frozen_value(eq=False)
class EnclosedBoxes:
    """The boxes of a class map that its envelope is made of, counted tile by tile in any order."""

    rule: EnvelopeRule
    counts: SampleCounts
    _columns_l0_px: NDArray[np.int64]  # (columns,): width of each box
    _rows_l0_px: NDArray[np.int64]  # (rows,)

    @classmethod
    def of(cls, grid: WorkGrid, tissue_ids: Collection[int], rule: EnvelopeRule) -> "EnclosedBoxes":
        """Return the boxes of a class map of which no tile was taken in."""
        side, size = rule.side_work_px, grid.size_px
        columns, rows = (_box_lengths_l0_px(edges, side) for edges in grid.edges_l0_px)
        group_of = np.full(256, _OTHER, np.uint8)
        group_of[BACKGROUND_ID] = _BACKGROUND
        group_of[list(tissue_ids)] = _TISSUE
        picture = PictureGrid(len(columns), len(rows), float(side), float(side))
        shape = size.height_px, size.width_px
        return cls(rule, SampleCounts.of(shape, picture, group_of, 3, SAMPLE_PX), columns, rows)

    def enclosed(self) -> EnclosedBackground:
        """Return the background that the envelope encloses, once every tile was taken in."""
        seen, asked, rule = self.counts.seen(), self.counts.asked, self.rule
        tissue, background = seen[..., _TISSUE], seen[..., _BACKGROUND]
        # what was never scanned, lies outside or was excluded is no part of it: a box is tissue by what of it was
        # classed
        mask = (tissue > 0) & (tissue >= background)
        # along the rim of the envelope only tissue counts: the envelope of what has no gaps is its own area
        inside = within(envelope(mask, rule.box_um, rule.closing_um, rule.fill_um))
        rows, columns = self._rows_l0_px, self._columns_l0_px
        counted = inside & (background > 0)  # the others add nothing
        n_px = math.fsum(
            chain.from_iterable(
                _enclosed_px(background[y], asked[y], counted[y], rows[y] * columns) for y in range(len(rows))
            )
        )
        return EnclosedBackground(round(n_px), inside)


def enclosed_background(
    layout: SlideLayout, grid: WorkGrid, tissue_ids: Collection[int], rule: EnvelopeRule
) -> EnclosedBackground:
    """Return the background that the envelope encloses.

    Raises
    ------
    ResultError
        If the class map cannot be read.
    """
    boxes = EnclosedBoxes.of(grid, tissue_ids, rule)
    for y, x, tile in tiles_of(layout):
        boxes.counts.add(y, x, tile)
    return boxes.enclosed()


def _enclosed_px(
    background: NDArray[np.uint16], asked: NDArray[np.uint16], inside: MaskArray, box_px: NDArray[np.int64]
) -> list[float]:
    """Return the background of each box of one row that is inside, level-0 px: of all rows they may be 40 MB."""
    return (background[inside] / np.maximum(asked[inside], 1) * box_px[inside]).tolist()  # type: ignore[no-any-return]


def _box_lengths_l0_px(edges: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """Return the number of level-0 pixels that each box spans along one axis."""
    return np.diff(np.append(edges[:-1:side], edges[-1]))
