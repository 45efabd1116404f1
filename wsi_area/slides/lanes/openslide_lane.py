"""slides: the reference lane, OpenSlide's C call into memory of our own, without PIL."""

import ctypes
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import openslide
import openslide_bin
from numpy.typing import NDArray
from openslide import lowlevel

from wsi_area.errors import SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import TilePixels
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.lanes.argb import split_argb
from wsi_area.slides.lanes.exactness import is_exactly_addressable
from wsi_area.slides.lanes.reading import DecodedTile, assembled, grid_boxes, require_within

BLOCK_PX = 1024  # upper bound of a block: 4 MiB of ARGB, far below OpenSlide's own cut at 4096
CANONICAL_BLOCK_PX = 512

Handle = Any
"""What ``openslide.lowlevel.open`` returns; the binding has no public name for it."""

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
    """

    lane = "openslide"

    def __init__(self, info: SlideInfo) -> None:
        self.is_broken = False
        self._info = info
        self._lock = threading.Lock()
        self._handle: Handle | None = open_handle(info.path)
        self._dead_handles: list[Handle] = []
        self._downsamples = [lowlevel.get_level_downsample(self._handle, n.index) for n in info.levels]
        self._is_exact: dict[int, bool] = {}

    def downsample(self, level: int) -> float:
        """Return OpenSlide's own downsample of a level, which is what it addresses the level by."""
        return float(self._downsamples[level])

    def is_exact(self, level: int) -> bool:
        """Return whether every pixel of a level can be addressed without interpolation."""
        if level not in self._is_exact:
            size = self._info.levels[level].size_px
            longest = max(size.width_px, size.height_px)
            self._is_exact[level] = is_exactly_addressable(longest, self.downsample(level))
        return self._is_exact[level]

    def read(self, level: int, region_level_px: Region) -> TilePixels:
        """Return a region of a level as one block.

        Raises
        ------
        TileReadError
            OpenSlide cannot decode some of it; the reader is broken from then on.
        """
        return assembled(self.decoded_tiles(level, region_level_px), region_level_px)

    def decoded_tiles(self, level: int, region_level_px: Region) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of a level in blocks of at most 1024 px.

        Raises
        ------
        TileReadError
            OpenSlide cannot decode some of it; the reader is broken from then on.
        """
        size = require_within(self._info, level, region_level_px)
        whole = Region(0, 0, size.width_px, size.height_px)
        exact = self.is_exact(level)
        step_x, step_y = self._block_px(level) if exact else (CANONICAL_BLOCK_PX, CANONICAL_BLOCK_PX)
        argb = np.empty(step_x * step_y, np.uint32)
        rgb = np.empty(step_x * step_y * 3, np.uint8)
        for box in grid_boxes(region_level_px, step_x, step_y):
            source = box
            if not exact:
                corner = Region(box.x_px // step_x * step_x, box.y_px // step_y * step_y, step_x, step_y)
                source = corner.intersection(whole) or corner
            words = self._block(level, source, argb)
            top, left = box.y_px - source.y_px, box.x_px - source.x_px
            words = words[top : top + box.height_px, left : left + box.width_px]
            colours = rgb[: box.area_px * 3].reshape(box.height_px, box.width_px, 3)
            yield (DecodedTile(box, colours, split_argb(words, colours)),)

    def read_ahead(self, level: int, regions_level_px: Iterable[Region]) -> None:
        """Do nothing: where the tiles of a level lie in the file, only OpenSlide knows."""

    def close(self) -> None:
        """Close the handle, and those that died on a bad tile."""
        with self._lock:
            for handle in [*self._dead_handles, self._handle]:
                if handle is not None:
                    lowlevel.close(handle)
            self._handle, self._dead_handles = None, []

    def _block_px(self, level: int) -> tuple[int, int]:
        """Return the block size: whole stored tiles where they fit, so that few tiles are decoded twice."""
        tile = self._info.levels[level].stored_tile_px
        if tile is None:
            return BLOCK_PX, BLOCK_PX
        return _whole_tiles(tile.width_px), _whole_tiles(tile.height_px)

    def _block(self, level: int, box: Region, scratch: NDArray[np.uint32]) -> NDArray[np.uint32]:
        words = scratch[: box.area_px].reshape(box.height_px, box.width_px)
        handle = self._live_handle()
        if self._call(handle, level, box, words) is None:
            return words
        # One bad tile kills a handle for good, and for every thread that reads through it. Whose tile it
        # was is decided on a handle that nobody else can kill.
        self._retire(handle)
        judge = open_handle(self._info.path)
        try:
            failure = self._call(judge, level, box, words)
        finally:
            lowlevel.close(judge)
        if failure is None:
            return words
        self.is_broken = True
        raise TileReadError(
            f"slide {self._info.slide_id!r}, level {level}, {box}: OpenSlide says {failure!r}; "
            "the pixels count as unreadable, re-export or re-scan the slide to have them"
        )

    def _call(self, handle: Handle, level: int, box: Region, words: NDArray[np.uint32]) -> str | None:
        """Fill ``words`` and return None, or OpenSlide's own words of what went wrong."""
        # OpenSlide addresses every level by whole level-0 pixels
        x_l0, y_l0 = (round(v * self.downsample(level)) for v in (box.x_px, box.y_px))
        _read_region(handle, words.ctypes.data, x_l0, y_l0, level, box.width_px, box.height_px)
        failure: str | None = lowlevel.get_error(handle)
        return failure

    def _live_handle(self) -> Handle:
        with self._lock:
            if self._handle is None:
                self._handle = open_handle(self._info.path)
            return self._handle

    def _retire(self, handle: Handle) -> None:
        with self._lock:
            if self._handle is handle:
                self._handle = None
                self._dead_handles.append(handle)  # others may be inside it: closed with the reader


def open_handle(path: str) -> Handle:
    """Return a new OpenSlide handle of a file.

    Raises
    ------
    SlideOpenError
        OpenSlide refuses the file.
    """
    try:
        return lowlevel.open(path)
    except openslide.OpenSlideError as error:
        raise SlideOpenError(
            f"{path}: OpenSlide cannot open it ({error}); it may be truncated or damaged, copy it again"
        ) from error


def _whole_tiles(tile_px: int) -> int:
    if not 0 < tile_px <= BLOCK_PX:
        return BLOCK_PX
    return BLOCK_PX // tile_px * tile_px
