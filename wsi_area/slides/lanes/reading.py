"""slides: what every lane offers, and the decoded tiles it hands out; no file is opened here."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Protocol

import numpy as np

from wsi_area.errors import TileReadError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import DeepArray, MaskArray, RgbArray, TilePixels
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.lanes.shared_tiles import SharedTiles

VALID_ALPHA = 128
"""A pixel is scanned where at least half of it was: alpha >= 128 of 255. Partial alpha arises only where
OpenSlide interpolates across the rim of the scanned area."""


@frozen_value(eq=False)
class DecodedTile:
    """The part of a region that was decoded at once, mostly a stored tile; they partition the region exactly."""

    region_level_px: Region
    rgb: RgbArray  # uint8 (h, w, 3) RGB; may be a view of scratch memory
    valid: MaskArray | None  # bool (h, w); None where every pixel is valid
    deep: DeepArray | None = None  # uint16 (h, w): what ``rgb`` was made of, where it has more than 8 bits
    damage: str | None = None  # why none of it could be decoded: then it is black, and no pixel of it valid


@frozen_value
class DamagedPart:
    """A part of a region that could not be decoded."""

    region_level_px: Region
    damage: str


class SlideReader(Protocol):
    """One open slide in one lane; any number of threads may read through it at once."""

    @property
    def lane(self) -> str:
        """Return ``openslide``, ``direct`` or ``plain``."""
        ...

    @property
    def is_broken(self) -> bool:
        """Return True if a read failed; the cache then closes the reader instead of lending it again."""
        ...

    def holds(self, level: int) -> bool:
        """Return True if this lane can read a level."""
        ...

    def read(self, level: int, region_level_px: Region) -> TilePixels:
        """Return a region of a level as one block; a part of it that cannot be decoded raises `TileReadError`."""
        ...

    def decoded_tiles(
        self, level: int, region_level_px: Region, shared: SharedTiles | None = None
    ) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of a level in the tiles that are cheapest to decode: a few at once, good until the next.

        ``shared`` is given where the region is one of several that overlap; a lane need not make use of it.

        What cannot be decoded is yielded too, with its damage. It is as little as the format allows: one stored tile,
        or 256 px a side where the format shows none. How much does not depend on the region.
        """
        ...

    def read_ahead(self, level: int, regions_level_px: Iterable[Region]) -> None:
        """Be told what will be read soon; a hint, which a lane may ignore."""
        ...

    def close(self) -> None:
        """Give the file back; nobody may be reading."""
        ...


def require_within(info: SlideInfo, level: int, region_level_px: Region) -> Size:
    """Return the size of a level after making sure that the region lies in it.

    Raises
    ------
    TileReadError
        The slide has no such level, or the region is empty or leaves it.
    """
    if not 0 <= level < len(info.levels):
        raise TileReadError(
            f"slide {info.slide_id!r} has {len(info.levels)} levels, level {level} was asked for; "
            f"ask for one of 0..{len(info.levels) - 1}"
        )
    size = info.levels[level].size_px
    box = region_level_px
    inside = box.x_px >= 0 and box.y_px >= 0 and box.right_px <= size.width_px and box.bottom_px <= size.height_px
    if not inside or box.width_px <= 0 or box.height_px <= 0:
        raise TileReadError(
            f"slide {info.slide_id!r}, level {level}: {box} is empty or leaves the level of "
            f"{size.width_px} × {size.height_px} px; ask for a box within it"
        )
    return size


def grid_boxes(within: Region, step_x_px: int, step_y_px: int) -> Iterator[Region]:
    """Yield the cells of the grid through (0, 0), cut to a region, row by row.

    >>> [r.width_px for r in grid_boxes(Region(3, 0, 6, 1), 4, 4)]
    [1, 4, 1]
    """
    left, top, right, bottom = within.x_px, within.y_px, within.right_px, within.bottom_px
    for y in range(top // step_y_px * step_y_px, bottom, step_y_px):
        first_row, height = max(y, top), min(y + step_y_px, bottom) - max(y, top)
        for x in range(left // step_x_px * step_x_px, right, step_x_px):
            first_column = max(x, left)
            yield Region(first_column, first_row, min(x + step_x_px, right) - first_column, height)


def damaged_tile(region_level_px: Region, damage: str) -> DecodedTile:
    """Return the tile that stands for a part that could not be decoded; it takes no memory of its size."""
    shape = region_level_px.height_px, region_level_px.width_px
    black, not_valid = np.zeros(3, np.uint8), np.zeros((), np.bool_)
    return DecodedTile(
        region_level_px, np.broadcast_to(black, (*shape, 3)), np.broadcast_to(not_valid, shape), damage=damage
    )


def assembled(decoded_tiles: Iterator[tuple[DecodedTile, ...]], region_level_px: Region) -> TilePixels:
    """Return the decoded tiles of a region as one block of fresh memory.

    Raises
    ------
    TileReadError
        A part of it could not be decoded.
    """
    pixels, damaged = assembled_around_damage(decoded_tiles, region_level_px)
    if damaged:
        raise TileReadError(damaged[0].damage)
    return pixels


def assembled_around_damage(
    decoded_tiles: Iterator[tuple[DecodedTile, ...]], region_level_px: Region
) -> tuple[TilePixels, tuple[DamagedPart, ...]]:
    """Return a region as one block of fresh memory, black and not valid where it is damaged, and what is damaged."""
    height, width = region_level_px.height_px, region_level_px.width_px
    rgb = np.empty((height, width, 3), np.uint8)
    valid = np.ones((height, width), np.bool_)
    deep: DeepArray | None = None
    damaged = []
    for decoded in chain.from_iterable(decoded_tiles):
        box = decoded.region_level_px
        top, left = box.y_px - region_level_px.y_px, box.x_px - region_level_px.x_px
        rows, columns = slice(top, top + box.height_px), slice(left, left + box.width_px)
        rgb[rows, columns] = decoded.rgb
        if decoded.deep is not None:
            deep = np.zeros((height, width), np.uint16) if deep is None else deep
            deep[rows, columns] = decoded.deep
        if decoded.valid is not None:
            valid[rows, columns] = decoded.valid
        if decoded.damage is not None:
            damaged.append(DamagedPart(box, decoded.damage))
    return TilePixels(rgb, valid, deep), tuple(damaged)


def read_around_damage(
    reader: SlideReader, level: int, region_level_px: Region, shared: SharedTiles | None = None
) -> tuple[TilePixels, tuple[DamagedPart, ...]]:
    """Return a region of a level as one block, black and not valid where it is damaged, and what is damaged."""
    return assembled_around_damage(reader.decoded_tiles(level, region_level_px, shared), region_level_px)
