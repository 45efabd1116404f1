import pytest

from wsi_area.compute.judge.quality import stain_findings


@pytest.mark.parametrize(
    ("unexplained", "angles", "measured", "unit"),
    [(0.2, {"dab": 5.0}, 0.2, ""), (0.01, {"dab": 5.0, "eosin": 30.0}, 30.0, "°"), (0.2, None, 0.2, "")],
)
def test_the_worse_of_share_and_angle_is_what_was_measured(unexplained, angles, measured, unit):
    (finding,) = stain_findings("a", unexplained, angles)
    assert (finding.code, finding.severity) == ("STAIN_VECTORS_DOUBTFUL", "warning")
    assert (finding.measured, finding.unit) == (measured, unit)


def test_vectors_that_fit_and_slides_that_say_nothing_have_no_finding():
    assert stain_findings("a", 0.05, {"dab": 20.0}) == ()
    assert stain_findings("a", None, None) == ()


def test_the_limits_can_be_moved():
    assert stain_findings("a", 0.2, {"dab": 40.0}, unexplained_limit=0.5, angle_limit_deg=60) == ()
