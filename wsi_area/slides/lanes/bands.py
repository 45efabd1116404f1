"""slides: stored tiles that are wide and low, as restart intervals of a JPEG are: decoded some rows at once, and kept.

A region is mostly narrower than such a tile, and the next region beside it needs the same tiles: each would be decoded
again and again. OpenSlide keeps 32 MB of what it decoded. So much is kept here too, and more where that is not enough:
of each row of regions that is being read the bands that reach beside it, and as much once more.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping

from wsi_area.compute.cut.wide_tiles import BAND_PX, ROW_BYTES_MOST
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray
from wsi_area.slides.lanes.reading import DecodedTile, damaged_tile, grid_boxes
from wsi_area.slides.stored.tile_codecs import decoding_room
from wsi_area.slides.stored.tiled_level import TiledLevel

KEPT_BYTES = 32 << 20
"""Of bands that no region is being read out of, or more: see ``DecodedBands``."""
YIELDED_BYTES = 1 << 20
"""Pixels that are handed out at once: fewer turns at Python's lock."""

Decode = Callable[[int, TiledLevel, range, RgbArray], tuple[str | None, ...]]
"""Fill memory with stored tiles of a level that lie under each other; what is returned is the damage of each, or None.
"""


_Place = tuple[int, int, int]
"""Level, column and row of a band."""


class _Band:
    """Stored tiles of one column that lie under each other, decoded."""

    def __init__(self, rgb: RgbArray, damage: tuple[str | None, ...]) -> None:
        self.rgb = rgb  # uint8 (rows, w, 3)
        self.damage = damage  # of each tile
        self.users = 0  # regions that are being read out of it


