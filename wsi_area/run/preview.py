"""run: what a run would do to one slide, without doing it."""

from collections.abc import Mapping
from typing import Any

from wsi_area.compute.cut.grid import batches_to_measure, level_px_to_decode
from wsi_area.compute.cut.planning import estimated_disk_bytes
from wsi_area.compute.judge.model_findings import model_findings, model_seen
from wsi_area.compute.judge.quality import background_findings, work_mpp_findings
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.drawings import left_out_findings
from wsi_area.model.calibration import Calibration
from wsi_area.model.finding import QaFinding
from wsi_area.model.plan import SlidePlan
from wsi_area.run.check import cut_short_findings
from wsi_area.run.passes.tissue_layer import findings_of_layer
from wsi_area.run.prepare import PreparedSlide

DECODE_MPX_PER_CORE_S = {"direct": 150.0, "openslide": 40.0, "plain": 150.0, "stored": 40.0}
"""Rough rates for an estimate only: megapixels read, classified and counted in one core-second, by lane."""


@frozen_value
class Preview:
    """One slide's plan with what it will cost; the estimates say so in their names."""

    plan: SlidePlan
    calibration: Calibration
    findings: tuple[QaFinding, ...]  # whatever is known before a tile is counted
    lane: str
    lane_reason: str
    batches: int
    level_px_to_decode: int
    estimated_core_s: float
    estimated_disk_bytes: int
    tissue: "Preview | None" = None  # of its tissue layer
    is_estimate: bool = False  # its tiles are spots, of which some are drawn
    coarse_work_mpp_um: float | None = None  # of an estimate; None where no coarse level helps


def preview(prepared: PreparedSlide, tissue: "Preview | None" = None, *, has_signal: bool = False) -> Preview:
    """Return the cost of measuring a prepared slide, with its signal map and its tissue layer beside it."""
    plan = prepared.plan
    decode_px, found = level_px_to_decode(plan), _findings(prepared)
    return Preview(
        plan=plan,
        calibration=prepared.calibration,
        findings=(*found, *findings_of_layer(() if tissue is None else tissue.findings, found)),
        lane=prepared.lane.lane,
        lane_reason=prepared.lane.reason,
        batches=len(batches_to_measure(plan)),
        level_px_to_decode=decode_px,
        estimated_core_s=decode_px / 1e6 / DECODE_MPX_PER_CORE_S[prepared.lane.lane],
        estimated_disk_bytes=estimated_disk_bytes(plan, has_signal=has_signal),
        tissue=tissue,
    )


def _findings(prepared: PreparedSlide) -> tuple[QaFinding, ...]:
    facts: Mapping[str, Any] = prepared.fitted.facts
    assumed, seen = (
        None if (text := facts.get(name)) is None else str(text) for name in ("background", "background_seen")
    )
    drawings = (prepared.drawn, prepared.roi)
    return (
        *prepared.calibration.findings,
        *cut_short_findings(prepared.info),
        *work_mpp_findings(prepared.plan),
        *background_findings(prepared.info.slide_id, assumed, seen),
        *(finding for drawing in drawings if drawing is not None for finding in drawing.findings),
        *left_out_findings(prepared.info.slide_id, facts),
        *model_findings(prepared.info.slide_id, model_seen(facts)),
    )
