"""slides: the direct lane, compressed tiles by offset, decoded into memory that is already there."""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import LaneError
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray, TilePixels
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.lanes.reading import DecodedTile, assembled, damaged_tile, grid_boxes, require_within
from wsi_area.slides.lanes.shared_tiles import Place, SharedTiles, place_of, within_tile
from wsi_area.slides.lanes.stored_tile import STORED_TILE_ERRORS, damage_text
from wsi_area.slides.lanes.tile_files import NEAR_BYTES, TileFiles, TileMemory
from wsi_area.slides.stored.joint_tiles import decode_together, tiles_at_once
from wsi_area.slides.stored.tile_codecs import UnknownToDecoderError, decode_tile, decode_whole_jpeg, decoding_room
from wsi_area.slides.stored.tiled_level import TiledLevel

if TYPE_CHECKING:
    from wsi_area.slides.lanes.bands import DecodedBands

REFERENCE_KEPT_BYTES = 1 << 20
"""What OpenSlide keeps of the tiles that are compared with it: next to nothing, since each is compared once.

Beside it a band of restart intervals, 4 bytes a pixel: such a band is asked for in blocks, each of which needs all of
its intervals.
"""
HINT_BYTES = 128 << 10
"""Of one hint Linux fetches no more than the device reads ahead; this is its default, which NFS and FUSE keep."""


class _Stored(NamedTuple):
    """What is known of a stored tile before it is handed out."""

    place: Place
    data: bytes | Exception | None  # None where it is missing; or why it cannot be fetched
    is_decoded: bool  # now, beside others


