"""slides: is the direct lane the same as OpenSlide on this very slide; answered by comparing pixels."""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from wsi_area.errors import LaneDiffersError, LaneError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.handles import borrow_reader
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.lanes.overview import overview_level
from wsi_area.slides.lanes.reading import SlideReader
from wsi_area.slides.stored.tiled_level import TiledLevel

MAX_TILES_PER_LEVEL = 24
_RANDOM_TILES = 8


def find_obstacle(
    info: SlideInfo, levels: Sequence[int], usable_levels: Sequence[int] | None
) -> tuple[tuple[int, ...], str | None]:
    """Return the levels to prove, and why the direct lane may not read them, or None where it is proven.

    Of every level, the four corner tiles, tiles of the last row and column, random tiles (seeded by the
    slide) and missing tiles, 24 at most, are compared byte for byte with OpenSlide, colours and validity. All edge
    tiles that will be read follow once that is known (``find_edge_obstacle``), or when each is (``refuse_difference``).
    The overview's level is proven with them, where it is stored and can be addressed exactly.
    """
    unknown = [level for level in levels if not 0 <= level < len(info.levels)]
    if unknown:
        return tuple(levels), f"level {unknown[0]} was asked for, the slide has {len(info.levels)}"
    with _direct_reader(info) as direct:
        reference, wanted = direct.reference(), set(levels)
        overview = overview_level(info, usable_levels=usable_levels)
        if reference.is_exact(overview) and direct.holds(overview):  # else OpenSlide reads it
            wanted.add(overview)
        for level in sorted(wanted):
            obstacle = _level_obstacle(info, level, direct)
            if obstacle is not None:
                return tuple(sorted(wanted)), f"level {level}: {obstacle}"
    return tuple(sorted(wanted)), None


def find_edge_obstacle(info: SlideInfo, level: int, regions_level_px: Iterable[Region]) -> tuple[int, str | None]:
    """Return the number of stored tiles of a level's edges that some regions touch, and what differs from OpenSlide.

    Edge tiles are where readers differ: part of them lies outside the level. On most slides the edges are glass, which
    is not read, so that all which are read cost little, where all there are would cost as much as a seventh of a run.
    """
    with _direct_reader(info) as direct:
        edge = _edge_tiles(direct.tiled_level(level), regions_level_px)
        return len(edge), _first_difference(level, edge, direct)


def count_edge_tiles(info: SlideInfo, level: int, regions_level_px: Iterable[Region]) -> int:
    """Return the number of stored tiles of a level's edges that some regions touch."""
    with _direct_reader(info) as direct:
        return len(_edge_tiles(direct.tiled_level(level), regions_level_px))


def refuse_difference(reader: SlideReader, level: int, region_level_px: Region) -> None:
    """Refuse a region of the direct lane an edge tile of which is not what OpenSlide shows.

    Raises
    ------
    LaneDiffersError
        Saying which stored tile differs, and how.
    """
    direct = _as_direct(reader)
    edge = _edge_tiles(direct.tiled_level(level), [region_level_px])
    difference = _first_difference(level, edge, direct) if edge else None
    if difference is not None:
        raise LaneDiffersError(difference)


@contextmanager
def _direct_reader(info: SlideInfo) -> Iterator[DirectReader]:
    """Lend the direct lane's reader of a slide."""
    with borrow_reader(info, "direct") as reader:
        yield _as_direct(reader)


def _as_direct(reader: SlideReader) -> DirectReader:
    """Return a reader that is known to be of the direct lane.

    Raises
    ------
    LaneError
        It is not: the cache of readers lent another one.
    """
    if not isinstance(reader, DirectReader):
        raise LaneError(f"the reader cache mixed up its lanes: {reader.lane} in place of direct; please report this")
    return reader


