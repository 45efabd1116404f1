"""results: the tiles that a map of a slide keeps, read shard by shard, and only those that hold something.

zarr decodes a shard whole, into new memory, and asks for those that are not there. Here a shard is read as the file it
is, held against its checksums, and decoded tile by tile into the same memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.plane_frames import unpack_frame
from wsi_area.errors import ResultError
from wsi_area.results.class_map.shard import CRC_BYTES, absent, stored_index
from wsi_area.results.class_map.soundness import shard_fault
from wsi_area.storage.place import Place

Number = TypeVar("Number", np.uint8, np.int32)


class SparseTiles(ABC, Generic[Number]):
    """A map on the work grid that hands out only those of its tiles that are not 0 throughout."""

    shape: tuple[int, int]
    tile_px: int
    tiles_per_side: int  # of a shard

    @property
    @abstractmethod
    def dtype(self) -> "np.dtype[Number]":
        """Return the type of a pixel."""

    @abstractmethod
    def place(self, row: int, col: int) -> Place:
        """Return the file of a shard, whether or not there is one."""

    def tiles_with_content(self) -> Iterator[tuple[int, int, NDArray[Number]]]:
        """Yield the first row and column of a tile, and its pixels, (h, w), until the next one is asked for.

        Raises
        ------
        ResultError
            If a shard is damaged.
        """
        for row, col in self.shards():
            yield from self.shard_tiles(row, col)

    def shards(self) -> Iterator[tuple[int, int]]:
        """Yield the row and column of each shard, whether or not there is a file of it."""
        side_px = self.tile_px * self.tiles_per_side
        rows, cols = (-(-px // side_px) for px in self.shape)
        yield from ((row, col) for row in range(rows) for col in range(cols))

    def __getitem__(self, at: tuple[slice, slice]) -> NDArray[Number]:
        """Return a part of it, (h, w), as numpy would cut it; for errors as `tiles_with_content`."""
        (top, bottom, _), (left, right, _) = (cut.indices(size) for cut, size in zip(at, self.shape, strict=True))
        part = np.zeros((max(0, bottom - top), max(0, right - left)), self.dtype)
        side_px, box = self.tile_px * self.tiles_per_side, (top, bottom, left, right)
        for row in range(top // side_px, -(-bottom // side_px)):
            for col in range(left // side_px, -(-right // side_px)):
                for y, x, tile in self.shard_tiles(row, col, box):
                    rows, cols = slice(max(top - y, 0), bottom - y), slice(max(left - x, 0), right - x)
                    held = tile[rows, cols]
                    y, x = max(y - top, 0), max(x - left, 0)
                    part[y : y + held.shape[0], x : x + held.shape[1]] = held
        return part

    def shard_tiles(
        self, row: int, col: int, box: tuple[int, int, int, int] | None = None
    ) -> Iterator[tuple[int, int, NDArray[Number]]]:
        """Yield the tiles of one shard, or those in a box (top, bottom, left, right); see `tiles_with_content`."""
        place, side_px = self.place(row, col), self.tile_px * self.tiles_per_side
        y_px, x_px = row * side_px, col * side_px
        rows = columns = range(self.tiles_per_side)
        if box is not None:
            rows = _met(box[0] - y_px, box[1] - y_px, self.tile_px)
            columns = _met(box[2] - x_px, box[3] - x_px, self.tile_px)
        try:
            content = place.read_bytes()
        except FileNotFoundError:  # it is 0 throughout
            return
        except OSError as error:
            raise ResultError(
                f"{place} cannot be read ({error.strerror or error}); mend that and give the same command again"
            ) from error
        try:
            for tile_row, tile_col, tile in self._decoded(content, rows, columns):
                y, x = y_px + tile_row * self.tile_px, x_px + tile_col * self.tile_px
                if y >= self.shape[0] or x >= self.shape[1]:
                    continue  # another program's, wholly beyond the rim
                # at the rim of the slide a tile is stored with 0 beyond it
                yield y, x, tile[: self.shape[0] - y, : self.shape[1] - x]
        except _Damage as damage:
            raise ResultError(
                f"{place} is damaged ({damage}); give the same `wsi-area run` again: what is torn is measured anew"
            ) from damage

    def _decoded(self, content: bytes, rows: range, columns: range) -> Iterator[tuple[int, int, NDArray[Number]]]:
        """Yield row and column within a shard, and the pixels, of its tiles; each takes the place of the last."""
        fault = shard_fault(content, self.tiles_per_side)
        if fault is not None:
            raise _Damage(fault)
        index = stored_index(content, self.tiles_per_side)
        tile = np.empty((self.tile_px, self.tile_px), self.dtype)
        is_absent = absent(index)
        for place, (offset, length) in enumerate(index.tolist()):
            row, col = divmod(place, self.tiles_per_side)
            if is_absent[place] or row not in rows or col not in columns:
                continue
            frame = memoryview(content)[offset : offset + length - CRC_BYTES]
            try:
                unpack_frame(frame, tile)
            except (RuntimeError, ValueError) as error:
                raise _Damage(f"the tile at byte {offset}: {error}") from error
            yield row, col, tile


class _Damage(Exception):
    """What is wrong with a shard."""


def _met(first_px: int, end_px: int, tile_px: int) -> range:
    """Return the tiles of a shard, along one axis, that have something of its pixels from the first up to the end."""
    return range(first_px // tile_px, -(-end_px // tile_px))
