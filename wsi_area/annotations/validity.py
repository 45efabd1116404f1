"""annotations: from raw rings to valid geometry; what is repaired or refused is said, by its index."""

import time
from dataclasses import replace

import numpy as np
import shapely

from wsi_area.annotations.effort import RepairClock, require_checkable, require_unitable
from wsi_area.annotations.holes import Sound, without_holes
from wsi_area.annotations.raw import SHOWN, Parsed, Polygon, RawOutline, Ring, noted, points_area
from wsi_area.compute.picture.outlines import areal
from wsi_area.compute.picture.valid_outlines import is_valid
from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn import DrawnObject
from wsi_area.model.finding import QaFinding

LARGEST_COORDINATE = 1e12
"""Beyond this a coordinate is damage (1 km in nanometres), and areas would lose their last digits."""

_NOTABLE = 1e-6
"""A repair that changes an area by less, relatively, is on record but asks nobody to look."""


@frozen_value(eq=False)
class OutlinedRegion:
    """One region of a file, valid, in the units of the file."""

    index: int
    name: str
    geometry: shapely.Geometry  # Polygon or MultiPolygon, the holes of its layer and class cut out
    points_area: float  # by the points alone, before repair and those holes: what vendors state
    stated_area_um2: float | None
    stated_area_px2: float | None
    of: DrawnObject

    @property
    def area(self) -> float:
        """Return the area that it encloses, units² of the file."""
        return float(self.geometry.area)


def regions_of(parsed: Parsed) -> tuple[tuple[OutlinedRegion, ...], tuple[QaFinding, ...]]:
    """Return the regions of a parsed file and what was noticed: each outline is in one of the two, or in both.

    The outlines are taken out of what was parsed.

    Raises
    ------
    AnnotationError
        Checking or repairing an outline would take minutes.
    """
    faults = _Faults()
    sound = []
    clock = RepairClock()
    while parsed.outlines:  # the points of an outline are let go as soon as it has a geometry
        one = _sound(parsed.outlines.popleft(), faults, clock)
        if one is not None:
            sound.append(one)
    if any(one.outline.is_hole for one in sound):
        require_unitable(np.array([one.geometry for one in sound], dtype=object))
    left, noticed = without_holes(sound)
    regions = tuple(
        OutlinedRegion(o.index, o.name, geometry, by_points, o.stated_area_um2, o.stated_area_px2, o.of)
        for o, geometry, by_points in left
    )
    return regions, (*faults.findings(), *noticed)


class _Faults:
    """What was wrong with outlines, by code; the first ones are told one by one, all by their number and area."""

    def __init__(self) -> None:
        self._told: list[QaFinding] = []
        self._count: dict[tuple[str, str], int] = {}
        self._area: dict[tuple[str, str], float] = {}

    def add(self, finding: QaFinding, area: float) -> None:
        key = finding.code, finding.severity
        self._count[key] = self._count.get(key, 0) + 1
        self._area[key] = self._area.get(key, 0.0) + area
        if self._count[key] <= SHOWN:
            self._told.append(finding)

    def findings(self) -> tuple[QaFinding, ...]:
        """Return the lines that were told, and a line on the number of all for each code that had more."""
        whole = [
            noted(
                code,
                "info" if severity == "info" else "warning",
                f"{count} outlines have {code}, {self._area[code, severity]:.6g} square units by their points; the "
                f"first {SHOWN} are told one by one",
                float(count),
                0.0,
                "outlines",
            )
            for (code, severity), count in self._count.items()
            if count > SHOWN
        ]
        return (*self._told, *whole)


def _sound(outline: RawOutline, faults: _Faults, clock: RepairClock) -> Sound | None:
    """Return an outline with its geometry, None where it encloses nothing; either is a finding unless it was valid."""
    polygons, fault = _sound_parts(outline, faults)
    if polygons:
        by_points, bare = points_area(polygons), replace(outline, polygons=())
        drawn = _geometry(polygons)
        require_checkable(f"outline {outline.index} ({outline.name!r})", drawn)
        if is_valid(drawn) and drawn.area > 0:
            return Sound(bare, drawn, by_points)
        started_s = time.thread_time()
        # "structure" fills what an outer ring surrounds, however often: "linework" would punch a hole where a
        # freehand line overlaps its own start
        fixed = areal(shapely.make_valid(drawn, method="structure", keep_collapsed=False))
        if not is_valid(fixed):  # GEOS 3.13 may leave parts that share an edge: joined, they are one
            fixed = areal(shapely.union_all(shapely.get_parts(fixed)))
        if any(len(polygon) > 1 for polygon in polygons):  # a hole beside its outline would become a part of it
            fixed = areal(fixed.intersection(_filled(polygons)))
        clock.took_since(started_s)
        if not fixed.is_empty:
            faults.add(_repair(outline, by_points, drawn, fixed), float(fixed.area))
            return Sound(bare, fixed, by_points)
        fault = "it encloses no area"
    message = f"outline {outline.index} ({outline.name!r}) is left out: {fault}"
    told = noted("OUTLINE_INVALID", "warning", message, float(outline.index), remedy="draw it again")
    faults.add(told, _finite_area(outline))
    return None


