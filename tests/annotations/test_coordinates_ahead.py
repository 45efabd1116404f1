"""Outlines whose coordinates are read ahead are those that a reader of plain JSON finds, and so is what is said."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsi_area.annotations import json_outlines
from wsi_area.annotations.json_outlines import parse_json_outlines
from wsi_area.annotations.raw import Parsed
from wsi_area.compute.picture.coordinates import TextWithout
from wsi_area.errors import AnnotationError

PATH = Path("drawn.geojson")


def ring(x: float, y: float, corners: int = 60) -> list[list[float]]:
    angles = np.arange(corners) * (2 * np.pi / corners)
    made = np.stack([x + 9 * np.cos(angles), y + 7 * np.sin(angles)], axis=-1).tolist()
    return [*made, made[0]]


def feature(kind: str, coordinates: Any, /, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


POLYGON, TWO = [ring(40, 50), ring(40, 50, 30)], [[ring(10, 10)], [ring(90, 20), ring(90, 20, 8)]]
IN_SPACE = [[[x, y, 1.5] for x, y in ring(40, 50)]]
FEATURES = {
    "a polygon with a hole": [feature("Polygon", POLYGON, classification={"name": "Tumor"})],
    "several polygons": [feature("MultiPolygon", TWO)],
    "a polygon of points in space": [feature("Polygon", IN_SPACE)],
    "large and small ones": [feature("Polygon", POLYGON), feature("Polygon", [[[0, 0], [4, 0], [4, 4]]])] * 3,
    "a polygon that says it is several": [feature("MultiPolygon", POLYGON), feature("Polygon", POLYGON)],
    "several that say they are one": [feature("Polygon", TWO), feature("Polygon", POLYGON)],
    "lines that are closed": [feature("MultiLineString", POLYGON), feature("Polygon", POLYGON)],
    "points": [feature("MultiPoint", POLYGON[0]), feature("Polygon", POLYGON)],
    "an unknown kind": [feature("Circle", POLYGON), feature("Polygon", POLYGON)],
    "coordinates among the properties": [feature("Polygon", POLYGON, coordinates=POLYGON, name="x")],
    "a collection": [
        {
            "type": "Feature",
            "geometry": {
                "type": "GeometryCollection",
                "geometries": [{"type": "MultiPolygon", "coordinates": TWO}, {"type": "Point", "coordinates": [1, 2]}],
            },
        }
    ],
    "a point without a number": [feature("Polygon", [[*ring(40, 50), [None, 3]]]), feature("Polygon", POLYGON)],
}
DOCUMENTS = {
    **{what: {"type": "FeatureCollection", "features": features} for what, features in FEATURES.items()},
    "a list of features": FEATURES["several polygons"],
    "one feature": FEATURES["several polygons"][0],
    "one geometry": {"type": "Polygon", "coordinates": POLYGON},
}


def told(parsed: Parsed) -> object:
    outlines = [
        (o.index, o.name, [[one.tolist() for one in polygon] for polygon in o.polygons], o.of) for o in parsed.outlines
    ]
    return parsed.kind, str(outlines), parsed.left_out_findings(), parsed.findings


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A reader that takes nothing ahead."""

    def read(content: bytes) -> Parsed:
        with monkeypatch.context() as patch:
            patch.setattr(json_outlines, "without_coordinates", TextWithout)
            return parse_json_outlines(PATH, content, "GeoJSON")

    return read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("what", DOCUMENTS)
def test_outlines_and_what_is_left_out_are_the_same(what, encoding, plainly):
    content = json.dumps(DOCUMENTS[what]).encode(encoding)
    ahead = parse_json_outlines(PATH, content, "GeoJSON")
    assert ahead.text.taken
    assert told(ahead) == told(plainly(content))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (']}, "properties"', ']}} "properties"'),
        ('"features"', '"parts"'),
        ('"features": [', '"features": [], "features": ['),
        ("}]}", "}]"),
        ("}]}", "}, 3, {}]} x"),
    ],
)
def test_what_is_wrong_with_a_text_is_told_by_its_place_in_the_whole_of_it(old, new, plainly):
    text = json.dumps(DOCUMENTS["a polygon with a hole"])
    assert old in text
    content = text.replace(old, new).encode()
    with pytest.raises(AnnotationError) as said_ahead:
        parse_json_outlines(PATH, content, "GeoJSON")
    with pytest.raises(AnnotationError) as said_plainly:
        plainly(content)
    assert str(said_ahead.value) == str(said_plainly.value)
