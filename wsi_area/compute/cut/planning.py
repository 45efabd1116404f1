"""compute: the cut of a slide: level, reduce factor, tiles, batches, memory; pure, and done before any work."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from wsi_area.compute.cut.grid import level_px_to_decode
from wsi_area.compute.cut.wide_tiles import ROW_BYTES_MOST, is_wide, low_tile_px, row_bytes, wide_batch_tiles
from wsi_area.errors import MemoryBudgetError, MissingMppError, PlanError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.json_tree import json_digest
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import Level, SlideInfo

WORK_MPP_TOLERANCE = 0.02
"""A level that is 2 % coarser than asked for still serves: 0.505 µm/px is what ×20 means at 0.5."""

TILE_TARGET_PX, TILE_LEAST_PX, TILE_LEVEL_PX_MAX = 512, 128, 2048
"""A tile is what is lost where one cannot be decoded, so that it stays small on the level that is read, too."""

BATCH_LEVEL_PX_MIN, BATCH_LEVEL_PX_MAX = 1 << 22, 1 << 26
BATCH_WORK_PX_MAX = 1 << 24
BATCHES_WANTED = 24
"""A batch is what one task does: as large as 4096² work px (0.1–0.5 s of decoding, long enough that
scheduling costs nothing), smaller where a slide would otherwise give too few batches to share out. Where stored
tiles are wider than a tile and low, it is as large as lets the fewest of them be decoded twice: see ``wide_tiles``."""

SEGMENTER_BYTES_PER_PX = 64
"""What a segmenter that needs a whole tile at once is taken to hold, where it does not say."""

CLASS_MAP_BYTES_PER_WORK_PX = 0.2
"""Of a noisy five-class map; one of smooth regions takes a tenth of it."""

SIGNAL_MAP_BYTES_PER_WORK_PX = 2.4
"""Of optical densities in the tissue of a Ki-67 slide (1.6 to 2.3 B a pixel); glass takes nothing."""

SHARED_TILES_BYTES = 8 << 20
"""Of decoded stored tiles that the halos of a batch's tiles have in common: two rows of them along eight tiles."""

MAX_SLIDE_SIDE_PX = 1 << 21
"""No scanner writes a side of 2.1 million pixels; a header that claims it is damaged, and would take hours to find out:
each batch looks along the whole side."""


@frozen_value
class Tiling:
    """What was asked of the cut."""

    work_mpp_um: float | None = None  # None: the finest level as it is
    tile_px: int | Literal["auto"] = "auto"
    halo_um: float = 0.0
    per_colour: bool = True  # the rule needs one pixel at a time, so no tile block is ever assembled
    reader_bytes: int = 0  # what the lane holds beside
    segmenter_bytes_per_px: int = (
        SEGMENTER_BYTES_PER_PX  # of working memory, for each work pixel of a tile and its halo
    )
    keeps_signal: bool = False  # beside the class map


