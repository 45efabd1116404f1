"""annotations: QuPath's GeoJSON: a FeatureCollection, an array of features, or one feature."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wsi_area.annotations.raw import Parsed, RawOutline, Ring, not_an_area, number

KIND = "qupath-geojson"
_AREAS = ("Polygon", "MultiPolygon", "GeometryCollection")


def is_geojson(tree: object) -> bool:
    """Return whether a parsed JSON text looks like GeoJSON.

    >>> is_geojson({"type": "FeatureCollection", "features": []}), is_geojson({"positive": []})
    (True, False)
    """
    if isinstance(tree, list):
        return not tree or (isinstance(tree[0], Mapping) and "geometry" in tree[0])
    return isinstance(tree, Mapping) and tree.get("type") in ("FeatureCollection", "Feature", *_AREAS)


def parse_geojson(tree: Any) -> Parsed:
    """Return the outlines of a GeoJSON tree, in the order of its features.

    Coordinates are level-0 pixels from the top left corner, as QuPath writes them.

    >>> square = [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]]
    >>> feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": square},
    ...            "properties": {"classification": {"names": ["Tumor", "Positive"]}}}
    >>> parse_geojson([feature]).outlines[0].name
    'Tumor: Positive'
    """
    parsed = Parsed(KIND)
    for index, feature in enumerate(_features(tree)):
        geometry = feature.get("geometry") if isinstance(feature, Mapping) else None
        if not isinstance(geometry, Mapping):
            parsed.findings.append(not_an_area(index, "without a geometry"))
            continue
        if geometry.get("type") not in _AREAS:
            parsed.findings.append(not_an_area(index, f"a {geometry.get('type')}"))
            continue
        properties = feature.get("properties")
        name = class_name(properties if isinstance(properties, Mapping) else {})
        parsed.outlines.append(RawOutline(index, name, _polygons(geometry)))
    return parsed


def class_name(properties: Mapping[str, Any]) -> str:
    """Return the class of an object: its classification (a text, a name or a list of names), else its own name.

    >>> class_name({"classification": "Tumor"}), class_name({"classification": {"name": "Ignore*", "color": [0, 0, 0]}})
    ('Tumor', 'Ignore*')
    >>> class_name({"name": "Annotation 3"})
    'Annotation 3'
    """
    classification = properties.get("classification")
    if isinstance(classification, str) and classification.strip():
        return classification.strip()
    if isinstance(classification, Mapping):
        names = classification.get("names")
        if isinstance(names, list) and names:
            return ": ".join(str(part) for part in names)
        name = classification.get("name")
        if isinstance(name, str) and name.strip():
            return name.strip()
    own = properties.get("name")
    return own.strip() if isinstance(own, str) else ""


def _features(tree: Any) -> Sequence[Any]:
    if isinstance(tree, list):
        return tree
    if tree.get("type") == "FeatureCollection":
        features = tree.get("features")
        return features if isinstance(features, list) else []
    return [tree] if tree.get("type") == "Feature" else [{"geometry": tree}]


def _polygons(geometry: Mapping[str, Any]) -> tuple[tuple[Ring, ...], ...]:
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "GeometryCollection":
        parts = geometry.get("geometries")
        inner = [p for p in parts if isinstance(p, Mapping)] if isinstance(parts, list) else []
        return tuple(polygon for part in inner if part.get("type") in _AREAS[:2] for polygon in _polygons(part))
    polygons = [coordinates] if kind == "Polygon" else coordinates
    return tuple(tuple(_ring(ring) for ring in _items(polygon)) for polygon in _items(polygons))


def _ring(points: Any) -> Ring:
    pairs = [(number(p[0]), number(p[1])) if isinstance(p, list) and len(p) >= 2 else _NOWHERE for p in _items(points)]
    return np.array(pairs, np.float64).reshape(-1, 2)


_NOWHERE = (float("nan"), float("nan"))  # what is no point makes its outline invalid, and is reported with it


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
