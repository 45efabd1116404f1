"""compute: does the ledger say what the class map shows? Tile by tile, as exact integers."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.cut.grid import l0_edges_px
from wsi_area.errors import SegmentationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region, Size
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout
from wsi_area.model.pixels import ClassMap

Ints = NDArray[np.int64]


@frozen_value
class WorkGrid:
    """The grid a slide was counted on, as its result records it."""

    size_l0_px: Size
    level_px: Size
    reduce_factor: int
    tile_px: int

    @property
    def size_px(self) -> Size:
        """Return the size of the class map.

        >>> WorkGrid(Size(1001, 1001), Size(501, 501), 2, 64).size_px
        Size(width_px=251, height_px=251)
        """
        f = self.reduce_factor
        return Size(-(-self.level_px.width_px // f), -(-self.level_px.height_px // f))

    @property
    def shape(self) -> tuple[int, int]:
        """Return the rows and columns of tiles."""
        return -(-self.size_px.height_px // self.tile_px), -(-self.size_px.width_px // self.tile_px)

    def tile(self, row: int, col: int) -> Region:
        """Return a tile's core on the work grid."""
        x, y = col * self.tile_px, row * self.tile_px
        size = self.size_px
        return Region(x, y, min(self.tile_px, size.width_px - x), min(self.tile_px, size.height_px - y))

    @property
    def edges_l0_px(self) -> tuple[Ints, Ints]:
        """Return the level-0 edges of the work grid's columns, int64 (w + 1,), and rows, int64 (h + 1,)."""
        size, level, factor = self.size_l0_px, self.level_px, self.reduce_factor
        return (
            l0_edges_px(size.width_px, level.width_px, factor),
            l0_edges_px(size.height_px, level.height_px, factor),
        )

    def weights(self) -> tuple[Ints, Ints]:
        """Return the level-0 columns that each work column stands for, and the rows that each work row does."""
        columns, rows = self.edges_l0_px
        return np.diff(columns), np.diff(rows)


def disagreement(
    class_map: ClassMap | None, row: Ints, layout: LedgerLayout, column_weights: Ints, row_weights: Ints
) -> str | None:
    """Return the difference between a tile's ledger row and its class map, or None where they agree.

    Parameters
    ----------
    class_map : uint8 (h, w), or None
        Of the tile's core; None for background alone.
    row : int64 (columns,)
        Of the ledger.
    column_weights, row_weights : int64 (w,), (h,)
        Level-0 pixels that each column and row stands for.
    """
    if row[layout.status_column] == NOT_COMMITTED:
        return "it was never committed"
    if class_map is None:
        seen = (int(column_weights.sum()) * int(row_weights.sum()), *[0] * (layout.class_count + 2))
    else:
        try:
            counts = count_class_map(class_map, column_weights, row_weights, layout.class_count)
        except SegmentationError as error:
            return str(error)
        seen = (*counts.px_by_class, counts.unscanned_px, counts.outside_roi_px, counts.unreadable_px)
    recorded = [int(n) for n in row[layout.px_columns]]
    names = layout.columns[: len(seen)]
    differing = [
        f"{name} is {was} in the ledger, {now} in the class map"
        for name, was, now in zip(names, recorded, seen, strict=True)
        if was != now
    ]
    return "; ".join(differing) or None