def _filled(polygons: tuple[Polygon, ...]) -> shapely.Geometry:
    """Return the area that the outer rings of an outline surround, whatever holes it has."""
    shells = shapely.MultiPolygon([shapely.Polygon(shell) for shell, *_ in polygons])
    return shapely.make_valid(shells, method="structure", keep_collapsed=False)


def _sound_parts(outline: RawOutline, faults: _Faults) -> tuple[tuple[Polygon, ...], str]:
    """Return the polygons of an outline that enclose an area, and why the last of the others does not.

    Where some do, each of the others has a finding; a hole of fewer than 3 points takes nothing away.
    """
    if outline.polygons and _are_plain(outline.polygons):
        return outline.polygons, ""
    sound, reasons = list[Polygon](), list[tuple[Polygon, str]]()
    for polygon in outline.polygons:
        fault = _fault(polygon)
        if fault is None:
            sound.append((polygon[0], *(hole for hole in polygon[1:] if _distinct(hole) >= 3)))
        else:
            reasons.append((polygon, fault))
    if not sound:
        return (), reasons[-1][1] if reasons else "it has no points"
    for polygon, fault in reasons:
        area = points_area((polygon,)) if polygon else 0.0
        area = area if np.isfinite(area) else 0.0
        message = (
            f"a part of outline {outline.index} ({outline.name!r}) is left out: {fault}; by its points it has "
            f"{area:.6g} square units"
        )
        faults.add(noted("OUTLINE_PART_INVALID", "warning", message, area, 0.0, remedy="draw it again"), area)
    return tuple(sound), ""


def _geometry(polygons: tuple[Polygon, ...]) -> shapely.Geometry:
    """Return polygons as one Polygon or MultiPolygon; made together, for an outline may have thousands of rings."""
    rings = [ring for polygon in polygons for ring in polygon]
    of_ring = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    made = shapely.polygons(
        shapely.linearrings(np.concatenate(rings), indices=of_ring),
        indices=np.repeat(np.arange(len(polygons)), [len(polygon) for polygon in polygons]),
    )
    return made[0] if len(made) == 1 else shapely.multipolygons(made)


def _are_plain(polygons: tuple[Polygon, ...]) -> bool:
    """Return True if every ring begins with three distinct points and none is out of bounds: nothing is to be said.

    Asked of all rings at once; where it is False, each is looked at by itself.
    """
    rings = [ring for polygon in polygons for ring in polygon]
    lengths = np.array([len(ring) for ring in rings])
    if not all(polygons) or lengths.min() < 3:
        return False
    points = np.concatenate(rings)
    firsts = np.cumsum(lengths) - lengths
    one, two, three = (points[firsts + n] for n in range(3))
    distinct = [(a != b).any(axis=1) for a, b in ((one, two), (two, three), (one, three))]
    return bool((np.abs(points) <= LARGEST_COORDINATE).all() and np.logical_and.reduce(distinct).all())


def _fault(polygon: Polygon) -> str | None:
    if not polygon:
        return "it has no points"
    for ring in polygon:
        if not (np.abs(ring) <= LARGEST_COORDINATE).all():
            return f"a coordinate is missing, not a number or beyond ±{LARGEST_COORDINATE:g}"
    distinct = _distinct(polygon[0])
    return f"a ring has {distinct} distinct points, an area needs 3" if distinct < 3 else None


def _distinct(ring: Ring) -> int:
    """Return the number of distinct points of a ring; 3 stands for all above."""
    head = len(set(map(tuple, ring[:8].tolist())))
    return 3 if head >= 3 else min(3, len(set(map(tuple, ring.tolist()))))


def _finite_area(outline: RawOutline) -> float:
    area = points_area(tuple(polygon for polygon in outline.polygons if polygon))
    return area if np.isfinite(area) else 0.0


def _repair(outline: RawOutline, before: float, drawn: shapely.Geometry, fixed: shapely.Geometry) -> QaFinding:
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
