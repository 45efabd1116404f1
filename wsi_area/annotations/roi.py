"""annotations: a drawing as a region of interest: what it includes, less what it excludes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely

from wsi_area.annotations.raw import noted
from wsi_area.compute.picture.outlines import less, united
from wsi_area.errors import AnnotationError
from wsi_area.model.drawn import Drawn, DrawnRegion, RegionOfInterest, names_exclusion
from wsi_area.model.drawn_mask import DrawnMask

_MEANT = ("annotation", "tmaCore")
_NAMES_SHOWN = 8


def region_of_interest(drawn: Drawn) -> RegionOfInterest:
    """Return the slide as it is to be measured.

    Regions and codes whose class begins with "exclude" or "ignore" (upper and lower case are one; QuPath's
    ``Ignore*`` is one of them) are taken away from all others; where nothing else was drawn, from the whole slide.
    Code 0 of a mask, and a code without a name, is outside. Of QuPath's objects annotations and TMA cores are taken,
    and the others (detections, cells, tiles, the root) where there are no such.

    Raises
    ------
    AnnotationError
        Nothing is left to measure.
    """
    meant = tuple(region for region in drawn.regions if region.of.kind in _MEANT) or drawn.regions
    wkb, mask = (None, _masked(drawn.mask)) if drawn.mask is not None else (_outlined(drawn, meant), None)
    if mask is not None and not any(mask.px_by_code[1:]):
        raise AnnotationError(f"{drawn.path}: as a region of interest this mask leaves nothing to measure; check it")
    names = sorted({*(r.name for r in meant), *(drawn.mask.names.values() if drawn.mask else ())})
    excluding = [name for name in names if names_exclusion(name)]
    message = f"region of interest: {_listed([n for n in names if n not in excluding]) or 'the whole slide'}"
    if excluding:
        message += f" less {_listed(excluding)}"
    if len(meant) < len(drawn.regions):
        message += f"; {len(drawn.regions) - len(meant)} detections, cells, tiles or roots are left aside"
    slide_id = drawn.findings[0].slide_id if drawn.findings else ""
    found = (*drawn.findings, replace(noted("ROI_RULE", "info", message), slide_id=slide_id))
    return RegionOfInterest(drawn.path, drawn.kind, drawn.sha256, drawn.scale, wkb, mask, found)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_NAMES_SHOWN])) + (" …" if len(names) > _NAMES_SHOWN else "")


def _outlined(drawn: Drawn, meant: Sequence[DrawnRegion]) -> bytes:
    included = [shapely.from_wkb(r.wkb_l0_px) for r in meant if not names_exclusion(r.name)]
    excluded = [shapely.from_wkb(r.wkb_l0_px) for r in meant if names_exclusion(r.name)]
    if included:
        whole = united(included)
    elif drawn.size_l0_px is not None and excluded:
        whole = shapely.box(0, 0, drawn.size_l0_px.width_px, drawn.size_l0_px.height_px)
    else:
        raise AnnotationError(f"{drawn.path} holds no region to measure; give the file that was meant")
    left = less(whole, united(excluded)) if excluded else whole
    if left.is_empty:
        raise AnnotationError(f"{drawn.path}: what it excludes covers all that it includes; nothing is left to measure")
    return bytes(left.wkb)


def _masked(mask: DrawnMask) -> DrawnMask:
    table = np.zeros(256, np.uint8)
    included = [code for code, name in mask.names.items() if code != 0 and not names_exclusion(name)]
    if included:
        table[included] = 1
    else:
        table[:] = 1  # only exclusions were drawn
        table[[code for code in mask.names if code != 0]] = 0
    return mask.recoded(table, {1: "inside"})
