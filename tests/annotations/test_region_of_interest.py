from dataclasses import replace

import numpy as np
import pytest
import shapely
from drawn_samples import feature, slide_of, square, written

from wsi_area.annotations import read_drawn, region_of_interest
from wsi_area.errors import AnnotationError
from wsi_area.model.drawn import Drawn
from wsi_area.model.drawn_mask import mask_of


def roi_of(tmp_path, *regions):
    features = [feature([ring], {"classification": name}) for name, ring in regions]
    return region_of_interest(read_drawn(written(tmp_path / "a.geojson", features), slide=slide_of(1000, 800)))


@pytest.mark.parametrize("name", ["exclude", "Exclude: fold", "Ignore*", "IGNORE", "excluded_pen"])
def test_what_is_excluded_is_taken_from_what_is_included(tmp_path, name):
    roi = roi_of(tmp_path, ("Tumor", square(0, 0, 100)), ("", square(50, 0, 100)), (name, square(0, 0, 10)))
    assert shapely.from_wkb(roi.wkb_l0_px).area == 15_000 - 100
    assert f"less {name!r}" in roi.findings[-1].message
    assert (roi.kind, roi.scale, roi.mask) == ("qupath-geojson", 1.0, None)


def test_with_exclusions_alone_the_rest_of_the_slide_is_measured(tmp_path):
    roi = roi_of(tmp_path, ("Ignore*", square(0, 0, 100)))
    assert shapely.from_wkb(roi.wkb_l0_px).area == 1000 * 800 - 10_000


def test_nothing_left_is_refused(tmp_path):
    with pytest.raises(AnnotationError, match="nothing is left to measure"):
        roi_of(tmp_path, ("a", square(5, 5, 10)), ("exclude", square(0, 0, 100)))


def masked(names, codes=(0, 1, 2, 253)):
    mask = mask_of(np.array([codes], np.uint8), names)
    return Drawn("a.png", "mask", "0", 1.0, mask=mask)


@pytest.mark.parametrize(
    ("names", "inside"),
    [
        ({1: "tumor", 2: "stroma"}, [0, 1, 1, 0]),  # 253 has no name: it belongs to no class
        ({1: "tumor", 2: "exclude"}, [0, 1, 0, 0]),
        ({2: "ignore"}, [1, 1, 0, 1]),
    ],
)
def test_codes_of_a_mask_are_inside_by_their_names(names, inside):
    roi = region_of_interest(masked(names))
    assert roi.wkb_l0_px is None
    assert roi.mask.codes().tolist() == [inside]


def test_a_mask_without_anything_inside_is_refused():
    with pytest.raises(AnnotationError, match="nothing to measure"):
        region_of_interest(masked({1: "tumor"}, codes=(0, 0)))


def test_the_findings_of_the_drawing_come_along(tmp_path):
    path = written(tmp_path / "a.geojson", [feature([square(0, 0, 9)]), feature([1, 2], kind="Point")])
    roi = region_of_interest(read_drawn(path, slide=slide_of()))
    assert [f.code for f in roi.findings] == ["NOT_AN_AREA", "ROI_RULE"]
    assert {f.slide_id for f in roi.findings} == {"S1"}


def test_a_drawing_without_regions_is_no_region_of_interest():
    with pytest.raises(AnnotationError, match="holds no region"):
        region_of_interest(replace(masked({}), mask=None))


def test_a_mask_keeps_its_scale_as_a_region_of_interest():
    drawn = masked({1: "tumor"})
    finer = replace(drawn, mask=replace(drawn.mask, scale_x=4.0, scale_y=4.0))
    assert (region_of_interest(finer).mask.scale_x, region_of_interest(finer).mask.names) == (4.0, {1: "inside"})
    assert np.array_equal(region_of_interest(finer).mask.codes(), [[0, 1, 0, 0]])


@pytest.mark.parametrize("kind", ["root", "detection", "cell", "tile"])
def test_only_annotations_and_cores_are_a_region_of_interest_where_there_are_some(tmp_path, kind):
    def of(side, object_type):
        return feature([square(0, 0, side)], {"objectType": object_type})

    def area_of(*features):
        drawn = read_drawn(written(tmp_path / "a.geojson", list(features)), slide=slide_of(1000, 800))
        roi = region_of_interest(drawn)
        return shapely.from_wkb(roi.wkb_l0_px).area, "1 detections, cells, tiles or roots" in roi.findings[-1].message

    assert area_of(of(700, kind), of(100, "annotation")) == (10_000, True)
    assert area_of(of(700, kind), of(200, "tmaCore")) == (40_000, True)
    assert area_of(of(700, kind)) == (490_000, False)


def test_a_thousand_names_are_not_all_told(tmp_path):
    features = [feature([square(n, 0, 1)], {"name": f"Annotation {n}"}) for n in range(1000)]
    roi = region_of_interest(read_drawn(written(tmp_path / "a.geojson", features), slide=slide_of(1000, 800)))
    assert len(roi.findings[-1].message) < 300
