"""audit: the class map of a slide counted again, tile by tile, and held against its ledger, in one pass.

Whoever else needs the pixels gets them in the same pass: `CountedAgain` hands its tiles on, as a class map does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid, disagreement
from wsi_area.errors import ResultError
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_map.sparse_class_map import SparseClassMap
from wsi_area.results.class_map.stored_class_map import StoredClassMap
from wsi_area.results.seal.contents import ClassMapDigest


@dataclass(slots=True)
class CountedAgain:
    """A class map that is counted and digested while its tiles are handed on."""

    stored: StoredClassMap
    sparse: SparseClassMap | None  # the same, where it can be read shard by shard
    grid: WorkGrid
    columns: LedgerLayout
    rows: NDArray[np.int64]  # (grid_rows, grid_cols, columns): the ledger
    digest: ClassMapDigest
    fault_of: dict[tuple[int, int], str] = field(default_factory=dict)  # by tile row and col
    is_torn: bool = False
    _counted: set[tuple[int, int]] = field(default_factory=set)

    @property
    def shape(self) -> tuple[int, int]:
        """Return its height and width in work pixels."""
        return self.stored.shape

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Return the tiles that do not agree with the ledger, and why, line by line."""
        return [(f"tile row {row} col {col}", why) for (row, col), why in sorted(self.fault_of.items())]

    def tiles_with_content(self) -> Iterator[tuple[int, int, ClassMap]]:
        """Yield the first row and column of a tile, and its pixels, uint8 (h, w), until the next one is asked for.

        At the end, tiles of which nothing is stored have been counted too, as background.
        """
        widths, heights = self.grid.weights()
        tile_px = self.grid.tile_px
        for tile_row, tile_col, tile in self._tiles():
            y, x = tile_row * tile_px, tile_col * tile_px
            self._count((tile_row, tile_col), tile, widths, heights)
            self.digest.add(y, x, tile)
            yield y, x, tile
        for tile_row, tile_col in np.ndindex(*self.grid.shape):
            if (tile_row, tile_col) not in self._counted:
                self._count((tile_row, tile_col), None, widths, heights)

    def _count(
        self, at: tuple[int, int], tile: ClassMap | None, widths: NDArray[np.int64], heights: NDArray[np.int64]
    ) -> None:
        core = self.grid.tile(*at)
        why = disagreement(
            tile, self.rows[at], self.columns, widths[core.x_px : core.right_px], heights[core.y_px : core.bottom_px]
        )
        self._counted.add(at)
        if why is not None:
            self.fault_of[at] = why

    def _tiles(self) -> Iterator[tuple[int, int, ClassMap]]:
        """Yield the tile row, the tile col and the pixels of what is stored; what is torn is said of its tile alone."""
        if self.sparse is None:
            yield from self._one_by_one(range(self.grid.shape[0]), range(self.grid.shape[1]))
            return
        tile_px, side = self.grid.tile_px, self.sparse.tiles_per_side
        for row, col in self.sparse.shards():
            try:
                for y, x, tile in self.sparse.shard_tiles(row, col):
                    yield y // tile_px, x // tile_px, tile
            except ResultError:
                tile_rows, tile_cols = self.grid.shape
                yield from self._one_by_one(
                    range(row * side, min((row + 1) * side, tile_rows)),
                    range(col * side, min((col + 1) * side, tile_cols)),
                )

    def _one_by_one(self, tile_rows: range, tile_cols: range) -> Iterator[tuple[int, int, ClassMap]]:
        """Yield the tiles of a part as zarr reads them, one by one, but for those that are counted already."""
        for at in ((row, col) for row in tile_rows for col in tile_cols):
            if at in self._counted:
                continue
            core = self.grid.tile(*at)
            try:
                tile = self.stored[core.y_px : core.bottom_px, core.x_px : core.right_px]
            except ResultError as error:
                self.is_torn = True
                self._counted.add(at)
                self.fault_of[at] = f"its part of the class map is damaged: {error}"
            else:
                yield *at, tile
