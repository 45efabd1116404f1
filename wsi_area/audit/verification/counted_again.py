"""audit: the class map of a slide counted again, tile by tile, and held against its ledger, in one pass.

Whoever else needs the pixels gets them in the same pass: `CountedAgain` hands its tiles on, as a class map does.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid, disagreement
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_map.sparse_class_map import SparseClassMap
from wsi_area.results.class_map.stored_class_map import StoredClassMap
from wsi_area.results.seal.contents import ClassMapDigest

At = tuple[int, int]


@frozen_value
class _Looked:
    """A tile that was counted and digested; its pixels are valid until the next one is asked for."""

    at: At  # tile row and col
    tile: ClassMap
    fault: str | None
    digest: bytes | None


@dataclass(slots=True)
class CountedAgain:
    """A class map that is counted and digested while its tiles are handed on."""

    stored: StoredClassMap
    sparse: SparseClassMap | None  # the same, where it can be read shard by shard
    grid: WorkGrid
    columns: LedgerLayout
    rows: NDArray[np.int64]  # (grid_rows, grid_cols, columns): the ledger
    digest: ClassMapDigest
    threads: int = 1  # that share the shards; what they have done is handed on in order
    fault_of: dict[At, str] = field(default_factory=dict)  # by tile row and col
    is_torn: bool = False
    _counted: set[At] = field(default_factory=set)
    _weights: tuple[NDArray[np.int64], NDArray[np.int64]] = field(init=False)

    def __post_init__(self) -> None:
        """Find what each column and row of the work grid stands for, once."""
        self._weights = self.grid.weights()

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
        tile_px = self.grid.tile_px
        for looked in self._looked():
            y, x = looked.at[0] * tile_px, looked.at[1] * tile_px
            self._note(looked.at, looked.fault)
            self.digest.put(y, x, looked.digest)
            yield y, x, looked.tile
        for at in np.ndindex(*self.grid.shape):
            if at not in self._counted:
                self._note((at[0], at[1]), self._fault((at[0], at[1]), None))

    def _note(self, at: At, why: str | None) -> None:
        self._counted.add(at)
        if why is not None:
            self.fault_of[at] = why

    def _fault(self, at: At, tile: ClassMap | None) -> str | None:
        core, (widths, heights) = self.grid.tile(*at), self._weights
        return disagreement(
            tile, self.rows[at], self.columns, widths[core.x_px : core.right_px], heights[core.y_px : core.bottom_px]
        )

    def _look(self, at: At, tile: ClassMap) -> _Looked:
        return _Looked(at, tile, self._fault(at, tile), self.digest.digest_of(tile))

    def _looked(self) -> Iterator[_Looked]:
        """Yield what is stored, tile by tile; what is torn is said of its tile alone."""
        if self.sparse is None:
            yield from self._one_by_one(range(self.grid.shape[0]), range(self.grid.shape[1]))
        elif self.threads > 1:
            yield from self._together(self.sparse)
        else:
            for row, col in self.sparse.shards():
                try:
                    yield from self._shard(self.sparse, row, col)
                except ResultError:
                    yield from self._of_torn_shard(self.sparse, row, col)

    def _shard(self, sparse: SparseClassMap, row: int, col: int) -> Iterator[_Looked]:
        tile_px = self.grid.tile_px
        for y, x, tile in sparse.shard_tiles(row, col):
            yield self._look((y // tile_px, x // tile_px), tile)

    def _together(self, sparse: SparseClassMap) -> Iterator[_Looked]:
        """Yield the same in the same order, looked at by several threads, of which none is far ahead."""

        def whole(row: int, col: int) -> list[_Looked] | None:
            tile_px = self.grid.tile_px
            try:
                tiles = [(y, x, tile.copy()) for y, x, tile in sparse.shard_tiles(row, col)]
            except ResultError:
                return None
            return [self._look((y // tile_px, x // tile_px), tile) for y, x, tile in tiles]

        with ThreadPoolExecutor(self.threads, thread_name_prefix="wsi-area-verify") as pool:
            waiting = deque[tuple[At, Future[list[_Looked] | None]]]()
            for at in sparse.shards():
                waiting.append((at, pool.submit(whole, *at)))
                if len(waiting) > self.threads:
                    yield from self._ready(sparse, *waiting.popleft())
            while waiting:
                yield from self._ready(sparse, *waiting.popleft())

    def _ready(self, sparse: SparseClassMap, shard: At, coming: "Future[list[_Looked] | None]") -> Iterator[_Looked]:
        found = coming.result()
        yield from self._of_torn_shard(sparse, *shard) if found is None else found

    def _of_torn_shard(self, sparse: SparseClassMap, row: int, col: int) -> Iterator[_Looked]:
        side, (tile_rows, tile_cols) = sparse.tiles_per_side, self.grid.shape
        yield from self._one_by_one(
            range(row * side, min((row + 1) * side, tile_rows)), range(col * side, min((col + 1) * side, tile_cols))
        )

    def _one_by_one(self, tile_rows: range, tile_cols: range) -> Iterator[_Looked]:
        """Yield the tiles of a part as zarr reads them, one by one, but for those that are counted already."""
        for at in ((row, col) for row in tile_rows for col in tile_cols):
            if at in self._counted:
                continue
            core = self.grid.tile(*at)
            try:
                tile = self.stored[core.y_px : core.bottom_px, core.x_px : core.right_px]
            except ResultError as error:
                self.is_torn = True
                self._note(at, f"its part of the class map is damaged: {error}")
            else:
                yield self._look(at, tile)
