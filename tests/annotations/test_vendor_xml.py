import math
from dataclasses import replace

import pytest
import shapely
from drawn_samples import codes_of, imagescope, region, slide_of, square, written

from wsi_area.annotations import read_drawn, read_outlines
from wsi_area.errors import AnnotationError
from wsi_area.model.calibration import Mpp


def test_areas_that_imagescope_wrote_agree_with_its_points_within_a_millionth(testdata):
    file = read_outlines(testdata / "annotations" / "TCGA-EJ-5518-01Z-00-DX1.xml")
    stated = [1_844_565.8, 40_712_405.8, 244_682.9, 527_637.2]
    assert [r.stated_area_um2 for r in file.regions] == stated
    for one, um2 in zip(file.regions, stated, strict=True):
        assert one.points_area * 0.252**2 == pytest.approx(um2, rel=1e-6)
    agrees = next(f for f in file.findings if f.code == "STATED_AREA_AGREES")
    assert agrees.measured is not None
    assert agrees.measured < 1e-6
    assert "4 outlines" in agrees.message
    assert [r.name for r in file.regions] == ["CaP", "CaP", "", ""]


def test_what_a_freehand_line_winds_round_twice_is_counted_once_and_said(testdata):
    file = read_outlines(testdata / "annotations" / "TCGA-EJ-5518-01Z-00-DX1.xml")
    warned = [f for f in file.findings if f.code == "OUTLINE_REPAIRED" and f.severity == "warning"]
    assert [f.message.split()[1] for f in warned] == ["2", "3"]
    for finding, one in zip(warned, file.regions[2:], strict=True):
        assert (finding.measured, finding.limit) == (one.area, pytest.approx(one.points_area))
        assert 0.998 < one.area / one.points_area < 1


def test_one_area_copied_to_every_region_is_flagged_for_each(testdata):
    file = read_outlines(testdata / "annotations" / "CMU-1-JP2K-33005.xml")
    flagged = [f for f in file.findings if f.code == "STATED_AREA_DISAGREES"]
    assert len(flagged) == len(file.regions) == 4
    assert {f.measured for f in flagged} == {13_560_170.4}
    assert "the file states 13560170 µm², its points enclose 877.7" in flagged[0].message
    assert [r.name for r in file.regions] == ["", "Necrosis", "Fold", ""]
    # an ellipse stored by the ends of its axes, 135.12 × 140.39 px
    assert file.regions[3].area == pytest.approx(math.pi / 4 * 135.122992 * 140.387541, rel=1e-6)


def test_a_negative_region_is_a_hole_in_its_own_layer_only(tmp_path):
    first = imagescope(region(square(0, 0, 100)) + region(square(10, 10, 20), NegativeROA="1"), "tumor")
    second = imagescope(region(square(0, 0, 50)), "stroma")
    both = first.replace("</Annotations>", second[second.index("<Annotation ") :])
    drawn = read_drawn(written(tmp_path / "a.xml", both), slide=slide_of())
    assert [(r.index, r.name, r.area_l0_px2) for r in drawn.regions] == [(0, "tumor", 9600), (2, "stroma", 2500)]


def test_a_hole_that_lies_in_nothing_and_a_region_that_is_all_hole_are_reported(tmp_path):
    stray = region(square(500, 500, 20), NegativeROA="1") + region(square(0, 0, 200), NegativeROA="1")
    text = imagescope(region(square(300, 300, 10)) + stray + region(square(50, 50, 10)), "tumor")
    file = read_outlines(written(tmp_path / "a.xml", text))
    assert [r.index for r in file.regions] == [0]
    assert codes_of(file.findings) == ["OUTLINE_IN_HOLE", "HOLE_WITHOUT_REGION"]
    assert [f.message.split()[1] for f in file.findings] == ["3", "1"]


def test_the_stated_area_is_that_of_the_outline_without_its_holes(tmp_path):
    hole = region(square(10, 10, 20), NegativeROA="1", Area="400")
    text = imagescope(region(square(0, 0, 100), Area="10000", AreaMicrons="2500.0") + hole)
    file = read_outlines(written(tmp_path / "a.xml", text))
    assert codes_of(file.findings) == ["STATED_AREA_AGREES"]
    assert file.regions[0].area == 9600


