"""run: what a run would do to one slide, without doing it."""

from dataclasses import dataclass

from wsi_area.compute.grid import batches_to_measure, level_px_to_decode
from wsi_area.compute.planning import estimated_disk_bytes
from wsi_area.model.calibration import Calibration
from wsi_area.model.plan import SlidePlan
from wsi_area.run.prepare import PreparedSlide

DECODE_MPX_PER_CORE_S = {"direct": 150.0, "openslide": 40.0, "plain": 150.0}
"""Rough rates for an estimate only: megapixels read, classified and counted in one core-second, by lane."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One slide's plan with what it will cost; the estimates say so in their names."""

    plan: SlidePlan
    calibration: Calibration
    lane: str
    lane_reason: str
    batches: int
    level_px_to_decode: int
    estimated_core_s: float
    estimated_disk_bytes: int


def preview(prepared: PreparedSlide) -> Preview:
    """Return what measuring a prepared slide would cost."""
    plan = prepared.plan
    decode_px = level_px_to_decode(plan)
    return Preview(
        plan=plan,
        calibration=prepared.calibration,
        lane=prepared.lane.lane,
        lane_reason=prepared.lane.reason,
        batches=len(batches_to_measure(plan)),
        level_px_to_decode=decode_px,
        estimated_core_s=decode_px / 1e6 / DECODE_MPX_PER_CORE_S[prepared.lane.lane],
        estimated_disk_bytes=estimated_disk_bytes(plan),
    )
