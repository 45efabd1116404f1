"""What claims are worth against and beside each other: a size for several slides, and a tag that is read twice."""

import dataclasses

import pytest
from test_calibration import claim, codes, found, override, slide

from wsi_area.compute.calibration.calibrate import calibrate
from wsi_area.compute.calibration.policy import GIVEN_FOR_SEVERAL
from wsi_area.model.calibration import Mpp, MppCandidate


def for_several(x: float, y: float | None = None) -> MppCandidate:
    return dataclasses.replace(override(x, y), source=GIVEN_FOR_SEVERAL)


@pytest.mark.parametrize("given", [(0.2, None), (1.01, None), (0.499, 0.2)])
def test_a_size_for_several_slides_never_silences_a_scanner_that_says_something_grossly_different(
    given: tuple[float, float | None],
) -> None:
    info = slide(claim(0.499), width_px=4000, height_px=3000)
    calibration = calibrate(info, override=for_several(*given))
    assert calibration.chosen is None
    assert calibration.reason == "pixels only: MPP_CONFLICT"
    finding = found(calibration, "MPP_CONFLICT")
    assert "0.499" in finding.message
    assert f"{given[0]:g}" in finding.message
    assert "--manifest" in finding.remedy
    assert [c.source for c in calibration.candidates] == [GIVEN_FOR_SEVERAL, "vendor.MPP"]
    in_a_row = dataclasses.replace(override(*given), source="manifest line 2", is_confirmed=True)
    believed = calibrate(info, override=in_a_row)
    assert believed.mpp == Mpp(given[0], given[1] or given[0])


@pytest.mark.parametrize("given", [0.25, 0.2495, 0.6, 0.998])
def test_a_size_for_several_slides_within_one_step_of_objectives_is_believed_with_a_warning(given: float) -> None:
    calibration = calibrate(slide(claim(0.499), width_px=4000), override=for_several(given))
    assert calibration.mpp == Mpp(given, given)
    assert found(calibration, "MPP_OVERRIDE").severity == "warning"


def test_a_size_for_several_slides_counts_for_more_than_a_tag_that_editors_write() -> None:
    calibration = calibrate(slide(claim(0.5, rung="image")), override=for_several(0.2))
    assert calibration.mpp == Mpp(0.2, 0.2)
    assert calibrate(slide(), override=for_several(0.2)).mpp == Mpp(0.2, 0.2)


def test_only_one_thing_is_said_of_a_size_that_is_not_used() -> None:
    info = slide(claim(0.499), vendor="aperio", objective_power=20.0)
    assert codes(calibrate(info, override=for_several(50))) == ["MPP_CONFLICT"]


def test_a_tag_read_twice_is_no_corroboration() -> None:
    own, tag = claim(0.499, source="openslide.mpp-x"), claim(0.499, source="aperio.MPP")
    reason = calibrate(slide(own, tag)).reason
    assert reason.endswith("the only usable claim; aperio.MPP is the same tag read twice")
    assert "agree" not in reason


def test_a_claim_of_another_tag_is_named_as_one_that_agrees() -> None:
    own, tag = claim(0.499, source="openslide.mpp-x"), claim(0.499, source="aperio.MPP")
    density = claim(0.4995, source="tiff.XResolution", rung="tiff")
    reason = calibrate(slide(own, tag, density)).reason
    assert "and tiff.XResolution agrees; aperio.MPP is the same tag read twice" in reason
    assert calibrate(slide(tag, density)).reason.endswith("(quality A), and tiff.XResolution agrees")