class DecodedBands:
    """The bands of one slide that were decoded last, and those that are in use; any number of threads may read.

    A band that one thread decodes is waited for by the others: neighbours in a row of batches need the same ones at the
    same time.

    Whoever reads one region after the other along wide bands needs all that lie under the first again for the second.
    So these are kept of as many rows of regions as were read at once, and of one more, since threads do not keep step.
    Where they are more than ``ROW_BYTES_MOST``, they are not: they would be let go before they are needed again.
    """

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._lock = threading.Lock()
        self._kept: dict[_Place, _Band] = {}
        self._idle: OrderedDict[_Place, _Band] = OrderedDict()  # those that nobody uses, longest ago first
        self._idle_bytes = 0
        self._reading: Counter[_Place] = Counter()  # regions, by the band in their upper left corner
        self._most_rows = 0  # that many different ones at once, counting two of a column at most
        self._row_bytes = 0  # the most that a region needs of bands which reach beside it
        self._coming: dict[_Place, threading.Event] = {}  # being decoded by some thread

    def decoded_tiles(
        self, level: int, tiles: TiledLevel, region_level_px: Region
    ) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of a level in bands, a few at once; of a band with damage each stored tile by itself."""
        width, height = tiles.tile_px.width_px, tiles.tile_px.height_px * tiles_at_once(tiles)
        row = level, region_level_px.x_px // width, region_level_px.y_px // height
        self._begin(row, _bytes_beside(tiles, region_level_px))
        try:
            for boxes in _a_few_at_once(grid_boxes(region_level_px, width, height)):
                places = [(level, box.x_px // width, box.y_px // height) for box in boxes]
                bands = self._lend(tiles, places)
                try:
                    yield tuple(
                        tile
                        for box, place in zip(boxes, places, strict=True)
                        for tile in _shown(bands[place], tiles, box)
                    )
                finally:
                    self._take_back(bands)
        finally:
            self._end(row)

    def clear(self) -> None:
        """Let go of all bands; nobody may be reading."""
        with self._lock:
            self._kept.clear()
            self._idle.clear()
            self._idle_bytes = 0

    def _begin(self, row: _Place, bytes_beside: int) -> None:
        """Count one region more of a row that is being read, and what it needs of bands that reach beside it."""
        with self._lock:
            self._reading[row] += 1
            columns = {column for _, column, _ in self._reading}
            self._most_rows = max(self._most_rows, min(len(self._reading), 2 * len(columns)))
            if bytes_beside <= ROW_BYTES_MOST:
                self._row_bytes = max(self._row_bytes, bytes_beside)

    def _end(self, row: _Place) -> None:
        with self._lock:
            self._reading[row] -= 1
            if not self._reading[row]:
                del self._reading[row]

    def _lend(self, tiles: TiledLevel, places: list[_Place]) -> dict[_Place, _Band]:
        """Return the bands at some places, first decoding those that no other thread does, then waiting for the rest.

        Who waits decodes nothing, so that no two threads wait for each other.
        """
        bands: dict[_Place, _Band] = {}
        try:
            for may_wait in (False, True):
                for place in places:
                    if place not in bands and (band := self._band(tiles, place, may_wait=may_wait)) is not None:
                        bands[place] = band
        except BaseException:
            self._take_back(bands)
            raise
        return bands

    def _band(self, tiles: TiledLevel, place: _Place, *, may_wait: bool) -> _Band | None:
        """Return one band, of one user more; or None where another thread decodes it and nobody may wait."""
        while True:
            with self._lock:
                band = self._kept.get(place)
                if band is not None:
                    if not band.users:
                        self._idle_bytes -= self._idle.pop(place).rgb.nbytes
                    band.users += 1
                    return band
                coming = self._coming.get(place)
                if coming is None:
                    self._coming[place] = threading.Event()
                    break
            if not may_wait:
                return None
            coming.wait()
        made: _Band | None = None
        try:
            made = self._decoded(tiles, place)
            made.users = 1
        finally:
            with self._lock:
                if made is not None:
                    self._kept[place] = made
                self._coming.pop(place).set()
        return made

    def _take_back(self, bands: Mapping[_Place, _Band]) -> None:
        """Have one user less of each band, and let go of those that were used longest ago."""
        with self._lock:
            for place, band in bands.items():
                band.users -= 1
                if not band.users:
                    self._idle[place] = band
                    self._idle_bytes += band.rgb.nbytes
            kept_bytes = max(KEPT_BYTES, (self._most_rows + 1) * self._row_bytes)
            while self._idle_bytes > kept_bytes:
                place, band = self._idle.popitem(last=False)
                del self._kept[place]
                self._idle_bytes -= band.rgb.nbytes

    def _decoded(self, tiles: TiledLevel, place: _Place) -> _Band:
        level, column, row = place
        width, height, at_once = tiles.tile_px.width_px, tiles.tile_px.height_px, tiles_at_once(tiles)
        first = row * at_once
        count = min(at_once, tiles.tiles_down - first)
        rgb = decoding_room((count * height, width, 3))
        across = tiles.tiles_across
        begin = first * across + column
        return _Band(rgb, self._decode(level, tiles, range(begin, begin + count * across, across), rgb))


def _a_few_at_once(boxes: Iterable[Region]) -> Iterator[list[Region]]:
    """Yield boxes in groups, each of about as many pixels as are handed out at once."""
    some: list[Region] = []
    some_px = 0
    for box in boxes:
        some.append(box)
        some_px += box.area_px
        if 3 * some_px >= YIELDED_BYTES:
            yield some
            some, some_px = [], 0
    if some:
        yield some


def _bytes_beside(tiles: TiledLevel, region_level_px: Region) -> int:
    """Return the bytes of those bands under a region that reach beyond its left or its right side."""
    width, height = tiles.tile_px.width_px, tiles.tile_px.height_px * tiles_at_once(tiles)
    left, right = region_level_px.x_px, region_level_px.right_px
    columns = {left // width, (right - 1) // width}
    cut = [n for n in columns if n * width < left or min((n + 1) * width, tiles.size_px.width_px) > right]
    rows = -(-region_level_px.bottom_px // height) - region_level_px.y_px // height
    return 3 * len(cut) * rows * width * height


def _shown(band: _Band, tiles: TiledLevel, box: Region) -> Iterator[DecodedTile]:
    """Yield the part of a band that lies in a box: at once if all of it is whole."""
    width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
    rows = height * tiles_at_once(tiles)
    x, y = box.x_px // width * width, box.y_px // rows * rows
    is_whole = not any(band.damage)
    for part in [box] if is_whole else grid_boxes(box, width, height):
        damage = None if is_whole else band.damage[(part.y_px - y) // height]
        if damage is not None:
            yield damaged_tile(part, damage)
            continue
        rgb = band.rgb[part.y_px - y : part.bottom_px - y, part.x_px - x : part.right_px - x]
        yield DecodedTile(part, rgb, None)


def tiles_at_once(tiles: TiledLevel) -> int:
    """Return the number of stored tiles under each other that make a band."""
    return max(1, BAND_PX // tiles.tile_px.height_px)


def band_px(tiles: TiledLevel) -> int:
    """Return the number of pixels of a band."""
    return tiles_at_once(tiles) * tiles.tile_px.area_px
