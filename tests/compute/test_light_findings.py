"""What is said of the light of a slide, and when nothing is."""

import pytest
from plans import slide_info
from test_area import SCHEME, calibration

from wsi_area.compute.count.area import measure
from wsi_area.compute.judge.light_findings import light_findings
from wsi_area.compute.judge.overview_findings import overview_findings
from wsi_area.model.counts import ClassCounts
from wsi_area.model.light import Glass, Light

NOMINAL = Glass((240, 240, 240), "nominal")
SEEN = Glass((182, 181, 183), "seen", share=0.7, fall=0.01)
GAPS = Glass((243, 243, 243), "seen", share=0.02)


def burden(background_px, tissue_px, tumor_px=0):
    counts = ClassCounts((background_px, tissue_px, tumor_px))
    width = (background_px + tissue_px + tumor_px) // 10
    return measure(slide_info((width, 10)), SCHEME, counts, calibration(0.5, 0.5), None)


ALL, MOST, HALF = burden(0, 1000), burden(40, 960), burden(500, 500)


def told(of, light, **options):
    return [(f.code, f.severity) for f in light_findings(of, light, **options)]


@pytest.mark.parametrize(
    ("of", "tissue_like", "expected"),
    [
        (ALL, 0.0, [("GLASS_NOT_SEEN", "warning")]),  # dim glass that was counted
        (MOST, 0.1, [("GLASS_NOT_SEEN", "warning")]),
        (ALL, 0.9, [("GLASS_NOT_SEEN", "info")]),  # a field of tissue
        (HALF, None, [("GLASS_NOT_SEEN", "info")]),  # what was taken for want of glass is on record
        (burden(1000, 0), None, []),  # TISSUE_ZERO is said elsewhere
    ],
)
def test_where_the_number_leans_on_glass_that_was_not_seen_that_is_said_once(of, tissue_like, expected):
    assert told(of, Light(NOMINAL, leans_on_glass=True, tissue_like=tissue_like)) == expected


@pytest.mark.parametrize(
    ("of", "light", "expected"),
    [
        (MOST, Light(SEEN, leans_on_glass=False), [("ALL_TISSUE", "warning")]),  # a fixed threshold above dim glass
        (MOST, Light(SEEN, leans_on_glass=True, tissue_like=0.9), [("ALL_TISSUE", "warning")]),  # glass included
        (MOST, Light(GAPS, leans_on_glass=True, tissue_like=0.9), [("ALL_TISSUE", "info")]),  # a crop with gaps
        (MOST, Light(GAPS, leans_on_glass=True, tissue_like=0.2), [("ALL_TISSUE", "warning")]),
        (MOST, None, [("ALL_TISSUE", "warning")]),  # another segmenter
        (burden(60, 940), Light(SEEN, leans_on_glass=True), []),
        (HALF, None, []),
    ],
)
def test_one_kind_on_nearly_all_of_a_slide_is_a_warning_unless_it_is_a_field_of_tissue(of, light, expected):
    assert told(of, light) == expected


def test_two_classes_that_fill_a_slide_together_are_tissue_throughout():
    assert told(burden(0, 500, 500), None) == [("ALL_TISSUE", "warning")]


def test_in_what_somebody_drew_all_may_be_tissue():
    assert told(ALL, None, was_drawn=True) == [("ALL_TISSUE", "info")]
    assert told(ALL, Light(NOMINAL, leans_on_glass=True, tissue_like=0.0), was_drawn=True) == [
        ("GLASS_NOT_SEEN", "info")
    ]


@pytest.mark.parametrize(
    ("fall", "leans", "count"), [(0.3, True, 1), (0.07, True, 1), (0.05, True, 0), (0.3, False, 0)]
)
def test_light_that_falls_over_the_field_is_a_warning_with_its_number(fall, leans, count):
    found = light_findings(HALF, Light(Glass((230, 230, 230), "seen", 0.5, fall), leans_on_glass=leans))
    assert [(f.code, f.measured) for f in found] == [("GLASS_UNEVEN", fall)] * count
    assert all(f"{fall:.1%}" in f.message for f in found)


@pytest.mark.parametrize(
    ("shade", "leans", "fall", "count"),
    [(0.3, True, None, 1), (0.3, True, 0.02, 1), (0.04, True, 0.02, 0), (0.3, False, None, 0), (None, True, 0.02, 0)],
)
def test_tissue_that_is_glass_in_the_shade_is_a_warning_with_its_number(shade, leans, fall, count):
    light = Light(Glass((230, 230, 230), "seen", 0.5, fall), leans_on_glass=leans, shade=shade)
    found = light_findings(HALF, light)
    assert [(f.code, f.severity, f.measured) for f in found] == [("GLASS_UNEVEN", "warning", shade)] * count
    assert all("30.0%" in f.message for f in found)


def test_light_that_falls_is_told_once_with_the_shade_that_it_makes():
    light = Light(Glass((230, 230, 230), "seen", 0.5, 0.3), leans_on_glass=True, shade=0.4)
    assert [(f.code, f.measured) for f in light_findings(HALF, light)] == [("GLASS_UNEVEN", 0.3)]


def test_a_slide_of_which_nothing_was_read_has_nothing_to_say():
    nothing = measure(
        slide_info((10, 10)), SCHEME, ClassCounts((0, 0, 0), unscanned_px=100), calibration(0.5, 0.5), None
    )
    assert light_findings(nothing, Light(NOMINAL, leans_on_glass=True)) == overview_findings(nothing, 0.5) == ()


@pytest.mark.parametrize(("share", "count"), [(None, 0), (0.0, 0), (0.5, 0), (0.51, 1), (1.0, 1)])
@pytest.mark.parametrize("light", [None, Light(SEEN, leans_on_glass=True)])
def test_bare_glass_that_was_counted_is_told_although_most_of_it_was_not_read(share, count, light):
    assert told(HALF, light, glass_taken=share) == [("ALL_TISSUE", "warning")] * count


def test_a_slide_that_is_all_of_one_kind_is_told_once():
    assert told(MOST, None, glass_taken=1.0) == [("ALL_TISSUE", "warning")]
