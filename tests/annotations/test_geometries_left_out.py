"""Collections are descended into however deep they are, and what is no area is told by kind, count and area."""

import contextlib
import json

import pytest
from drawn_samples import codes_of, feature, slide_of, square, written

from wsi_area.annotations import read_drawn, read_outlines
from wsi_area.errors import AnnotationError


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def collection(*parts):
    return {"type": "GeometryCollection", "geometries": list(parts)}


def of_geometry(geometry):
    return {"type": "Feature", "geometry": geometry, "properties": {"classification": "Tumor"}}


BIG, SMALL = polygon(square(300, 300, 400)), polygon(square(800, 300, 100))
MULTI = {"type": "MultiPolygon", "coordinates": [[square(0, 0, 10)], [square(20, 0, 10), square(22, 2, 4)]]}


@pytest.mark.parametrize(
    ("geometry", "area"),
    [
        (collection(collection(BIG), SMALL), 170_000),
        (collection(SMALL, collection(collection(collection(BIG)))), 170_000),
        (collection(collection(MULTI), collection(SMALL, collection())), 10_184),
        (collection(MULTI), 184),
    ],
)
def test_all_polygons_of_collections_in_collections_count(tmp_path, geometry, area):
    drawn = read_drawn(written(tmp_path / "a.geojson", [of_geometry(geometry)]), slide=slide_of())
    assert [(r.name, r.area_l0_px2) for r in drawn.regions] == [("Tumor", area)]


def test_a_bare_collection_is_a_drawing_too(tmp_path):
    drawn = read_drawn(written(tmp_path / "a.geojson", collection(collection(BIG))), slide=slide_of())
    assert [r.area_l0_px2 for r in drawn.regions] == [160_000]


def test_a_collection_nested_two_thousand_deep_is_read_or_refused_never_an_error_of_python(tmp_path):
    text = json.dumps(BIG)
    for _ in range(2000):
        text = f'{{"type": "GeometryCollection", "geometries": [{text}]}}'
    path = written(tmp_path / "a.geojson", f'{{"type": "Feature", "geometry": {text}}}')
    with contextlib.suppress(AnnotationError):
        assert read_outlines(path).regions[0].area == 160_000


@pytest.mark.parametrize(
    ("part", "told", "severity", "count"),
    [
        ({"type": "Point", "coordinates": [1, 1]}, "a Point in a collection", "info", 1),
        ({"type": "MultiPoint", "coordinates": [[1, 1], [2, 2]]}, "a MultiPoint in a collection", "info", 1),
        ({"type": "LineString", "coordinates": [[1, 1], [9, 9]]}, "a LineString in a collection", "info", 1),
        ({"type": "Circle", "radius": 5}, "of the unknown type 'Circle' in a collection", "warning", 1),
        ({"type": "Polygon", "coordinates": []}, "an empty Polygon in a collection", "info", 1),
        (collection(), "an empty GeometryCollection in a collection", "info", 1),
        (7, "of the unknown type None in a collection", "warning", 1),
    ],
)
def test_what_is_no_area_in_a_collection_is_told_as_it_is_outside(tmp_path, part, told, severity, count):
    file = read_outlines(written(tmp_path / "a.geojson", [of_geometry(collection(SMALL, collection(part)))]))
    assert file.regions[0].area == 10_000
    (finding,) = file.findings
    assert (finding.code, finding.severity, finding.measured) == ("NOT_AN_AREA", severity, count)
    assert told in finding.message


def test_a_closed_line_is_told_with_the_area_that_it_goes_round(tmp_path):
    line = feature(square(0, 0, 30), kind="LineString")
    file = read_outlines(written(tmp_path / "a.geojson", [line, line, of_geometry(SMALL)]))
    (finding,) = file.findings
    assert (finding.severity, finding.measured) == ("warning", 2)
    assert "1800 square units" in finding.message


def test_a_collection_of_a_feature_among_the_features_is_a_warning(tmp_path):
    inner = {"type": "FeatureCollection", "features": [of_geometry(BIG)]}
    file = read_outlines(written(tmp_path / "a.geojson", [of_geometry(SMALL), inner]))
    assert [(f.code, f.severity) for f in file.findings] == [("NOT_AN_AREA", "warning")]
    assert "'FeatureCollection' among the features" in file.findings[0].message


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ([[[0, 0], [50, 50], [0, 0]]], "2 distinct points"),
        ([[[0, 0], [50, float("nan")], [9, 0]]], "not a number"),
        ([[[0, 0], [1e14, 0], [9, 9]]], "beyond"),
        ([], "it has no points"),
    ],
)
def test_a_part_that_is_invalid_costs_itself_not_its_outline(tmp_path, bad, why):
    parts = {"type": "MultiPolygon", "coordinates": [bad, [square(100, 100, 20)]]}
    for geometry in (parts, collection(SMALL, parts)):
        file = read_outlines(written(tmp_path / "a.geojson", [of_geometry(geometry)]))
        assert file.regions[0].area in (400, 10_400)
        (finding,) = file.findings
        assert (finding.code, finding.severity) == ("OUTLINE_PART_INVALID", "warning")
        assert why in finding.message


def test_a_hole_of_two_points_takes_nothing_away(tmp_path):
    file = read_outlines(written(tmp_path / "a.geojson", [feature([square(0, 0, 10), [[1, 1], [2, 2], [1, 1]]])]))
    assert file.regions[0].area == 100


def test_a_hundred_faults_are_told_by_their_number_not_a_hundred_times(tmp_path):
    bad = [feature([[[i, 0], [i, 9], [i, 5], [i, 0]]]) for i in range(100)]
    file = read_outlines(written(tmp_path / "a.geojson", [*bad, of_geometry(SMALL)]))
    assert len(file.findings) < 20
    assert set(codes_of(file.findings)) == {"OUTLINE_INVALID"}
    assert file.findings[-1].measured == 100


def test_an_outline_knows_which_object_it_was(tmp_path):
    one = of_geometry(BIG) | {"id": "8a1f"}
    one["properties"] |= {"objectType": "detection", "name": "n1", "parentId": "77"}
    old = of_geometry(SMALL) | {"id": "PathCellObject"}
    drawn = read_drawn(written(tmp_path / "a.geojson", [one, old, of_geometry(SMALL)]), slide=slide_of())
    assert [(r.of.kind, r.of.object_id, r.of.own_name, r.of.parent) for r in drawn.regions] == [
        ("detection", "8a1f", "n1", "77"),
        ("cell", "", "", ""),
        ("annotation", "", "", ""),
    ]
