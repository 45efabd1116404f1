"""GeoJSON: read again by our importer, by shapely and by geojson, and measured again to the same pixels and mm²."""

import gzip
import json
import shutil
import uuid

import geojson
import numpy as np
import pytest
import shapely
from drawn_run import SIZE, edit_json, measure_drawn, unpacked
from drawn_run_fixtures import (  # noqa: F401
    drawing_fixture,
    drawn_slide_fixture,
    folder_fixture,
    measured_run_fixture,
    run_fixture,
)

from wsi_area.annotations import read_drawn
from wsi_area.errors import CountMismatchError, ResultError
from wsi_area.exports import measured_slide as bands_of
from wsi_area.exports.measured_slide import measured_slide
from wsi_area.exports.outlines_geojson import write_geojson
from wsi_area.inputs.collect import collect_slides
from wsi_area.results.layout import OUTLINES_NAME
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load
from wsi_area.slides import inspect


def counts(run, slide_id="S1"):
    return {c.name: c.n_px for c in run[slide_id].counted.classes}


def areas_of(features):
    found = {}
    for f in features:
        name = f["properties"]["classification"]["name"]
        found[name] = found.get(name, 0) + shapely.geometry.shape(f["geometry"]).area
    return found


@pytest.mark.parametrize("split", [False, True])
def test_polygons_of_a_class_enclose_exactly_its_counted_pixels(run, split):
    slide = measured_slide(run, "S1")
    told = write_geojson(slide, split=split)
    features = unpacked(slide.layout.root / OUTLINES_NAME)["features"]
    assert all(shapely.geometry.shape(f["geometry"]).is_valid for f in features)
    expected = {name: n for name, n in counts(run).items() if name in {"stroma", "tumor", "pen"}}
    assert all(expected.values())
    assert areas_of(features) == expected
    assert {entry.name: entry.area_px for entry in told} == expected


def test_every_pixel_of_the_class_map_lies_in_the_polygon_of_its_class(run):
    slide = measured_slide(run, "S1")
    write_geojson(slide)
    class_map = run["S1"].class_map()
    x, y = np.meshgrid(np.arange(SIZE.width_px) + 0.5, np.arange(SIZE.height_px) + 0.5)
    ids = {c.name: c.class_id for c in slide.classes}
    for f in unpacked(slide.layout.root / OUTLINES_NAME)["features"]:
        inside = shapely.contains_xy(shapely.geometry.shape(f["geometry"]), x, y)
        assert np.array_equal(inside, class_map == ids[f["properties"]["name"]])


def test_a_feature_is_what_qupath_reads(run):
    slide = measured_slide(run, "S1")
    write_geojson(slide)
    document = unpacked(slide.layout.root / OUTLINES_NAME)
    assert document["type"] == "FeatureCollection"
    by_name = {f["properties"]["name"]: f for f in document["features"]}
    assert {name: f["geometry"]["type"] for name, f in by_name.items()} == {
        "stroma": "MultiPolygon" if len(by_name["stroma"]["geometry"]["coordinates"]) > 1 else "Polygon",
        "tumor": "MultiPolygon",
        "pen": "Polygon",
    }
    tumor = by_name["tumor"]["properties"]
    record = next(c for c in run["S1"].counted.classes if c.name == "tumor")
    assert tumor == {
        "objectType": "annotation",
        "name": "tumor",
        "color": [214, 39, 40],
        "classification": {"name": "tumor", "color": [214, 39, 40]},
        "isLocked": True,
        "measurements": {"regions": 2, "area_px": record.n_px, "area_mm2": record.area_mm2},
    }
    for f in document["features"]:
        assert uuid.UUID(f["id"]).version == 5
        rings = [ring for part in shapely.get_parts(shapely.geometry.shape(f["geometry"])) for ring in
                 (part.exterior, *part.interiors)]  # fmt: skip
        assert all(ring.is_closed and ring.is_simple for ring in rings)
        points = np.concatenate([shapely.get_coordinates(ring) for ring in rings])
        assert np.array_equal(points, points.round())


def test_shells_turn_one_way_and_holes_the_other_as_rfc_7946_asks(run):
    slide = measured_slide(run, "S1")
    write_geojson(slide, split=True)
    holes = 0
    for f in unpacked(slide.layout.root / OUTLINES_NAME)["features"]:
        outline = shapely.geometry.shape(f["geometry"])
        assert outline.exterior.is_ccw
        assert not any(hole.is_ccw for hole in outline.interiors)
        holes += len(outline.interiors)
    assert holes >= 3


