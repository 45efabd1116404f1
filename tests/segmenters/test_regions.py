import json
import math
import pickle
import shutil
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from wsi_area.annotations import read_drawn
from wsi_area.compute.judge.outline_area import outline_area
from wsi_area.errors import AnnotationError, SegmentationError, SettingsError
from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.model.drawn import Drawn, DrawnRegion
from wsi_area.model.drawn_mask import mask_of
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import Overview, TilePixels, TilePlace
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.segmenters.contract import check_declarations, check_foreground
from wsi_area.segmenters.drawn.regions import RegionClass, RegionsSegmenter
from wsi_area.segmenters.protocol import PlacedSegmenter, Segmenter, UsesDrawn

FOUR = (
    RegionClass(id=0, name="background", color="#ffffff"),
    RegionClass(id=1, name="stroma", color="#00ff00", is_tissue=True),
    RegionClass(id=3, name="pen", color="#0000ff", is_excluded=True, match=("Ignore*", "pen mark")),
    RegionClass(id=2, name="tumor", color="#ff0000", is_tissue=True, is_tumor=True, match=("Tumor", "positive")),
)
PEN, TUMOR = 3, 2
SIZE = Size(100, 80)


def drawn_of(*regions, mask=None):
    made = tuple(DrawnRegion(i, name, shape.wkb, shape.area) for i, (name, shape) in enumerate(regions))
    return Drawn("a.geojson", "qupath-geojson", "00", 1.0, made, mask, (), SIZE)


def overview_of(drawn, size=SIZE, shape=(8, 10)):
    rgb = np.full((*shape, 3), 200, np.uint8)
    return Overview(rgb, np.ones(shape, bool), size, None, (), drawn)


def classes_at(fitted, x0, y0, width, height, step=1.0):
    """Return the class map of a box of work pixels, each ``step`` level-0 px wide."""
    pixels = TilePixels(np.zeros((height, width, 3), np.uint8), np.ones((height, width), bool))
    x, y = (np.arange(width) + x0 + 0.5) * step, (np.arange(height) + y0 + 0.5) * step
    return fitted.class_map_at(pixels, TilePlace(Region(x0, y0, width, height), x, y))


def test_it_is_a_segmenter_that_takes_its_classes_from_a_drawing():
    segmenter = RegionsSegmenter()
    assert isinstance(segmenter, Segmenter)
    assert isinstance(segmenter, UsesDrawn)
    assert segmenter.drawn_classes == ("tumor", "background")
    overview = overview_of(drawn_of(("Tumor", shapely.box(10, 10, 20, 20))))
    fitted = segmenter.fit(overview)
    assert isinstance(fitted, PlacedSegmenter)
    check_declarations(fitted)
    check_foreground(fitted, overview)


def test_the_default_is_what_the_configuration_in_the_repository_says(configs):
    tree = tomllib.loads((configs / "regions.toml").read_text("utf-8"))
    settings = dict(tree["segmenter"])
    assert settings.pop("name") == "regions"
    assert RegionsSegmenter.model_validate(settings) == RegionsSegmenter()


def test_every_key_says_what_it_means_and_in_what_unit():
    for model in (RegionsSegmenter, RegionClass):
        for name, field in model.model_fields.items():
            assert any(unit in (field.description or "") for unit in ("(no unit)", "(yes or no)")), name


def test_regions_have_their_classes_and_what_is_not_drawn_is_background():
    drawn = drawn_of(("stroma", shapely.box(0, 0, 40, 10)), ("POSITIVE", shapely.box(10, 0, 20, 10)))
    classes = classes_at(RegionsSegmenter(classes=FOUR).fit(overview_of(drawn)), 0, 0, 100, 80)
    assert np.bincount(classes.ravel(), minlength=4).tolist() == [8000 - 400, 300, 100, 0]


