"""slides: is the direct lane the same as OpenSlide on this very slide; answered by comparing pixels."""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

import numpy as np

from wsi_area.errors import LaneError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.handles import borrow_reader
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.lanes.overview import overview_level
from wsi_area.slides.stored.tiled_level import TiledLevel

MAX_TILES_PER_LEVEL = 24
_RANDOM_TILES = 8


def find_obstacle(
    info: SlideInfo, levels: Sequence[int], usable_levels: Sequence[int] | None
) -> tuple[tuple[int, ...], str | None]:
    """Return the levels to prove, and why the direct lane may not read them, or None where it is proven.

    Of every level, the four corner tiles, tiles of the last row and column, random tiles (seeded by the
    slide) and missing tiles, 24 at most, are compared byte for byte with OpenSlide, colours and validity. All edge
    tiles that will be read follow once that is known: ``find_edge_obstacle``.
    The overview's level is proven with them, where it is stored and can be addressed exactly.
    """
    unknown = [level for level in levels if not 0 <= level < len(info.levels)]
    if unknown:
        return tuple(levels), f"level {unknown[0]} was asked for, the slide has {len(info.levels)}"
    # a reference of its own, closed afterwards: what OpenSlide keeps of the tiles, up to 32 MB, goes with it
    with borrow_reader(info, "direct") as direct, closing(OpenSlideReader(info, checks_tiles=False)) as reference:
        if not isinstance(direct, DirectReader):
            raise LaneError(f"slide {info.slide_id!r}: the reader cache mixed up its lanes; please report this")
        wanted = set(levels)
        overview = overview_level(info, usable_levels=usable_levels)
        if reference.is_exact(overview) and direct.holds(overview):  # else OpenSlide reads it
            wanted.add(overview)
        for level in sorted(wanted):
            obstacle = _level_obstacle(info, level, direct, reference)
            if obstacle is not None:
                return tuple(sorted(wanted)), f"level {level}: {obstacle}"
    return tuple(sorted(wanted)), None


def find_edge_obstacle(info: SlideInfo, level: int, regions_level_px: Iterable[Region]) -> tuple[int, str | None]:
    """Return how many stored tiles of a level's edges some regions touch, and what differs from OpenSlide, or None.

    Edge tiles are where readers differ: part of them lies outside the level. On most slides the edges are glass, which
    is not read, so that all which are read cost little, where all there are would cost as much as a seventh of a run.
    """
    with borrow_reader(info, "direct") as direct:
        if not isinstance(direct, DirectReader):
            raise LaneError(f"slide {info.slide_id!r}: the reader cache mixed up its lanes; please report this")
        tiles = direct.tiled_level(level)
        edge = _edge_tiles(tiles, regions_level_px)
        if all((level, index) in direct.proven for index in edge):
            return len(edge), None
        # a reference of its own, closed afterwards: what OpenSlide keeps of the tiles, up to 32 MB, goes with it
        with closing(OpenSlideReader(info, checks_tiles=False)) as reference:
            for index in edge:
                difference = _unproven(level, tiles, index, direct, reference)
                if difference is not None:
                    place = divmod(index, tiles.tiles_across)
                    return len(edge), f"level {level}: stored tile {place} (row, column): {difference}"
    return len(edge), None


