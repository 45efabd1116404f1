"""annotations: outlines meet their slide: from the units of the file to level-0 pixels, cut at the slide's edge."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.annotations.effort import require_unitable
from wsi_area.annotations.outline_files import OutlineFile
from wsi_area.annotations.raw import SHOWN, noted, number
from wsi_area.annotations.stated_areas import stated_um2
from wsi_area.annotations.validity import OutlinedRegion
from wsi_area.compute.picture.outlines import areal, shared_area, united
from wsi_area.compute.picture.valid_outlines import are_valid
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.drawn import DrawnRegion
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size
from wsi_area.model.slide import SlideInfo

OFFSET_PROPERTIES = ("hamamatsu.XOffsetFromSlideCentre", "hamamatsu.YOffsetFromSlideCentre")
_MPP_TOLERANCE = 0.02  # as for two claims about the slide itself
_TINY = 1e-3
"""Of the sides of a slide: a drawing of a whole file within so little may be in another unit than pixels."""
_AT_ONCE = 5000
_OVERLAP_PX2 = 0.5  # of a level-0 pixel: outlines that share an edge overlap by rounding


@frozen_value
class Placement:
    """``level-0 px = factor · unit + shift`` on each axis."""

    factor_x: float
    factor_y: float
    shift_x: float = 0.0
    shift_y: float = 0.0

    def apply(self, geometries: Sequence[shapely.Geometry]) -> NDArray[np.object_]:
        """Return geometries in level-0 px; those that rounding made invalid are mended by less than it moved them."""

        def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
            return points * (self.factor_x, self.factor_y) + (self.shift_x, self.shift_y)

        given = np.array(geometries, dtype=object)
        if self == Placement(1.0, 1.0):
            return given
        placed = np.empty_like(given)
        for start in range(0, len(given), _AT_ONCE):  # each step holds their points three times
            placed[start : start + _AT_ONCE] = shapely.transform(given[start : start + _AT_ONCE], moved)
        for i in np.flatnonzero(~are_valid(placed)):
            placed[i] = areal(shapely.make_valid(placed[i], method="structure"))
        return np.asarray(placed)


def placement_of(
    file: OutlineFile, slide: SlideInfo, scale: float | None, mpp: Mpp | None, offset_nm: tuple[float, float] | None
) -> Placement:
    """Return the scale by which a file's units become level-0 pixels.

    Hamamatsu's nanometres count from the centre of the physical slide; ``(x_nm - offset_x) / (1000 · mpp_x) +
    width / 2`` with the pixel size that the scanner wrote, because NDP.view drew with that one, whatever override is
    in force.
    """
    if file.unit == "px":
        factor = 1.0 if scale is None else scale
        return Placement(factor, factor)
    if scale is not None:
        raise AnnotationError(f"{file.path} is in nanometres, so a scale of {scale:g} has no meaning; leave it out")
    vendor = next((c.mpp for c in slide.mpp_candidates if c.rung == "vendor"), mpp)
    stated_x, stated_y = (number(slide.properties.get(key)) for key in OFFSET_PROPERTIES)
    if offset_nm is None and math.isfinite(stated_x) and math.isfinite(stated_y):
        offset_nm = stated_x, stated_y
    if vendor is None or offset_nm is None:
        missing = "pixel size" if vendor is None else " and ".join(OFFSET_PROPERTIES)
        raise AnnotationError(
            f"{file.path} is in nanometres from the centre of the glass, and {slide.slide_id} does not state its "
            f"{missing}; use it with the NDPI slide it was drawn on, or export the outlines from QuPath as GeoJSON"
        )
    x, y = 1 / (1000 * vendor.x), 1 / (1000 * vendor.y)
    size = slide.size_l0_px
    return Placement(x, y, size.width_px / 2 - offset_nm[0] * x, size.height_px / 2 - offset_nm[1] * y)


def placed_regions(
    file: OutlineFile, placement: Placement, size: Size
) -> tuple[tuple[DrawnRegion, ...], tuple[QaFinding, ...]]:
    """Return the regions in level-0 pixels, cut at the edges of the slide, and what was noticed.

    Raises
    ------
    AnnotationError
        An outline lies wholly beside the slide: a scale is missing, or the file belongs to another slide.
    """
    placed = placement.apply([region.geometry for region in file.regions])
    slide = shapely.box(0, 0, size.width_px, size.height_px)
    bounds = shapely.bounds(placed)
    reach_px = np.maximum(-bounds[:, :2], bounds[:, 2:] - (size.width_px, size.height_px)).max(axis=1)
    cut = placed.copy()
    for i in np.flatnonzero(reach_px > 0):
        cut[i] = areal(placed[i].intersection(slide))
    beside = [file.regions[i] for i in np.flatnonzero(shapely.is_empty(cut))]
    if beside:
        raise AnnotationError(_beside(file, beside, bounds, size))
    areas = shapely.area(cut)
    drawn = [
        DrawnRegion(r.index, r.name, geometry.wkb, float(area), stated_um2(r, file.mpp_um), r.of)
        for r, geometry, area in zip(file.regions, cut, areas, strict=True)
    ]
    try:
        require_unitable(cut)
    except AnnotationError as error:
        raise AnnotationError(f"{file.path}: {error}") from error
    beyond = _beyond(file, reach_px, float(shapely.area(placed).sum() - areas.sum()))
    return tuple(drawn), (*beyond, *_tiny(file, bounds, size), *_overlaps([r.name for r in drawn], cut))


def _tiny(file: OutlineFile, bounds: NDArray[np.float64], size: Size) -> tuple[QaFinding, ...]:
    """Return the finding that all of a file lies within a few pixels: it may be in millimetres or in degrees."""
    if not len(bounds):
        return ()
    wide, high = bounds[:, 2:].max(axis=0) - bounds[:, :2].min(axis=0)
    share = float(max(wide / size.width_px, high / size.height_px))
    if share > _TINY:
        return ()
    message = (
        f"all that the file draws lies within {wide:.4g} × {high:.4g} px of a slide of {size.width_px} × "
        f"{size.height_px} px"
    )
    remedy = (
        "were they drawn in mm, in degrees, or in shares of a side? State the level-0 px per unit of the file with "
        "--annotation-scale (--roi-scale for a region of interest, --regions-scale for regions)"
    )
    return (noted("DRAWING_TINY", "warning", message, share, _TINY, "of a side", remedy),)


def mpp_finding(file: OutlineFile, placement: Placement, mpp: Mpp | None) -> tuple[QaFinding, ...]:
    """Return a finding where the file's own pixel size, at its scale, is not that of the slide."""
    if file.mpp_um is None or mpp is None:
        return ()
    unit_um = placement.factor_x * mpp.x
    difference = abs(file.mpp_um - unit_um) / max(file.mpp_um, unit_um)
    if difference <= _MPP_TOLERANCE:
        return ()
    message = (
        f"the file was drawn at {file.mpp_um:g} µm a unit, on this slide a unit is {unit_um:.6g} µm "
        f"({100 * difference:.1f} % apart)"
    )
    remedy = f"if it was drawn on another scan or level, state --annotation-scale {file.mpp_um / mpp.x:.6g}"
    return (noted("ANNOTATION_MPP_DIFFERS", "warning", message, file.mpp_um, unit_um, "µm", remedy),)


