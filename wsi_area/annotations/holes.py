"""annotations: outlines that are holes, cut out of the regions of their layer and of their class; islands stay."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely

from wsi_area.annotations.raw import SHOWN, RawOutline, noted
from wsi_area.compute.picture.outlines import less, united
from wsi_area.model.finding import QaFinding


class Sound(NamedTuple):
    """An outline with its valid geometry; its own points are no longer held."""

    outline: RawOutline
    geometry: shapely.Geometry
    points_area: float  # by the points alone, before repair and holes


_COVERED = 0.99  # of an island lies in its hole: a freehand line strays a little


def without_holes(sound: Sequence[Sound]) -> tuple[list[Sound], list[QaFinding]]:
    """Return the regions, less the holes in them, and what was noticed.

    A hole is cut out of the regions of its own layer, and of those of its class in any layer. A region that lies in a
    hole which is itself cut out of a larger region is an island: it stays.
    """
    holes = [one for one in sound if one.outline.is_hole]
    regions = [one for one in sound if not one.outline.is_hole]
    if not holes:
        return regions, []
    met = _meetings(regions, holes)
    cut_by, islands_of = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for r, h in met:
        (islands_of if _lies_in(regions[r].geometry, holes[h].geometry) else cut_by)[r].append(h)
    in_a_region = {h for r in cut_by for h in cut_by[r]}
    left, swallowed = list[Sound](), list[Sound]()
    used = set[int]()
    for r, region in enumerate(regions):
        # a hole that lies in no larger region has no island: it takes away all that it covers
        taken = cut_by[r] + [h for h in islands_of[r] if h not in in_a_region]
        used.update(taken)
        rest = less(region.geometry, united([holes[h].geometry for h in taken])) if taken else region.geometry
        if rest.is_empty:
            swallowed.append(region)
        else:
            left.append(region._replace(geometry=rest))
    stray = [hole for h, hole in enumerate(holes) if h not in used]
    return left, [*_swallowed_findings(swallowed), *_stray_findings(stray)]


def _meetings(regions: Sequence[Sound], holes: Sequence[Sound]) -> list[tuple[int, int]]:
    """Return the pairs of region and hole that touch and belong together: of one layer, or of one class."""
    tree = shapely.STRtree(np.array([hole.geometry for hole in holes], dtype=object))
    pairs = tree.query(np.array([region.geometry for region in regions], dtype=object), predicate="intersects").T
    return [(r, h) for r, h in pairs.tolist() if _belong_together(regions[r].outline, holes[h].outline)]


def _belong_together(region: RawOutline, hole: RawOutline) -> bool:
    return region.layer == hole.layer or _class_key(region) == _class_key(hole)


def _class_key(outline: RawOutline) -> str:
    return outline.name.strip().rstrip("*").rstrip().casefold()


def _lies_in(region: shapely.Geometry, hole: shapely.Geometry) -> bool:
    """Return True if a region is smaller than a hole and lies in it, but for a line that strays."""
    if region.area >= hole.area:
        return False
    return bool(shapely.intersection(region, hole).area >= _COVERED * region.area)


def _swallowed_findings(swallowed: Sequence[Sound]) -> list[QaFinding]:
    found = [
        noted(
            "OUTLINE_IN_HOLE",
            "warning",
            f"outline {outline.index} ({outline.name!r}, {geometry.area:.6g} square units) lies wholly in a hole of "
            "its layer or class, which lies in no larger region: nothing is left",
            0.0,
            remedy="look at it, and draw it again if it is an area",
        )
        for outline, geometry, _ in swallowed[:SHOWN]
    ]
    return [*found, *_others("OUTLINE_IN_HOLE", "lie wholly in holes", swallowed)]


def _stray_findings(stray: Sequence[Sound]) -> list[QaFinding]:
    found = [
        noted(
            "HOLE_WITHOUT_REGION",
            "warning",
            f"outline {outline.index} is a hole of {geometry.area:.6g} square units, but lies in no region",
            float(geometry.area),
            remedy="check the layer it was drawn in",
        )
        for outline, geometry, _ in stray[:SHOWN]
    ]
    return [*found, *_others("HOLE_WITHOUT_REGION", "are holes that lie in no region", stray)]


def _others(code: str, what: str, told: Sequence[Sound]) -> list[QaFinding]:
    """Return one finding on all, where there are more than are told one by one."""
    if len(told) <= SHOWN:
        return []
    area = sum(float(one.geometry.area) for one in told)
    message = f"{len(told)} outlines {what}, {area:.6g} square units; the first {SHOWN} are told one by one"
    return [noted(code, "warning", message, float(len(told)), 0.0, "outlines")]
