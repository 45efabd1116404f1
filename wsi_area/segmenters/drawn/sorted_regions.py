"""segmenters: drawn regions sorted into those of a class and those left out, with what leaving them out means."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from wsi_area.compute.picture.outlines import shared_area, united
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn import Drawn, DrawnRegion, names_exclusion

_SHOWN = 50  # kinds of what was left out that result.json names one by one


@frozen_value
class SortedRegions:
    """The regions of a drawing: by class, and left out."""

    by_class: Mapping[int, tuple[DrawnRegion, ...]]  # class id → its regions
    nameless: tuple[DrawnRegion, ...]  # match no class
    not_asked: tuple[DrawnRegion, ...]  # match a class by name, but are of an object type that was not asked for


def sort_regions(drawn: Drawn, class_of_name: Mapping[str, int | None], object_types: Sequence[str]) -> SortedRegions:
    """Return the regions by class, and those that are left out of the class map.

    Raises
    ------
    AnnotationError
        Some are named like a class, and all of these are of objects that were not asked for.
    """
    by_class: dict[int, list[DrawnRegion]] = {}
    nameless, not_asked = list[DrawnRegion](), list[DrawnRegion]()
    for region in drawn.regions:
        class_id = class_of_name[region.name]
        if class_id is None:
            nameless.append(region)
        elif region.of.kind not in object_types:
            not_asked.append(region)
        else:
            by_class.setdefault(class_id, []).append(region)
    if not_asked and not by_class:
        kinds = sorted({region.of.kind for region in not_asked})
        names = sorted({region.name for region in not_asked})
        raise AnnotationError(
            f"{drawn.path}: {len(not_asked)} regions are named like a class ({', '.join(map(repr, names[:8]))}), and "
            f"all of them are of the object types {', '.join(kinds)}, which are not measured; to measure them set "
            f"segmenter.object_types = {[*object_types, *kinds]}"
        )
    return SortedRegions({i: tuple(own) for i, own in by_class.items()}, tuple(nameless), tuple(not_asked))


def left_out_facts(found: SortedRegions, unions: Mapping[int, shapely.Geometry]) -> list[dict[str, object]]:
    """Return the things left out, by name and object type: how many regions, their area, and what it means for a class.

    ``over_classes_l0_px2`` is how much of what is named as an exclusion is counted to a class all the same, and
    ``outside_classes`` how many regions named like a class lie outside all that is measured.
    """
    kinds: dict[tuple[str, str, bool], list[DrawnRegion]] = {}
    for left_out, named in ((found.nameless, False), (found.not_asked, True)):
        for region in left_out:
            kinds.setdefault((region.name, region.of.kind, named), []).append(region)
    whole = united(list(unions.values())) if unions else shapely.MultiPolygon()
    entries = []
    for (name, kind, named), regions in list(kinds.items())[:_SHOWN]:
        entry: dict[str, object] = {
            "name": name,
            "object_type": kind,
            "regions": len(regions),
            "area_l0_px2": sum(region.area_l0_px2 for region in regions),
            "named_like_a_class": named,
        }
        if named:
            entry["outside_classes"] = _outside(regions, whole)
        elif names_exclusion(name):
            entry["over_classes_l0_px2"] = shared_area(united(_geometries(regions)), whole)
        entries.append(entry)
    rest = [region for regions in list(kinds.values())[_SHOWN:] for region in regions]
    if rest:
        area = sum(region.area_l0_px2 for region in rest)
        entries.append({"name": None, "object_type": None, "regions": len(rest), "area_l0_px2": area})
    return entries


def _outside(regions: Sequence[DrawnRegion], whole: shapely.Geometry) -> int:
    """Return the number of regions that have a point inside them which lies in none of the classes."""
    shapely.prepare(whole)
    inside = shapely.intersects(whole, shapely.point_on_surface(np.array(_geometries(regions), dtype=object)))
    return int((~inside).sum())


def _geometries(regions: Sequence[DrawnRegion]) -> list[shapely.Geometry]:
    return list(shapely.from_wkb([region.wkb_l0_px for region in regions]))
