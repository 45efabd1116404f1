"""results: result.json, everything about one slide in one document."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from wsi_area.compute.count.area import area_mm2
from wsi_area.model.burden import ClassArea, SlideBurden, Status
from wsi_area.model.calibration import Calibration, MppCandidate
from wsi_area.model.finding import QaFinding
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import SlideInfo
from wsi_area.results.layout import SCHEMA_VERSION

COVERAGE_95 = 1.96


def slide_record(
    plan: SlidePlan,
    burden: SlideBurden,
    findings: Sequence[QaFinding],
    provenance: Mapping[str, Any],
    signal: tuple[str, int] | None,
) -> dict[str, Any]:
    """Return the document of a measured slide, JSON-ready.

    Parameters
    ----------
    plan, burden, findings
        What was cut, what came out, what was noticed.
    provenance : mapping
        The keys that only the run knows: reader, segmenter, hashes, versions, timing, tile errors.
    signal : (name, micro scale) or None
        What the segmenter integrates besides the classes.
    """
    rel = burden.relative_u_area
    return {
        "schema_version": SCHEMA_VERSION,
        "slide_id": burden.slide_id,
        "status": burden.status,
        "reason": _reason(burden),
        **_slide(plan.slide),
        "calibration": _calibration(burden.calibration, rel),
        "work": _work(plan),
        "counts": _counts(plan, burden),
        "classes": [_class(c) for c in burden.classes],
        "tumor": _tumor(burden),
        "tissue": {"n_px": burden.tissue_px, "area_mm2": burden.tissue_area_mm2},
        "analyzed": {"n_px": burden.analyzed_px, "area_mm2": burden.analyzed_area_mm2},
        "unreadable": {"n_px": burden.counts.unreadable_px, "area_mm2": burden.unread_area_mm2},
        "signal": None if signal is None else _signal(burden, *signal),
        "findings": [asdict(f) for f in (*burden.calibration.findings, *findings)],
        **provenance,
    }


def is_counted(record: Mapping[str, Any]) -> bool:
    """Return whether a slide's document holds counts: a failed one's does not, nor one that waits for a pixel size."""
    return "classes" in record


def failed_record(
    slide_id: str, path: str, reason: str, provenance: Mapping[str, Any], status: Status = "failed"
) -> dict[str, Any]:
    """Return the document of a slide that could not be counted; a planned slide never vanishes.

    Its status is ``failed``, or ``needs_calibration`` where the segmenter looks so many µm round a pixel that without
    a pixel size nothing can be counted.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "slide_id": slide_id,
        "status": status,
        "reason": reason,
        "path": path,
        **provenance,
    }


def _reason(burden: SlideBurden) -> str:
    if burden.status == "incomplete":
        return f"{burden.counts.unreadable_px} level-0 px could not be read"
    return burden.calibration.reason if burden.status == "needs_calibration" else ""


def _slide(info: SlideInfo) -> dict[str, Any]:
    return {
        "path": info.path,
        "vendor": info.vendor,
        "fingerprint": info.fingerprint,
        "content_digest": info.content_digest,
        "file_bytes": info.file_bytes,
        "width_px": info.size_l0_px.width_px,
        "height_px": info.size_l0_px.height_px,
        "objective_power": info.objective_power,
        "bounds_l0_px": None if info.bounds_l0_px is None else asdict(info.bounds_l0_px),
        "levels": [asdict(level) for level in info.levels],
    }


def _calibration(calibration: Calibration, rel_area: float | None) -> dict[str, Any]:
    chosen = calibration.chosen
    return {
        "mpp_x_um": None if chosen is None else chosen.mpp.x,
        "mpp_y_um": None if chosen is None else chosen.mpp.y,
        "source": None if chosen is None else chosen.source,
        "quality": None if chosen is None else chosen.quality,
        "note": None if chosen is None else chosen.note,
        "pixel_area_mm2": None if chosen is None else chosen.mpp.pixel_area_mm2,
        "relative_u_area": rel_area,
        "reason": calibration.reason,
        "candidates": [_candidate(c) for c in calibration.candidates],
    }


def _candidate(candidate: MppCandidate) -> dict[str, Any]:
    return {
        "mpp_x_um": candidate.mpp.x,
        "mpp_y_um": candidate.mpp.y,
        "source": candidate.source,
        "rung": candidate.rung,
        "quality": candidate.quality,
        "note": candidate.note,
    }


def _work(plan: SlidePlan) -> dict[str, Any]:
    return {
        "level": plan.level,
        "reduce_factor": plan.reduce_factor,
        "asked_work_mpp_um": plan.asked_work_mpp_um,
        "work_mpp_x_um": None if plan.work_mpp is None else plan.work_mpp.x,
        "work_mpp_y_um": None if plan.work_mpp is None else plan.work_mpp.y,
        "work_width_px": plan.work_size_px.width_px,
        "work_height_px": plan.work_size_px.height_px,
        "tile_px": plan.tile_px,
        "halo_px": plan.halo_px,
        "batch_tiles": plan.batch_tiles,
        "tiles": plan.tile_count,
        "tiles_skipped": len(plan.skipped),
        "plan_hash": plan.fingerprint,
    }


def _counts(plan: SlidePlan, burden: SlideBurden) -> dict[str, Any]:
    counts = burden.counts
    return {
        "n_px_total": plan.pixel_count_l0,
        "n_px_by_class": list(counts.px_by_class),
        "n_px_unscanned": counts.unscanned_px,
        "n_px_outside_roi": counts.outside_roi_px,
        "n_px_unreadable": counts.unreadable_px,
        "n_px_accounted": counts.total_px,
    }


def _class(area: ClassArea) -> dict[str, Any]:
    c = area.tissue_class
    return {
        "id": c.class_id,
        "name": c.name,
        "color_rgb": list(c.color_rgb),
        "is_tissue": c.is_tissue,
        "is_tumor": c.is_tumor,
        "is_excluded": c.is_excluded,
        "n_px": area.n_px,
        "area_mm2": area.area_mm2,
        "area_u_mm2": area.u_mm2,
        "signal_per_mm2": area.signal_per_mm2,
    }


def _tumor(burden: SlideBurden) -> dict[str, Any]:
    a, u = burden.tumor_area_mm2, burden.tumor_area_u_mm2
    return {
        "n_px": burden.tumor_px,
        "area_mm2": a,
        "area_u_mm2": u,
        "ci95_low_mm2": None if a is None or u is None else a - COVERAGE_95 * u,
        "ci95_high_mm2": None if a is None or u is None else a + COVERAGE_95 * u,
        "fraction_of_tissue": burden.tumor_fraction,
    }


def _signal(burden: SlideBurden, name: str, micro_scale: int) -> dict[str, Any]:
    """Return the signal integrated over the tissue, with its denominator."""
    tissue = [c for c in burden.classes if c.tissue_class.is_tissue]
    total_px = sum(burden.counts.signal_by_class[c.tissue_class.class_id] for c in tissue) / micro_scale
    mpp, mm2 = burden.calibration.mpp, burden.tissue_area_mm2
    integrated_mm2 = None if mpp is None else area_mm2(total_px, mpp)
    return {
        "name": name,
        "integrated_px": total_px,
        "integrated_mm2": integrated_mm2,
        "denominator": "tissue_area_mm2",
        "per_mm2": integrated_mm2 / mm2 if integrated_mm2 is not None and mm2 else None,
    }