def _edge_tiles(tiles: TiledLevel, regions_level_px: Iterable[Region]) -> list[int]:
    """Return the stored tiles in the first or last row or column that some regions touch, each once.

    Where one stored tile is as wide as the level, or as high, all of it lies inside along that side.
    """
    width, height, across, down = tiles.tile_px.width_px, tiles.tile_px.height_px, tiles.tiles_across, tiles.tiles_down
    row_ends = () if height == tiles.size_px.height_px else (0, down - 1)
    column_ends = () if width == tiles.size_px.width_px else (0, across - 1)
    touched: set[int] = set()
    for box in regions_level_px:
        rows = range(box.y_px // height, -(-box.bottom_px // height))
        columns = range(box.x_px // width, -(-box.right_px // width))
        if rows.start and columns.start and rows.stop < down and columns.stop < across:  # inside, as nearly all are
            continue
        touched.update(row * across + column for row in row_ends if row in rows for column in columns)
        touched.update(row * across + column for column in column_ends if column in columns for row in rows)
    return sorted(touched)


def _first_difference(level: int, edge: Sequence[int], direct: DirectReader) -> str | None:
    """Return the difference of the first of some stored tiles that is not what OpenSlide shows, or None."""
    tiles = direct.tiled_level(level)
    for some in _in_bands(tiles, edge):
        if _is_equal_at_once(level, tiles, some, direct):
            continue
        for index in some:
            difference = _unproven(level, tiles, index, direct)
            if difference is not None:
                place = divmod(index, tiles.tiles_across)
                return f"level {level}: stored tile {place} (row, column): {difference}"
    return None


def _in_bands(tiles: TiledLevel, edge: Sequence[int]) -> Iterable[Sequence[int]]:
    """Return stored tiles in those groups that lanes decode at once: restart intervals of one band, else each alone."""
    if not tiles.is_interval:
        return ([index] for index in edge)
    from wsi_area.slides.lanes.bands import tiles_at_once  # few files are stored so

    bands: dict[tuple[int, int], list[int]] = {}
    for index in edge:
        row, column = divmod(index, tiles.tiles_across)
        bands.setdefault((row // tiles_at_once(tiles), column), []).append(index)
    return bands.values()


def _is_equal_at_once(level: int, tiles: TiledLevel, some: Sequence[int], direct: DirectReader) -> bool:
    """Return True if stored tiles that follow each other downwards are all the same in both lanes, seen as one box.

    False leaves it open: then each is compared by itself.
    """
    if len(some) < 2 or some[-1] - some[0] != (len(some) - 1) * tiles.tiles_across:
        return False
    first, last = tile_box(tiles, some[0]), tile_box(tiles, some[-1])
    box = Region(first.x_px, first.y_px, first.width_px, last.bottom_px - first.y_px)
    if not direct.proven.issuperset((level, index) for index in some):
        try:
            ours, theirs = direct.read(level, box), direct.reference().read(level, box)
        except TileReadError:
            return False
        if not (np.array_equal(ours.rgb, theirs.rgb) and np.array_equal(ours.valid, theirs.valid)):
            return False
        direct.proven.update((level, index) for index in some)
    return True


def _level_obstacle(info: SlideInfo, level: int, direct: DirectReader) -> str | None:
    reference = direct.reference()
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
        difference = _unproven(level, tiles, index, direct)
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


def _unproven(level: int, tiles: TiledLevel, index: int, direct: DirectReader) -> str | None:
    """Return the difference of a stored tile in the two lanes, or None; one that was the same is not compared again.

    What was proven is remembered by the open reader and goes with it, so that it is of this very file, as it is open
    here, and of this very program: a tissue layer, or a closer look, proves only what it reads besides.
    """
    if (level, index) in direct.proven:
        return None
    difference = _difference(level, tiles, index, direct, direct.reference())
    if difference is None:
        direct.proven.add((level, index))
    return difference


def _difference(
    level: int, tiles: TiledLevel, index: int, direct: DirectReader, reference: OpenSlideReader
) -> str | None:
    """Return the difference of a stored tile in the two lanes, or None.

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
