"""annotations: one file for one slide: outlines or a mask, in level-0 pixels, with everything that was noticed."""

from dataclasses import replace
from pathlib import Path

from wsi_area.annotations.mask_files import is_mask, read_mask
from wsi_area.annotations.outline_files import read_outlines
from wsi_area.annotations.slide_frame import mpp_finding, placed_regions, placement_of
from wsi_area.errors import AnnotationError
from wsi_area.model.calibration import Mpp
from wsi_area.model.drawn import Drawn
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
    """Return what a file holds for a slide, in level-0 pixels.

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
    if is_mask(file):
        try:
            read = read_mask(file, slide.size_l0_px, scale)
        except AnnotationError as error:
            raise AnnotationError(f"{slide.slide_id}: {error}") from error
        found = [replace(finding, slide_id=slide.slide_id) for finding in read.findings]
        return Drawn(
            str(file), MASK_KIND, read.sha256, read.mask.scale_x, (), read.mask, tuple(found), slide.size_l0_px
        )
    outlines = read_outlines(file)
    placement = placement_of(outlines, slide, scale, mpp, offset_nm)
    regions, beyond = placed_regions(outlines, placement, slide.size_l0_px)
    noticed = (*outlines.findings, *mpp_finding(outlines, placement, mpp), *beyond)
    findings = tuple(replace(finding, slide_id=slide.slide_id) for finding in noticed)
    kind, sha256 = outlines.kind, outlines.sha256
    return Drawn(str(file), kind, sha256, placement.factor_x, regions, None, findings, slide.size_l0_px)
