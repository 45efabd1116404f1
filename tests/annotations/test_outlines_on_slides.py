import math
from collections import deque

import numpy as np
import pytest
import shapely
from drawn_samples import codes_of, feature, imagescope, region, slide_of, square, written
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wsi_area.annotations import read_drawn, read_outlines
from wsi_area.annotations.raw import Parsed, RawOutline
from wsi_area.annotations.validity import regions_of
from wsi_area.errors import AnnotationError
from wsi_area.model.calibration import Mpp
from wsi_area.slides import inspect


def collection(tmp_path, *rings_and_names):
    features = [feature([ring], {"classification": name}) for ring, name in rings_and_names]
    return written(tmp_path / "a.geojson", features)


def test_the_pathologists_polygons_of_tumor_072_are_6_0142_mm2(testdata):
    slide = inspect(testdata / "slides" / "camelyon16_tumor_072")
    mpp = slide.mpp_candidates[0].mpp
    path = testdata / "annotations" / "camelyon16_tumor_072.json"
    drawn = read_drawn(path, slide=slide, scale=1 / 128, mpp=mpp)
    assert (drawn.kind, len(drawn.regions)) == ("camelyon-json", 4)
    total = sum(r.area_l0_px2 for r in drawn.regions)
    assert round(total * 128**2) == 117_421_633
    assert round(total * mpp.pixel_area_mm2, 4) == 6.0142
    foci = sorted((r.area_l0_px2 * mpp.pixel_area_mm2 for r in drawn.regions), reverse=True)
    assert [round(mm2, 3) for mm2 in foci] == [3.029, 2.955, 0.016, 0.015]
    assert codes_of(drawn.findings) == ["OUTLINE_REPAIRED"]


def test_a_missing_scale_is_noticed_and_the_one_that_fits_is_named(testdata):
    slide = inspect(testdata / "slides" / "camelyon16_tumor_072")
    with pytest.raises(AnnotationError, match=r"4 of 4 outlines .* wholly beside.*--annotation-scale 1/128"):
        read_drawn(testdata / "annotations" / "camelyon16_tumor_072.json", slide=slide)


def test_outlines_left_of_the_slide_belong_to_another_one(tmp_path):
    with pytest.raises(AnnotationError, match=r"1 of 2 outlines lies .* \(first: 1 'a'\).*another slide"):
        read_drawn(collection(tmp_path, (square(5, 5, 9), "a"), (square(-50, 0, 20), "a")), slide=slide_of())


def test_what_reaches_beyond_the_slide_is_cut_and_said(tmp_path):
    path = collection(tmp_path, (square(0, 0, 10), "a"), (square(990, 100, 40), "a"))
    drawn = read_drawn(path, slide=slide_of(1000, 800))
    assert [r.area_l0_px2 for r in drawn.regions] == [100, 400]
    (finding,) = drawn.findings
    assert (finding.code, finding.severity, finding.measured) == ("OUTLINE_BEYOND_SLIDE", "warning", 30)
    assert "1 outline (1 'a') reaches up to 30 px beyond the slide; 1200 px² lie outside" in finding.message


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"name": "ROI 2", "classification": {"name": "tumor"}}, "1 outline (0 'ROI 2') reaches"),
        ({"classification": {"name": "tumor"}}, "1 outline (0 'tumor') reaches"),
        ({}, "1 outline (0) reaches"),
    ],
)
def test_an_outline_beyond_the_slide_is_told_by_the_name_that_the_drawer_gave_it(tmp_path, properties, told):
    path = written(tmp_path / "a.geojson", [feature([square(990, 100, 40)], properties)])
    (finding,) = read_drawn(path, slide=slide_of(1000, 800)).findings
    assert told in finding.message


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_no_number_above_zero_is_refused(tmp_path, scale):
    with pytest.raises(AnnotationError, match="no number above 0"):
        read_drawn(collection(tmp_path, (square(0, 0, 10), "a")), slide=slide_of(), scale=scale)


@given(scale=st.floats(0.01, 50), side=st.floats(0.5, 10))
@settings(max_examples=20, deadline=None)
def test_areas_grow_with_the_square_of_the_scale(tmp_path_factory, scale, side):
    path = collection(tmp_path_factory.mktemp("s"), (square(0, 0, side), "a"))
    drawn = read_drawn(path, slide=slide_of(100_000, 100_000), scale=scale)
    assert drawn.regions[0].area_l0_px2 == pytest.approx(side**2 * scale**2, rel=1e-9)
    assert drawn.scale == scale


def test_outlines_drawn_twice_are_said_within_a_class_and_between_classes(tmp_path):
    path = collection(
        tmp_path, (square(0, 0, 10), "a"), (square(5, 0, 10), "a"), (square(0, 0, 4), "b"), (square(15, 0, 5), "b")
    )
    drawn = read_drawn(path, slide=slide_of())
    assert [(f.code, f.measured) for f in drawn.findings] == [("OUTLINES_OVERLAP", 50), ("CLASSES_OVERLAP", 16)]