def _edge_tiles(tiles: TiledLevel, regions_level_px: Iterable[Region]) -> list[int]:
    """Return the stored tiles in the first or last row or column that some regions touch, each once.

    Where one stored tile is as wide as the level, or as high, all of it lies inside along that side.
    """
    width, height, across, down = tiles.tile_px.width_px, tiles.tile_px.height_px, tiles.tiles_across, tiles.tiles_down
    touched = {
        (row, column)
        for box in regions_level_px
        for row in range(box.y_px // height, -(-box.bottom_px // height))
        for column in range(box.x_px // width, -(-box.right_px // width))
    }
    row_ends = () if height == tiles.size_px.height_px else (0, down - 1)
    column_ends = () if width == tiles.size_px.width_px else (0, across - 1)
    return sorted(r * across + c for r, c in touched if r in row_ends or c in column_ends)


def _level_obstacle(info: SlideInfo, level: int, direct: DirectReader, reference: OpenSlideReader) -> str | None:
    tiles, obstacle = direct.structure(level)
    if tiles is None:
        return obstacle
    if not reference.is_exact(level):
        return (
            f"its downsample of {reference.downsample(level):.6g} is fractional, so OpenSlide interpolates "
            "and stored pixels are not what it shows"
        )
    entry = info.levels[level]
    if reference.downsample(level) != (entry.downsample_x + entry.downsample_y) / 2:
        return "OpenSlide addresses it by another downsample than its size gives"
    if info.vendor == "aperio" and any(_has_missing(direct, n) for n in range(level + 1)) and level > 0:
        return "tiles are missing, which OpenSlide paints from the finer level"
    for index in _sample(info, level, tiles):
        difference = _unproven(level, tiles, index, direct, reference)
        if difference is not None:
            return f"stored tile {divmod(index, tiles.tiles_across)} (row, column): {difference}"
    return None


def _has_missing(direct: DirectReader, level: int) -> bool:
    tiles, _ = direct.structure(level)
    return tiles is None or bool(tiles.missing)


def tile_box(tiles: TiledLevel, index: int) -> Region:
    """Return the part of the level that a stored tile covers."""
    row, column = divmod(index, tiles.tiles_across)
    width, height = tiles.tile_px.width_px, tiles.tile_px.height_px
    x, y = column * width, row * height
    return Region(x, y, min(width, tiles.size_px.width_px - x), min(height, tiles.size_px.height_px - y))


def _sample(info: SlideInfo, level: int, tiles: TiledLevel) -> Iterator[int]:
    """Yield the tiles to compare, the same for the same file, each once."""
    across, down = tiles.tiles_across, tiles.tiles_down
    seed = hashlib.sha256(f"{info.fingerprint} {level}".encode()).digest()
    chance = random.Random(seed)
    right = [row * across + across - 1 for row in range(down)]
    bottom = [(down - 1) * across + column for column in range(across)]
    corners = [0, across - 1, (down - 1) * across, down * across - 1]
    missing = chance.sample(tiles.missing, min(2, len(tiles.missing)))
    inner = [chance.randrange(across * down) for _ in range(_RANDOM_TILES)]
    chance.shuffle(right)
    chance.shuffle(bottom)
    edge = [tile for pair in zip(right, bottom, strict=False) for tile in pair]
    longer = right[len(bottom) :] + bottom[len(right) :]
    ordered = dict.fromkeys([*corners, *missing, *inner, *edge, *longer])
    yield from list(ordered)[:MAX_TILES_PER_LEVEL]


def _unproven(
    level: int, tiles: TiledLevel, index: int, direct: DirectReader, reference: OpenSlideReader
) -> str | None:
    """Return how a stored tile differs in the two lanes, or None; one that was the same is not compared again.

    What was proven is remembered by the open reader and goes with it, so that it is of this very file, as it is open
    here, and of this very program: a tissue layer, or a closer look, proves only what it reads besides.
    """
    if (level, index) in direct.proven:
        return None
    difference = _difference(level, tiles, index, direct, reference)
    if difference is None:
        direct.proven.add((level, index))
    return difference


def _difference(
    level: int, tiles: TiledLevel, index: int, direct: DirectReader, reference: OpenSlideReader
) -> str | None:
    """Return how a stored tile differs in the two lanes, or None.

    What the direct lane's decoder refuses is damaged in every lane, whatever OpenSlide makes of it (`StoredTileCheck`).
    """
    box = tile_box(tiles, index)
    try:
        ours = direct.read(level, box)
    except TileReadError as error:
        return None if direct.knows(level, index) else f"OpenSlide may decode it, the direct lane cannot ({error})"
    try:
        theirs = reference.read(level, box)
    except TileReadError:
        return "OpenSlide cannot decode it, the direct lane can"
    if not np.array_equal(ours.valid, theirs.valid):
        return f"{int((ours.valid != theirs.valid).sum())} pixels are valid in one lane only"
    if np.array_equal(ours.rgb, theirs.rgb):
        return None
    unequal = (ours.rgb != theirs.rgb).any(axis=-1) & ours.valid
    if unequal.any():
        return f"{int(unequal.sum())} of {box.area_px} pixels differ"
    return None