class DirectReader:
    """One slide of stored tiles, read by ``pread``: no position is shared, so any number of threads may read.

    It says nothing about whether it agrees with OpenSlide; ``lanes.choice`` proves that.
    """

    lane = "direct"

    def __init__(self, info: SlideInfo) -> None:
        self.is_broken = False
        self.proven: set[tuple[int, int]] = set()  # level and number of stored tiles that equal OpenSlide's
        self._info = info
        self._files = TileFiles(info)
        self._levels = self._files.levels
        self._bands: DecodedBands | None = None
        self._most_band_px = 0
        self._open_bands([tiles for tiles, _ in self._levels if tiles is not None and tiles.is_interval])
        self._opening = threading.Lock()
        self._reference: OpenSlideReader | None = None

    def reference(self) -> OpenSlideReader:
        """Return OpenSlide's view of the very same file, opened once it is asked for; it is closed with this reader."""
        with self._opening:
            if self._reference is None:
                kept_bytes = REFERENCE_KEPT_BYTES + 4 * self._most_band_px
                self._reference = OpenSlideReader(self._info, checks_tiles=False, kept_bytes=kept_bytes)
            return self._reference

    def _open_bands(self, levels: Iterable[TiledLevel]) -> None:
        """Make room for the bands of levels that are stored in restart intervals, as few files are."""
        for tiles in levels:
            from wsi_area.slides.lanes.bands import DecodedBands, band_px

            self._bands = self._bands or DecodedBands(self._decode_intervals)
            self._most_band_px = max(self._most_band_px, band_px(tiles))

    def structure(self, level: int) -> tuple[TiledLevel | None, str]:
        """Return the tiles of a level and "", or None and why it cannot be read."""
        return self._levels[level]

    def holds(self, level: int) -> bool:
        """Return True if the tiles of a level are stored in a way that can be read."""
        return self._levels[level][0] is not None

    def tiled_level(self, level: int) -> TiledLevel:
        """Return the tiles of a level, by their places.

        Raises
        ------
        LaneError
            The direct lane cannot read this level.
        """
        found, obstacle = self._levels[level]
        if found is None:
            raise LaneError(
                f"slide {self._info.slide_id!r}, level {level}: the direct lane cannot read it: "
                f"{obstacle}; read it through OpenSlide"
            )
        return found

    def read(self, level: int, region_level_px: Region) -> TilePixels:
        """Return a region of a level as one block.

        Raises
        ------
        TileReadError
            A stored tile cannot be decoded.
        """
        return assembled(self.decoded_tiles(level, region_level_px), region_level_px)

    def decoded_tiles(
        self, level: int, region_level_px: Region, shared: SharedTiles | None = None
    ) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of a level in stored tiles, as many at once as fit into the cache; damaged ones as such.

        What was kept of regions before comes first, so that as many as can be of the others are decoded together.
        """
        require_within(self._info, level, region_level_px)
        tiles = self.tiled_level(level)
        if self._bands is not None and tiles.is_interval:
            yield from self._bands.decoded_tiles(level, tiles, region_level_px)
            return
        width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
        boxes = list(grid_boxes(region_level_px, width, height))
        if shared is not None:
            kept, boxes = shared.parted(boxes, tiles.tile_px)
            if kept:
                yield tuple(DecodedTile(box, rgb, None) for box, rgb in kept)
        at_once = max(1, min(len(boxes), tiles_at_once(tiles)))
        scratch = decoding_room((at_once, height, width, 3))
        for first in range(0, len(boxes), at_once):
            yield self._decoded_tiles(level, tiles, boxes[first : first + at_once], scratch, shared)

    def read_together(self, level: int, indices: NDArray[np.int64], memory: TileMemory) -> NDArray[np.int64]:
        """Return where the bytes of stored tiles lie in memory, first byte and end; both 0 where they cannot be had."""
        return self._files.read_together(self.tiled_level(level), indices, memory)

    def _decoded_tiles(
        self, level: int, tiles: TiledLevel, boxes: Sequence[Region], scratch: RgbArray, shared: SharedTiles | None
    ) -> tuple[DecodedTile, ...]:
        """Return the parts of stored tiles that lie in some boxes, decoded into memory that is there.

        ``scratch`` is uint8 (n, h, w, 3).
        """
        places = [place_of(box, tiles.tile_px) for box in boxes]
        data = [self._data_of(tiles, row * tiles.tiles_across + column) for column, row in places]
        are_done = decode_together(data, tiles, scratch)
        stored = map(_Stored, places, data, are_done.tolist())
        return tuple(
            self._decoded_tile(level, tiles, box, some, room, shared)
            for box, some, room in zip(boxes, stored, scratch, strict=False)
        )

    def _data_of(self, tiles: TiledLevel, index: int) -> bytes | Exception | None:
        """Return the bytes of a stored tile, None where it is missing, or why they cannot be fetched."""
        try:
            return self._files.bytes_of(tiles, index)
        except STORED_TILE_ERRORS as error:
            return error

    def _decoded_tile(
        self,
        level: int,
        tiles: TiledLevel,
        box: Region,
        stored: _Stored,
        scratch: RgbArray,
        shared: SharedTiles | None,
    ) -> DecodedTile:
        """Return the part of a stored tile that lies in a box; it is decoded now, unless it is done.

        Only a whole tile is kept for the regions to come: of a damaged one, the next try may have more.
        """
        column, row = stored.place
        of_box = within_tile(box, tiles.tile_px)
        if stored.data is None:
            scratch[...] = 0
            return DecodedTile(box, scratch[of_box], np.zeros((box.height_px, box.width_px), np.bool_))
        try:
            if isinstance(stored.data, Exception):
                raise stored.data
            if not stored.is_decoded:
                decode_tile(stored.data, tiles, scratch)
        except STORED_TILE_ERRORS as error:
            index = row * tiles.tiles_across + column
            return damaged_tile(box, damage_text(self._info.slide_id, level, tiles, index, error))
        room = None if shared is None else shared.room_for(stored.place, scratch.shape)
        if shared is not None and room is not None:
            room[...] = scratch
            shared.keep(stored.place, room)
        return DecodedTile(box, scratch[of_box], None)

    def _decode_intervals(self, level: int, tiles: TiledLevel, indices: range, out: RgbArray) -> tuple[str | None, ...]:
        """Fill memory with restart intervals that lie under each other; return the damage of each, or None.

        All of them are one JPEG where they can be. If anything is wrong with it, each is decoded by itself, so that
        one decoder says which of them are damaged, here and in the check of those that OpenSlide reads.
        """
        from wsi_area.slides.stored.joined_intervals import joined_intervals  # few files are stored so

        try:
            data = [self._interval(tiles, index) for index in indices]
            if all(decode_together(data, tiles, out.reshape(len(data), -1, *out.shape[1:]))):
                return (None,) * len(indices)
            joined = joined_intervals(tiles.jpeg_head, data)
            if joined is not None:
                decode_whole_jpeg(joined, out)
                return (None,) * len(indices)
        except STORED_TILE_ERRORS:
            pass
        height = tiles.tile_px.height_px
        return tuple(
            self._decode_interval(level, tiles, index, out[n * height : (n + 1) * height])
            for n, index in enumerate(indices)
        )

    def _decode_interval(self, level: int, tiles: TiledLevel, index: int, out: RgbArray) -> str | None:
        try:
            decode_tile(self._interval(tiles, index), tiles, out)
        except STORED_TILE_ERRORS as error:
            return damage_text(self._info.slide_id, level, tiles, index, error)
        return None

    def _interval(self, tiles: TiledLevel, index: int) -> bytes:
        """Return the bytes of a restart interval, which is never missing: all of its level is one JPEG."""
        data = self._files.bytes_of(tiles, index)
        if data is None:
            raise ValueError("it has no bytes")
        return data

    def knows(self, level: int, index: int) -> bool:
        """Return False if a stored tile is of a kind that the decoder does not know: that is no damage."""
        tiles = self.tiled_level(level)
        out = np.empty((tiles.tile_px.height_px, tiles.tile_px.width_px, 3), np.uint8)
        try:
            data = self._files.bytes_of(tiles, index)
            if data is not None:
                decode_tile(data, tiles, out)
        except UnknownToDecoderError:
            return False
        except STORED_TILE_ERRORS:
            return True
        return True

    def read_ahead(self, level: int, regions_level_px: Iterable[Region]) -> None:
        """Have the system fetch the stored tiles under some regions, while those before them are decoded."""
        if not hasattr(os, "posix_fadvise"):  # a hint that this system does not take
            return
        tiles = self.tiled_level(level)
        width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
        grids = {  # many regions may lie in the same wide ones
            (range(y // height, -(-bottom // height)), range(x // width, -(-right // width)))
            for x, y, right, bottom in ((r.x_px, r.y_px, r.right_px, r.bottom_px) for r in regions_level_px)
        }
        wanted = {row * tiles.tiles_across + column for rows, columns in grids for row in rows for column in columns}
        parts: dict[int, list[tuple[int, int]]] = {}
        for n in wanted:
            file, file_bytes = self._files.place(tiles, n)
            if tiles.offsets[n] + tiles.byte_counts[n] <= file_bytes:
                parts.setdefault(file, []).append((tiles.offsets[n], tiles.byte_counts[n]))
        for file, of_file in parts.items():
            for begin, end in _spans(of_file):
                for at in range(begin, end, HINT_BYTES):
                    with suppress(OSError):  # a file system without it: the tiles are read all the same
                        os.posix_fadvise(file, at, min(HINT_BYTES, end - at), os.POSIX_FADV_WILLNEED)

    def close(self) -> None:
        """Close the files, and OpenSlide's view of them, and give back the memory of what was decoded."""
        self._files.close()
        if self._bands is not None:
            self._bands.clear()
        if self._reference is not None:
            self._reference.close()


def _spans(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return begin and end of what parts of a file cover, given as offset and length; near ones are joined.

    >>> _spans([(100, 10), (0, 50), (50, 10), (0, 0)])
    [(0, 110)]
    >>> _spans([(0, 10), (1 << 20, 10)])
    [(0, 10), (1048576, 1048586)]
    """
    spans: list[tuple[int, int]] = []
    for offset, length in sorted(part for part in parts if part[1] > 0):
        if spans and offset <= spans[-1][1] + NEAR_BYTES:
            spans[-1] = spans[-1][0], max(spans[-1][1], offset + length)
        else:
            spans.append((offset, offset + length))
    return spans