def test_a_file_drawn_at_another_pixel_size_is_noticed(tmp_path):
    path = written(tmp_path / "a.xml", imagescope(region(square(0, 0, 100)), mpp="0.25"))
    far = read_drawn(path, slide=slide_of(), mpp=Mpp(0.5, 0.5))
    assert codes_of(far.findings) == ["ANNOTATION_MPP_DIFFERS"]
    assert far.findings[0].remedy.endswith("--annotation-scale 0.5")
    assert read_drawn(path, slide=slide_of(), mpp=Mpp(0.5, 0.5), scale=0.5).findings == ()
    assert read_drawn(path, slide=slide_of(), mpp=Mpp(0.2501, 0.25)).findings == ()
    assert read_drawn(path, slide=slide_of()).findings == ()


@pytest.mark.parametrize(
    ("ring", "why"),
    [
        ([[0, 0], [1, 1]], "2 distinct points"),
        ([[0, 0], [1, 1], [0, 0], [1, 1], [0, 0]], "2 distinct points"),
        ([[0, 0], [1, 1], [2, 2]], "encloses no area"),
        ([[0, 0], [1, 1], [2, 2], [3, 3], [0, 0]], "encloses no area"),
        ([[0, 0], [1e13, 1], [2, 2]], "beyond"),
    ],
)
def test_an_outline_without_an_area_is_named_by_its_index(tmp_path, ring, why):
    file = read_outlines(collection(tmp_path, (square(0, 0, 10), "a"), (ring, "b")))
    assert [r.index for r in file.regions] == [0]
    (finding,) = file.findings
    assert (finding.code, finding.severity) == ("OUTLINE_INVALID", "warning")
    assert finding.message.startswith("outline 1 ('b') is left out")
    assert why in finding.message


def test_a_bow_tie_keeps_both_its_wings(tmp_path):
    file = read_outlines(collection(tmp_path, ([[0, 0], [10, 10], [10, 0], [0, 10]], "a")))
    assert file.regions[0].area == pytest.approx(50)  # two triangles of 25
    assert codes_of(file.findings) == ["OUTLINE_REPAIRED"]
    assert file.findings[0].severity == "warning"
    assert (file.findings[0].limit, file.findings[0].measured) == (0, pytest.approx(50))


def test_a_line_that_overlaps_its_own_start_is_no_hole(tmp_path):
    # once round a square of 100 and on over its first quarter
    ring = [[0, 0], [100, 0], [100, 100], [0, 100], [0, -10], [50, -10], [50, 50], [0, 50]]
    file = read_outlines(collection(tmp_path, (ring, "a")))
    assert file.regions[0].area == pytest.approx(100 * 100 + 50 * 10)


def test_a_ring_that_touches_itself_encloses_what_it_did(tmp_path):
    eight = [[0, 0], [10, 0], [10, 10], [20, 10], [20, 20], [10, 20], [10, 10], [0, 10]]  # two squares at a corner
    file = read_outlines(collection(tmp_path, (eight, "a")))
    assert file.regions[0].area == 200
    assert (file.findings[0].code, file.findings[0].severity) == ("OUTLINE_REPAIRED", "info")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=9))
@example([(1, 0), (0, 2), (0, 1), (1, 0), (0, 0), (0, 1)])  # found: the repair left two parts that shared an edge
@settings(max_examples=60, deadline=None)
def test_no_outline_vanishes_it_is_a_valid_region_or_a_finding(points):
    ring = np.array(points, float).reshape(-1, 2)
    regions, findings = regions_of(Parsed("x", deque([RawOutline(4, "a", ((ring,),))])))
    if not regions:
        assert codes_of(findings) == ["OUTLINE_INVALID"]
        return
    geometry = regions[0].geometry
    assert geometry.is_valid
    assert geometry.geom_type in ("Polygon", "MultiPolygon")
    assert 0 < geometry.area <= shapely.MultiPoint(ring).convex_hull.area * (1 + 1e-12)
    assert findings or geometry.area == pytest.approx(regions[0].points_area)


def test_a_circle_of_many_points_has_the_area_of_its_polygon(tmp_path):
    angle = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    ring = np.stack([500 + 300 * np.cos(angle), 400 + 300 * np.sin(angle)], axis=-1).tolist()
    drawn = read_drawn(collection(tmp_path, (ring, "a")), slide=slide_of())
    assert drawn.regions[0].area_l0_px2 == pytest.approx(5000 / 2 * 300**2 * math.sin(2 * math.pi / 5000), rel=1e-12)


def test_negative_outlines_of_camelyon_are_cut_out_of_the_positive_ones(tmp_path):
    tree = {
        "positive": [{"name": "Tumor1", "vertices": square(0, 0, 100)[:-1]}, {"name": "x"}],
        "negative": [{"name": "hole", "vertices": square(10, 10, 10)[:-1]}],
    }
    drawn = read_drawn(written(tmp_path / "a.json", tree), slide=slide_of())
    assert [(r.name, r.area_l0_px2) for r in drawn.regions] == [("positive", 9900)]
    assert codes_of(drawn.findings) == ["NOT_AN_AREA"]
