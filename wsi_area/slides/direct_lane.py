"""slides: the direct lane, compressed tiles by offset, decoded into memory that is already there."""

import os
from collections.abc import Iterator

import numpy as np

from wsi_area.errors import LaneError, SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray, TilePixels
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.reading import Piece, assembled, grid_boxes, require_within
from wsi_area.slides.tiff_levels import TiledLevel, tiled_levels
from wsi_area.slides.tile_codecs import CODEC_ERRORS, decode_tile


class DirectReader:
    """One tiled TIFF, read by ``pread``: no position is shared, so any number of threads may read.

    It says nothing about whether it agrees with OpenSlide; ``lanes.choose_lane`` proves that.
    """

    lane = "direct"

    def __init__(self, info: SlideInfo) -> None:
        self.is_broken = False
        self._info = info
        self._levels = tiled_levels(info)
        try:
            self._file = os.open(info.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise SlideOpenError(f"{info.path}: {error.strerror}; bring the file back") from error

    def structure(self, level: int) -> tuple[TiledLevel | None, str]:
        """Return where the tiles of a level lie and "", or None and why it cannot be read."""
        return self._levels[level]

    def tiled_level(self, level: int) -> TiledLevel:
        """Return where the tiles of a level lie.

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
        return assembled(self.pieces(level, region_level_px), region_level_px)

    def pieces(self, level: int, region_level_px: Region) -> Iterator[Piece]:
        """Yield a region of a level tile by stored tile, each decoded into the same scratch memory.

        Raises
        ------
        TileReadError
            A stored tile cannot be decoded.
        """
        require_within(self._info, level, region_level_px)
        tiles = self.tiled_level(level)
        width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
        scratch = np.empty((height, width, 3), np.uint8)
        for box in grid_boxes(region_level_px, width, height):
            column, row = box.x_px // width, box.y_px // height
            is_there = self._decode(level, tiles, row * tiles.tiles_across + column, scratch)
            left, top = box.x_px - column * width, box.y_px - row * height
            rgb = scratch[top : top + box.height_px, left : left + box.width_px]
            valid = None if is_there else np.zeros((box.height_px, box.width_px), np.bool_)
            yield Piece(box, rgb, valid)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _decode(self, level: int, tiles: TiledLevel, index: int, out: RgbArray) -> bool:
        """Fill ``out`` with a stored tile and return True, or with 0 and return False where it is missing."""
        offset, count = tiles.offsets[index], tiles.byte_counts[index]
        if count == 0 or offset == 0:
            out[...] = 0
            return False
        try:
            data = os.pread(self._file, count, offset) if offset + count <= self._info.file_bytes else b""
            if len(data) != count:
                raise ValueError(f"the file ends within it ({count} bytes at {offset})")
            decode_tile(data, tiles, out)
        except (*CODEC_ERRORS, OSError) as error:
            row, column = divmod(index, tiles.tiles_across)
            raise TileReadError(
                f"slide {self._info.slide_id!r}, level {level}, stored tile row {row} column {column}: "
                f"{error}; its pixels count as unreadable, re-export or re-scan the slide to have them"
            ) from error
        return True