def test_the_class_listed_later_is_painted_over_the_earlier_whatever_the_order_in_the_file():
    tumor, pen = ("Tumor", shapely.box(0, 0, 10, 10)), ("ignore", shapely.box(5, 0, 15, 10))
    for regions in ((tumor, pen), (pen, tumor)):
        fitted = RegionsSegmenter(classes=FOUR).fit(overview_of(drawn_of(*regions)))
        assert classes_at(fitted, 0, 0, 20, 1)[0].tolist() == [TUMOR] * 10 + [PEN] * 5 + [0] * 5
    facts = {entry["class"]: entry for entry in fitted.facts["classes"]}
    assert (facts["pen"]["polygon_area_l0_px2"], facts["pen"]["visible_area_l0_px2"]) == (100, 50)
    assert (facts["tumor"]["visible_area_l0_px2"], facts["tumor"]["names_in_file"]) == (100, ["Tumor"])
    assert fitted.facts["overlaps"] == [{"classes": ["pen", "tumor"], "area_l0_px2": 50}]


def test_what_is_drawn_twice_counts_once():
    drawn = drawn_of(("Tumor", shapely.box(0, 0, 10, 10)), ("tumor", shapely.box(5, 0, 15, 10)))
    fitted = RegionsSegmenter(classes=FOUR).fit(overview_of(drawn))
    (entry,) = fitted.facts["classes"]
    assert (entry["regions"], entry["polygon_area_l0_px2"], entry["polygon_boundary_l0_px"]) == (2, 150, 50)
    assert (classes_at(fitted, 0, 0, 100, 80) == TUMOR).sum() == 150


def test_pixels_that_were_never_scanned_stay_so():
    fitted = RegionsSegmenter(classes=FOUR).fit(overview_of(drawn_of(("Tumor", shapely.box(0, 0, 9, 9)))))
    valid = np.arange(16).reshape(4, 4) % 3 > 0
    place = TilePlace(Region(0, 0, 4, 4), np.arange(4) + 0.5, np.arange(4) + 0.5)
    classes = fitted.class_map_at(TilePixels(np.zeros((4, 4, 3), np.uint8), valid), place)
    assert np.array_equal(classes, np.where(valid, TUMOR, UNSCANNED_CODE))


