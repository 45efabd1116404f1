"""compute: a slide cut into the small spots of an estimate, on a grid that hangs on its pixels and on nothing asked."""

from dataclasses import replace
from typing import Literal

from wsi_area.compute.cut.planning import fingerprinted
from wsi_area.errors import MissingMppError
from wsi_area.model.plan import SlidePlan

SPOT_UM = 120.0
LEAST_SPOT_WORK_PX = 16
_LARGEST_STORED_UM = 200.0
"""Of a stored tile that a spot may be as large as: larger ones are decoded for a part."""

_BATCH_LEVEL_PX = 4096
_MOST_BATCH_SPOTS = 32


def as_spots(plan: SlidePlan, spot_um: float | Literal["auto"]) -> SlidePlan:
    """Return a plan whose tiles are the spots of an estimate: the same for every ``tiling.tile_px``.

    Raises
    ------
    MissingMppError
        If there is no pixel size: a spot is so many µm wide.
    """
    if plan.work_mpp is None:
        raise MissingMppError(
            f"{plan.slide.slide_id}: an estimate draws spots of so many µm, and no pixel size is known; give one with "
            "--mpp or in the manifest, or leave --estimate out to count pixels"
        )
    edge_px = spot_work_px(plan, spot_um)
    side = max(1, min(_MOST_BATCH_SPOTS, round(_BATCH_LEVEL_PX / (edge_px * plan.reduce_factor))))
    return fingerprinted(replace(plan, tile_px=edge_px, batch_tiles=side))


def spot_work_px(plan: SlidePlan, spot_um: float | Literal["auto"]) -> int:
    """Return the edge of a spot in work pixels: whole stored tiles where they are small, so that none is cut."""
    mpp, factor = plan.work_mpp, plan.reduce_factor
    work_um = 1.0 if mpp is None else (mpp.x * mpp.y) ** 0.5
    if spot_um != "auto":
        return max(LEAST_SPOT_WORK_PX, round(spot_um / work_um))
    stored = plan.slide.levels[plan.level].stored_tile_px
    if stored is not None and stored.width_px == stored.height_px and not stored.width_px % factor:
        unit_px = stored.width_px // factor
        if unit_px >= LEAST_SPOT_WORK_PX and unit_px * work_um <= _LARGEST_STORED_UM:
            return unit_px * max(1, round(SPOT_UM / (unit_px * work_um)))
    return max(LEAST_SPOT_WORK_PX, round(SPOT_UM / work_um))
