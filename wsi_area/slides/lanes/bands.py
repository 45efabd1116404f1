"""slides: stored tiles that are wide and low, as restart intervals of a JPEG are: decoded some rows at once, and kept.

A region is mostly narrower than such a tile, and the next region beside it needs the same tiles: each would be decoded
again and again. OpenSlide keeps 32 MB of what it decoded; so is kept here.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

import numpy as np

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray
from wsi_area.slides.lanes.reading import DecodedTile, damaged_tile, grid_boxes
from wsi_area.slides.stored.tiled_level import TiledLevel

KEPT_BYTES = 32 << 20
ROWS_PX = 64
"""About so many rows of pixels are decoded at once: whole work pixels at most reductions, and some hundred kB."""

YIELDED_BYTES = 1 << 20
"""Pixels that are handed out at once: fewer turns at Python's lock."""

Decode = Callable[[int, TiledLevel, range, RgbArray], tuple[str | None, ...]]
"""Fill memory with stored tiles of a level that lie under each other; what is returned is the damage of each, or None.
"""


@frozen_value
class _Band:
    """Stored tiles of one column that lie under each other, decoded."""

    rgb: RgbArray  # uint8 (rows, w, 3)
    damage: tuple[str | None, ...]  # of each tile


class DecodedBands:
    """The bands of one slide that were decoded last; any number of threads may read."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, int, int], _Band] = OrderedDict()
        self._kept_bytes = 0

    def decoded_tiles(
        self, level: int, tiles: TiledLevel, region_level_px: Region
    ) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of a level in bands, a few at once; of a band with damage each stored tile by itself."""
        width, band_px = tiles.tile_px.width_px, tiles.tile_px.height_px * tiles_at_once(tiles)
        shown: list[DecodedTile] = []
        shown_px = 0
        for box in grid_boxes(region_level_px, width, band_px):
            band = self._band(level, tiles, box.x_px // width, box.y_px // band_px)
            shown += _shown(band, tiles, box)
            shown_px += box.area_px
            if 3 * shown_px >= YIELDED_BYTES:
                yield tuple(shown)
                shown, shown_px = [], 0
        if shown:
            yield tuple(shown)

    def _band(self, level: int, tiles: TiledLevel, column: int, row: int) -> _Band:
        key = level, column, row
        with self._lock:
            band = self._kept.get(key)
            if band is not None:
                self._kept.move_to_end(key)
                return band
        band = self._decoded(level, tiles, column, row)  # two threads may do the same: it is the same
        with self._lock:
            if key not in self._kept:
                self._kept[key] = band
                self._kept_bytes += band.rgb.nbytes
            while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
                self._kept_bytes -= self._kept.popitem(last=False)[1].rgb.nbytes
        return band

    def _decoded(self, level: int, tiles: TiledLevel, column: int, row: int) -> _Band:
        width, height, at_once = tiles.tile_px.width_px, tiles.tile_px.height_px, tiles_at_once(tiles)
        first = row * at_once
        count = min(at_once, tiles.tiles_down - first)
        rgb = np.empty((count * height, width, 3), np.uint8)
        across = tiles.tiles_across
        begin = first * across + column
        return _Band(rgb, self._decode(level, tiles, range(begin, begin + count * across, across), rgb))


def _shown(band: _Band, tiles: TiledLevel, box: Region) -> Iterator[DecodedTile]:
    """Yield the part of a band that lies in a box: at once if all of it is whole."""
    width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
    band_px = height * tiles_at_once(tiles)
    x, y = box.x_px // width * width, box.y_px // band_px * band_px
    is_whole = not any(band.damage)
    for part in [box] if is_whole else grid_boxes(box, width, height):
        damage = None if is_whole else band.damage[(part.y_px - y) // height]
        if damage is not None:
            yield damaged_tile(part, damage)
            continue
        rows, columns = slice(part.y_px - y, part.bottom_px - y), slice(part.x_px - x, part.right_px - x)
        yield DecodedTile(part, band.rgb[rows, columns], None)


def tiles_at_once(tiles: TiledLevel) -> int:
    """Return the number of stored tiles under each other that make a band."""
    return max(1, ROWS_PX // tiles.tile_px.height_px)
