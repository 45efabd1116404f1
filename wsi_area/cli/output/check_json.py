"""cli: what `wsi-area check` found, as plain JSON values with full precision."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from wsi_area.cli.output.picture_table import picture_document
from wsi_area.model.calibration import MppCandidate
from wsi_area.run.check import SlideCheck, certificate_before_count, exit_code

SCHEMA_VERSION = 1


def check_document(checks: Sequence[SlideCheck]) -> dict[str, Any]:
    """Return one document: every slide with its claims and findings, and how many stand where."""
    statuses = [check.status for check in checks]
    return {
        "schema_version": SCHEMA_VERSION,
        "slides": [_slide(check) for check in checks],
        "total": {
            "slides": len(checks),
            "calibrated": statuses.count("calibrated"),
            "needs_calibration": statuses.count("needs_calibration"),
            "incomplete": statuses.count("incomplete"),
            "failed": statuses.count("failed"),
        },
        "exit_code": exit_code(checks),
    }


def _slide(check: SlideCheck) -> dict[str, Any]:
    row: dict[str, Any] = {
        "slide_id": check.slide.slide_id,
        "path": check.slide.path,
        "status": check.status,
    }
    info, calibration = check.info, check.calibration
    if info is None or calibration is None:
        return {**row, "error": check.error, "pictures": [picture_document(p) for p in check.pictures]}
    mpp, chosen, certificate = calibration.mpp, calibration.chosen, certificate_before_count(check)
    row |= {"error": check.error} if check.error else {}
    return {
        **row,
        "vendor": info.vendor,
        "width_px": info.size_l0_px.width_px,
        "height_px": info.size_l0_px.height_px,
        "levels": [[level.size_px.width_px, level.size_px.height_px] for level in info.levels],
        "usable_levels": list(check.usable_levels),
        "objective_power": info.objective_power,
        "mpp_x_um": None if mpp is None else mpp.x,
        "mpp_y_um": None if mpp is None else mpp.y,
        "pixel_area_mm2": None if mpp is None else mpp.pixel_area_mm2,
        "slide_area_mm2": None if mpp is None else info.size_l0_px.area_px * mpp.pixel_area_mm2,
        "mpp_source": None if chosen is None else chosen.source,
        "mpp_quality": None if chosen is None else chosen.quality,
        "reason": calibration.reason,
        "pictures": [picture_document(picture) for picture in check.pictures],
        "orientation": info.orientation,
        "unread_claims": [asdict(claim) for claim in info.unread_claims],
        "candidates": [_candidate(candidate) for candidate in calibration.candidates],
        "findings": [
            {key: _finite(value) for key, value in asdict(finding).items() if key != "slide_id"}
            for finding in check.findings
        ],
        "certificate": None if certificate is None else certificate.model_dump(mode="json"),
    }


def _candidate(candidate: MppCandidate) -> dict[str, Any]:
    return {
        "mpp_x_um": _finite(candidate.mpp.x),
        "mpp_y_um": _finite(candidate.mpp.y),
        "source": candidate.source,
        "rung": candidate.rung,
        "quality": candidate.quality,
        "note": candidate.note,
        "describes_px": None if candidate.describes_px is None else asdict(candidate.describes_px),
        "picture": candidate.picture,
    }


def _finite(value: Any) -> Any:
    """Return None for what JSON has no number for: a tag may hold infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
