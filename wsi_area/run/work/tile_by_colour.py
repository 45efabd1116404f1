"""run: one tile by a colour rule: decoded tiles are classified while they are in the cache."""

from collections.abc import Sequence

import numpy as np

from wsi_area.model.geometry import Region
from wsi_area.model.pixels import MaskArray
from wsi_area.model.plan import Tile
from wsi_area.run.work.damaged_pixels import damaged_work_px, spread
from wsi_area.run.work.probing.other_pixel import count_other_pixels, is_compared
from wsi_area.run.work.probing.probed_tile import count_by_shift, is_probed
from wsi_area.run.work.slide_job import SlideJob
from wsi_area.run.work.tile_spot import TileSpot
from wsi_area.segmenters.colour.colour_rule import ColourRule, FittedColourRule
from wsi_area.segmenters.colour.kernels import Patch, classify_patches
from wsi_area.slides import DamagedPart, DecodedTile, SlideReader, read_around_damage


def classify_by_colour(
    rule: ColourRule, job: SlideJob, reader: SlideReader, tile: Tile, spot: TileSpot
) -> tuple[DamagedPart, ...]:
    """Classify each decoded tile while it is in the cache, assembling no block of the tile; return what is damaged."""
    f, core, level = job.plan.reduce_factor, tile.core_level_px, job.plan.level
    counts, signal = spot.row[spot.layout.px_columns], spot.row[spot.layout.signal_columns]
    damaged: list[DamagedPart] = []
    moved = _moved_rules(job, tile)
    maps = {shift: np.zeros_like(spot.class_map) for shift in moved}
    uncounted = np.zeros_like(counts), np.zeros_like(signal)

    def classify(patches: Sequence[Patch]) -> None:
        weights = spot.column_weights, spot.row_weights
        classify_patches(patches, rule, *weights, f, spot.class_map, counts, signal, spot.signal)
        for shift, other in moved.items():
            classify_patches(patches, other, *weights, f, maps[shift], *uncounted)

    for some in reader.decoded_tiles(level, core):
        if not all(_ends_with_work_pixels(decoded.region_level_px, core, f) for decoded in some):
            break  # the tile must be assembled first
        patches = [_patch(decoded, core, f, spot.inside) for decoded in some]
        classify(patches)
        if is_compared(job, tile):
            count_other_pixels(job, tile, spot, patches)
        damaged += [DamagedPart(d.region_level_px, d.damage) for d in some if d.damage is not None]
    else:
        if damaged:
            lost = damaged_work_px(damaged, core, f, spot.class_map.shape)
            spot.move_unreadable_from(spot.layout.unscanned_column, lost)
        spot.move_outside_from(spot.layout.unscanned_column)
        if is_probed(job, tile):
            count_by_shift(job, tile, spot, maps)
        return tuple(damaged)
    spot.clear()
    block, found = read_around_damage(reader, level, core)
    valid = block.valid
    if found:  # to the kernel it was never scanned
        lost = damaged_work_px(found, core, f, spot.class_map.shape)
        valid = valid & ~spread(lost, f, valid.shape)
    patches = [_patch(DecodedTile(core, block.rgb, valid), core, f, spot.inside)]
    classify(patches)
    if is_compared(job, tile):
        count_other_pixels(job, tile, spot, patches)
    if found:
        spot.move_unreadable_from(spot.layout.unscanned_column, lost)
    spot.move_outside_from(spot.layout.unscanned_column)
    if is_probed(job, tile):
        count_by_shift(job, tile, spot, maps)
    return found


def _moved_rules(job: SlideJob, tile: Tile) -> dict[str, ColourRule]:
    """Return the rules at other thresholds that a tile is sorted by as well: none that is the same as the one used."""
    if not is_probed(job, tile) or not isinstance(job.fitted, FittedColourRule):
        return {}
    return {s: rule for s, rule in job.fitted.rules_by_shift.items() if rule != job.fitted.colour_rule}


def _ends_with_work_pixels(at: Region, core: Region, f: int) -> bool:
    """Return True if no work pixel of a core, f level pixels wide, lies partly in a decoded tile, partly beside it."""
    return f == 1 or (
        not ((at.x_px - core.x_px) % f or (at.y_px - core.y_px) % f)
        and (at.right_px == core.right_px or at.right_px % f == core.x_px % f)
        and (at.bottom_px == core.bottom_px or at.bottom_px % f == core.y_px % f)
    )


def _patch(decoded: DecodedTile, core: Region, f: int, inside: MaskArray | None) -> Patch:
    """Return the patch of a tile's core that was decoded; to the kernel what lies outside was never scanned."""
    at, valid = decoded.region_level_px, decoded.valid
    x, y = (at.x_px - core.x_px) // f, (at.y_px - core.y_px) // f
    if inside is not None:  # the counts are put right when the tile is done
        height, width = decoded.rgb.shape[:2]
        within = spread(inside[y : y - (-height // f), x : x - (-width // f)], f, (height, width))
        valid = within if valid is None else valid & within
    return x, y, decoded.rgb, valid
