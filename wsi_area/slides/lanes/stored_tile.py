"""slides: the bytes of one stored tile of a tiled TIFF, and whether they are whole."""

import os
import threading

import numpy as np

from wsi_area.errors import SlideOpenError
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.stored.tiff_levels import TiledLevel, tiled_levels
from wsi_area.slides.stored.tile_codecs import CODEC_ERRORS, UnknownToDecoderError, check_tile

STORED_TILE_ERRORS = (*CODEC_ERRORS, OSError)
"""What is raised where a stored tile cannot be fetched or decoded."""


def open_file(path: str) -> int:
    """Return a descriptor for ``pread``: no position is shared, so any number of threads may read.

    Raises
    ------
    SlideOpenError
        The file is gone, or may not be read.
    """
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise SlideOpenError(f"{path}: {error.strerror}; bring the file back") from error


def tile_bytes(file: int, file_bytes: int, tiles: TiledLevel, index: int) -> bytes | None:
    """Return the compressed bytes of a stored tile, or None where OpenSlide takes it for missing: it has no bytes.

    Raises
    ------
    ValueError
        The file does not hold them where its directory says, or cannot: a tile of so many bytes lies nowhere.
    OSError
        They cannot be read.
    """
    offset, count = tiles.offsets[index], tiles.byte_counts[index]
    if count == 0:
        return None
    if offset == 0:
        raise ValueError(f"its directory gives it {count} bytes and no place in the file")
    if index in tiles.shared:
        raise ValueError(f"another tile claims some of its {count} bytes at {offset}")
    data = os.pread(file, count, offset) if offset + count <= file_bytes else b""
    if len(data) != count:
        raise ValueError(f"the file ends within it ({count} bytes at {offset})")
    return data


def damage_text(slide_id: str, level: int, tiles: TiledLevel, index: int, error: Exception) -> str:
    """Return what is said of a stored tile that is damaged."""
    row, column = divmod(index, tiles.tiles_across)
    return (
        f"slide {slide_id!r}, level {level}, stored tile row {row} column {column}: "
        f"{error}; its pixels count as unreadable, re-export or re-scan the slide to have them"
    )


class StoredTileCheck:
    """Whether stored tiles are whole by the decoder of the direct lane, for whoever reads them through OpenSlide.

    OpenSlide stops where a picture has all its rows: it sees neither what is left over, as behind bytes that were
    changed, nor the checksum of a Deflate stream. Each tile is looked at once.
    """

    def __init__(self, info: SlideInfo) -> None:
        self._info = info
        self._levels = tiled_levels(info)
        self._file = open_file(info.path)
        self._lock = threading.Lock()
        self._damage: dict[tuple[int, int], str | None] = {}

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def damage_under(self, level: int, box: Region) -> str | None:
        """Return what is wrong with a stored tile under a box of a level, or None where all of them are whole.

        None as well where the level is not read by stored tiles alone: see ``is_checked``.
        """
        tiles, _ = self._levels[level]
        if tiles is None or not self.is_checked(level):
            return None
        width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
        for row in range(max(0, box.y_px) // height, min(-(-box.bottom_px // height), tiles.tiles_down)):
            for column in range(max(0, box.x_px) // width, min(-(-box.right_px // width), tiles.tiles_across)):
                damage = self._damage_of(level, tiles, row * tiles.tiles_across + column)
                if damage is not None:
                    return damage
        return None

    def is_checked(self, level: int) -> bool:
        """Return True if OpenSlide shows the stored tiles of a level.

        Of an Aperio slide, it paints a tile from the finer level if one of those beneath it is missing.
        """
        finer_or_same = [tiles for tiles, _ in self._levels[: level + 1]]
        return not (
            level > 0 and self._info.vendor == "aperio" and any(t is None or t.missing for t in finer_or_same)
        )  # fmt: skip

    def _damage_of(self, level: int, tiles: TiledLevel, index: int) -> str | None:
        with self._lock:
            if (level, index) in self._damage:
                return self._damage[level, index]
        damage = None
        try:
            data = tile_bytes(self._file, self._info.file_bytes, tiles, index)
            if data is not None:
                check_tile(data, tiles, np.empty((tiles.tile_px.height_px, tiles.tile_px.width_px, 3), np.uint8))
        except UnknownToDecoderError:
            pass  # not damaged: OpenSlide's own answer counts
        except STORED_TILE_ERRORS as error:
            damage = damage_text(self._info.slide_id, level, tiles, index, error)
        with self._lock:
            self._damage[level, index] = damage
        return damage