def _called(region: OutlinedRegion) -> str:
    """Return an outline's place in its file, and its name where it has one: by that people find it in QuPath."""
    name = region.of.own_name or region.name
    return f"{region.index} {name!r}" if name else str(region.index)


def _beside(file: OutlineFile, beside: Sequence[OutlinedRegion], bounds: NDArray[np.float64], size: Size) -> str:
    """Return the words for whoever gave outlines that lie wholly beside the slide."""
    (x0, y0), (x1, y1) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    over = max(x1 / size.width_px, y1 / size.height_px)
    if over > 1:
        power = 2 ** math.ceil(math.log2(over))
        hint = (
            "were they drawn on another slide? Or is a scale missing: they would fit at "
            f"1/{over:.4g} or less, --annotation-scale 1/{power} is next (--roi-scale for a region of interest, "
            "--regions-scale for regions)"
        )
    else:
        hint = "was the file drawn on another slide?"
    verb = "lies" if len(beside) == 1 else "lie"
    return (
        f"{file.path}: {len(beside)} of {len(bounds)} outlines {verb} wholly beside the slide (first: "
        f"{_called(beside[0])}). The slide "
        f"is {size.width_px} × {size.height_px} px, while the outlines reach from ({x0:.6g}, {y0:.6g}) to "
        f"({x1:.6g}, {y1:.6g}); {hint}"
    )


