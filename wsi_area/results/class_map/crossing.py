"""results: the class map of a slide laid over its tissue layer: level-0 pixels by what they are in either.

The pixels of a batch are counted where the class map holds something; elsewhere it is background, and all that the
layer has there is added at once. So it costs what is stored, and nothing that is not.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.count.two_grids import cross_counts, pieces_of
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID, OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.pixels import ClassMap, MaskArray
from wsi_area.results.class_map.layered_map import TissueLayer, tissue_layer
from wsi_area.results.class_map.sparse_class_map import SparseClassMap, sparse_class_map
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.layout import SlideLayout

Ints = NDArray[np.int64]
RESERVED_CODES = (UNSCANNED_CODE, OUTSIDE_ROI_CODE, UNREADABLE_CODE)
"""After the classes: the further rows of the table, and its further columns."""
_UNKNOWN = 255  # the place of a code that is no class
STRIP_L0_PX = 1 << 12
"""Level-0 rows of the layer that are held at once where the class map is background."""


@frozen_value(eq=False)
class Enclosed:
    """Which boxes of the layer's work pixels the envelope of its tissue takes in."""

    boxes: MaskArray  # bool (rows, columns) of boxes
    side_work_px: int


@frozen_value(eq=False)
class Crossing:
    """Both class maps of a slide, to be counted against one another batch by batch."""

    layout: SlideLayout
    grid: WorkGrid  # of the class map
    class_count: int
    layer: TissueLayer
    layer_class_count: int
    enclosed: Enclosed | None = None

    @classmethod
    def of(
        cls, layout: SlideLayout, grid: WorkGrid, class_count: int, layer_class_count: int, enclosed: Enclosed | None
    ) -> "Crossing":
        """Return both class maps of a slide.

        Raises
        ------
        ResultError
            If one of them cannot be opened.
        """
        layer = tissue_layer(layout)
        if layer is None:
            raise ResultError(f"{layout.tissue.root} holds no tissue layer; run the same command again")
        return cls(layout, grid, class_count, layer, layer_class_count, enclosed)

    def counted(self, row: int, col: int, tiles_per_side: int) -> Ints:
        """Return the pixels of one batch, int64 (classes + 3, classes of the layer + 4).

        The last column has what is background in the layer and enclosed by its tissue, which the first one lacks.

        Raises
        ------
        ResultError
            If a part of either map is damaged.
        """
        columns, rows = self.grid.edges_l0_px
        side_px = tiles_per_side * self.grid.tile_px
        bottom, right = min((row + 1) * side_px, len(rows) - 1), min((col + 1) * side_px, len(columns) - 1)
        own_rows, own_columns = rows[row * side_px : bottom + 1], columns[col * side_px : right + 1]
        found = np.zeros((self.class_count + 3, self.layer_class_count + 4), np.int64)
        for y, x, tile in _tiles(self.layout, self.grid, row, col, tiles_per_side):
            height, width = tile.shape
            found += self._crossed(tile, rows[y : y + height + 1], columns[x : x + width + 1])
        found[BACKGROUND_ID] += self._of_layer(own_rows, own_columns) - found.sum(axis=0)
        return found

    def _of_layer(self, rows_l0_px: Ints, columns_l0_px: Ints) -> Ints:
        """Return the counts of the layer in a box, int64 (classes of the layer + 4,), strip by strip."""
        top, bottom = int(rows_l0_px[0]), int(rows_l0_px[-1])
        found = np.zeros(self.layer_class_count + 4, np.int64)
        ends = np.array([columns_l0_px[0], columns_l0_px[-1]])
        for y in range(top, bottom, STRIP_L0_PX):
            strip = np.array([y, min(y + STRIP_L0_PX, bottom)])
            found += self._crossed(np.zeros((1, 1), np.uint8), strip, ends)[0]
        return found

    def _crossed(self, tile: ClassMap, rows_l0_px: Ints, columns_l0_px: Ints) -> Ints:
        rows, columns = self.layer.part(rows_l0_px, columns_l0_px)
        below = _places(self.layer_class_count)[self.layer.stored[rows, columns]]
        if below.size and below.max() == _UNKNOWN:
            raise ResultError(
                f"{self.layout.tissue.root} holds codes of no class; measure the slide again with --force"
            )
        if self.enclosed is not None:
            side, boxes = self.enclosed.side_work_px, self.enclosed.boxes
            of_row, of_column = (np.arange(part.start, part.stop) // side for part in (rows, columns))
            inside = boxes[np.ix_(of_row, of_column)]
            below[inside & (below == BACKGROUND_ID)] = self.layer_class_count + 3
        above = _places(self.class_count)[tile]
        if above.max() == _UNKNOWN:
            raise ResultError(f"{self.layout.class_map} holds codes of no class; measure the slide again with --force")
        return cross_counts(
            above,
            below,
            pieces_of(rows_l0_px, self.layer.rows_l0_px[rows.start : rows.stop + 1]),
            pieces_of(columns_l0_px, self.layer.columns_l0_px[columns.start : columns.stop + 1]),
            self.class_count + 3,
            self.layer_class_count + 4,
        )


def _places(class_count: int) -> NDArray[np.uint8]:
    """Return the row or column of each code, uint8 (256,); an unknown one has a place beyond the table."""
    places = np.full(256, _UNKNOWN, np.uint8)
    places[:class_count] = np.arange(class_count)
    places[list(RESERVED_CODES)] = class_count + np.arange(3)
    return places


def _tiles(
    layout: SlideLayout, grid: WorkGrid, row: int, col: int, tiles_per_side: int
) -> Iterator[tuple[int, int, ClassMap]]:
    """Return the tiles of one batch that hold something: first row and column, and pixels, until the next is asked."""
    found = sparse_class_map(layout)
    if isinstance(found, SparseClassMap) and found.tiles_per_side == tiles_per_side:
        return found.shard_tiles(row, col)
    height, width = found.shape
    side = tiles_per_side * grid.tile_px
    region = np.s_[row * side : min((row + 1) * side, height), col * side : min((col + 1) * side, width)]
    tile_px = grid.tile_px
    return (
        (y, x, stored[y : min(y + tile_px, region[0].stop), x : min(x + tile_px, region[1].stop)])
        for stored in (open_class_map(layout),)
        for y in range(region[0].start, region[0].stop, tile_px)
        for x in range(region[1].start, region[1].stop, tile_px)
    )