@pytest.mark.parametrize(
    ("mpp", "stated", "code"),
    [
        ("0.5", {"AreaMicrons": "2600"}, "STATED_AREA_DISAGREES"),
        ("0.5", {"AreaMicrons": "0", "Area": "10000"}, "STATED_AREA_AGREES"),
        ("", {"AreaMicrons": "2600", "Area": "10000"}, "STATED_AREA_AGREES"),
        ("", {"Area": "10100"}, "STATED_AREA_DISAGREES"),
        ("", {"Area": "0"}, None),
    ],
)
def test_areas_are_compared_in_um2_and_in_px_where_the_pixel_size_is_not_stated(tmp_path, mpp, stated, code):
    text = imagescope(region(square(0, 0, 100), **stated), mpp=mpp)
    assert codes_of(read_outlines(written(tmp_path / "a.xml", text)).findings) == ([code] if code else [])


@pytest.mark.parametrize(
    ("layer", "text", "attribute", "name"),
    [
        ("tumor", "7", "Description", "tumor"),
        ("", "Necrosis", "CaP", "Necrosis"),
        ("", "null", "CaP", "CaP"),
        ("", "", "Description", ""),
    ],
)
def test_the_class_is_the_layer_then_the_text_then_the_attribute(tmp_path, layer, text, attribute, name):
    xml = imagescope(region(square(0, 0, 9), Text=text), layer, attribute=attribute)
    assert read_outlines(written(tmp_path / "a.xml", xml)).regions[0].name == name


def test_rectangles_and_ellipses_of_two_corners_have_their_analytic_areas(tmp_path):
    corners = [[10, 20], [50, 40]]
    text = imagescope(region(corners, Type="1") + region(corners, Type="2") + region(corners, Type="4"))
    file = read_outlines(written(tmp_path / "a.xml", text))
    assert [r.area for r in file.regions] == [800, pytest.approx(math.pi * 20 * 10, rel=1e-12)]
    assert file.findings[0].message == "object 2 is a ruler: it encloses no area and is left out"


ASAP = """<?xml version="1.0"?><ASAP_Annotations><Annotations>
<Annotation Name="_0" Type="Polygon" PartOfGroup="Tumor" Color="#F4FA58"><Coordinates>
 <Coordinate Order="3" X="0" Y="40"/><Coordinate Order="0" X="0" Y="0"/>
 <Coordinate Order="1" X="30" Y="0"/><Coordinate Order="2" X="30" Y="40"/></Coordinates></Annotation>
<Annotation Name="focus" Type="Rectangle" PartOfGroup="None"><Coordinates>
 <Coordinate Order="0" X="100" Y="100"/><Coordinate Order="1" X="110" Y="120"/></Coordinates></Annotation>
<Annotation Name="s" Type="Spline" PartOfGroup="_2"><Coordinates>
 <Coordinate X="0" Y="0"/><Coordinate X="8" Y="0"/><Coordinate X="8" Y="8"/></Coordinates></Annotation>
<Annotation Name="d" Type="Dot" PartOfGroup="_2"><Coordinates><Coordinate Order="0" X="1" Y="1"/></Coordinates>
</Annotation></Annotations><AnnotationGroups><Group Name="Tumor" PartOfGroup="None"/></AnnotationGroups>
</ASAP_Annotations>"""


def test_asap_groups_are_classes_and_points_follow_their_order(tmp_path):
    file = read_outlines(written(tmp_path / "a.xml", ASAP))
    assert file.kind == "asap-xml"
    assert [(r.name, r.area) for r in file.regions] == [("Tumor", 1200), ("focus", 200), ("_2", 32)]
    assert codes_of(file.findings) == ["NOT_AN_AREA", "SPLINE_AS_POLYGON"]
    assert "object 3 is a dot" in file.findings[0].message


