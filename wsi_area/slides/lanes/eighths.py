"""slides: stored tiles that are added up block by block, as JPEGs show them at an eighth, and not decoded."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.jpeg.eighths import BLOCK_PX
from wsi_area.compute.jpeg.eighths import add_eighths as add_jpegs
from wsi_area.model.geometry import Region, Size
from wsi_area.slides.lanes.box_sums import MCU_PX, BoxSums
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.tile_files import TileMemory
from wsi_area.slides.stored.tiled_level import JPEG

_TILES_AT_ONCE = 256
"""Their bytes are what is held meanwhile."""


def add_eighths(reader: DirectReader, level: int, region_level_px: Region, sums: BoxSums) -> list[Region]:
    """Return the parts of a region that have to be decoded; the rest is added to the sums.

    They are tiles that are missing, damaged or unusual, or that the level's edge cuts elsewhere than between MCUs; all
    of it where the level is not stored in JPEGs of whole MCUs, or its boxes do not consist of them.
    ``region_level_px`` is parted between stored tiles.
    """
    tiles = reader.tiled_level(level)
    width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
    are_whole = not (width % MCU_PX or height % MCU_PX or sums.factor % MCU_PX)
    if tiles.compression != JPEG or tiles.is_interval or not are_whole:
        return [region_level_px]
    boxes = _boxes(region_level_px, tiles.tile_px)
    numbers = boxes[:, 1] // height * tiles.tiles_across + boxes[:, 0] // width
    done = np.zeros(len(boxes), np.bool_)
    usable = np.flatnonzero(~(boxes[:, 2:] % MCU_PX).any(1))
    places = (boxes - (0, sums.first_row * sums.factor, 0, 0)) // BLOCK_PX
    rgb, memory, factor = np.zeros(sums.rgb.shape, np.uint32), TileMemory(tiles.jpeg_head), sums.factor // BLOCK_PX
    for first in range(0, len(usable), _TILES_AT_ONCE):
        some = usable[first : first + _TILES_AT_ONCE]
        spans = reader.read_together(level, numbers[some], memory)
        has_bytes = spans[:, 1] > 0
        some, spans = some[has_bytes], spans[has_bytes]
        done[some] = add_jpegs(
            memory.data, memory.head_bytes, spans, tiles.tile_px, places[some], factor, rgb, is_ycbcr=tiles.is_ycbcr
        )
    sums.rgb += rgb.astype(sums.rgb.dtype, copy=False)
    left_over = []
    for is_added, run in _runs(boxes, done):
        if is_added:
            sums.add_valid(run)
        else:
            left_over.append(run)
    return left_over


def _boxes(region: Region, tile_px: Size) -> NDArray[np.int64]:
    """Return column, row, width and height of the part of each stored tile in a region, int64 (n, 4), row by row."""
    columns, rows = (
        np.arange(first // side * side, behind, side)
        for first, behind, side in (
            (region.x_px, region.right_px, tile_px.width_px), (region.y_px, region.bottom_px, tile_px.height_px),
        )
    )  # fmt: skip
    widths = np.minimum(columns + tile_px.width_px, region.right_px) - columns
    heights = np.minimum(rows + tile_px.height_px, region.bottom_px) - rows
    across, down = len(columns), len(rows)
    parts = np.tile(columns, down), rows.repeat(across), np.tile(widths, down), heights.repeat(across)
    return np.stack(parts, 1)


def _runs(boxes: NDArray[np.int64], done: NDArray[np.bool_]) -> Iterator[tuple[bool, Region]]:
    """Yield the tiles that were added, those beside each other as one, and each of the others; and which they are."""
    is_other = (done[1:] != done[:-1]) | (boxes[1:, 1] != boxes[:-1, 1])
    starts = [0, *(np.flatnonzero(is_other) + 1).tolist(), len(boxes)]
    for start, stop in pairwise(starts):
        if done[start]:
            (x, y, _, height), (last_x, _, last_width, _) = boxes[start].tolist(), boxes[stop - 1].tolist()
            yield True, Region(x, y, last_x + last_width - x, height)
        else:
            yield from ((False, Region(*box)) for box in boxes[start:stop].tolist())
