"""run: one tile by the class map that a segmenter makes of it; what it raises or breaks is named."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.count.reduction import reduced
from wsi_area.compute.cut.grid import tile_place
from wsi_area.errors import SegmentationError
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.pixels import ClassMap, MaskArray, TilePixels
from wsi_area.model.plan import Tile
from wsi_area.run.work.damaged_pixels import damaged_work_px
from wsi_area.run.work.probing.other_pixel import count_other_pixels, is_compared
from wsi_area.run.work.probing.probed_tile import count_by_shift, is_probed
from wsi_area.run.work.slide_job import SlideJob
from wsi_area.run.work.tile_spot import TileSpot
from wsi_area.segmenters.colour.kernels import Patch
from wsi_area.segmenters.protocol import CoreSegmenter, MeasuresSignal, MovesThreshold, PlacedSegmenter
from wsi_area.slides import DamagedPart, SharedTiles, SlideReader, read_around_damage


def classify_by_class_map(
    shared: SharedTiles | None, job: SlideJob, reader: SlideReader, tile: Tile, spot: TileSpot
) -> tuple[DamagedPart, ...]:
    """Have the segmenter see core and halo, and count the class map of the core; return what is damaged."""
    f = job.plan.reduce_factor
    pixels, damaged = read_around_damage(reader, job.plan.level, tile.read_level_px, shared)
    fine = pixels
    if f > 1:
        pixels = reduced(pixels, f)
    core = tile.core_work_px
    x, y = core.x_px - tile.read_level_px.x_px // f, core.y_px - tile.read_level_px.y_px // f
    of_core = np.s_[y : y + core.height_px, x : x + core.width_px]
    if damaged:  # to the segmenter it was never scanned
        lost = damaged_work_px(damaged, tile.read_level_px, f, pixels.valid.shape)
        pixels = replace(pixels, rgb=np.where(lost[..., None], np.uint8(0), pixels.rgb), valid=pixels.valid & ~lost)
    spot.class_map[:], moved = _checked_class_map(job, tile, pixels, of_core)
    if damaged:
        spot.class_map[lost[of_core]] = UNREADABLE_CODE
    if spot.inside is not None:
        spot.class_map[~spot.inside] = OUTSIDE_ROI_CODE
    counts = count_class_map(spot.class_map, spot.column_weights, spot.row_weights, len(job.fitted.scheme.classes))
    spot.row[spot.layout.px_columns] = (
        *counts.px_by_class, counts.unscanned_px, counts.outside_roi_px, counts.unreadable_px,
    )  # fmt: skip
    if job.fitted.signal is not None and isinstance(job.fitted, MeasuresSignal):
        micro = job.fitted.micro_signal(pixels)[of_core]
        of_class = [np.where(spot.class_map == of.class_id, micro, 0) for of in job.fitted.scheme.classes[1:]]
        if spot.signal is not None:
            _keep_signal(spot.signal, sum(of_class, np.zeros_like(micro)))
        sums = [int(spot.row_weights @ (signal @ spot.column_weights)) for signal in of_class]
        spot.row[spot.layout.signal_columns] = (0, *sums)  # background adds nothing to any signal
    if is_compared(job, tile):
        count_other_pixels(job, tile, spot, [_patch_of_core(fine, tile)])
    if moved:
        count_by_shift(job, tile, spot, moved)
    return damaged


def _keep_signal(signal: NDArray[np.int32], steps: NDArray[np.int64]) -> None:
    """Write the signal of each pixel; refuse one that a signal map cannot hold."""
    held = np.iinfo(np.int32)
    if steps.size and not held.min <= steps.min() <= steps.max() <= held.max:
        raise SegmentationError(
            f"the segmenter gives a pixel a signal of {steps.min()} to {steps.max()} steps, and a signal map holds "
            f"{held.min} to {held.max}; give the signal a smaller micro_scale"
        )
    signal[:] = steps


def _patch_of_core(pixels: TilePixels, tile: Tile) -> Patch:
    """Return the pixels of a tile's core, in the pixels of the level, as one patch."""
    at, core = tile.read_level_px, tile.core_level_px
    of_core = np.s_[core.y_px - at.y_px : core.bottom_px - at.y_px, core.x_px - at.x_px : core.right_px - at.x_px]
    return 0, 0, pixels.rgb[of_core], pixels.valid[of_core]


def _checked_class_map(
    job: SlideJob, tile: Tile, pixels: TilePixels, core: tuple[slice, slice]
) -> tuple[ClassMap, Mapping[str, ClassMap]]:
    """Return the segmenter's class map of the core, and those at other thresholds; what it raises is named."""
    where = f"{job.plan.slide.slide_id}, tile row {tile.row} col {tile.col}"
    try:
        moved: Mapping[str, ClassMap] = {}
        if isinstance(job.fitted, MovesThreshold) and is_probed(job, tile):
            moved = job.fitted.core_class_maps_by_shift(pixels, tile_place(job.plan, tile), tile.core_work_px)
        seen, valid = (moved["used"], pixels.valid[core]) if moved else _seen(job, tile, pixels, core)
    except Exception as error:  # somebody else's code: its failure becomes this tile's
        raise SegmentationError(
            f"{where}: the segmenter raised {type(error).__name__}: {error}; mend it or choose another segmenter.name"
        ) from error
    if seen.shape != valid.shape or seen.dtype != np.uint8:
        raise SegmentationError(
            f"{where}: the segmenter returned {seen.dtype} {seen.shape}, a class map is uint8 {valid.shape}"
        )
    if not np.array_equal(seen == UNSCANNED_CODE, ~valid) or (seen == UNREADABLE_CODE).any():
        raise SegmentationError(
            f"{where}: the segmenter gave a class to pixels that were never scanned, or called scanned ones unscanned "
            f"or unreadable; it must write {UNSCANNED_CODE} exactly where the pixels are not valid"
        )
    return np.asarray(seen if valid.shape != pixels.valid.shape else seen[core]), moved


def _seen(job: SlideJob, tile: Tile, pixels: TilePixels, core: tuple[slice, slice]) -> tuple[ClassMap, MaskArray]:
    """Return the segmenter's class map of a tile, and its scanned pixels: core and halo, or core alone."""
    fitted = job.fitted
    if isinstance(fitted, CoreSegmenter):
        return fitted.core_class_map_at(pixels, tile_place(job.plan, tile), tile.core_work_px), pixels.valid[core]
    if isinstance(fitted, PlacedSegmenter):
        return fitted.class_map_at(pixels, tile_place(job.plan, tile)), pixels.valid
    return fitted.class_map(pixels), pixels.valid