def test_the_geojson_package_finds_nothing_to_object_to(run):
    slide = measured_slide(run, "S1")
    write_geojson(slide, split=True)
    with gzip.open(slide.layout.root / OUTLINES_NAME, "rt", encoding="utf-8") as file:
        loaded = geojson.load(file)
    assert loaded.is_valid, loaded.errors()
    assert all(feature.is_valid for feature in loaded.features)


@pytest.mark.parametrize("split", [False, True])
def test_our_importer_reads_the_same_areas_and_a_second_run_counts_the_same_pixels(run, drawn_slide, tmp_path, split):
    slide = measured_slide(run, "S1")
    write_geojson(slide, split=split)
    exported = shutil.copy(slide.layout.root / OUTLINES_NAME, tmp_path / "S1.geojson.gz")
    drawn = read_drawn(exported, slide=inspect(drawn_slide))
    assert drawn.findings == ()
    areas = {name: sum(r.area_l0_px2 for r in drawn.regions if r.name == name) for name in ("stroma", "tumor", "pen")}
    assert areas == {name: counts(run)[name] for name in areas}
    again = measure_drawn(drawn_slide, exported, tmp_path / "again")
    before, after = run["S1"].result.model_dump(mode="json"), again.documents[0]
    assert [(c["n_px"], c["area_mm2"]) for c in after["classes"]] == [
        (c["n_px"], c["area_mm2"]) for c in before["classes"]
    ]
    assert np.array_equal(open_run(tmp_path / "again")["S1"].class_map(), run["S1"].class_map())


def test_coarse_work_pixels_are_drawn_where_they_lie_on_level_0(drawn_slide, drawing, tmp_path):
    out = measure_drawn(drawn_slide, drawing, tmp_path / "coarse", "tiling.work_mpp=3.6")
    assert out.documents[0]["work"]["reduce_factor"] == 7
    run = open_run(tmp_path / "coarse")
    slide = measured_slide(run, "S1")
    write_geojson(slide)
    features = unpacked(slide.layout.root / OUTLINES_NAME)["features"]
    assert areas_of(features) == {n: px for n, px in counts(run).items() if px and n != "background"}
    corners = shapely.get_coordinates([shapely.geometry.shape(f["geometry"]) for f in features])
    assert {int(x) for x in corners[:, 0]} <= {*range(0, 601, 7), 601}


def test_the_same_result_makes_the_same_bytes_and_other_tiles_the_same_objects(run, drawn_slide, drawing, tmp_path):
    slide = measured_slide(run, "S1")
    write_geojson(slide, split=True)
    first = (slide.layout.root / OUTLINES_NAME).read_bytes()
    write_geojson(slide, split=True)
    assert (slide.layout.root / OUTLINES_NAME).read_bytes() == first
    measure_drawn(drawn_slide, drawing, tmp_path / "other", "tiling.tile_px=256")
    other = measured_slide(open_run(tmp_path / "other"), "S1")
    write_geojson(other, split=True)
    features = unpacked(other.layout.root / OUTLINES_NAME)["features"]
    assert features == json.loads(gzip.decompress(first))["features"]
    assert len({f["id"] for f in features}) == len(features)


def test_bands_of_any_height_make_the_same_file(run, monkeypatch):
    slide = measured_slide(run, "S1")
    write_geojson(slide)
    whole = (slide.layout.root / OUTLINES_NAME).read_bytes()
    monkeypatch.setattr(bands_of, "_BAND_BYTES", 130 * SIZE.width_px)
    assert [len(band) for band in slide.bands()] == [128, 128, 128, 19]
    write_geojson(slide)
    assert (slide.layout.root / OUTLINES_NAME).read_bytes() == whole


def test_simplified_outlines_state_how_their_area_changed(run):
    slide = measured_slide(run, "S1")
    exact = {entry.name: entry.area_px for entry in write_geojson(slide)}
    points_before = len(shapely.get_coordinates(_shapes(slide)))
    told = write_geojson(slide, simplify_px=2.0)
    document = unpacked(slide.layout.root / OUTLINES_NAME)
    found = areas_of(document["features"])
    assert found != exact
    assert len(shapely.get_coordinates(_shapes(slide))) < points_before / 4
    assert document["wsi_area"]["simplify_px"] == 2.0
    for entry, stated in zip(told, document["wsi_area"]["classes"], strict=True):
        assert entry.area_px == stated["area_px"] == exact[entry.name]
        assert found[entry.name] == pytest.approx(stated["outline_area_px"], rel=1e-12)
        assert stated["change_pct"] == pytest.approx(100 * (found[entry.name] / exact[entry.name] - 1))
        properties = next(f["properties"] for f in document["features"] if f["properties"]["name"] == entry.name)
        assert properties["measurements"]["outline_area_px"] == stated["outline_area_px"]


