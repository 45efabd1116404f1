"""annotations: a drawing as a region of interest: what it includes, less what it excludes."""

from dataclasses import replace

import numpy as np
import shapely

from wsi_area.annotations.raw import noted
from wsi_area.compute.picture.outlines import less, united
from wsi_area.errors import AnnotationError
from wsi_area.model.drawn import Drawn, RegionOfInterest, names_exclusion
from wsi_area.model.drawn_mask import DrawnMask


def region_of_interest(drawn: Drawn) -> RegionOfInterest:
    """Return what of a slide is to be measured.

    Regions and codes whose class begins with "exclude" or "ignore" (upper and lower case are one; QuPath's
    ``Ignore*`` is one of them) are taken away from all others; where nothing else was drawn, from the whole slide.
    Code 0 of a mask, and a code without a name, is outside.

    Raises
    ------
    AnnotationError
        Nothing is left to measure.
    """
    wkb, mask = (None, _masked(drawn.mask)) if drawn.mask is not None else (_outlined(drawn), None)
    if mask is not None and not any(mask.px_by_code[1:]):
        raise AnnotationError(f"{drawn.path}: as a region of interest this mask leaves nothing to measure; check it")
    names = sorted({*(r.name for r in drawn.regions), *(drawn.mask.names.values() if drawn.mask else ())})
    excluding = [name for name in names if names_exclusion(name)]
    message = f"region of interest: {', '.join(repr(n) for n in names if n not in excluding) or 'the whole slide'}" + (
        f" less {', '.join(map(repr, excluding))}" if excluding else ""
    )
    slide_id = drawn.findings[0].slide_id if drawn.findings else ""
    found = (*drawn.findings, replace(noted("ROI_RULE", "info", message), slide_id=slide_id))
    return RegionOfInterest(drawn.path, drawn.kind, drawn.sha256, drawn.scale, wkb, mask, found)


def _outlined(drawn: Drawn) -> bytes:
    included = [shapely.from_wkb(r.wkb_l0_px) for r in drawn.regions if not names_exclusion(r.name)]
    excluded = [shapely.from_wkb(r.wkb_l0_px) for r in drawn.regions if names_exclusion(r.name)]
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
