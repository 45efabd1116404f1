"""results: the class map of a slide tile by tile, and only what of it is not background.

zarr decodes a shard whole, into new memory, and asks for those that are not there. Here a shard is read as the file it
is, held against its checksums, and decoded tile by tile into the same memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numcodecs import blosc

from wsi_area.errors import ResultError
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_map.array_documents import known_class_map
from wsi_area.results.class_map.overlaid import require_same_base, stored_shard
from wsi_area.results.class_map.shard import CRC_BYTES, absent, stored_index
from wsi_area.results.class_map.soundness import shard_fault
from wsi_area.results.class_map.stored_class_map import ZARR_FAULTS, StoredClassMap, not_opened, open_class_map
from wsi_area.results.layout import CLASS_MAP_ARRAY, SlideLayout


@dataclass(frozen=True, slots=True)
class SparseClassMap:
    """A class map that hands out only those of its tiles that are not background."""

    layout: SlideLayout
    shape: tuple[int, int]
    tile_px: int
    tiles_per_side: int  # of a shard

    def tiles_with_content(self) -> Iterator[tuple[int, int, ClassMap]]:
        """Yield the first row and column of a tile, and its pixels, uint8 (h, w), until the next one is asked for.

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

    def __getitem__(self, at: tuple[slice, slice]) -> ClassMap:
        """Return a part of it, uint8 (h, w), as numpy would cut it; for errors as `tiles_with_content`."""
        (top, bottom, _), (left, right, _) = (cut.indices(size) for cut, size in zip(at, self.shape, strict=True))
        part = np.full((max(0, bottom - top), max(0, right - left)), BACKGROUND_ID, np.uint8)
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
    ) -> Iterator[tuple[int, int, ClassMap]]:
        """Yield the tiles of one shard, or those in a box (top, bottom, left, right); see `tiles_with_content`."""
        place, side_px = stored_shard(self.layout, row, col), self.tile_px * self.tiles_per_side
        y_px, x_px = row * side_px, col * side_px
        rows = columns = range(self.tiles_per_side)
        if box is not None:
            rows = _met(box[0] - y_px, box[1] - y_px, self.tile_px)
            columns = _met(box[2] - x_px, box[3] - x_px, self.tile_px)
        try:
            content = place.read_bytes()
        except FileNotFoundError:  # it is background
            return
        except OSError as error:
            raise ResultError(
                f"{place} cannot be read ({error.strerror or error}); mend that and give the same command again"
            ) from error
        try:
            for tile_row, tile_col, tile in _decoded(content, self.tiles_per_side, self.tile_px, rows, columns):
                y, x = y_px + tile_row * self.tile_px, x_px + tile_col * self.tile_px
                if y >= self.shape[0] or x >= self.shape[1]:
                    continue  # another program's, wholly beyond the rim
                # at the rim of the slide a tile is stored with background beyond it
                yield y, x, tile[: self.shape[0] - y, : self.shape[1] - x]
        except _Damage as damage:
            raise ResultError(
                f"{place} is damaged ({damage}); run the same command again: what is torn is measured anew"
            ) from damage


class _Damage(Exception):
    """What is wrong with a shard."""


def _met(first_px: int, end_px: int, tile_px: int) -> range:
    """Return the tiles of a shard, along one axis, that have something of its pixels from the first up to the end."""
    return range(first_px // tile_px, -(-end_px // tile_px))


def _decoded(
    content: bytes, tiles_per_side: int, tile_px: int, rows: range, columns: range
) -> Iterator[tuple[int, int, ClassMap]]:
    """Yield row and column within a shard, and the pixels, of the tiles it has; each takes the place of the last."""
    fault = shard_fault(content, tiles_per_side)
    if fault is not None:
        raise _Damage(fault)
    index = stored_index(content, tiles_per_side)
    tile = np.empty((tile_px, tile_px), np.uint8)
    is_absent = absent(index)
    for place, (offset, length) in enumerate(index.tolist()):
        row, col = divmod(place, tiles_per_side)
        if is_absent[place] or row not in rows or col not in columns:
            continue
        frame = memoryview(content)[offset : offset + length - CRC_BYTES]
        # blosc's header says how much it holds: of less, the tile before would stay in sight
        if int.from_bytes(frame[4:8], "little") != tile.size:
            raise _Damage(f"the tile at byte {offset} is not of {tile.size} pixels")
        try:
            blosc.decompress(frame, tile)
        except (RuntimeError, ValueError) as error:
            raise _Damage(f"the tile at byte {offset}: {error}") from error
        yield row, col, tile


def sparse_class_map(layout: SlideLayout) -> SparseClassMap | StoredClassMap:
    """Return the class map of a slide, to be read tile by tile; as zarr reads it where another program wrote it.

    Raises
    ------
    ResultError
        If it cannot be opened.
    """
    below = layout.base
    if below is not None:
        require_same_base(layout, below)
    try:
        known = known_class_map(layout.class_map / CLASS_MAP_ARRAY)
    except ZARR_FAULTS as error:
        raise not_opened(layout.class_map, error) from error
    if known is None:
        return open_class_map(layout)
    (height, width), tile_px = known.shape, known.chunk_shape[0]
    return SparseClassMap(layout, (height, width), tile_px, known.file_shape[0] // tile_px)


def tiles_of(layout: SlideLayout) -> Iterator[tuple[int, int, ClassMap]]:
    """Yield the tiles of a class map: first row and column, and pixels, uint8 (h, w), until the next is asked for.

    Tiles of background alone may be left out.

    Raises
    ------
    ResultError
        If it cannot be opened, or a part of it is damaged.
    """
    found = sparse_class_map(layout)
    if isinstance(found, SparseClassMap):
        yield from found.tiles_with_content()
        return
    (height, width), (tile_height, tile_width) = found.shape, found.chunks
    for y in range(0, height, tile_height):
        for x in range(0, width, tile_width):
            yield y, x, found[y : y + tile_height, x : x + tile_width]
