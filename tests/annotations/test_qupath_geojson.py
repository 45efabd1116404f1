import gzip
import json
import zipfile

import pytest
from drawn_samples import codes_of, feature, slide_of, square, written

from wsi_area.annotations import read_drawn, read_outlines
from wsi_area.errors import AnnotationError

SQUARE = feature([square(10, 20, 30)], {"classification": {"name": "Tumor", "color": [200, 0, 0]}})


@pytest.mark.parametrize("tree", [{"type": "FeatureCollection", "features": [SQUARE]}, [SQUARE], SQUARE])
def test_a_collection_an_array_and_one_feature_are_the_same(tmp_path, tree):
    drawn = read_drawn(written(tmp_path / "S1.geojson", tree), slide=slide_of())
    assert drawn.kind == "qupath-geojson"
    assert [(r.index, r.name, r.area_l0_px2) for r in drawn.regions] == [(0, "Tumor", 900.0)]
    assert drawn.findings == ()


def test_what_decides_is_the_content_not_the_suffix(tmp_path):
    assert read_outlines(written(tmp_path / "S1.xml", [SQUARE])).kind == "qupath-geojson"


def test_gzip_and_zip_are_opened(tmp_path):
    text = json.dumps([SQUARE]).encode()
    (tmp_path / "a.geojson.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../elsewhere/a.geojson", text)
        archive.writestr("__MACOSX/a.geojson", b"junk")
    for name in ("a.geojson.gz", "a.zip"):
        assert read_outlines(tmp_path / name).regions[0].area == 900
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.geojson.gz", "a.zip"]


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"classification": "Stroma"}, "Stroma"),
        ({"classification": {"names": ["Tumor", "Positive"], "color": [1, 2, 3]}}, "Tumor: Positive"),
        ({"classification": {"name": "Ignore*", "colorRGB": -1}}, "Ignore*"),
        ({"classification": {"name": "Tumor"}, "name": "focus 3"}, "Tumor"),
        ({"name": "focus 3"}, "focus 3"),
        ({"classification": None}, ""),
        ({"classification": 7, "name": 8}, ""),
        ({}, ""),
    ],
)
def test_the_class_is_the_classification_and_the_name_where_there_is_none(tmp_path, properties, name):
    path = written(tmp_path / "a.geojson", [feature([square(0, 0, 5)], properties)])
    assert read_outlines(path).regions[0].name == name


def test_holes_and_several_parts_count_as_they_are(tmp_path):
    parts = [[square(0, 0, 100), square(10, 10, 20)], [square(200, 0, 10)]]
    path = written(tmp_path / "a.geojson", [feature(parts, kind="MultiPolygon")])
    assert read_drawn(path, slide=slide_of()).regions[0].area_l0_px2 == 10_000 - 400 + 100


def test_a_collection_of_geometries_gives_its_areas(tmp_path):
    inner = [{"type": "Polygon", "coordinates": [square(0, 0, 4)]}, {"type": "Point", "coordinates": [1, 1]}]
    tree = {"type": "Feature", "geometry": {"type": "GeometryCollection", "geometries": inner}, "properties": {}}
    assert read_outlines(written(tmp_path / "a.json", tree)).regions[0].area == 16


def test_points_and_lines_are_reported_by_kind_count_and_first_index(tmp_path):
    point, line = feature([3, 4], kind="Point"), feature([[0, 0], [9, 9]], kind="LineString")
    file = read_outlines(written(tmp_path / "a.geojson", [point, SQUARE, line, {"type": "Feature"}, 5, point, point]))
    assert [r.index for r in file.regions] == [1]
    told = {f.message.partition(":")[0]: (f.code, f.severity, f.measured) for f in file.findings}
    assert told == {
        "3 objects or parts of them are each a Point (first": ("NOT_AN_AREA", "info", 3),
        "object 2 is a LineString": ("NOT_AN_AREA", "info", 1),
        "2 objects or parts of them are each without a geometry (first": ("NOT_AN_AREA", "info", 2),
    }


def test_nan_among_the_measurements_spoils_nothing_but_among_the_coordinates_its_outline(tmp_path):
    text = json.dumps([SQUARE, feature([[[0, 0], [float("nan"), 1], [2, 2]]])])
    file = read_outlines(written(tmp_path / "a.geojson", text.replace('"color"', '"measurement": NaN, "color"')))
    assert [r.index for r in file.regions] == [0]
    assert codes_of(file.findings) == ["OUTLINE_INVALID"]
    assert "outline 1" in file.findings[0].message


@pytest.mark.parametrize("rings", [None, [], [[]], [5], [[[1]]], [[["a", "b"]] * 3], [[[1e400, 0]]]])
def test_coordinates_of_the_wrong_kind_are_reported_never_raised(tmp_path, rings):
    file = read_outlines(written(tmp_path / "a.geojson", [SQUARE, feature(rings)]))
    assert [r.index for r in file.regions] == [0]
    assert codes_of(file.findings) == ["OUTLINE_INVALID"]


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"type": "FeatureCollection"}, "without a list of features"),
        ({"type": "FeatureCollection", "features": None}, "without a list of features"),
        ({"features": []}, r"no annotation format we know \(it holds features\)"),
        ({"type": "Topology", "features": []}, "no annotation format we know"),
        ([feature([1, 2], kind="Point")], "object 0 is a Point"),
        ({"shapes": []}, "no annotation format we know.*shapes"),
        ("{", "not JSON that can be read"),
        ("[1, 2]", "no annotation format we know.*a list"),
        ("hello", "begins with the text “hello”"),
        ("[" * 200_000, "nested too deeply"),
        ("", "is empty"),
    ],
)
def test_a_file_without_outlines_is_refused_with_the_reason(tmp_path, tree, words):
    with pytest.raises(AnnotationError, match=words):
        read_outlines(written(tmp_path / "a.geojson", tree))
