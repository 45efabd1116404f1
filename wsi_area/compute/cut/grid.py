"""compute: which level-0 pixels a work pixel stands for, as exact integers."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.geometry import Region
from wsi_area.model.pixels import TilePlace
from wsi_area.model.plan import SlidePlan, Tile


@lru_cache(maxsize=8)
def l0_edges_px(size_l0_px: int, size_level_px: int, reduce_factor: int) -> NDArray[np.int64]:
    """Return the level-0 edges of the work pixels along one axis, int64 (n_work + 1,), read-only.

    Work pixel ``j`` owns the level-0 pixels ``[edges[j], edges[j + 1])``. It covers the level pixels
    ``[j·f, min((j+1)·f, size_level))``, and level pixel ``i`` the level-0 pixels
    ``[floor(i·size0/size_level), floor((i+1)·size0/size_level))``; so the edges partition the axis exactly
    whatever the ratio.

    >>> l0_edges_px(10, 5, 2).tolist()
    [0, 4, 8, 10]
    >>> l0_edges_px(2001, 500, 1)[-3:].tolist()
    [1992, 1996, 2001]
    """
    work_px = -(-size_level_px // reduce_factor)
    level_edges = np.minimum(np.arange(work_px + 1, dtype=np.int64) * reduce_factor, size_level_px)
    edges: NDArray[np.int64] = level_edges * size_l0_px // size_level_px
    edges.setflags(write=False)  # every batch of a slide is told them
    return edges


def tile_at(plan: SlidePlan, row: int, col: int) -> Tile:
    """Return the tile in a row and column of the plan's grid; edge tiles shrink, none is dropped."""
    size = plan.work_size_px
    x, y = col * plan.tile_px, row * plan.tile_px
    core = Region(x, y, min(plan.tile_px, size.width_px - x), min(plan.tile_px, size.height_px - y))
    level = level_region(plan, core)
    read_level = level_region(plan, core.grown(plan.halo_px, size)) if plan.halo_px else level
    return Tile(row, col, core, level, read_level)


def level_region(plan: SlidePlan, work_px: Region) -> Region:
    """Return the box of level pixels under a box of work pixels; the one place that converts these frames."""
    f, size = plan.reduce_factor, plan.slide.levels[plan.level].size_px
    x, y = work_px.x_px * f, work_px.y_px * f
    right, bottom = min(work_px.right_px * f, size.width_px), min(work_px.bottom_px * f, size.height_px)
    return Region(x, y, right - x, bottom - y)


def place_at(plan: SlidePlan, work_px: Region) -> TilePlace:
    """Return the place of a box of work pixels, with the centre of each work column and row in level-0 px."""
    columns, rows = work_edges_l0_px(plan)
    x = columns[work_px.x_px : work_px.right_px + 1].astype(np.float64)
    y = rows[work_px.y_px : work_px.bottom_px + 1].astype(np.float64)
    return TilePlace(work_px, (x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2)


def tile_place(plan: SlidePlan, tile: Tile) -> TilePlace:
    """Return the place of a tile's pixels, halo included."""
    return place_at(plan, tile.core_work_px.grown(plan.halo_px, plan.work_size_px))


def work_edges_l0_px(plan: SlidePlan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the level-0 edges of the plan's work columns and rows."""
    size, level = plan.slide.size_l0_px, plan.slide.levels[plan.level].size_px
    return (
        l0_edges_px(size.width_px, level.width_px, plan.reduce_factor),
        l0_edges_px(size.height_px, level.height_px, plan.reduce_factor),
    )


def level_weights_l0_px(plan: SlidePlan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the level-0 columns that each column of the level that is read stands for, and the rows likewise."""
    size, level = plan.slide.size_l0_px, plan.slide.levels[plan.level].size_px
    across, down = (size.width_px, level.width_px), (size.height_px, level.height_px)
    return np.diff(l0_edges_px(*across, 1)), np.diff(l0_edges_px(*down, 1))


def tile_areas_l0_px(plan: SlidePlan) -> NDArray[np.int64]:
    """Return the level-0 pixels that each tile's core owns, int64 (grid_rows, grid_cols)."""
    widths, heights = (
        np.diff(edges[[*range(0, len(edges) - 1, plan.tile_px), -1]]) for edges in work_edges_l0_px(plan)
    )
    return np.asarray(heights[:, None] * widths)


def batch_tiles_at(plan: SlidePlan, batch: int) -> tuple[range, range]:
    """Return the tile rows and the tile columns of a batch; batches are numbered row by row."""
    k = plan.batch_tiles
    batch_row, batch_col = divmod(batch, plan.batch_cols)
    return (
        range(batch_row * k, min((batch_row + 1) * k, plan.grid_rows)),
        range(batch_col * k, min((batch_col + 1) * k, plan.grid_cols)),
    )


def batch_box(plan: SlidePlan, batch: int) -> Region:
    """Return the box of work pixels of a batch."""
    row, col = divmod(batch, plan.batch_cols)
    edge_px, size = plan.batch_tiles * plan.tile_px, plan.work_size_px
    x, y = col * edge_px, row * edge_px
    return Region(x, y, min(edge_px, size.width_px - x), min(edge_px, size.height_px - y))


def read_near_edges(plan: SlidePlan) -> Iterator[Region]:
    """Yield what is read of the plan's level, halos included, as near its edges as stored tiles may reach.

    That is all of it where the header does not say how large stored tiles are.
    """
    level = plan.slide.levels[plan.level]
    stored = level.stored_tile_px or level.size_px
    depth_level_px = max(stored.width_px, stored.height_px) + plan.halo_px * plan.reduce_factor
    reach = 1 + -(-depth_level_px // (plan.tile_px * plan.reduce_factor))
    cols = range(plan.grid_cols)
    for row in range(plan.grid_rows):
        is_near = row < reach or row >= plan.grid_rows - reach
        for col in cols if is_near else sorted({*cols[:reach], *cols[-reach:]}):
            if plan.is_read(row * plan.grid_cols + col):
                yield tile_at(plan, row, col).read_level_px


def batches_to_measure(plan: SlidePlan) -> tuple[int, ...]:
    """Return the numbers of the batches that need a task: those with a tile to read.

    With a region of interest all of them do, because the class map says of each pixel whether it is outside.
    """
    return tuple(
        batch
        for batch in range(plan.batch_rows * plan.batch_cols)
        if plan.roi_sha256 is not None or any(plan.is_read(r * plan.grid_cols + c) for r, c in _cells(plan, batch))
    )


def _cells(plan: SlidePlan, batch: int) -> list[tuple[int, int]]:
    rows, cols = batch_tiles_at(plan, batch)
    return [(r, c) for r in rows for c in cols]


def level_px_to_decode(plan: SlidePlan) -> int:
    """Return the number of pixels of the level that the plan reads, halos left aside."""
    size, step = plan.slide.levels[plan.level].size_px, plan.tile_px * plan.reduce_factor
    widths = np.diff(np.minimum(np.arange(plan.grid_cols + 1, dtype=np.int64) * step, size.width_px))
    heights = np.diff(np.minimum(np.arange(plan.grid_rows + 1, dtype=np.int64) * step, size.height_px))
    rows, cols = np.divmod(np.array(sorted(plan.skipped | plan.outside_roi), np.int64), plan.grid_cols)
    return size.area_px - int(heights[rows] @ widths[cols])
