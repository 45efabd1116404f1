"""slides: the reference lane, OpenSlide's C call into memory of our own, without PIL."""

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import closing

import numpy as np
import openslide_bin
from numpy.typing import NDArray

from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import TilePixels
from wsi_area.model.slide import DIRECT_VENDORS, SlideInfo
from wsi_area.slides.lanes.argb import split_argb
from wsi_area.slides.lanes.exactness import is_exactly_addressable
from wsi_area.slides.lanes.reading import (
    DecodedTile,
    assembled,
    damaged_tile,
    grid_boxes,
    require_within,
)
from wsi_area.slides.lanes.shared_tiles import SharedTiles
from wsi_area.slides.stored import openslide_calls
from wsi_area.slides.stored.openslide_calls import Handle
from wsi_area.slides.stored.openslide_handles import OwnHandle, SharedHandle

BLOCK_PX = 1024  # upper bound of a block: 4 MiB of ARGB, far below OpenSlide's own cut at 4096
CANONICAL_BLOCK_PX = 512
CELL_PX = 256
"""What is lost at once where a format shows no stored tiles, on a grid through the corner of the level."""

# Looked up by item, not by attribute: an own function object, so that setting its types does not
# touch the binding's. The first argument is the handle, which ctypes unwraps by itself.
_read_region = openslide_bin.libopenslide1["openslide_read_region"]
_read_region.restype = None
_read_region.argtypes = [
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_int32,
    ctypes.c_int64,
    ctypes.c_int64,
]


