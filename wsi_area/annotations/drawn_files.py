"""annotations: one file for one slide: outlines or a mask, in level-0 pixels, with everything that was noticed."""

import math
from dataclasses import replace
from pathlib import Path

from shapely.errors import ShapelyError

from wsi_area.annotations import imagescope
from wsi_area.annotations.masks.files import is_mask, read_mask
from wsi_area.annotations.outline_files import OutlineFile, read_outlines
from wsi_area.annotations.raw import noted
from wsi_area.annotations.slide_frame import Placement, mpp_finding, placed_regions, placement_of
from wsi_area.annotations.stated_areas import TOLERANCE, stated_area_findings
from wsi_area.errors import AnnotationError
from wsi_area.model.calibration import Mpp
from wsi_area.model.drawn import Drawn
from wsi_area.model.finding import QaFinding
from wsi_area.model.slide import SlideInfo

MASK_KIND = "mask"


def read_drawn(
    path: str | Path,
    *,
    slide: SlideInfo,
    scale: float | None = None,
    mpp: Mpp | None = None,
    offset_nm: tuple[float, float] | None = None,
) -> Drawn:
    """Return the drawing that a file holds for a slide, in level-0 pixels.

    Parameters
    ----------
    path
        QuPath GeoJSON, ImageScope XML, ASAP XML, Hamamatsu NDPA, CAMELYON JSON, or a mask as PNG, TIFF or zarr;
        recognised by its content.
    slide
        As ``slides.inspect`` describes it; no pixel of it is read.
    scale : float or None
        Level-0 px of this slide per unit of the file. None: 1 for outlines; for a mask, what makes both axes fit.
    mpp : Mpp or None
        Of the slide, where one is believed: held against a pixel size that the file states.
    offset_nm : (x, y) or None
        Where the middle of the scan lies from the centre of the glass, for NDPA; None: what the slide states.

    Raises
    ------
    AnnotationError
        It cannot be read or does not fit the slide, with the numbers.
    """
    file = Path(path)
    if scale is not None and not 0 < scale < float("inf"):
        raise AnnotationError(f"{file}: a scale of {scale} is no number above 0; give level-0 px per unit, as 1/128")
    try:
        if is_mask(file):
            return _mask(file, slide, scale)
        return _outlines(file, slide, scale, mpp, offset_nm)
    except (ShapelyError, MemoryError, RecursionError, OverflowError) as error:
        told = str(error) or type(error).__name__
        raise AnnotationError(f"{slide.slide_id}: {file} cannot be read ({told}); export it again") from error


def _mask(file: Path, slide: SlideInfo, scale: float | None) -> Drawn:
    try:
        read = read_mask(file, slide.size_l0_px, scale)
    except AnnotationError as error:
        raise AnnotationError(f"{slide.slide_id}: {error}") from error
    found = [replace(finding, slide_id=slide.slide_id) for finding in read.findings]
    if not any(read.mask.px_by_code[1:]):
        message = "the mask holds code 0 alone: it was looked at and nothing was drawn, which is 0 mm²"
        found.append(replace(noted("NOTHING_DRAWN", "info", message, 0.0), slide_id=slide.slide_id))
    return Drawn(str(file), MASK_KIND, read.sha256, read.mask.scale_x, (), read.mask, tuple(found), slide.size_l0_px)


def _outlines(
    file: Path, slide: SlideInfo, scale: float | None, mpp: Mpp | None, offset_nm: tuple[float, float] | None
) -> Drawn:
    outlines = read_outlines(file)
    if not outlines.regions:  # nothing to be placed: a scale or a pixel size is not missed
        findings = tuple(replace(finding, slide_id=slide.slide_id) for finding in outlines.findings)
        used = 1.0 if scale is None else scale
        return Drawn(str(file), outlines.kind, outlines.sha256, used, findings=findings, size_l0_px=slide.size_l0_px)
    placement = placement_of(outlines, slide, scale, mpp, offset_nm)
    regions, beyond = placed_regions(outlines, placement, slide.size_l0_px)
    stated = () if outlines.kind == imagescope.KIND else _stated_area_findings(outlines, placement, mpp)
    noticed = (*outlines.findings, *mpp_finding(outlines, placement, mpp), *stated, *beyond)
    findings = tuple(replace(finding, slide_id=slide.slide_id) for finding in noticed)
    kind, sha256 = outlines.kind, outlines.sha256
    return Drawn(str(file), kind, sha256, placement.factor_x, regions, None, findings, slide.size_l0_px)


def _stated_area_findings(outlines: OutlineFile, placement: Placement, mpp: Mpp | None) -> tuple[QaFinding, ...]:
    """Return the areas that a file states held against its outlines at the slide's pixel size."""
    if mpp is None:
        return stated_area_findings(outlines.regions, None, TOLERANCE)
    unit_um2 = placement.factor_x * mpp.x * placement.factor_y * mpp.y
    return stated_area_findings(outlines.regions, unit_um2, TOLERANCE, math.sqrt(mpp.x * mpp.y))