def _beyond(file: OutlineFile, reach_px: NDArray[np.float64], lost_px2: float) -> tuple[QaFinding, ...]:
    """Return the finding on what reaches beyond the edges of the slide."""
    beyond = [file.regions[i] for i in np.flatnonzero(reach_px > 0)]
    if not beyond:
        return ()
    farthest_px = float(reach_px.max())
    shown = ", ".join(map(_called, beyond[:5])) + (" …" if len(beyond) > 5 else "")
    who = "1 outline" if len(beyond) == 1 else f"{len(beyond)} outlines"
    verb = "reaches" if len(beyond) == 1 else "reach"
    message = (
        f"{who} ({shown}) {verb} up to {farthest_px:.6g} px beyond the slide; "
        f"{lost_px2:.6g} px² lie outside it and are not measured"
    )
    remedy = "check that the file was drawn on this slide, at this scale"
    return (noted("OUTLINE_BEYOND_SLIDE", "warning", message, farthest_px, 0.0, "px", remedy),)


def _overlaps(names: Sequence[str], geometries: NDArray[np.object_]) -> tuple[QaFinding, ...]:
    """Return the area drawn twice: within a class it counts once, between classes the settings' order decides."""
    one, other = shapely.STRtree(geometries).query(geometries, predicate="intersects")
    named = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)[1]
    met = one < other
    one, other = one[met], other[met]
    same = named[one] == named[other]
    findings = _within_classes(names, geometries, np.union1d(one[same], other[same]), named)
    between: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for i, j in zip(one[~same].tolist(), other[~same].tolist(), strict=True):
        between[(named[i], named[j]) if named[i] < named[j] else (named[j], named[i])].append(
            (i, j) if named[i] < named[j] else (j, i)
        )
    return (*findings, *_between_classes(names, geometries, between.values()))


def _within_classes(
    names: Sequence[str], geometries: NDArray[np.object_], crowded: NDArray[np.intp], named: NDArray[np.intp]
) -> list[QaFinding]:
    findings = []
    for name in dict.fromkeys(named[crowded].tolist()):
        own = geometries[crowded[named[crowded] == name]]
        twice = float(shapely.area(own).sum() - united(list(own)).area)
        if twice > _OVERLAP_PX2:
            told = names[int(crowded[named[crowded] == name][0])]
            message = f"outlines of {told!r} overlap each other by {twice:.6g} level-0 px², which count once"
            findings.append(noted("OUTLINES_OVERLAP", "info", message, twice, _OVERLAP_PX2, "px²"))
    return _capped(findings, "OUTLINES_OVERLAP")


def _between_classes(
    names: Sequence[str], geometries: NDArray[np.object_], pairs_of_classes: Iterable[list[tuple[int, int]]]
) -> list[QaFinding]:
    findings = []
    remedy = "where both are classes of the run, the one listed later in segmenter.classes has them"
    for pairs in pairs_of_classes:
        first, second = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
        shared = shared_area(united(list(geometries[first])), united(list(geometries[second])))
        if shared > _OVERLAP_PX2:
            one, other = names[min(first[0], second[0])], names[max(first[0], second[0])]
            message = f"outlines of {one!r} and {other!r} overlap by {shared:.6g} level-0 px²"
            findings.append(noted("CLASSES_OVERLAP", "info", message, shared, _OVERLAP_PX2, "px²", remedy))
    return _capped(findings, "CLASSES_OVERLAP")


def _capped(findings: list[QaFinding], code: str) -> list[QaFinding]:
    """Return the largest findings of one code, and one line on all where there are more."""
    if len(findings) <= SHOWN:
        return findings
    whole = sum(finding.measured or 0.0 for finding in findings)
    message = (
        f"{len(findings)} names overlap in such a way, {whole:.6g} level-0 px² in all; the largest {SHOWN} are told"
    )
    largest = sorted(findings, key=lambda finding: -(finding.measured or 0.0))[:SHOWN]
    return [*largest, noted(code, "info", message, whole, _OVERLAP_PX2, "px²")]
