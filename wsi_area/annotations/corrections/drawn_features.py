"""annotations: the geometry of corrections, valid and cut at the edges of the slide; points are the seeds of fills."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import shapely

from wsi_area.annotations.effort import require_unitable
from wsi_area.annotations.qupath import KIND, add_feature
from wsi_area.annotations.qupath_properties import drawn_object
from wsi_area.annotations.raw import Parsed, noted, number
from wsi_area.annotations.validity import regions_of
from wsi_area.compute.picture.outlines import areal, shared_area, united
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.corrections.correction import Correction
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size

Feature = dict[str, Any]
_MEANT = ("annotation", "tmaCore")


@frozen_value(eq=False)
class SoundFeature:
    """A feature with its properties and what of its geometry lies on the slide."""

    properties: Mapping[str, Any]
    class_name: str
    object_kind: str
    geometry: shapely.Geometry | None  # None of a point
    beyond_px: float = 0.0  # level-0 px² that lie beyond the slide
    point_l0_px: tuple[float, float] | None = None


def sound_features(
    features: Sequence[Feature], size: Size, path: str
) -> tuple[list[SoundFeature], tuple[QaFinding, ...]]:
    """Return the features of a file on a slide, in its order, and what was noticed of their outlines.

    Raises
    ------
    AnnotationError
        If one has neither an area nor a point on the slide: nothing that somebody drew is left out.
    """
    parsed = Parsed(KIND)
    for index, feature in enumerate(features, 1):  # as the version lists its corrections
        if _point(feature) is None:
            _add_whole(parsed, index, feature, path)
    regions, findings = regions_of(parsed)
    by_index = {region.index: region for region in regions}
    frame = shapely.box(0, 0, size.width_px, size.height_px)
    found = []
    for index, feature in enumerate(features, 1):
        told = feature.get("properties")
        properties = told if isinstance(told, dict) else {}
        told_class = properties.get("class")
        name = told_class if isinstance(told_class, str) else drawn_object(feature, properties).own_class or ""
        point, region = _point(feature), by_index.get(index)
        if point is not None:
            _require_on_slide(point, size, index, path)
            found.append(SoundFeature(properties, name, "annotation", None, point_l0_px=point))
            continue
        if region is None:
            why = next((f.message for f in findings if f"outline {index} " in f.message), "it encloses no area")
            raise AnnotationError(f"{path}: feature {index} cannot be laid over a slide ({why}); draw it again")
        cut = areal(region.geometry.intersection(frame))
        if cut.is_empty:
            raise AnnotationError(
                f"{path}: feature {index} lies wholly beside the slide, which is {size.width_px} × {size.height_px} "
                "px; was it drawn on another slide?"
            )
        beyond = max(0.0, float(region.geometry.area - cut.area)) if not frame.covers(region.geometry) else 0.0
        found.append(SoundFeature(properties, name, region.of.kind, cut, beyond))
    return found, findings


def _add_whole(parsed: Parsed, index: int, feature: Feature, path: str) -> None:
    """Add the outline of a feature to what was parsed.

    Raises
    ------
    AnnotationError
        If a part of it encloses no area, beside parts that do: nothing that somebody drew is left out.
    """
    alone = Parsed(KIND)
    add_feature(alone, index, feature)
    if alone.outlines and alone.left_out:
        raise AnnotationError(
            f"{path}: a part of feature {index} encloses no area ({', '.join(alone.left_out)}); take it out, since "
            "nothing that is drawn is left aside"
        )
    parsed.outlines.extend(alone.outlines)


def _point(feature: Feature) -> tuple[float, float] | None:
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return None
    coordinates = geometry.get("coordinates")
    pair = coordinates if isinstance(coordinates, list) and len(coordinates) >= 2 else [None, None]
    return number(pair[0]), number(pair[1])


def _require_on_slide(point: tuple[float, float], size: Size, index: int, path: str) -> None:
    x, y = point
    if not (0 <= x < size.width_px and 0 <= y < size.height_px):
        raise AnnotationError(
            f"{path}: feature {index} is the point ({x:g}, {y:g}), which is not on the slide of {size.width_px} × "
            f"{size.height_px} px; give a point on it"
        )


def replacing(
    features: Sequence[SoundFeature], reviewer: str, utc: str, path: str
) -> tuple[Correction, tuple[QaFinding, ...]]:
    """Return the one correction that a drawing of classes is, and what was noticed.

    Where outlines of two classes overlap, the later one in the file has the pixels.

    Raises
    ------
    AnnotationError
        If an outline has no class, or none encloses an area.
    """
    meant = [one for one in features if one.object_kind in _MEANT and one.geometry is not None]
    if not meant:
        raise AnnotationError(f"{path} holds no annotation that encloses an area; export the annotations again")
    nameless = next((n for n, one in enumerate(features, 1) if one in meant and not one.class_name), None)
    if nameless is not None:
        raise AnnotationError(f"{path}: feature {nameless} has no class; set one in QuPath, or take it out")
    try:
        require_unitable(np.array([one.geometry for one in meant], dtype=object))
    except AnnotationError as error:
        raise AnnotationError(f"{path}: {error}") from error
    beyond = sum(one.beyond_px for one in meant)
    outlines = tuple((one.class_name, bytes(one.geometry.wkb)) for one in meant if one.geometry is not None)
    findings = [*_overlaps(meant)]
    if len(meant) < len(features):
        aside = f"{len(features) - len(meant)} points, detections, cells or tiles are left aside"
        findings.append(noted("CORRECTION_LEFT_ASIDE", "info", aside, float(len(features) - len(meant))))
    return Correction("replace", "", reviewer, utc, beyond_px=beyond, outlines=outlines), tuple(findings)


def _overlaps(meant: Sequence[SoundFeature]) -> list[QaFinding]:
    by_class: dict[str, list[shapely.Geometry]] = {}
    for one in meant:
        by_class.setdefault(one.class_name, []).append(one.geometry)
    unions = {name: united(geometries) for name, geometries in by_class.items()}
    found = []
    for (name, first), (other, second) in combinations(unions.items(), 2):
        shared = float(shared_area(first, second))
        if shared > 0:
            told = (
                f"outlines of {name!r} and {other!r} overlap by {shared:.6g} level-0 px²; the later one of the file "
                "has them"
            )
            found.append(noted("CORRECTION_OVERLAP", "info", told, shared, 0.0, "px²"))
    return found


def of_slide(findings: Sequence[QaFinding], slide_id: str) -> tuple[QaFinding, ...]:
    """Return findings about a file as findings about a slide."""
    return tuple(replace(finding, slide_id=slide_id) for finding in findings)