def _shapes(slide):
    return [shapely.geometry.shape(f["geometry"]) for f in unpacked(slide.layout.root / OUTLINES_NAME)["features"]]


def test_without_a_pixel_size_there_are_pixels_and_no_mm2(folder):
    for key in ("mpp_x_um", "mpp_y_um"):
        edit_json(folder / "slides/S1/result.json", "calibration", key, value=None)
    slide = measured_slide(open_run(folder), "S1")
    write_geojson(slide)
    document = unpacked(slide.layout.root / OUTLINES_NAME)
    assert all(set(f["properties"]["measurements"]) == {"regions", "area_px"} for f in document["features"])
    assert document["wsi_area"]["classes"][0]["area_mm2"] is None


def test_a_count_that_is_not_what_the_class_map_shows_is_refused_and_leaves_no_file(folder):
    record = open_run(folder)["S1"].result.model_dump(mode="json")
    by_class = record["counts"]["n_px_by_class"]
    edit_json(folder / "slides/S1/result.json", "counts", "n_px_by_class", 2, value=by_class[2] + 1)
    with pytest.raises(CountMismatchError, match=r"tumor enclose \d+ level-0 px.*\(-1\); nothing was exported"):
        write_geojson(measured_slide(open_run(folder), "S1"))
    assert not list((folder / "slides/S1").glob("*regions.geojson*"))


def test_a_lost_part_of_the_class_map_is_refused_and_an_earlier_file_stays(folder):
    slide = measured_slide(open_run(folder), "S1")
    write_geojson(slide)
    before = (slide.layout.root / OUTLINES_NAME).read_bytes()
    next(path for path in sorted((slide.layout.class_map / "0" / "c").rglob("*")) if path.is_file()).unlink()
    with pytest.raises(CountMismatchError):
        write_geojson(slide)
    assert (slide.layout.root / OUTLINES_NAME).read_bytes() == before


def test_a_damaged_part_of_the_class_map_is_a_refusal_in_one_sentence(folder):
    slide = measured_slide(open_run(folder), "S1")
    shard = next(path for path in sorted((slide.layout.class_map / "0" / "c").rglob("*")) if path.is_file())
    content = bytearray(shard.read_bytes())
    content[: len(content) // 2] = bytes(len(content) // 2)
    shard.write_bytes(content)
    with pytest.raises(ResultError, match=r"is damaged .*give the same `wsi-area run` again"):
        write_geojson(slide)


def test_a_real_slide_goes_out_and_comes_back_to_the_same_pixels_and_mm2(testdata, tmp_path):
    path = testdata / "slides" / "CMU-1-Small-Region.svs"
    config = tmp_path / "tissue.toml"
    config.write_text('[tiling]\nwork_mpp = 2.0\n[segmenter]\nname = "tissue"\nbackground = "bright"\n')
    measured = run_slides(collect_slides([str(path)]), load(config, []), tmp_path / "tissue").documents[0]
    assert measured["status"] == "complete"
    slide = measured_slide(open_run(tmp_path / "tissue"), path.stem)
    [told] = write_geojson(slide)
    assert told.regions > 100
    exported = shutil.copy(slide.layout.root / OUTLINES_NAME, tmp_path / f"{path.stem}.geojson.gz")
    config.write_text(
        '[segmenter]\nname = "regions"\nclasses = [{id = 0, name = "background", color = "#ffffff"}, '
        '{id = 1, name = "tissue", color = "#d6609c", is_tissue = true}]\n'
    )
    again = run_slides(
        collect_slides([str(path)], annotations=exported), load(config, []), tmp_path / "regions"
    ).documents[0]
    assert again["work"]["reduce_factor"] == 1
    assert [(c["n_px"], c["area_mm2"]) for c in again["classes"]] == [
        (c["n_px"], c["area_mm2"]) for c in measured["classes"]
    ]
