"""results: the parts of a slide's result, made from what was planned, counted and noticed.

`run.slide_document` puts them together; what they mean stands at their fields, in `model.slide_result`.
"""

import math
from typing import Any

import numpy as np

from wsi_area.compute.calibration.uncertainty import uncertainty_from
from wsi_area.compute.count.area import area_mm2
from wsi_area.model.burden import ClassArea, SlideBurden
from wsi_area.model.calibration import Calibration, Mpp, MppCandidate
from wsi_area.model.light import Light
from wsi_area.model.objects import FOCUS_FIELDS, Foci
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_areas import ClassOnRecord, CountsOnRecord
from wsi_area.model.record.slide_foci import FociOnRecord, Focus
from wsi_area.model.record.slide_origin import CalibrationOnRecord, Candidate, LightOnRecord, WorkOnRecord
from wsi_area.model.record.slide_signal import SignalOnRecord

FOCI_LISTED_MOST = 1000
"""Foci in a slide's document; its table has them all."""


def reason_of(burden: SlideBurden) -> str:
    """Return the sentence that says why a slide is not complete; "" where it is."""
    if burden.status == "incomplete":
        return f"{burden.counts.unreadable_px} level-0 px could not be read"
    return burden.calibration.reason if burden.status == "needs_calibration" else ""


def calibration_on_record(calibration: Calibration, relative_u_area: float | None) -> CalibrationOnRecord:
    """Return the pixel size that was chosen, with every claim."""
    chosen = calibration.chosen
    return CalibrationOnRecord(
        mpp_x_um=None if chosen is None else chosen.mpp.x,
        mpp_y_um=None if chosen is None else chosen.mpp.y,
        source=None if chosen is None else chosen.source,
        quality=None if chosen is None else chosen.quality,
        note=None if chosen is None else chosen.note,
        pixel_area_mm2=None if chosen is None else chosen.mpp.pixel_area_mm2,
        relative_u_area=relative_u_area,
        uncertainty_from=None if chosen is None else uncertainty_from(chosen),
        reason=calibration.reason,
        candidates=tuple(_candidate(c) for c in calibration.candidates),
    )


def _candidate(candidate: MppCandidate) -> Candidate:
    return Candidate(
        mpp_x_um=candidate.mpp.x,
        mpp_y_um=candidate.mpp.y,
        source=candidate.source,
        rung=candidate.rung,
        quality=candidate.quality,
        note=candidate.note,
        u_um=candidate.u_um,
        traced_to=candidate.traced_to or None,
        is_confirmed=candidate.is_confirmed or None,
    )


def light_on_record(light: Light | None) -> LightOnRecord | None:
    """Return the glass that the slide was measured against; None where the segmenter looks for none."""
    if light is None:
        return None
    glass = light.glass
    return LightOnRecord(
        glass_rgb=glass.rgb,
        glass_source=glass.source,
        glass_share=glass.share,
        glass_fall=glass.fall,
        leans_on_glass=light.leans_on_glass,
        tissue_like=light.tissue_like,
    )


def work_on_record(plan: SlidePlan) -> WorkOnRecord:
    """Return the grid that was classified."""
    return WorkOnRecord(
        level=plan.level,
        reduce_factor=plan.reduce_factor,
        asked_work_mpp_um=plan.asked_work_mpp_um,
        work_mpp_x_um=None if plan.work_mpp is None else plan.work_mpp.x,
        work_mpp_y_um=None if plan.work_mpp is None else plan.work_mpp.y,
        work_width_px=plan.work_size_px.width_px,
        work_height_px=plan.work_size_px.height_px,
        tile_px=plan.tile_px,
        halo_px=plan.halo_px,
        batch_tiles=plan.batch_tiles,
        tiles=plan.tile_count,
        tiles_skipped=len(plan.skipped),
        plan_hash=plan.fingerprint,
    )


def counts_on_record(plan: SlidePlan, burden: SlideBurden) -> CountsOnRecord:
    """Return the level-0 pixels by class and by reason for having none."""
    counts = burden.counts
    return CountsOnRecord(
        n_px_total=plan.pixel_count_l0,
        n_px_by_class=counts.px_by_class,
        n_px_unscanned=counts.unscanned_px,
        n_px_outside_roi=counts.outside_roi_px,
        n_px_unreadable=counts.unreadable_px,
        n_px_unsampled=counts.unsampled_px,
        n_px_accounted=counts.total_px,
    )


def class_on_record(area: ClassArea) -> ClassOnRecord:
    """Return one class with its pixels and its area."""
    c = area.tissue_class
    return ClassOnRecord(
        id=c.class_id,
        name=c.name,
        color_rgb=c.color_rgb,
        is_tissue=c.is_tissue,
        is_tumor=c.is_tumor,
        is_excluded=c.is_excluded,
        is_positive=c.is_positive,
        role=c.role,
        weight=c.weight,
        n_px=area.n_px,
        area_mm2=area.area_mm2,
        area_u_mm2=area.u_mm2,
        mean_signal=area.mean_signal,
    )


def signal_on_record(burden: SlideBurden, name: str, micro_scale: int) -> SignalOnRecord:
    """Return the signal integrated over the pixels of the tissue classes, with these as its denominator."""
    tissue = [c.tissue_class.class_id for c in burden.classes if c.tissue_class.is_tissue]
    n_px = sum(burden.counts.px_by_class[i] for i in tissue)
    total_px = sum(burden.counts.signal_by_class[i] for i in tissue) / micro_scale
    mpp = burden.calibration.mpp if burden.was_read else None
    return SignalOnRecord(
        name=name,
        n_px=n_px,
        integrated_px=total_px,
        integrated_mm2=_mm2(total_px, mpp),
        denominator="pixels of the tissue classes",
        mean=total_px / n_px if n_px else None,
        sum_per_mm2=None if mpp is None or not n_px else total_px / area_mm2(n_px, mpp),
    )


def foci_on_record(foci: Foci | None, mpp: Mpp | None, listed_most: int = FOCI_LISTED_MOST) -> FociOnRecord | None:
    """Return the foci, the largest one by one; None where no class is tumour or none were asked for."""
    if foci is None:
        return None
    rows = foci.listed[:listed_most]
    largest = rows[0] if len(rows) else None
    return FociOnRecord(
        set=foci.set_name,
        count=foci.count,
        n_px_net=foci.area_px,
        n_px_filled=foci.filled_px,
        net_area_mm2=_mm2(foci.area_px, mpp),
        filled_area_mm2=_mm2(foci.filled_px, mpp),
        hole_count=foci.hole_count,
        largest_focus_mm2=_mm2(0 if largest is None else int(largest["area_px"]), mpp),
        largest_extent_mm=None if mpp is None else foci.max_feret_mm,
        touching_border=foci.touching_border,
        touching_unread=foci.touching_unread,
        listed=tuple(_focus(row, mpp) for row in rows),
    )


def _focus(row: np.void, mpp: Mpp | None) -> Focus:
    areas = {"area_mm2": _mm2(int(row["area_px"]), mpp), "filled_area_mm2": _mm2(int(row["filled_px"]), mpp)}
    return Focus.model_validate({name: _plain(row[name]) for name in FOCUS_FIELDS.names or ()} | areas)


def _mm2(n_px: float, mpp: Mpp | None) -> float | None:
    return None if mpp is None else area_mm2(n_px, mpp)


def _plain(value: Any) -> Any:
    plain = value.item()
    return None if isinstance(plain, float) and math.isnan(plain) else plain