@given(tile=st.integers(5, 40), step=st.sampled_from([1.0, 2.0, 3.5]))
@settings(max_examples=20, deadline=None)
def test_the_class_map_is_the_same_for_every_tile_size_and_after_travelling(tile, step):
    blob = shapely.Point(50, 40).buffer(33.3).difference(shapely.box(40, 30, 50.5, 40.5))
    drawn = drawn_of(("Tumor", blob), ("stroma", shapely.Polygon([(0, 0), (99, 7), (30, 80)])))
    fitted = pickle.loads(pickle.dumps(RegionsSegmenter(classes=FOUR).fit(overview_of(drawn))))
    width, height = int(100 // step), int(80 // step)
    whole = classes_at(fitted, 0, 0, width, height, step)
    for y in range(0, height, tile):
        for x in range(0, width, tile):
            w, h = min(tile, width - x), min(tile, height - y)
            assert np.array_equal(classes_at(fitted, x, y, w, h, step), whole[y : y + h, x : x + w])


corner = st.tuples(st.floats(0, 100), st.floats(0, 80))


@given(st.lists(corner, min_size=3, max_size=6), st.tuples(st.integers(1, 30), st.integers(1, 30)))
@settings(max_examples=60, deadline=None)
def test_no_drawn_pixel_lies_in_a_box_that_need_not_be_read(corners, shape):
    made = shapely.make_valid(shapely.Polygon(corners), method="structure", keep_collapsed=False)
    parts = [p for p in shapely.get_parts(made) if p.geom_type == "Polygon" and p.area > 0]
    if not parts:
        return
    overview = overview_of(drawn_of(("Tumor", shapely.MultiPolygon(parts))), shape=shape)
    fitted = RegionsSegmenter(classes=FOUR).fit(overview)
    assert_every_class_is_read(fitted, overview)


@given(st.integers(0, 2**31), st.tuples(st.integers(1, 30), st.integers(1, 30)), st.sampled_from([0.5, 1.0, 4.0, 10.0]))
@settings(max_examples=40, deadline=None)
def test_no_pixel_of_a_mask_lies_in_a_box_that_need_not_be_read(seed, shape, scale):
    rng = np.random.default_rng(seed)
    width, height = int(100 / scale), int(80 / scale)
    codes = (rng.random((height, width)) < 2 / (width * height)).astype(np.uint8)
    mask = mask_of(codes, {1: "Tumor"}, scale)
    overview = overview_of(drawn_of(mask=mask), shape=shape)
    fitted = RegionsSegmenter(classes=FOUR).fit(overview)
    assert_every_class_is_read(fitted, overview)


@pytest.mark.parametrize(("drawn_code", "read_boxes"), [(1, 7 * 7), (2, 8 * 10)])
def test_blocks_of_one_code_throughout_are_read_where_it_is_a_class(drawn_code, read_boxes):
    codes = np.full((3200, 4000), 3 - drawn_code, np.uint8)
    codes[:2048, :2048] = 1  # two blocks each way, packed as their code
    mask = mask_of(codes, {1: "Tumor", 2: "Tumor" if drawn_code == 2 else "normal"}, 0.025)
    overview = overview_of(drawn_of(mask=mask), shape=(8, 10))
    read = RegionsSegmenter().fit(overview).may_hold_foreground(overview)
    assert_every_class_is_read(RegionsSegmenter().fit(overview), overview)
    assert read.sum() == read_boxes


def assert_every_class_is_read(fitted, overview):
    seen = classes_at(fitted, 0, 0, 100, 80) != 0
    h, w = overview.valid.shape
    rows, columns = np.nonzero(seen)
    read = fitted.may_hold_foreground(overview)
    assert read[rows * h // 80, columns * w // 100].all()


def test_boxes_far_from_anything_drawn_need_not_be_read():
    overview = overview_of(drawn_of(("Tumor", shapely.box(0, 0, 9, 9)), ("background", shapely.box(70, 60, 90, 80))))
    read = RegionsSegmenter(classes=FOUR).fit(overview).may_hold_foreground(overview)
    assert np.argwhere(read).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_without_a_drawing_it_asks_for_one():
    with pytest.raises(SettingsError, match="give --annotations"):
        RegionsSegmenter().fit(overview_of(None))


def test_names_that_match_no_class_are_named_or_become_background():
    drawn = drawn_of(("Tumor", shapely.box(0, 0, 9, 9)), ("Necrosis", shapely.box(20, 0, 29, 9)))
    with pytest.raises(AnnotationError, match=r"1 names match no class: 'Necrosis'; set segmenter\.unmatched"):
        RegionsSegmenter(classes=FOUR).fit(overview_of(drawn))
    fitted = RegionsSegmenter(classes=FOUR, unmatched="background").fit(overview_of(drawn))
    assert (classes_at(fitted, 0, 0, 100, 80) != 0).sum() == 81
    assert [(e["name"], e["area_l0_px2"]) for e in fitted.facts["left_out"]] == [("Necrosis", 81)]


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ((FOUR[1],), "class ids must be 0, 1, 2"),
        ((FOUR[0], FOUR[1].model_copy(update={"match": ("x", "Background ")})), "'background' matches 'backgr"),
        ((), "class 0 is the background"),
    ],
)
def test_classes_that_cannot_be_are_refused_before_any_slide(classes, words):
    with pytest.raises(ValidationError, match=words):
        RegionsSegmenter(classes=tuple(c.model_dump() for c in classes))


def test_without_its_place_it_does_not_answer():
    fitted = RegionsSegmenter().fit(overview_of(drawn_of(("tumor", shapely.box(0, 0, 9, 9)))))
    with pytest.raises(SegmentationError, match="call class_map_at"):
        fitted.class_map(TilePixels(np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), bool)))


def test_the_groups_of_camelyon16_are_tumour_with_its_holes():
    boxes = {"_0": (0, 0, 50, 50), "_2": (10, 10, 20, 20), "_1": (60, 0, 70, 10)}
    groups = [(name, shapely.box(*box)) for name, box in boxes.items()]
    fitted = RegionsSegmenter().fit(overview_of(drawn_of(*groups)))
    assert (classes_at(fitted, 0, 0, 100, 80) == 1).sum() == 2500 - 100 + 100
    facts = {entry["class"]: entry for entry in fitted.facts["classes"]}
    assert facts["tumor"]["visible_area_l0_px2"] == 2500


