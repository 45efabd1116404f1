"""slides: stored tiles that are added up block by block, as JPEGs show them at an eighth, and not decoded."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.jpeg.eighths import BLOCK_PX
from wsi_area.compute.jpeg.eighths import add_eighths as add_jpegs
from wsi_area.model.geometry import Region
from wsi_area.slides.lanes.box_sums import MCU_PX, BoxSums
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.reading import grid_boxes
from wsi_area.slides.stored.tiled_level import JPEG

_TILES_AT_ONCE = 128
"""Tables are made once for so many; their bytes are what is held meanwhile."""


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
    rgb = np.zeros(sums.rgb.shape, np.uint32)
    left_over = []
    for row in grid_boxes(region_level_px, width * _TILES_AT_ONCE, height):
        left_over += _add_row(reader, level, row, sums, rgb)
    sums.rgb += rgb.astype(sums.rgb.dtype, copy=False)
    return left_over


def _add_row(reader: DirectReader, level: int, row: Region, sums: BoxSums, rgb: NDArray[np.uint32]) -> list[Region]:
    """Return those of some stored tiles beside each other that could not be added to the sums, and to their colours."""
    tiles = reader.tiled_level(level)
    width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
    first = row.y_px // height * tiles.tiles_across + row.x_px // width
    left_over, data, usable = [], [], []
    for number, box in enumerate(grid_boxes(row, width, height), first):
        is_whole = not (box.width_px % MCU_PX or box.height_px % MCU_PX)
        some = reader.stored_bytes(level, number) if is_whole else None
        if some:
            data.append(some)
            usable.append(box)
        else:
            left_over.append(box)
    if not usable:
        return left_over
    top, factor = sums.first_row * sums.factor, sums.factor // BLOCK_PX
    places = np.array([(box.x_px, box.y_px - top, box.width_px, box.height_px) for box in usable], np.int64) // BLOCK_PX
    done = add_jpegs(tiles.jpeg_head, data, tiles.tile_px, places, factor, rgb, is_ycbcr=tiles.is_ycbcr)
    if done.all() and not left_over:
        sums.add_valid(row)
        return left_over
    for box, is_added in zip(usable, done, strict=True):
        if is_added:
            sums.add_valid(box)
        else:
            left_over.append(box)
    return left_over
