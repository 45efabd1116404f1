"""compute: the cut where stored tiles are wider than a tile and low, as the restart intervals of NDPI are.

Whoever reads part of such a stored tile decodes all of it. So batches end where stored tiles do; where those are wider
than a batch, what is decoded for a row of tiles is kept for the tiles beside it (`slides.lanes.bands`).
"""

from wsi_area.model.slide import Level

BAND_PX = 64
"""About so many rows of pixels are decoded at once: whole work pixels at most reductions, and some hundred kB."""
ROW_BYTES_MOST = 96 << 20
"""Of decoded pixels that are kept for one row of tiles: more of them would be too much for each worker."""
_LEAST_LEVEL_PX, _LEAST_PX = 256, 16
"""A tile is not made lower than that on the level that is read, so that a row of them fits into memory."""
_SHARED_BATCH_TILES = 2
"""Along the edge of a batch that shares its stored tiles with many others: so low that what the first one decodes is
still kept for the last one, and no lower, since each batch has a cost of its own."""
_BATCHES_THAT_MAY_SHARE = 2
"""As many batches of the largest size may decode one stored tile, each for itself: that is as good where workers keep
nothing for each other, as processes do."""


def is_wide(level: Level, tile_level_px: int) -> bool:
    """Return True if stored tiles are wider than a tile and no higher."""
    stored = level.stored_tile_px
    return stored is not None and stored.height_px <= tile_level_px < stored.width_px


def row_bytes(level: Level, tile_level_px: int) -> int:
    """Return the most bytes of pixels that a row of tiles needs of the bands under it, as wide as one stored tile.

    0 where stored tiles are not wide and low: none of them is kept. A row of tiles that begins within a band needs one
    band more than one that does not.

    >>> from wsi_area.model.geometry import Size
    >>> row_bytes(Level(0, Size(51200, 38144), 1.0, 1.0, Size(2048, 8)), 512) == 3 * 2048 * (512 + 64)
    True
    """
    stored = level.stored_tile_px
    if stored is None or not is_wide(level, tile_level_px):
        return 0
    band_px = max(BAND_PX, stored.height_px)
    return 3 * min(stored.width_px, level.size_px.width_px) * (-(-tile_level_px // band_px) + 1) * band_px


def low_tile_px(level: Level, tile_px: int, reduce_factor: int) -> int:
    """Return a tile edge, or the half of it and so on until a row of tiles fits into memory, in work px.

    >>> from wsi_area.model.geometry import Size
    >>> wide = Level(0, Size(102400, 81920), 1.0, 1.0, Size(102400, 8))
    >>> low_tile_px(wide, 512, 1), low_tile_px(wide, 512, 4)
    (256, 64)
    """
    least_px = min(tile_px, max(_LEAST_PX, _LEAST_LEVEL_PX // reduce_factor))
    while tile_px > least_px and row_bytes(level, tile_px * reduce_factor) > ROW_BYTES_MOST:
        tile_px = max(least_px, tile_px // 2)
    return tile_px


def wide_batch_tiles(level: Level, tile_level_px: int, about: int, most: int) -> int:
    """Return the tiles along the edge of a batch that has about so many, of stored tiles that are wide and low.

    Parameters
    ----------
    level : Level
        The level that is read.
    tile_level_px : int
        The edge of a tile on that level.
    about, most : int
        The tiles along the edge of a batch elsewhere, and of the largest batch that there may be.
    """
    stored = level.stored_tile_px
    width_px = level.size_px.width_px
    stored_px = width_px if stored is None else min(stored.width_px, width_px)
    most = max(about, most)
    if row_bytes(level, tile_level_px) > ROW_BYTES_MOST:
        return most  # nothing is kept beyond a tile
    if stored_px > _BATCHES_THAT_MAY_SHARE * most * tile_level_px:
        return min(about, _SHARED_BATCH_TILES)
    choice = range(-(-about // 2), most + 1)
    return min(choice, key=lambda n: (_times_decoded(width_px, n * tile_level_px, stored_px), abs(n - about)))


def _times_decoded(width_px: int, batch_px: int, stored_px: int) -> int:
    """Return how many stored tiles batches decode along a row of a level: a tile that lies in two of them twice.

    >>> _times_decoded(8192, 4096, 2048), _times_decoded(8192, 3072, 2048)
    (4, 5)
    """
    starts = range(0, width_px, batch_px)
    return sum(-(-min(x + batch_px, width_px) // stored_px) - x // stored_px for x in starts)
