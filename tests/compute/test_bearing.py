"""Which warnings speak against which area."""

import pytest

from wsi_area.compute.judge.bearing import warnings_of_area
from wsi_area.model.finding import QaFinding, Severity


def finding(code: str, severity: Severity = "warning", message: str = "it is so") -> QaFinding:
    return QaFinding("s", code, severity, None, None, "", message)


@pytest.mark.parametrize("code", ["POWER_MISMATCH", "GLASS_UNEVEN", "MODEL_UNLIKE_TRAINING", "OF_A_LATER_VERSION"])
def test_a_warning_that_nobody_called_beside_the_point_speaks_against_every_area(code: str) -> None:
    for is_tissue, by_threshold in ((True, True), (False, False)):
        assert warnings_of_area([finding(code)], is_tissue=is_tissue, by_threshold=by_threshold)


@pytest.mark.parametrize("code", ["TMA_GRID_UNSURE", "SECTIONS_NOT_ASSESSED", "SLIDE_TWICE"])
def test_a_warning_of_something_else_speaks_against_none(code: str) -> None:
    assert not warnings_of_area([finding(code)], is_tissue=True)


@pytest.mark.parametrize("code", ["POWER_MISMATCH", "GLASS_NOT_SEEN", "THRESHOLD_UNSTABLE"])
def test_what_is_on_record_alone_speaks_against_none(code: str) -> None:
    assert not warnings_of_area([finding(code, "info")], is_tissue=True)


def test_a_threshold_of_tissue_says_nothing_of_a_band_of_a_stain() -> None:
    unsure = [finding("THRESHOLD_UNSTABLE")]
    assert not warnings_of_area(unsure, is_tissue=False, by_threshold=False)
    assert warnings_of_area(unsure, is_tissue=False, by_threshold=True)


def test_a_warning_of_the_tissue_layer_speaks_against_the_tissue_alone() -> None:
    of_layer = [finding("GLASS_UNEVEN", message="tissue layer: the light falls")]
    assert warnings_of_area(of_layer, is_tissue=True)
    assert not warnings_of_area(of_layer, is_tissue=False)


def test_a_code_is_told_once() -> None:
    assert len(warnings_of_area([finding("FILE_CUT_SHORT"), finding("FILE_CUT_SHORT")], is_tissue=True)) == 1
