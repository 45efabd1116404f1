"""What matches no class never takes a pixel from what does, and stays on record."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from wsi_area.errors import AnnotationError
from wsi_area.inputs.drawings import left_out_findings
from wsi_area.model.drawn import Drawn, DrawnObject, DrawnRegion
from wsi_area.model.drawn_mask import mask_of
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import Overview, TilePixels, TilePlace
from wsi_area.segmenters.drawn.regions import RegionClass, RegionsSegmenter

SIZE = Size(100, 80)
TUMOR = ("Tumor", shapely.box(30, 20, 50, 40), "annotation")  # 400 px
ROUND_IT = {
    "an outline without a class": ("", shapely.box(10, 10, 90, 70), "annotation"),
    "a core": ("A-1", shapely.box(0, 0, 60, 60), "tmaCore"),
    "a box to look at": ("Region*", shapely.box(25, 15, 80, 60), "annotation"),
    "what the program calls root": ("", shapely.box(0, 0, 100, 80), "root"),
    "detections in it": ("Immune cells", shapely.box(31, 21, 35, 25), "detection"),
    "a tile of it": ("Other", shapely.box(28, 18, 44, 34), "tile"),
    "half a stroma": ("Stroma", shapely.box(40, 10, 90, 70), "annotation"),
}


def drawn_of(*regions):
    made = (
        DrawnRegion(i, name, shape.wkb, shape.area, None, DrawnObject(kind))
        for i, (name, shape, kind) in enumerate(regions)
    )
    return Drawn("a.geojson", "qupath-geojson", "00", 1.0, tuple(made), None, (), SIZE)


def fitted(drawn, **settings):
    overview = Overview(np.zeros((8, 10, 3), np.uint8), np.ones((8, 10), bool), SIZE, None, (), drawn)
    return RegionsSegmenter(**settings).fit(overview)


def counts(found):
    pixels = TilePixels(np.zeros((80, 100, 3), np.uint8), np.ones((80, 100), bool))
    place = TilePlace(Region(0, 0, 100, 80), np.arange(100) + 0.5, np.arange(80) + 0.5)
    return np.bincount(found.class_map_at(pixels, place).ravel(), minlength=2).tolist()


@pytest.mark.parametrize("unmatched", ["ignore", "background"])
@pytest.mark.parametrize("round_it", list(ROUND_IT.values()), ids=list(ROUND_IT))
def test_the_tumour_keeps_its_pixels_whatever_lies_round_it_or_in_it(unmatched, round_it):
    for regions in ((round_it, TUMOR), (TUMOR, round_it)):
        found = fitted(drawn_of(*regions), unmatched=unmatched)
        assert counts(found) == [8000 - 400, 400]
        (entry,) = found.facts["left_out"]
        assert (entry["name"], entry["object_type"], entry["area_l0_px2"]) == (
            round_it[0],
            round_it[2],
            round_it[1].area,
        )
        assert found.facts["unmatched"] == unmatched


def test_all_of_them_at_once_leave_the_tumour_as_it_was():
    found = fitted(drawn_of(*ROUND_IT.values(), TUMOR), unmatched="ignore")
    assert counts(found) == [7600, 400]
    assert sum(entry["regions"] for entry in found.facts["left_out"]) == len(ROUND_IT)
    (finding,) = left_out_findings("S1", found.facts)
    assert (finding.code, finding.severity, finding.measured) == ("REGIONS_LEFT_OUT", "info", len(ROUND_IT))


def test_what_the_message_recommends_does_what_it_says():
    with pytest.raises(AnnotationError, match=r'set segmenter\.unmatched = "ignore" to leave them out') as caught:
        fitted(drawn_of(TUMOR, ROUND_IT["a core"]))
    assert "'A-1'" in str(caught.value)
    assert counts(fitted(drawn_of(TUMOR, ROUND_IT["a core"]), unmatched="ignore")) == [7600, 400]


def test_the_background_that_a_class_names_is_cut_out_and_the_unnamed_is_not():
    normal = ("normal", shapely.box(30, 20, 40, 40), "annotation")
    found = fitted(drawn_of(TUMOR, normal, ROUND_IT["half a stroma"]), unmatched="background")
    assert counts(found) == [8000 - 200, 200]


@pytest.mark.parametrize("kind", ["detection", "cell", "tile", "tmaCore", "root"])
def test_objects_named_like_a_class_are_measured_only_if_their_kind_is_asked_for(kind):
    other = ("Tumor", shapely.box(60, 0, 70, 10), kind)
    assert counts(fitted(drawn_of(TUMOR, other))) == [7600, 400]
    assert counts(fitted(drawn_of(TUMOR, other), object_types=("annotation", kind))) == [7500, 500]
    assert counts(fitted(drawn_of(TUMOR, other), object_types=(kind,))) == [7900, 100]


def test_objects_named_like_a_class_are_told_where_they_lie_outside_it():
    inside, outside = ("Tumor", shapely.box(31, 21, 33, 23), "cell"), ("Tumor", shapely.box(60, 0, 70, 10), "cell")
    found = left_out_findings("S1", fitted(drawn_of(TUMOR, inside, inside, outside)).facts)
    assert [(f.code, f.severity, f.measured) for f in found] == [
        ("REGIONS_LEFT_OUT", "info", 3),
        ("CLASS_LEFT_OUT", "warning", 1),
    ]
    quiet = left_out_findings("S1", fitted(drawn_of(TUMOR, inside)).facts)
    assert [f.severity for f in quiet] == ["info"]


def test_a_drawing_whose_classes_are_all_of_kinds_not_asked_for_is_refused_never_0():
    with pytest.raises(AnnotationError, match=r"object types cell, .*object_types = \['annotation', 'cell'\]"):
        fitted(drawn_of(("tumour", shapely.box(0, 0, 9, 9), "cell"), ROUND_IT["a core"]), unmatched="ignore")


@pytest.mark.parametrize("name", ["Ignore*", "ignore", "Exclude: fold"])
def test_an_exclusion_that_is_left_out_over_a_class_is_a_warning_with_its_area(name):
    found = fitted(drawn_of(TUMOR, (name, shapely.box(40, 30, 60, 50), "annotation")), unmatched="ignore")
    assert counts(found) == [7600, 400]
    warned = [f for f in left_out_findings("S1", found.facts) if f.severity == "warning"]
    assert [(f.code, f.measured) for f in warned] == [("EXCLUSION_LEFT_OUT", 100)]


def test_a_class_that_asks_for_ignore_gets_it():
    pen = RegionClass(id=2, name="pen", color="#0000ff", is_excluded=True, match=("Ignore*",))
    classes = (*RegionsSegmenter().classes, pen)
    found = fitted(drawn_of(TUMOR, ("Ignore*", shapely.box(40, 30, 60, 50), "annotation")), classes=classes)
    assert counts(found) == [7600 - 300, 300, 400]
    assert "left_out" not in found.facts


def test_a_drawing_in_which_everything_matches_says_nothing():
    assert left_out_findings("S1", fitted(drawn_of(TUMOR)).facts) == ()


@pytest.mark.parametrize("unmatched", ["ignore", "background"])
def test_codes_of_a_mask_that_match_no_class_are_background_and_told_with_their_area(unmatched):
    codes = np.zeros((40, 50), np.uint8)
    codes[:10, :10], codes[20:30, :20] = 1, 2
    drawn = replace(drawn_of(), mask=mask_of(codes, {1: "Tumor", 2: "Tumr"}, 2.0))
    found = fitted(drawn, unmatched=unmatched)
    assert counts(found) == [8000 - 400, 400]
    (finding,) = left_out_findings("S1", found.facts)
    assert (finding.code, finding.measured) == ("REGIONS_LEFT_OUT", 1)
    assert "800 level-0 px²" in finding.message
    assert "code 'Tumr'" in finding.message
    with pytest.raises(AnnotationError, match="'Tumr'"):
        fitted(drawn)
