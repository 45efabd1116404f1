"""slides: whether a stored tile is whole, by the decoder of the direct lane."""

import threading

import numpy as np

from wsi_area.model.geometry import Region, Size
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.lanes.tile_files import TileFiles
from wsi_area.slides.stored.tile_codecs import CODEC_ERRORS, UnknownToDecoderError, check_tile
from wsi_area.slides.stored.tiled_level import TiledLevel

STORED_TILE_ERRORS = (*CODEC_ERRORS, OSError)
"""What is raised where a stored tile cannot be fetched or decoded."""


def damage_text(slide_id: str, level: int, tiles: TiledLevel, index: int, error: Exception) -> str:
    """Return the words on a stored tile that is damaged."""
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
        self._files = TileFiles(info)
        self._levels = self._files.levels
        self._lock = threading.Lock()
        self._looked_at = {n: bytearray(len(tiles.offsets)) for n, (tiles, _) in enumerate(self._levels) if tiles}
        self._damage: dict[tuple[int, int], str] = {}

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def damage_under(self, level: int, box: Region) -> str | None:
        """Return the damage of a stored tile under a box of a level, or None where all of them are whole.

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

    def tile_px(self, level: int) -> Size | None:
        """Return the size of a level's stored tiles, which OpenSlide does not say of every vendor; None if unknown."""
        tiles, _ = self._levels[level]
        return None if tiles is None else tiles.tile_px

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
            if self._looked_at[level][index]:
                return self._damage.get((level, index))
        damage = None
        try:
            data = self._files.bytes_of(tiles, index)
            if data is not None:
                check_tile(data, tiles, np.empty((tiles.tile_px.height_px, tiles.tile_px.width_px, 3), np.uint8))
        except UnknownToDecoderError:
            pass  # not damaged: OpenSlide's own answer counts
        except STORED_TILE_ERRORS as error:
            damage = damage_text(self._info.slide_id, level, tiles, index, error)
        with self._lock:
            self._looked_at[level][index] = 1
            if damage is not None:
                self._damage[level, index] = damage
        return damage
