"""slides: decoded stored tiles that several regions of a batch need: the halo of one tile is the core of the next."""

from collections import deque
from collections.abc import Sequence
from itertools import product

import numpy as np

from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import RgbArray
from wsi_area.slides.stored.tile_codecs import decoding_room

Place = tuple[int, int]
"""Column and row of a stored tile in its level."""


class SharedTiles:
    """The stored tiles that regions have in common, each kept from the first region that reads it to the last.

    It belongs to the one thread that reads. Where ``most_bytes`` are not enough, what is needed last goes first; it is
    then decoded once more.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._regions: Sequence[Region] = ()
        self._readers: dict[Place, deque[int]] | None = None  # the numbers of the regions that still need a tile
        self._kept: dict[Place, RgbArray] = {}
        self._kept_bytes = 0

    def expect(self, regions_level_px: Sequence[Region]) -> None:
        """Be told all regions of one level beforehand, in the order in which they are read."""
        self._regions, self._readers = regions_level_px, None
        self._kept.clear()
        self._kept_bytes = 0

    def take(self, place: Place, tile_px: Size) -> RgbArray | None:
        """Return a stored tile for the next region that needs it, None where it has to be decoded.

        ``tile_px`` is the size of the stored tiles of the level.
        """
        if self._readers is None:
            self._readers = _readers_by_tile(self._regions, tile_px)
        readers = self._readers.get(place)
        if readers:
            readers.popleft()
        found = self._kept.get(place)
        if found is not None and not readers:
            self._drop(place)
        return found

    def parted(self, boxes: Sequence[Region], tile_px: Size) -> tuple[list[tuple[Region, RgbArray]], list[Region]]:
        """Return the boxes of a region that were kept, with their pixels, and those that have to be decoded.

        Each box lies in one stored tile.
        """
        kept, others = [], []
        for box in boxes:
            tile = self.take(place_of(box, tile_px), tile_px)
            if tile is None:
                others.append(box)
            else:
                kept.append((box, tile[within_tile(box, tile_px)]))
        return kept, others

    def room_for(self, place: Place, shape: tuple[int, int, int]) -> RgbArray | None:
        """Return memory of its own for a tile that a later region needs, too; None where none does, or none is left."""
        if not self._later(place):
            return None
        wanted_bytes = int(np.prod(shape))
        while self._kept_bytes + wanted_bytes > self._most_bytes:
            last = max(self._kept, key=self._next_reader, default=place)
            if last == place or self._next_reader(last) <= self._next_reader(place):
                return None
            self._drop(last)
        return decoding_room(shape)

    def keep(self, place: Place, decoded: RgbArray) -> None:
        """Keep a whole tile that was decoded into the room for it."""
        self._drop(place)
        self._kept[place] = decoded
        self._kept_bytes += decoded.nbytes

    @property
    def kept_bytes(self) -> int:
        """Return the bytes that are kept now."""
        return self._kept_bytes

    def _later(self, place: Place) -> bool:
        return self._readers is not None and bool(self._readers.get(place))

    def _next_reader(self, place: Place) -> int:
        readers = (self._readers or {}).get(place)
        return readers[0] if readers else len(self._regions)

    def _drop(self, place: Place) -> None:
        dropped = self._kept.pop(place, None)
        self._kept_bytes -= 0 if dropped is None else dropped.nbytes


def place_of(box: Region, tile_px: Size) -> Place:
    """Return the place of the stored tile that a box lies in.

    >>> place_of(Region(300, 10, 20, 20), Size(256, 256))
    (1, 0)
    """
    return box.x_px // tile_px.width_px, box.y_px // tile_px.height_px


def within_tile(box: Region, tile_px: Size) -> tuple[slice, slice]:
    """Return the rows and columns of the stored tile that a box lies in.

    >>> within_tile(Region(300, 10, 20, 20), Size(256, 256))
    (slice(10, 30, None), slice(44, 64, None))
    """
    column, row = place_of(box, tile_px)
    return box.moved(-column * tile_px.width_px, -row * tile_px.height_px).slices


def _readers_by_tile(regions_level_px: Sequence[Region], tile_px: Size) -> dict[Place, deque[int]]:
    """Return for each stored tile the numbers of the regions that need some of it, in order."""
    readers: dict[Place, deque[int]] = {}
    for number, region in enumerate(regions_level_px):
        columns = range(region.x_px // tile_px.width_px, -(-region.right_px // tile_px.width_px))
        rows = range(region.y_px // tile_px.height_px, -(-region.bottom_px // tile_px.height_px))
        for place in product(columns, rows):
            readers.setdefault(place, deque()).append(number)
    return readers
