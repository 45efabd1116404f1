"""Somebody looked and drew nothing: 0 mm² in every format, and never what is no such file."""

import json

import numpy as np
import pytest
import tifffile
import zarr
from drawn_samples import codes_of, feature, slide_of, square
from PIL import Image

from wsi_area.annotations import read_drawn, region_of_interest
from wsi_area.errors import AnnotationError
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.drawn.regions import RegionsSegmenter

EMPTY = {
    "a collection": '{"type": "FeatureCollection", "features": []}',
    "a collection whose type comes last": '{"features": [], "type": "FeatureCollection"}',
    "an array": "[]",
    "imagescope without layers": '<Annotations MicronsPerPixel="0.5"/>',
    "imagescope with an empty layer": '<Annotations><Annotation Id="1" Name=""><Attributes/><Regions>'
    '<RegionAttributeHeaders><AttributeHeader Id="9"/></RegionAttributeHeaders></Regions><Plots/></Annotation>'
    "</Annotations>",
    "asap": "<ASAP_Annotations><Annotations/><AnnotationGroups><Group Name='Tumor'><Attributes/></Group>"
    "</AnnotationGroups></ASAP_Annotations>",
    "ndpa": '<?xml version="1.0"?><annotations/>',
    "camelyon": '{"positive": [], "negative": []}',
    "camelyon with one list": '{"positive": []}',
}


@pytest.mark.parametrize("text", EMPTY.values(), ids=list(EMPTY))
def test_an_empty_drawing_is_read_and_says_so(tmp_path, text):
    (tmp_path / "a").write_text(text, "utf-8")
    drawn = read_drawn(tmp_path / "a", slide=slide_of())
    assert (drawn.regions, drawn.mask, drawn.is_empty) == ((), None, True)
    assert [(f.code, f.severity, f.measured, f.slide_id) for f in drawn.findings] == [
        ("NOTHING_DRAWN", "info", 0, "S1")
    ]


def zero_png(path):
    Image.fromarray(np.zeros((80, 100), np.uint8)).save(path, "PNG")


def zero_tiff(path):
    tifffile.imwrite(path, np.zeros((80, 100), np.uint8), photometric="minisblack")


def zero_zarr(path):
    zarr.create_array(path, shape=(80, 100), dtype="uint8")[:] = 0


@pytest.mark.parametrize("save", [zero_png, zero_tiff, zero_zarr])
def test_a_mask_of_zeros_is_the_same(tmp_path, save):
    save(tmp_path / "a")
    drawn = read_drawn(tmp_path / "a", slide=slide_of(100, 80))
    assert drawn.is_empty
    assert codes_of(drawn.findings) == ["NOTHING_DRAWN"]


def test_nothing_drawn_is_fitted_and_no_box_of_the_slide_need_be_read(tmp_path):
    (tmp_path / "a").write_text(EMPTY["a collection"])
    drawn = read_drawn(tmp_path / "a", slide=slide_of())
    overview = Overview(np.zeros((8, 10, 3), np.uint8), np.ones((8, 10), bool), drawn.size_l0_px, None, (), drawn)
    fitted = RegionsSegmenter().fit(overview)
    assert not fitted.may_hold_foreground(overview).any()
    assert fitted.facts["classes"] == []


@pytest.mark.parametrize("text", EMPTY.values(), ids=list(EMPTY))
def test_nothing_drawn_is_no_region_of_interest(tmp_path, text):
    (tmp_path / "a").write_text(text, "utf-8")
    with pytest.raises(AnnotationError, match="no region to measure"):
        region_of_interest(read_drawn(tmp_path / "a", slide=slide_of()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        '{"type": "FeatureCollection"}',
        '{"features": []}',
        '{"positive": {}}',
        '{"shapes": []}',
        "<Annotations><html/></Annotations>",
        "<svg/>",
        '{"type": "FeatureCollection", "features": [',
        "<Annotations><Annotation>",
        json.dumps([feature([1, 2], kind="Point")]),
        json.dumps([feature([square(0, 0, 0)])]),
        '<Annotations><Annotation><Regions><Region Type="4"/></Regions></Annotation></Annotations>',
    ],
)
def test_a_file_that_does_not_say_it_is_refused(tmp_path, text):
    (tmp_path / "a").write_text(text, "utf-8")
    with pytest.raises(AnnotationError, match=str(tmp_path / "a")):
        read_drawn(tmp_path / "a", slide=slide_of())