def plan_slide(slide: SlideInfo, mpp: Mpp | None, usable_levels: Sequence[int], tiling: Tiling) -> SlidePlan:
    """Return the cut of a slide with every tile to be read.

    Parameters
    ----------
    slide : SlideInfo
    mpp : Mpp or None
        The chosen pixel size; without one the finest level is counted as it is.
    usable_levels : sequence of int
        Levels whose ratio to level 0 can be believed.
    tiling : Tiling

    Raises
    ------
    PlanError
        If a size or a setting cannot be used.
    MissingMppError
        If the segmenter looks round a pixel and there is no pixel size.
    """
    _refuse_impossible(slide, tiling)
    level, factor = choose_level(slide, mpp, usable_levels, tiling.work_mpp_um)
    at = slide.levels[level]
    work_size = Size(-(-at.size_px.width_px // factor), -(-at.size_px.height_px // factor))
    work_mpp = None
    if mpp is not None:
        work_mpp = Mpp(mpp.x * at.downsample_x * factor, mpp.y * at.downsample_y * factor)
    tile_px = auto_tile_px(at, factor) if tiling.tile_px == "auto" else tiling.tile_px
    halo_px = _halo_px(tiling.halo_um, work_mpp)
    batch_tiles = _batch_tiles(at, factor, tile_px)
    plan = SlidePlan(
        slide=slide,
        level=level,
        reduce_factor=factor,
        asked_work_mpp_um=tiling.work_mpp_um,
        work_mpp=work_mpp,
        work_size_px=work_size,
        tile_px=tile_px,
        halo_px=halo_px,
        batch_tiles=batch_tiles,
        skipped=frozenset(),
        audited=frozenset(),
        glass_read=frozenset(),
        projected_bytes_per_task=_projected_bytes(at, factor, tile_px, halo_px, batch_tiles, tiling),
        fingerprint="",
    )
    return fingerprinted(plan)


def choose_level(
    slide: SlideInfo, mpp: Mpp | None, usable_levels: Sequence[int], work_mpp_um: float | None
) -> tuple[int, int]:
    """Return the level to read and the whole factor to reduce it by.

    The coarsest usable level that is not coarser than asked (2 % of grace), then the largest whole factor
    that is not coarser than asked either. Without a pixel size, or if nothing is asked, level 0 as it is.
    """
    if mpp is None or work_mpp_um is None:
        return 0, 1
    limit_um = work_mpp_um * (1 + WORK_MPP_TOLERANCE)
    best = 0
    for index in sorted(usable_levels):
        if _coarsest_um(slide.levels[index], mpp) <= limit_um:
            best = index
    return best, max(1, math.floor(limit_um / _coarsest_um(slide.levels[best], mpp)))


def _coarsest_um(level: Level, mpp: Mpp) -> float:
    return max(mpp.x * level.downsample_x, mpp.y * level.downsample_y)


def auto_tile_px(level: Level, reduce_factor: int) -> int:
    """Return a tile edge near 512 work px that never cuts a stored tile in two.

    It is less where stored tiles are so wide and low that a row of such tiles would need too much memory.

    >>> from wsi_area.model.geometry import Size
    >>> auto_tile_px(Level(0, Size(9000, 9000), 1.0, 1.0, Size(240, 240)), 1)
    480
    """
    target_px = max(TILE_LEAST_PX, min(TILE_TARGET_PX, TILE_LEVEL_PX_MAX // reduce_factor))
    stored = level.stored_tile_px
    if stored is None or stored.width_px != stored.height_px or stored.width_px % reduce_factor:
        return low_tile_px(level, target_px, reduce_factor)
    unit = stored.width_px // reduce_factor
    return unit * max(1, round(target_px / unit)) if unit <= 2 * target_px else target_px


def _halo_px(halo_um: float, work_mpp: Mpp | None) -> int:
    if halo_um == 0:
        return 0
    if work_mpp is None:
        raise MissingMppError(
            f"the segmenter looks {halo_um} µm around a pixel, which needs a pixel size and this slide has none; "
            "give one with --mpp or in the manifest"
        )
    return math.ceil(halo_um / min(work_mpp.x, work_mpp.y))


def _batch_tiles(level: Level, factor: int, tile_px: int) -> int:
    wanted = min(max(level.size_px.area_px // BATCHES_WANTED, BATCH_LEVEL_PX_MIN), BATCH_LEVEL_PX_MAX)
    edge_px = min(math.sqrt(wanted) / factor, math.sqrt(BATCH_WORK_PX_MAX))
    about = max(1, round(edge_px / tile_px))
    if not is_wide(level, tile_px * factor):
        return about
    most_px = min(math.sqrt(BATCH_LEVEL_PX_MAX) / factor, math.sqrt(BATCH_WORK_PX_MAX))
    return wide_batch_tiles(level, tile_px * factor, about, int(most_px / tile_px))


def _projected_bytes(level: Level, factor: int, tile_px: int, halo_px: int, batch_tiles: int, tiling: Tiling) -> int:
    """Return an upper bound of one task's memory: its maps, the same encoded, and one tile's pixels."""

    def box_px(work_px: int) -> int:
        return min(work_px * factor, level.size_px.width_px) * min(work_px * factor, level.size_px.height_px)

    class_map = box_px(batch_tiles * tile_px) // factor**2
    block = box_px(tile_px + 2 * halo_px)
    pixels = 4 * block if tiling.per_colour else 4 * block + tiling.segmenter_bytes_per_px * block // factor**2
    signal = 2 * 4 * class_map if tiling.keeps_signal else 0  # int32 that may not shrink, held once more as a file
    shared = SHARED_TILES_BYTES if halo_px else 0
    # of rows of tiles one for each worker, and one more
    shared += 2 * min(row_bytes(level, (tile_px + 2 * halo_px) * factor), ROW_BYTES_MOST)
    return 3 * class_map + signal + tiling.reader_bytes + pixels + shared


def _refuse_impossible(slide: SlideInfo, tiling: Tiling) -> None:
    size = slide.size_l0_px
    if not 0 < size.width_px <= MAX_SLIDE_SIDE_PX or not 0 < size.height_px <= MAX_SLIDE_SIDE_PX:
        raise PlanError(
            f"{slide.slide_id}: the header claims {size.width_px} × {size.height_px} px, outside "
            f"1..{MAX_SLIDE_SIDE_PX} a side; the file is damaged, export it again"
        )
    if tiling.tile_px != "auto" and not 16 <= tiling.tile_px <= 16384:
        raise PlanError(f'tiling.tile_px is {tiling.tile_px}; choose 16 to 16384, or "auto"')


def estimated_disk_bytes(plan: SlidePlan, *, has_signal: bool = False) -> int:
    """Return about how much disk the class map of a plan takes, and its signal map where one is kept."""
    bytes_per_px = CLASS_MAP_BYTES_PER_WORK_PX + (SIGNAL_MAP_BYTES_PER_WORK_PX if has_signal else 0.0)
    return int(level_px_to_decode(plan) / plan.reduce_factor**2 * bytes_per_px)


def with_skipped(
    plan: SlidePlan, skipped: frozenset[int], audited: frozenset[int], glass_read: frozenset[int]
) -> SlidePlan:
    """Return the plan with bare-glass tiles marked: those not to be read, and those read to check on them."""
    return fingerprinted(replace(plan, skipped=skipped, audited=audited, glass_read=glass_read))


def fingerprinted(plan: SlidePlan) -> SlidePlan:
    """Return the plan with the hash of its cut; equal cuts of one slide have equal hashes."""
    facts = [
        plan.slide.fingerprint, plan.level, plan.reduce_factor, plan.tile_px, plan.halo_px, plan.batch_tiles,
        sorted(plan.skipped), sorted(plan.glass_read), plan.roi_sha256, sorted(plan.outside_roi),
    ]  # fmt: skip
    return replace(plan, fingerprint=json_digest(facts))


def validate(plan: SlidePlan, memory_limit_bytes: int) -> None:
    """Refuse a plan whose tasks would not fit in memory, before any of them starts.

    Raises
    ------
    MemoryBudgetError
        With the three figures and what to change.
    """
    if plan.projected_bytes_per_task > memory_limit_bytes:
        raise MemoryBudgetError(
            f"{plan.slide.slide_id}: one task needs about {plan.projected_bytes_per_task / 2**20:.0f} MiB "
            f"(tiles of {plan.tile_px} px with a halo of {plan.halo_px} px at reduce factor {plan.reduce_factor}), "
            f"but may use {memory_limit_bytes / 2**20:.0f} MiB; lower tiling.tile_px, use fewer workers, "
            "or raise run.memory_limit_mb"
        )
