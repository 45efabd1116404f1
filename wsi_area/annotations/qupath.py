"""annotations: QuPath's GeoJSON: a FeatureCollection, an array of features, or one feature."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from wsi_area.annotations.qupath_properties import class_name, drawn_object, stated_areas
from wsi_area.annotations.raw import Parsed, Polygon, RawOutline, Ring, number, ring_areas

KIND = "qupath-geojson"
AREAS = ("Polygon", "MultiPolygon")
COLLECTION = "GeometryCollection"
_DEPTH = {"Polygon": 3, "MultiPolygon": 4}  # of the lists round a number
_NO_AREAS = {
    "Point": "a Point",
    "MultiPoint": "a MultiPoint",
    "LineString": "a LineString",
    "MultiLineString": "a MultiLineString",
}


def add_feature(parsed: Parsed, index: int, feature: Any) -> None:
    """Add the outline of a feature to what was parsed; whatever of it is no area is put on record there.

    Coordinates are level-0 pixels from the top left corner, as QuPath writes them.

    >>> square = [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]]
    >>> feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": square},
    ...            "properties": {"classification": {"names": ["Tumor", "Positive"]}}}
    >>> parsed = Parsed(KIND)
    >>> add_feature(parsed, 0, feature)
    >>> parsed.outlines[0].name
    'Tumor: Positive'
    """
    geometry = feature.get("geometry") if isinstance(feature, Mapping) else None
    if not isinstance(geometry, Mapping):
        kind = feature.get("type") if isinstance(feature, Mapping) else None
        strange = kind not in (None, "Feature")
        what = f"a {kind!r} among the features" if strange else "without a geometry"
        parsed.leave_out(index, what, severity="warning" if strange else "info")
        return
    found = parsed.left_out_count
    polygons = tuple(_polygons(geometry, parsed, index))
    if not polygons and parsed.left_out_count > found:
        return  # said already, by what it is
    properties = feature.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    um2, px2 = stated_areas(properties)
    of = drawn_object(feature, properties)
    parsed.outlines.append(
        RawOutline(index, class_name(properties), polygons, stated_area_um2=um2, stated_area_px2=px2, of=of)
    )


def _polygons(geometry: Mapping[str, Any], parsed: Parsed, index: int) -> Iterator[Polygon]:
    """Yield the polygons of a geometry, those of collections in collections too, in the order of the file."""
    waiting: list[tuple[Any, bool]] = [(geometry, False)]
    while waiting:
        part, inside = waiting.pop()
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == COLLECTION:
            parts = _items(part.get("geometries"))
            if not parts:
                parsed.leave_out(index, _where("an empty GeometryCollection", inside))
            waiting += [(inner, True) for inner in reversed(parts)]
        elif kind in AREAS:
            coordinates = part.get("coordinates")
            taken = parsed.text.behind(coordinates)
            if taken is not None and taken.depth == _DEPTH[kind]:
                yield from taken.polygons
                continue
            coordinates = coordinates if taken is None else taken.lists()
            listed = [coordinates] if kind == "Polygon" else _items(coordinates)
            if inside and not any(_items(polygon) for polygon in listed):
                parsed.leave_out(index, _where(f"an empty {kind}", inside))
                continue
            for polygon in listed:
                yield tuple(_ring(ring) for ring in _items(polygon))
        elif kind in _NO_AREAS:
            coordinates = part.get("coordinates")
            taken = parsed.text.behind(coordinates)
            area = _enclosed(kind, coordinates if taken is None else taken.lists())
            parsed.leave_out(index, _where(_NO_AREAS[kind], inside), area)
        else:
            parsed.leave_out(index, _where(f"of the unknown type {kind!r}", inside), severity="warning")


def _where(what: str, inside: bool) -> str:
    return f"{what} in a collection" if inside else what


def _enclosed(kind: str, coordinates: Any) -> float:
    """Return the area that closed lines enclose by their points: somebody may have meant an area."""
    lines = {"LineString": [coordinates], "MultiLineString": _items(coordinates)}.get(kind, [])
    rings = [_ring(line) for line in lines]
    closed = [ring for ring in rings if len(ring) > 3 and np.array_equal(ring[0], ring[-1])]
    return float(ring_areas(closed).sum())


def _ring(points: Any) -> Ring:
    items = _items(points)
    try:
        found = np.array(items)
    except ValueError:  # of several lengths
        found = np.empty(0, object)
    if found.ndim == 2 and found.shape[1] >= 2 and found.dtype.kind in "if":
        return np.ascontiguousarray(found[:, :2], np.float64)
    pairs = [(number(p[0]), number(p[1])) if isinstance(p, list) and len(p) >= 2 else _NOWHERE for p in items]
    return np.array(pairs, np.float64).reshape(-1, 2)


_NOWHERE = (float("nan"), float("nan"))  # what is no point makes its outline invalid, and is reported with it


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