def ndpa(*views: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><annotations>{"".join(views)}</annotations>'


def view(title: str, annotation: str, units: str = "nanometers") -> str:
    return f"<ndpviewstate><title>{title}</title><coordformat>{units}</coordformat>{annotation}</ndpviewstate>"


def freehand(points: list[list[float]], closed: int = 1) -> str:
    listed = "".join(f"<point><x>{x:.0f}</x><y>{y:.0f}</y></point>" for x, y in points)
    return f'<annotation type="freehand"><closed>{closed}</closed><pointlist>{listed}</pointlist></annotation>'


def test_an_ndpa_square_of_half_a_millimetre_is_a_quarter_mm2_where_it_was_drawn(tmp_path, testdata):
    from wsi_area.slides import inspect

    # what OpenSlide says of this scan: its middle lies 12.5 mm right of the centre of the glass
    offset = {
        "hamamatsu.XOffsetFromSlideCentre": "12538720",
        "hamamatsu.YOffsetFromSlideCentre": "-96063",
    }
    info = inspect(testdata / "slides" / "test3-DAPI-2-387.ndpi")
    slide = replace(info, properties=info.properties | offset)
    box = square(12_538_720 - 250_000, -96_063 - 250_000, 500_000)
    path = written(tmp_path / "a.ndpi.ndpa", ndpa(view("tumor", freehand(box[:-1]))))
    drawn = read_drawn(path, slide=slide, mpp=Mpp(9.0, 9.0))  # an override moves no outline
    mpp = slide.mpp_candidates[0].mpp
    assert drawn.regions[0].area_l0_px2 * mpp.pixel_area_mm2 == pytest.approx(0.25, rel=1e-9)
    centre = shapely.from_wkb(drawn.regions[0].wkb_l0_px).centroid
    assert (centre.x, centre.y) == pytest.approx((3968 / 2, 4864 / 2))
    side_px = 500 / 0.2281750559028887
    assert shapely.from_wkb(drawn.regions[0].wkb_l0_px).bounds[2] == pytest.approx(1984 + side_px / 2)


def test_ndpa_circles_are_areas_and_lines_pins_and_bookmarks_are_not(tmp_path):
    circle = '<annotation type="circle"><x>0</x><y>0</y><radius>50000</radius></annotation>'
    pin = '<annotation type="pin"><x>0</x><y>0</y></annotation>'
    ruler = '<annotation type="linearmeasure"><x1>0</x1></annotation>'
    line = freehand([[0, 0], [9, 9], [9, 0]], closed=0)
    other = freehand([[0, 0], [9, 9], [9, 0]])
    text = ndpa(
        view("a", circle), view("b", pin), view("c", ruler), view("d", line), view("e", ""), view("f", other, "pixels")
    )
    path = written(tmp_path / "a.ndpa", text)
    drawn = read_drawn(path, slide=slide_of(mpp=Mpp(0.5, 0.25)), offset_nm=(0.0, 0.0))
    assert [(r.index, r.name) for r in drawn.regions] == [(0, "a")]
    assert drawn.regions[0].area_l0_px2 * 0.5 * 0.25 == pytest.approx(math.pi * 50**2, rel=1e-9)
    assert codes_of(drawn.findings) == ["NOT_AN_AREA"] * 4 + ["OUTLINE_INVALID"]
    assert {f.slide_id for f in drawn.findings} == {"S1"}


def test_ndpa_without_an_offset_or_a_pixel_size_or_with_a_scale_is_refused(tmp_path):
    path = written(tmp_path / "a.ndpa", ndpa(view("a", freehand(square(0, 0, 5000)[:-1]))))
    with pytest.raises(AnnotationError, match=r"S1 does not state its hamamatsu\.XOffset"):
        read_drawn(path, slide=slide_of(mpp=Mpp(0.5, 0.5)))
    with pytest.raises(AnnotationError, match="does not state its pixel size"):
        read_drawn(path, slide=slide_of(), offset_nm=(0.0, 0.0))
    with pytest.raises(AnnotationError, match=r"nanometres, so a scale of 2 has no meaning"):
        read_drawn(path, slide=slide_of(mpp=Mpp(0.5, 0.5)), scale=2.0, offset_nm=(0.0, 0.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<svg/>", "XML of another kind"),
        ("<Annotations>", "not XML that can be read"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><Annotations>&b;</Annotations>', "DTDForbidden"),
        ('<?xml version="1.0" encoding="no-such"?><Annotations/>', "not XML that can be read"),
        ("<Annotations><svg/></Annotations>", r"lists no object, and holds what an empty .* does not \(<svg>\)"),
        ("<annotations><note/></annotations>", "does not say that nothing was drawn"),
    ],
)
def test_xml_that_is_no_annotation_or_brings_entities_is_refused(tmp_path, text, words):
    with pytest.raises(AnnotationError, match=words):
        read_outlines(written(tmp_path / "a.xml", text))


def two_layers(first, second, names=("Tumor", "Tumor")):
    one, other = imagescope(first, names[0]), imagescope(second, names[1])
    return one.replace("</Annotations>", other[other.index("<Annotation ") :])


def areas_of(tmp_path, text):
    file = read_outlines(written(tmp_path / "a.xml", text))
    return [r.area for r in file.regions], codes_of(file.findings)


@pytest.mark.parametrize(
    "stated",
    [{"NegativeROA": value} for value in ("1", "true", "True", "TRUE", "yes", " 1 ")] + [{"negativeRoa": "1"}],
)
def test_a_hole_is_a_hole_in_every_spelling(tmp_path, stated):
    text = imagescope(region(square(0, 0, 100)) + region(square(10, 10, 20), **stated), "tumor")
    assert areas_of(tmp_path, text) == ([9600], [])


@pytest.mark.parametrize("value", ["0", "", "false", "False", "no"])
def test_what_says_that_it_is_no_hole_is_none(tmp_path, value):
    text = imagescope(region(square(0, 0, 100)) + region(square(200, 10, 20), NegativeROA=value), "tumor")
    assert areas_of(tmp_path, text) == ([10_000, 400], [])


def test_a_word_that_is_neither_is_told(tmp_path):
    text = imagescope(region(square(0, 0, 100)) + region(square(200, 10, 20), NegativeROA="perhaps"), "tumor")
    assert areas_of(tmp_path, text) == ([10_000, 400], ["HOLE_UNCERTAIN"])


@pytest.mark.parametrize("names", [("Tumor", "tumor "), ("", ""), ("Tumor*", "Tumor")])
def test_a_hole_in_another_layer_of_the_class_is_cut_out_whichever_comes_first(tmp_path, names):
    whole, hole = region(square(0, 0, 100)), region(square(10, 10, 20), NegativeROA="1")
    assert areas_of(tmp_path, two_layers(whole, hole, names)) == ([9600], [])
    assert areas_of(tmp_path, two_layers(hole, whole, names)) == ([9600], [])


def test_a_hole_of_another_class_takes_nothing_and_is_told(tmp_path):
    whole, hole = region(square(0, 0, 100)), region(square(10, 10, 20), NegativeROA="1")
    assert areas_of(tmp_path, two_layers(whole, hole, ("Tumor", "Stroma"))) == ([10_000], ["HOLE_WITHOUT_REGION"])


def test_an_island_in_a_hole_stays_and_so_does_the_hole_in_the_island(tmp_path):
    nested = (
        region(square(0, 0, 100))
        + region(square(10, 10, 60), NegativeROA="1")
        + region(square(20, 20, 40))
        + region(square(25, 25, 10), NegativeROA="true")
        + region(square(27, 27, 4))
    )
    areas, codes = areas_of(tmp_path, imagescope(nested, "tumor"))
    assert (areas, codes) == ([10_000 - 3600, 1600 - 100, 16], [])


def test_an_island_drawn_a_little_beyond_its_hole_stays_an_island(tmp_path):
    nested = (
        region(square(0, 0, 100))
        + region(square(10, 10, 50), NegativeROA="1")
        + region([[9.95, 20], [50, 20], [50, 50], [9.95, 50]])
    )
    assert areas_of(tmp_path, imagescope(nested, "tumor"))[0] == [7500, pytest.approx(40.05 * 30)]


def test_an_island_of_camelyon_stays_too(tmp_path):
    tree = {
        "positive": [{"vertices": square(0, 0, 100)[:-1]}, {"vertices": square(20, 20, 10)[:-1]}],
        "negative": [{"vertices": square(10, 10, 50)[:-1]}],
    }
    assert areas_of(tmp_path, tree) == ([7500, 100], [])


def test_regions_in_no_layer_are_told(tmp_path):
    text = f"<Annotations>{region(square(0, 0, 9))}<Annotation>{region(square(0, 0, 4))}</Annotation></Annotations>"
    assert areas_of(tmp_path, text)[1] == []
    text = f"<Annotations><Annotation>{region(square(0, 0, 4))}</Annotation>{region(square(0, 0, 9))}</Annotations>"
    assert areas_of(tmp_path, text) == ([16], ["NOT_AN_AREA"])