class OpenSlideReader:
    """One slide open in OpenSlide.

    Where a level cannot be addressed exactly (its downsample is fractional), OpenSlide interpolates and the
    pixels depend on the origin of the call. Such a level is read in canonical blocks, a fixed grid of 512 px,
    so that a pixel is the same whatever region it was asked for in.

    What OpenSlide cannot decode is halved until one cell is left: a stored tile, or 256 px a side where the format
    shows none. Where a level is interpolated, the cells beside it lose the pixels of their rims as well.

    ``checks_tiles`` is False for the proof alone, which compares what OpenSlide says with the decoder of the direct
    lane; everybody else has both. ``kept_bytes`` is how much OpenSlide keeps of decoded tiles, 32 MB by default.
    """

    lane = "openslide"
    is_broken = False  # a handle that died is replaced at once

    def __init__(self, info: SlideInfo, *, checks_tiles: bool = True, kept_bytes: int | None = None) -> None:
        self._info = info
        self._shared = SharedHandle(info.path, kept_bytes)
        self._numbers = info.openslide_levels or tuple(level.index for level in info.levels)
        with self._shared.lent() as handle:
            self._downsamples = [openslide_calls.level_downsample(handle, number) for number in self._numbers]
        self._is_exact: dict[int, bool] = {}
        self._check = None
        if checks_tiles and info.vendor in DIRECT_VENDORS:
            # imported here: tifffile takes 0.25 s to load, which other formats need not pay
            from wsi_area.slides.lanes.stored_tile import StoredTileCheck

            self._check = StoredTileCheck(info)

    def downsample(self, level: int) -> float:
        """Return OpenSlide's own downsample of a level, which is what it addresses the level by."""
        return float(self._downsamples[level])

    def is_exact(self, level: int) -> bool:
        """Return True if every pixel of a level can be addressed without interpolation."""
        if level not in self._is_exact:
            size = self._info.levels[level].size_px
            longest = max(size.width_px, size.height_px)
            self._is_exact[level] = is_exactly_addressable(longest, self.downsample(level))
        return self._is_exact[level]

    def holds(self, level: int) -> bool:
        """Return True: it reads every level."""
        return True

    def read(self, level: int, region_level_px: Region) -> TilePixels:
        """Return a region of a level as one block.

        Raises
        ------
        TileReadError
            OpenSlide cannot decode some of it.
        """
        return assembled(self.decoded_tiles(level, region_level_px), region_level_px)

    def decoded_tiles(
        self, level: int, region_level_px: Region, shared: SharedTiles | None = None
    ) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of a level in blocks of at most 1024 px; what is damaged, cell by cell."""
        size = require_within(self._info, level, region_level_px)
        whole = Region(0, 0, size.width_px, size.height_px)
        grain = self._grain_px(level)  # no less is read at once, so that nothing depends on the region
        if self.is_exact(level):
            stored = self._stored_px(level) or grain
            step_x, step_y = _whole_tiles(stored.width_px), _whole_tiles(stored.height_px)
        else:
            step_x = step_y = CANONICAL_BLOCK_PX
        # no more than the region can need: small blocks are memory that malloc has at hand, large ones are cleared
        most_x = min(step_x, region_level_px.width_px + 2 * grain.width_px)
        most_y = min(step_y, region_level_px.height_px + 2 * grain.height_px)
        argb = np.empty(most_x * most_y, np.uint32)
        rgb = np.empty(most_x * most_y * 3, np.uint8)
        for box in grid_boxes(region_level_px, step_x, step_y):
            block = _grown_to(grain, box).intersection(whole) or box
            words = self._block(level, block, argb)
            parts = self._around_damage(level, block, argb) if words is None else ((block, words, ""),)
            for part, seen, damage in parts:
                within = part.intersection(box)
                if within is None:
                    continue
                if seen is None:
                    yield (damaged_tile(within, damage),)
                    continue
                top, left = within.y_px - part.y_px, within.x_px - part.x_px
                seen = seen[top : top + within.height_px, left : left + within.width_px]
                colours = rgb[: within.area_px * 3].reshape(within.height_px, within.width_px, 3)
                yield (DecodedTile(within, colours, split_argb(seen, colours)),)

    def read_ahead(self, level: int, regions_level_px: Iterable[Region]) -> None:
        """Do nothing: where the tiles of a level lie in the file, only OpenSlide knows."""

    def close(self) -> None:
        """Close the handle."""
        self._shared.close()
        if self._check is not None:
            self._check.close()

    def _grain_px(self, level: int) -> Size:
        """Return the size that is read at once if any of it is: a pixel, or a cell, or a canonical block."""
        if not self.is_exact(level):
            return Size(CANONICAL_BLOCK_PX, CANONICAL_BLOCK_PX)
        # a stored tile is decoded whole whatever part of it is asked for
        return Size(CELL_PX, CELL_PX) if self._stored_px(level) is None else Size(1, 1)

    def _stored_px(self, level: int) -> Size | None:
        """Return the size of a level's stored tiles, as OpenSlide says or as they are checked; None if nobody knows."""
        checked = None if self._check is None else self._check.tile_px(level)
        return self._info.levels[level].stored_tile_px or checked

    def _block(self, level: int, box: Region, scratch: NDArray[np.uint32]) -> NDArray[np.uint32] | None:
        """Return a block of ARGB, or None where some of it is damaged, or another thread had the handle die."""
        if self._stored_damage(level, box) is not None:
            return None
        words = _of(scratch, box)
        with self._shared.lent() as handle:
            return words if self._call(handle, level, box, words) is None else None

    def _around_damage(
        self, level: int, block: Region, scratch: NDArray[np.uint32]
    ) -> Iterator[tuple[Region, NDArray[np.uint32] | None, str]]:
        """Yield the parts of a block, each with its ARGB and "", or None and its damage; good until the next."""
        cell = self._stored_px(level) or Size(CELL_PX, CELL_PX)
        with closing(OwnHandle(self._info.path)) as own:
            pending = [block]
            while pending:
                box = pending.pop()
                damage = self._damage_of(own, level, box, scratch)
                if damage is None:
                    yield box, _of(scratch, box), ""
                    continue
                halves = _halves(box, cell)
                if halves:
                    pending += reversed(halves)
                    continue
                inner = None if self.is_exact(level) else _inset(box)
                if inner is None or self._damage_of(own, level, inner, scratch) is not None:
                    yield box, None, damage
                    continue
                yield inner, _of(scratch, inner), ""
                yield from ((rim, None, damage) for rim in _rims(box, inner))

    def _damage_of(self, own: OwnHandle, level: int, box: Region, scratch: NDArray[np.uint32]) -> str | None:
        """Fill the scratch memory with a box and return None, or what is wrong with it."""
        damage = self._stored_damage(level, box)
        if damage is not None:
            return damage
        said = self._call(own.live(), level, box, _of(scratch, box))
        if said is None:
            return None
        return (
            f"slide {self._info.slide_id!r}, level {level}, {box}: OpenSlide says {said!r}; "
            "the pixels count as unreadable, re-export or re-scan the slide to have them"
        )

    def _stored_damage(self, level: int, box: Region) -> str | None:
        if self._check is None:
            return None
        # where OpenSlide interpolates, a box shows its neighbours too
        return self._check.damage_under(level, box if self.is_exact(level) else _outset(box))

    def _call(self, handle: Handle, level: int, box: Region, words: NDArray[np.uint32]) -> str | None:
        """Fill ``words`` and return None, or OpenSlide's own words of what went wrong."""
        # OpenSlide addresses every level by whole level-0 pixels
        x_l0, y_l0 = (round(v * self.downsample(level)) for v in (box.x_px, box.y_px))
        _read_region(handle, words.ctypes.data, x_l0, y_l0, self._numbers[level], box.width_px, box.height_px)
        failure: str | None = openslide_calls.get_error(handle)
        return failure


