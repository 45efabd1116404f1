import math

import numpy as np
import pytest

from wsi_area.compute.judge.threshold_stability import relative_change, shares_by_shift, threshold_findings


def test_tissue_that_hangs_on_the_threshold_is_unstable_and_tissue_that_does_not_is_quiet():
    fading = {"-5%": 1.12, "used": 1.0, "+5%": 0.8}
    (finding,) = threshold_findings("a", fading, 2.0)
    assert (finding.code, finding.severity, finding.limit) == ("THRESHOLD_UNSTABLE", "warning", 0.05)
    assert finding.measured == relative_change(fading) == pytest.approx(0.2)
    assert "used: 2 mm²" in finding.message
    assert "+5%: 1.6 mm²" in finding.message
    assert threshold_findings("a", {"-5%": 1.02, "used": 1.0, "+5%": 0.97}, 2.0) == ()


def test_without_a_pixel_size_the_finding_speaks_of_shares():
    (finding,) = threshold_findings("a", {"-5%": 1.5, "used": 1.0, "+5%": 0.75}, None)
    assert "-5%: +50.0%" in finding.message
    assert "mm²" not in finding.message


def test_a_slide_without_tissue_has_no_shares_and_no_finding():
    assert shares_by_shift(np.array([[9, 0, 0], [0, 0, 0]]), 5) is None
    unknown = {"-5%": None, "used": None, "+5%": None}
    assert relative_change(unknown) is None
    assert threshold_findings("a", unknown, 1.0) == ()


def test_the_uncertainty_of_a_sample_covers_what_other_samples_would_have_said():
    """The spread of the share over many samples from one slide, against what each sample says of itself."""
    random = np.random.default_rng(0)
    used = random.integers(200, 2000, 400)
    slide = np.stack([(used * random.normal(1.1, 0.05, 400)).astype(int), used, (used * 0.9).astype(int)], axis=1)
    found = [shares_by_shift(slide[random.choice(400, 25, replace=False)], 400)["-5%"] for _ in range(400)]
    spread = np.std([share for share, _ in found])
    assert np.mean([u for _, u in found]) == pytest.approx(spread, rel=0.15)


def test_a_share_of_every_tile_is_certain_and_one_of_a_single_tile_of_many_unknown():
    counted = np.array([[12, 10, 9], [25, 20, 12]])
    assert {u for _, u in shares_by_shift(counted, 2).values()} == {0.0}
    assert math.isnan(shares_by_shift(counted[:1], 7)["+5%"][1])
