"""annotations: from raw rings to valid geometry; what is repaired or refused is said, by its index."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from wsi_area.annotations.raw import Parsed, RawOutline, Ring, noted
from wsi_area.compute.picture.outlines import areal, less, united
from wsi_area.model.finding import QaFinding

LARGEST_COORDINATE = 1e12
"""Beyond this a coordinate is damage (1 km in nanometres), and areas would lose their last digits."""

_NOTABLE = 1e-6
"""A repair that changes an area by less, relatively, is on record but asks nobody to look."""


@dataclass(frozen=True, slots=True, eq=False)
class OutlinedRegion:
    """One region of a file, valid, in the units of the file."""

    index: int
    name: str
    geometry: shapely.Geometry  # Polygon or MultiPolygon, the holes of its layer cut out
    points_area: float  # by the points alone, before repair and those holes: what vendors state
    stated_area_um2: float | None
    stated_area_px2: float | None

    @property
    def area(self) -> float:
        """Return what it encloses, units² of the file."""
        return float(self.geometry.area)


def regions_of(parsed: Parsed) -> tuple[tuple[OutlinedRegion, ...], tuple[QaFinding, ...]]:
    """Return the regions of a parsed file and what was noticed: each outline is in one of the two, or in both."""
    findings: list[QaFinding] = []
    sound = [(outline, geometry) for outline in parsed.outlines if (geometry := _valid(outline, findings)) is not None]
    holes: dict[int, list[tuple[RawOutline, shapely.Geometry]]] = defaultdict(list)
    for outline, geometry in sound:
        if outline.is_hole:
            holes[outline.layer].append((outline, geometry))
    used: set[int] = set()
    regions = []
    for outline, geometry in sound:
        if outline.is_hole:
            continue
        left = _less_holes(geometry, holes[outline.layer], used)
        if left.is_empty:
            message = f"outline {outline.index} ({outline.name!r}) lies wholly in a hole of its layer: nothing is left"
            findings.append(noted("OUTLINE_IN_HOLE", "warning", message, 0.0))
            continue
        stated = outline.stated_area_um2, outline.stated_area_px2
        regions.append(OutlinedRegion(outline.index, outline.name, left, _points_area(outline), *stated))
    for outline, geometry in (pair for layer in holes.values() for pair in layer):
        if outline.index not in used:
            message = f"outline {outline.index} is a hole of {geometry.area:.6g} square units, but lies in no region"
            remedy = "check the layer it was drawn in"
            findings.append(noted("HOLE_WITHOUT_REGION", "warning", message, float(geometry.area), remedy=remedy))
    return tuple(regions), tuple(findings)


def _less_holes(
    geometry: shapely.Geometry, holes: Sequence[tuple[RawOutline, shapely.Geometry]], used: set[int]
) -> shapely.Geometry:
    touched = [(outline, hole) for outline, hole in holes if geometry.intersects(hole)]
    used.update(outline.index for outline, _ in touched)
    return less(geometry, united([hole for _, hole in touched])) if touched else geometry


def _valid(outline: RawOutline, findings: list[QaFinding]) -> shapely.Geometry | None:
    """Return the geometry of an outline, or None where it encloses nothing; either way with a finding."""
    fault = _fault(outline)
    if fault is None:
        polygons = [shapely.Polygon(shell, holes) for shell, *holes in outline.polygons]
        drawn = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
        if drawn.is_valid and drawn.area > 0:
            return drawn
        # "structure" fills what an outer ring surrounds, however often: "linework" would punch a hole where a
        # freehand line overlaps its own start
        fixed = areal(shapely.make_valid(drawn, method="structure", keep_collapsed=False))
        if not fixed.is_valid:  # GEOS 3.13 may leave parts that share an edge: joined, they are one
            fixed = areal(shapely.union_all(shapely.get_parts(fixed)))
        if not fixed.is_empty:
            findings.append(_repair(outline, drawn, fixed))
            return fixed
        fault = "it encloses no area"
    message = f"outline {outline.index} ({outline.name!r}) is left out: {fault}"
    findings.append(noted("OUTLINE_INVALID", "warning", message, float(outline.index), remedy="draw it again"))
    return None


def _fault(outline: RawOutline) -> str | None:
    if not outline.polygons or not all(outline.polygons):
        return "it has no points"
    for ring in (ring for polygon in outline.polygons for ring in polygon):
        if not (np.abs(ring) <= LARGEST_COORDINATE).all():
            return f"a coordinate is missing, not a number or beyond ±{LARGEST_COORDINATE:g}"
        distinct = len(set(map(tuple, ring.tolist())))
        if distinct < 3:
            return f"a ring has {distinct} distinct points, an area needs 3"
    return None


def _repair(outline: RawOutline, drawn: shapely.Geometry, fixed: shapely.Geometry) -> QaFinding:
    before = _points_area(outline)
    after = float(fixed.area)
    reason = shapely.is_valid_reason(drawn).partition("[")[0].lower()
    notable = abs(after - before) > _NOTABLE * after
    return noted(
        "OUTLINE_REPAIRED",
        "warning" if notable else "info",
        f"outline {outline.index} ({outline.name!r}) touches or crosses itself ({reason}): repaired, its area was "
        f"{before:.10g} square units by its points and is {after:.10g} now",
        after,
        before,
        "square units of the file",
        "look at it, and draw it again if another area was meant" if notable else "",
    )


def _points_area(outline: RawOutline) -> float:
    """Return the area by the shoelace formula: what a ring winds round twice counts twice, or not at all."""
    return sum(_ring_area(shell) - sum(map(_ring_area, holes)) for shell, *holes in outline.polygons)


def _ring_area(ring: Ring) -> float:
    x, y = (ring - ring[0]).T
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2
