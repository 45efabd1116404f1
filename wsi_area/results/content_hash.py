"""results: one hash of what a person decides on when a slide is accepted, signed or corrected.

It is over integers, areas, pixel size, findings and certificate. Sentences, times, paths, hosts, versions and how the
work was shared out are no part of it, so a plain run over the same slide keeps it, and so does one that measures
afresh. Another number, finding or grade makes another hash.

Uncertainty budgets are no part of it: they follow from what is in it and from calibrations that come later, and a
better known error of a number is no other number. What a slide does not have is left out, and so is a field at its
default. So a later version of the program, which knows of more parts and fields, gives an older result the same hash.
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
    content = _known(_counted(slide)) if isinstance(slide, CountedSlide) else {}
    return PREFIX + json_digest({"rules": CONTENT_RULES, "status": slide.status, **content})


def _counted(slide: CountedSlide) -> dict[str, Any]:
    scale = slide.calibration
    taken = () if slide.pictures is None else slide.pictures.taken
    parts = {
        "counts": slide.counts, "tumor": slide.tumor, "positive": slide.positive, "tissue": slide.tissue,
        "envelope": slide.tissue_envelope, "analyzed": slide.analyzed, "unreadable": slide.unreadable,
        "signal": slide.signal, "foci": slide.foci, "bands": slide.bands, "hotspots": slide.hotspots,
        "regions": slide.regions, "steps": slide.steps, "by_threshold": slide.tissue_by_threshold,
    }  # fmt: skip
    layer = slide.tissue_layer
    return {
        "file": slide.content_digest,
        "pictures": [[picture.index, picture.channel, picture.plane] for picture in taken],
        "size_px": [slide.width_px, slide.height_px],
        "pixel_size": [scale.mpp_x_um, scale.mpp_y_um, scale.quality, scale.relative_u_area],
        "work_um": [slide.work.work_mpp_x_um, slide.work.work_mpp_y_um],
        "classes": [_part(one) for one in slide.classes],
        "ratios": [_part(one) for one in slide.ratios],
        "outlines": [_part(one) for one in slide.outlines],
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
    """Return the digests of corrected pixels, since a class may move and keep its area; of a measured result none."""
    return {} if amendment is None else {"class_maps": [amendment.class_map, amendment.tissue_map]}


def _part(part: BaseModel | None) -> Any:
    """Return a part as it differs from one of which nothing is known, without its sentences and keys of stores."""
    return None if part is None else _numbers(part.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _numbers(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return _known({key: _numbers(one, key) for key, one in value.items() if key not in _LEFT_ASIDE})
    if isinstance(value, list):
        return [_numbers(one, name) for one in value]
    return None if isinstance(value, str) and name not in _TEXTS_KEPT else value


def _known(content: dict[str, Any]) -> dict[str, Any]:
    """Return content without what is not there: nothing, an empty list, an empty part."""
    return {name: one for name, one in content.items() if one is not None and one not in ([], {})}


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
