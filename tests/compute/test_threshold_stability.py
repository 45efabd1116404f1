import numpy as np
import pytest

from wsi_area.compute.judge.threshold_stability import relative_change, threshold_findings, tissue_area_at_shifts
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import Overview, TilePixels
from wsi_area.segmenters.colour.tissue import TissueSegmenter


def overview_of(rgb):
    return Overview(rgb, np.ones(rgb.shape[:2], bool), Size(rgb.shape[1], rgb.shape[0]), None)


def all_valid(rgb):
    return TilePixels(rgb, np.ones(rgb.shape[:2], bool))


def ramp(low, high):
    """Glass, and tissue whose darkness rises evenly from one grey level to another."""
    rgb = np.full((200, 200, 3), 243, np.uint8)
    rgb[:100] = (255 - np.linspace(low, high, 200)).round().astype(np.uint8)[None, :, None]
    return rgb


def test_the_area_at_a_shifted_threshold_is_what_counting_with_it_gives():
    rgb = ramp(20, 120)
    facts = TissueSegmenter(threshold=60).fit(overview_of(rgb)).facts
    used = (TissueSegmenter(threshold=60).fit(overview_of(rgb)).class_map(all_valid(rgb)) == 1).sum()
    areas = tissue_area_at_shifts(facts["tissue_fraction"], float(used))
    for shift, threshold in (("-5%", 57), ("+5%", 63)):
        counted = (TissueSegmenter(threshold=threshold).fit(overview_of(rgb)).class_map(all_valid(rgb)) == 1).sum()
        assert areas[shift] == pytest.approx(counted, rel=1e-9)
    assert areas["used"] == used


def test_tissue_that_fades_into_glass_is_unstable_and_tissue_with_a_clear_rim_is_not():
    fading = TissueSegmenter(threshold=60).fit(overview_of(ramp(50, 75))).facts["tissue_fraction"]
    (finding,) = threshold_findings("a", fading, 2.0)
    assert finding.code == "THRESHOLD_UNSTABLE"
    assert finding.severity == "warning"
    assert finding.measured == relative_change(fading) > finding.limit == 0.05
    assert "used: 2 mm²" in finding.message
    clear = TissueSegmenter(threshold=60).fit(overview_of(ramp(100, 120))).facts["tissue_fraction"]
    assert threshold_findings("a", clear, 2.0) == ()


def test_without_a_pixel_size_the_finding_speaks_of_shares():
    (finding,) = threshold_findings("a", {"-5%": 0.3, "used": 0.2, "+5%": 0.15}, None)
    assert "used: 0.2 of the overview" in finding.message
    assert "mm²" not in finding.message


def test_a_slide_without_tissue_is_stable_and_its_area_stays_zero():
    nothing = {"-5%": 0.0, "used": 0.0, "+5%": 0.0}
    assert threshold_findings("a", nothing, 0.0) == ()
    assert tissue_area_at_shifts(nothing, 0.0) == nothing
    assert tissue_area_at_shifts({"-5%": 0.1, "used": 0.0, "+5%": 0.0}, 0.0)["-5%"] is None


def test_a_slide_of_which_nothing_was_seen_has_no_areas():
    unknown = {"-5%": None, "used": None, "+5%": None}
    assert relative_change(unknown) is None
    assert tissue_area_at_shifts(unknown, 1.0) == unknown
    assert threshold_findings("a", unknown, 1.0) == ()