def slide_of(width, height):
    size = Size(width, height)
    return SlideInfo("S", "S.svs", "made-up", size, (Level(0, size, 1.0, 1.0),), "f", 1, 1)


def test_a_real_class_map_is_counted_exactly_tile_by_tile(tmp_path, testdata):
    shutil.copy(testdata / "masks" / "bcss_TCGA-A2-A0YE_class_map.png", tmp_path / "A0YE.png")
    shutil.copy(testdata / "masks" / "bcss_class_codes.csv", tmp_path / "A0YE_class_codes.csv")
    names = ("background", "mostly_tumor", "mostly_stroma", "mostly_lymphocytic_infiltrate")
    classes = tuple(RegionClass(id=i, name=name, color="#123456", is_tissue=i > 0) for i, name in enumerate(names))
    drawn = read_drawn(tmp_path / "A0YE.png", slide=slide_of(4542, 4594))
    overview = overview_of(drawn, Size(4542, 4594), (46, 45))
    fitted = RegionsSegmenter(classes=classes, unmatched="background").fit(overview)
    counts = np.zeros(4, int)
    for y in range(0, 4594, 777):
        for x in range(0, 4542, 777):
            tile = classes_at(fitted, x, y, min(777, 4542 - x), min(777, 4594 - y))
            counts += np.bincount(tile.ravel(), minlength=4)
    assert counts[1:].tolist() == [3_396_902, 5_683_401, 1_989_367]
    assert counts.sum() == 4542 * 4594
    assert [entry["mask_px"] for entry in fitted.facts["classes"]][1:] == [3_396_902, 5_683_401, 1_989_367]
    json.dumps(fitted.facts, allow_nan=False)


def test_the_metastases_of_tumor_072_by_polygon_and_by_pixel(testdata):
    from wsi_area.slides import inspect

    slide = inspect(testdata / "slides" / "camelyon16_tumor_072")
    mpp = slide.mpp_candidates[0].mpp
    drawn = read_drawn(testdata / "annotations" / "camelyon16_tumor_072.json", slide=slide, scale=1 / 128)
    fitted = RegionsSegmenter().fit(overview_of(drawn, slide.size_l0_px, (350, 576)))
    (entry,) = fitted.facts["classes"]
    polygon = outline_area(entry["polygon_area_l0_px2"], entry["polygon_boundary_l0_px"], mpp)
    assert round(polygon.area_mm2, 4) == 6.0142
    tumor = classes_at(fitted, 0, 0, 1152, 700) == 1
    pixels_mm2 = tumor.sum() * mpp.pixel_area_mm2
    assert abs(pixels_mm2 - polygon.area_mm2) < 3 * polygon.u_count_mm2 < 0.022
    # the mask that came with the slide was rasterised by another rule (half of a pixel covered)
    mask = read_drawn(testdata / "masks" / "camelyon16_tumor_072_level0.png", slide=slide)
    assert (mask.mask.codes() > 0).sum() == 7154
    assert abs(int(tumor.sum()) - 7154) < math.sqrt(0.09 * entry["polygon_boundary_l0_px"])
    read = fitted.may_hold_foreground(overview_of(drawn, slide.size_l0_px, (350, 576)))
    assert read.sum() < 0.05 * read.size


def test_a_binary_mask_is_measured_once_its_code_is_matched(testdata):
    slide = slide_of(1152, 700)
    drawn = read_drawn(testdata / "masks" / "camelyon16_tumor_072_level0.png", slide=slide)
    overview = overview_of(drawn, slide.size_l0_px)
    with pytest.raises(AnnotationError, match="class_255"):
        RegionsSegmenter().fit(overview)
    classes = RegionsSegmenter().classes
    matched = (classes[0].model_copy(update={"match": ("class_255",)}), classes[1])
    fitted = RegionsSegmenter(classes=matched).fit(overview)
    assert (classes_at(fitted, 0, 0, 1152, 700) == 1).sum() == 7154
    assert replace(fitted, facts={}).scheme.names_tumor
