"""slides: a small picture of the whole slide, the same in every lane."""

from collections.abc import Sequence
from itertools import chain

from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import Overview
from wsi_area.model.slide import SAMPLE_BITS, SlideInfo
from wsi_area.slides.lanes.box_sums import MCU_PX, BoxSums
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.exactness import is_exactly_addressable
from wsi_area.slides.lanes.handles import borrow_reader
from wsi_area.slides.lanes.reading import SlideReader, grid_boxes

MAX_SIDE_PX = 1024
_BLOCK_PX = 1024  # level pixels a side held at once, about
_LARGEST_TILE_PX = 1 << 22  # of a stored tile that is held whole
LARGE_SIDE_PX = 8192
"""A longer level is looked at by the blocks of its JPEGs where it can be: see ``slides.lanes.eighths``."""


def overview_level(info: SlideInfo, max_side_px: int = MAX_SIDE_PX, usable_levels: Sequence[int] | None = None) -> int:
    """Return the level an overview is made from: the coarsest usable one at least half as large as wished.

    A level that is padded, or whose ratio to level 0 is odd, would show the slide in the wrong place; None means
    that every level may be used.
    """
    fitting = [
        level.index
        for level in info.levels
        if (usable_levels is None or level.index in usable_levels)
        and 2 * max(level.size_px.width_px, level.size_px.height_px) >= max_side_px
    ]
    return max(fitting, default=0)


def overview_box_l0_px(
    info: SlideInfo, max_side_px: int = MAX_SIDE_PX, usable_levels: Sequence[int] | None = None
) -> tuple[float, float]:
    """Return the width and the height of the level-0 box under one pixel of the overview."""
    level = info.levels[overview_level(info, max_side_px, usable_levels)]
    factor = _factor(level.size_px, max_side_px)
    return factor * level.downsample_x, factor * level.downsample_y


def read_overview(
    info: SlideInfo,
    reader: SlideReader,
    max_side_px: int = MAX_SIDE_PX,
    usable_levels: Sequence[int] | None = None,
) -> Overview:
    """Return the whole slide as box means of valid pixels, its longest side at most ``max_side_px``.

    The box is a whole number of level pixels, so the picture depends neither on the lane nor on any tile
    size; boxes at the right and lower rim are smaller. Means are rounded half up. Of a large level in JPEGs the direct
    lane adds up what these say of each block, which is rounded: there a mean may differ by a grey level or two. A box
    is valid where all of it was scanned; what cannot be decoded is not valid either, so that one bad tile never costs
    the slide.
    ``mpp`` is left None: the caller knows the calibration.
    """
    level = overview_level(info, max_side_px, usable_levels)
    rows = 0, info.levels[level].size_px.height_px
    if reader.lane == overview_lane(info, reader.lane, usable_levels, level):
        return overview_of(info, level, [_added(info, reader, level, rows, max_side_px)], max_side_px)
    with borrow_reader(info, "openslide") as reference:
        return overview_of(info, level, [_added(info, reference, level, rows, max_side_px)], max_side_px)


def overview_lane(info: SlideInfo, lane: str, usable_levels: Sequence[int] | None, level: int | None = None) -> str:
    """Return the lane that reads the overview of a slide: its own, or OpenSlide's where it is not proven on the level.

    OpenSlide shows levels, too, that the file does not hold: those of NDPI that it reduces while it decodes.

    ``level`` is the overview's by default.
    """
    level = overview_level(info, usable_levels=usable_levels) if level is None else level
    if lane != "direct" or not _is_proven(info, level, usable_levels):
        return lane if lane != "direct" else "openslide"
    with borrow_reader(info, lane) as reader:
        return lane if reader.holds(level) else "openslide"


def _is_proven(info: SlideInfo, level: int, usable_levels: Sequence[int] | None) -> bool:
    """Return True if a proven direct lane has been compared with OpenSlide on this level (see ``lanes``)."""
    entry = info.levels[level]
    longest = max(entry.size_px.width_px, entry.size_px.height_px)
    exact = is_exactly_addressable(longest, (entry.downsample_x + entry.downsample_y) / 2)
    return exact and level == overview_level(info, usable_levels=usable_levels)


def overview_parts(info: SlideInfo, level: int, part_px: int) -> list[tuple[int, int]]:
    """Return first and end row of the parts of a level, of about so many pixels each, parted between stored tiles."""
    size, step = info.levels[level].size_px, _steps_px(info, level)[1]
    rows = max(1, part_px // (size.width_px * step)) * step
    return [(top, min(top + rows, size.height_px)) for top in range(0, size.height_px, rows)]


def read_part(info: SlideInfo, lane: str, level: int, rows_px: tuple[int, int]) -> BoxSums:
    """Return the sums of some rows of the overview's level, first and end row; see `overview_of`."""
    with borrow_reader(info, lane) as reader:
        return _added(info, reader, level, rows_px, MAX_SIDE_PX)


def overview_of(info: SlideInfo, level: int, parts: Sequence[BoxSums], max_side_px: int = MAX_SIDE_PX) -> Overview:
    """Return the overview whose rows the parts have, in any order, each row of the level once."""
    size = info.levels[level].size_px
    if len(parts) == 1:
        whole = parts[0]
    else:
        whole = BoxSums.of_rows(size, _factor(size, max_side_px), 0, size.height_px)
        for part in parts:
            whole.add_part(part)
    rgb, valid, deep = whole.means()
    return Overview(rgb, valid, info.size_l0_px, None, deep=deep, deep_bits=int(info.properties.get(SAMPLE_BITS, 16)))


def _added(info: SlideInfo, reader: SlideReader, level: int, rows_px: tuple[int, int], max_side_px: int) -> BoxSums:
    """Return the sums of some rows of a level; each stored tile is decoded once, however boxes lie over it."""
    size, (top, bottom) = info.levels[level].size_px, rows_px
    sums = BoxSums.of_rows(size, _factor(size, max_side_px), top, bottom)
    left_over = [Region(0, top, size.width_px, bottom - top)]
    if isinstance(reader, DirectReader) and _is_large(size):
        from wsi_area.slides.lanes.eighths import add_eighths  # which only large levels need pay

        left_over = add_eighths(reader, level, left_over[0], sums)
    for part in left_over:
        for box in grid_boxes(part, *_steps_px(info, level)):
            for tile in chain.from_iterable(reader.decoded_tiles(level, box)):
                sums.add(tile)
    return sums


def _factor(size: Size, max_side_px: int) -> int:
    """Return the side of an overview's pixel in level pixels; where the level is large, whole MCUs of JPEGs."""
    least = -(-max(size.width_px, size.height_px) // max_side_px)
    return -(-least // MCU_PX) * MCU_PX if _is_large(size) and 2 * least > MCU_PX else least


def _is_large(size: Size) -> bool:
    """Return True if an overview of a level is made from the blocks of its JPEGs, if it has any."""
    return max(size.width_px, size.height_px) > LARGE_SIDE_PX


def _steps_px(info: SlideInfo, level: int) -> tuple[int, int]:
    """Return width and height of what is held at once: whole stored tiles, several where they are small."""
    tile = info.levels[level].stored_tile_px
    if tile is None or tile.area_px > _LARGEST_TILE_PX:
        return _BLOCK_PX, _BLOCK_PX
    width, height = (max(1, _BLOCK_PX // side) * side for side in (tile.width_px, tile.height_px))
    return width, height