def _of(scratch: NDArray[np.uint32], box: Region) -> NDArray[np.uint32]:
    """Return the part of scratch memory that holds a box."""
    return scratch[: box.area_px].reshape(box.height_px, box.width_px)


def _whole_tiles(tile_px: int) -> int:
    """Return the side of a block: whole stored tiles where they fit, so that few tiles are decoded twice."""
    if not 0 < tile_px <= BLOCK_PX:
        return BLOCK_PX
    return BLOCK_PX // tile_px * tile_px


def _grown_to(grain: Size, box: Region) -> Region:
    """Return the whole grains under a box."""
    w, h = grain.width_px, grain.height_px
    x, y = box.x_px // w * w, box.y_px // h * h
    return Region(x, y, -(-(box.right_px - x) // w) * w, -(-(box.bottom_px - y) // h) * h)


def _halves(box: Region, cell: Size) -> list[Region]:
    """Return the two halves of a box, parted where cells meet, across the side of more cells; none if it is one cell.

    >>> [half.width_px for half in _halves(Region(200, 0, 700, 9), Size(256, 256))]
    [312, 388]
    >>> _halves(Region(200, 0, 56, 9), Size(256, 256))
    []
    """
    first = box.x_px // cell.width_px, box.y_px // cell.height_px
    across = -(-box.right_px // cell.width_px) - first[0]
    down = -(-box.bottom_px // cell.height_px) - first[1]
    if across == down == 1:
        return []
    if across >= down:
        x = (first[0] + across // 2) * cell.width_px
        return [
            Region(box.x_px, box.y_px, x - box.x_px, box.height_px),
            Region(x, box.y_px, box.right_px - x, box.height_px),
        ]
    y = (first[1] + down // 2) * cell.height_px
    return [
        Region(box.x_px, box.y_px, box.width_px, y - box.y_px),
        Region(box.x_px, y, box.width_px, box.bottom_px - y),
    ]


def _inset(box: Region) -> Region | None:
    """Return a box without the pixels of its rim, or None where nothing else is in it."""
    if min(box.width_px, box.height_px) <= 2:
        return None
    return Region(box.x_px + 1, box.y_px + 1, box.width_px - 2, box.height_px - 2)


def _outset(box: Region) -> Region:
    return Region(box.x_px - 1, box.y_px - 1, box.width_px + 2, box.height_px + 2)


def _rims(box: Region, inner: Region) -> tuple[Region, ...]:
    """Return the four strips between a box and one within it."""
    return (
        Region(box.x_px, box.y_px, box.width_px, inner.y_px - box.y_px),
        Region(box.x_px, inner.bottom_px, box.width_px, box.bottom_px - inner.bottom_px),
        Region(box.x_px, inner.y_px, inner.x_px - box.x_px, inner.height_px),
        Region(inner.right_px, inner.y_px, box.right_px - inner.right_px, inner.height_px),
    )
