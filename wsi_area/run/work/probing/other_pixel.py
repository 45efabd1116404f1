"""run: the classes of a part of a tile counted in pixels of another size, from what was decoded anyway."""

from collections.abc import Sequence

import numpy as np

from wsi_area.compute.cut.grid import level_weights_l0_px
from wsi_area.model.pixels import ClassMap
from wsi_area.model.plan import Tile
from wsi_area.run.work.damaged_pixels import spread
from wsi_area.run.work.slide_job import SlideJob
from wsi_area.run.work.tile_spot import Ints, TileSpot
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.kernels import Patch, classify_patches
from wsi_area.segmenters.pixelwise import colour_rule_of

BANDS = 4
"""A tile is counted in one of so many bands of its rows, another one in each tile."""


def is_compared(job: SlideJob, tile: Tile) -> bool:
    """Return True if a tile is counted in pixels of another size too."""
    return tile.row * job.plan.grid_cols + tile.col in job.compared


def count_other_pixels(job: SlideJob, tile: Tile, spot: TileSpot, patches: Sequence[Patch]) -> None:
    """Add to a tile's row what a band of it holds of each class in work pixels, and in pixels of another size.

    These are the pixels of the level where a work pixel is larger, else boxes of two by two work pixels. What is
    excluded, unreadable or outside the region is in neither; filters by size come later. The band hangs on the cut
    alone, so that every lane counts the same one in whatever parts it decodes.

    Parameters
    ----------
    job, tile, spot
        The spot holds the class map where the patches lie.
    patches
        What was decoded: column and row in work pixels, colours, and which pixels are valid.
    """
    rule = colour_rule_of(job.fitted)
    if rule is None:
        return
    level, factor = tile.core_level_px, job.plan.reduce_factor
    widths, heights = level_weights_l0_px(job.plan)
    of_core = widths[level.x_px : level.right_px], heights[level.y_px : level.bottom_px]
    band = _band(len(spot.class_map), tile.row + tile.col)
    here, other = spot.row[spot.layout.here_columns], spot.row[spot.layout.other_columns]
    for patch in patches:
        part = _within(patch, band, factor)
        if part is not None:
            counted = _counted(part, rule, factor, spot, of_core)
            here[: rule.class_count] += counted[0]
            other[: rule.class_count] += counted[1]


def _band(height: int, turn: int) -> range:
    """Return the rows of a tile that are counted again; they begin at an even one."""
    tall = -(-height // (2 * BANDS)) * 2
    top = turn % BANDS * tall
    return range(top, min(height, top + tall)) if top < height else range(min(height, tall))


def _within(patch: Patch, band: range, factor: int) -> Patch | None:
    """Return the part of a patch that lies in some rows of work pixels; None where it lies beside them."""
    x, y, rgb, valid = patch
    top, bottom = max(band.start, y), min(band.stop, y - (-len(rgb) // factor))
    if top >= bottom:
        return None
    rows = np.s_[(top - y) * factor : (bottom - y) * factor]
    return x, top, rgb[rows], None if valid is None else valid[rows]


def _counted(patch: Patch, rule: ColourRule, factor: int, spot: TileSpot, level_l0_px: tuple[Ints, Ints]) -> Ints:
    """Return the level-0 pixels of each class of a patch, int64 (2, classes): in work pixels, and in the others."""
    x, y, rgb, valid = patch
    height, width = rgb.shape[:2]
    place = np.s_[y : y - (-height // factor), x : x - (-width // factor)]
    classes = spot.class_map[place]
    columns, rows = spot.column_weights[place[1]], spot.row_weights[place[0]]
    here = _weighed(classes, columns, rows, rule.class_count)
    seen = np.ascontiguousarray(spread(classes < rule.class_count, factor, (height, width)))
    if valid is not None:
        seen &= valid
    step = 1 if factor > 1 else 2
    if factor > 1:
        columns, rows = level_l0_px[0][x * factor :][:width], level_l0_px[1][y * factor :][:height]
    else:
        columns, rows = (np.add.reduceat(weights, np.arange(0, len(weights), 2)) for weights in (columns, rows))
    counts, signal = np.zeros(rule.class_count + 3, np.int64), np.zeros(rule.class_count, np.int64)
    out = np.empty((len(rows), len(columns)), np.uint8)
    classify_patches([(0, 0, rgb, seen)], rule, columns, rows, step, out, counts, signal)
    return np.stack([here, counts[: rule.class_count]])


def _weighed(classes: ClassMap, columns: Ints, rows: Ints, class_count: int) -> Ints:
    return np.array([int(rows @ ((classes == k) @ columns)) for k in range(class_count)], np.int64)
