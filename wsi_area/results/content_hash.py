"""results: one hash of what a person decides on when a slide is accepted, signed or corrected.

It is over integers, areas, pixel size, findings and certificate. Sentences, times, paths, hosts, versions and how the
work was shared out are no part of it, so a plain run over the same slide keeps it, and so does one that measures
afresh. Another number, finding or grade makes another hash.
"""

from typing import Any

from pydantic import BaseModel

from wsi_area.model.corrections.amendment import Amendment
from wsi_area.model.json_tree import json_digest
from wsi_area.model.record.slide_certificate import Certificate
from wsi_area.model.slide_result import CountedSlide, EndedSlide

CONTENT_RULES = 1
"""Raised when the same content is given another hash."""
PREFIX = "sha256:"

_TEXTS_KEPT = frozenset(
    {
        "name", "set", "class", "border_class", "class_name", "shape", "denominator", "unit", "status",
        "region_id", "region_class", "parent_id",
    }
)  # fmt: skip
"""Texts that say what a number is of; all others tell of it."""
_LEFT_ASIDE = frozenset({"files", "color_rgb"})


def content_hash(slide: EndedSlide) -> str:
    """Return the hash of what a decision on a slide is about, ``sha256:`` and 64 hex digits.

    What only the run as a whole says of a slide is no part of it: that another one holds the same comes and goes with
    that one, and readers of reference points answer when they please.

    Parameters
    ----------
    slide : EndedSlide
        Its result, as on record or as a run tells it. Of one that was not counted there is how it ended, and no more.
    """
    content = _counted(slide) if isinstance(slide, CountedSlide) else {}
    return PREFIX + json_digest({"rules": CONTENT_RULES, "status": slide.status, **content})


def _counted(slide: CountedSlide) -> dict[str, Any]:
    scale = slide.calibration
    taken = () if slide.pictures is None else slide.pictures.taken
    parts = {
        "counts": slide.counts, "tumor": slide.tumor, "positive": slide.positive, "tissue": slide.tissue,
        "envelope": slide.tissue_envelope, "analyzed": slide.analyzed, "unreadable": slide.unreadable,
        "signal": slide.signal, "foci": slide.foci, "bands": slide.bands, "hotspots": slide.hotspots,
        "regions": slide.regions, "steps": slide.steps, "by_threshold": slide.tissue_by_threshold,
        "budgets": slide.budgets if slide.adjusted is None else slide.adjusted.measured_budgets,
    }  # fmt: skip
    layer = slide.tissue_layer
    return {
        "file": slide.content_digest,
        "pictures": [[picture.index, picture.channel, picture.plane] for picture in taken],
        "size_px": [slide.width_px, slide.height_px],
        "pixel_size": [scale.mpp_x_um, scale.mpp_y_um, scale.quality, scale.relative_u_area],
        "work_um": [slide.work.work_mpp_x_um, slide.work.work_mpp_y_um],
        "classes": [_numbers(one.model_dump(mode="json")) for one in slide.classes],
        "ratios": [_numbers(one.model_dump(mode="json")) for one in slide.ratios],
        "outlines": [_numbers(one.model_dump(mode="json", by_alias=True)) for one in slide.outlines],
        "tissue_mm2_by_threshold": slide.tissue_mm2_by_threshold,
        "skipped_px": slide.skipped_tissue_px_upper_bound,
        "layer": None if layer is None else [layer.n_px_crossed, layer.n_px_enclosed],
        "findings": sorted(
            json_digest([f.code, f.severity, f.measured, f.limit, f.unit])
            for f in slide.findings
            if f.code != "SLIDE_TWICE"
        ),
        "certificate": None if slide.certificate is None else _certified(slide.certificate),
        **{name: _part(part) for name, part in parts.items()},
        **_corrected(slide.amendment),
    }


def _corrected(amendment: Amendment | None) -> dict[str, Any]:
    """Return which pixels are corrected, since a class may move and keep its area; nothing of a measured result."""
    return {} if amendment is None else {"class_maps": [amendment.class_map, amendment.tissue_map]}


def _part(part: BaseModel | None) -> Any:
    return None if part is None else _numbers(part.model_dump(mode="json", by_alias=True))


def _numbers(value: Any, name: str = "") -> Any:
    """Return a part without its sentences, keys of stores and empty fields."""
    if isinstance(value, dict):
        inner = {key: _numbers(one, key) for key, one in value.items() if key not in _LEFT_ASIDE}
        return {key: one for key, one in inner.items() if one is not None}
    if isinstance(value, list):
        return [_numbers(one, name) for one in value]
    return None if isinstance(value, str) and name not in _TEXTS_KEPT else value


def _certified(certificate: Certificate) -> dict[str, Any]:
    """Return grades and facts of a certificate, without its prose."""
    pictures, light = certificate.pictures, certificate.light
    return {
        "pictures": [pictures.grade.grade, *sorted(pictures.grade.because)],
        "light": None if light.grade is None else [light.grade.grade, *sorted(light.grade.because)],
        "glass": [light.glass_level, light.threshold],
        "completeness": _part(certificate.completeness),
        "orientation": _part(certificate.orientation),
    }
