"""Reliability bins: a forecast that keeps its word, and one that does not."""

import numpy as np
import pytest

from wsi_area.compute.judge.reliability import Reliability, reliability


def test_a_calibrated_forecast_has_no_calibration_error() -> None:
    rng = np.random.default_rng(7)
    stated = rng.random(200_000).astype(np.float32)
    honest = reliability(stated, rng.random(200_000) < stated)
    assert honest.expected_error == pytest.approx(0, abs=0.01)
    boastful = reliability(stated, rng.random(200_000) < stated / 2)
    assert boastful.expected_error == pytest.approx(0.25, abs=0.01)  # the mean of p − p/2


def test_reliability_of_parts_adds_up() -> None:
    rng = np.random.default_rng(8)
    stated, true = rng.random(1000).astype(np.float32), rng.random(1000) < 0.5
    parts = reliability(stated[:300], true[:300]) + reliability(stated[300:], true[300:])
    whole = reliability(stated, true)
    assert (parts.n_px, parts.hits_px) == (whole.n_px, whole.hits_px)
    assert parts.probability_sum == pytest.approx(whole.probability_sum)
    assert Reliability().expected_error is None
    assert reliability(np.ones(2, np.float32), np.array([True, True])).points == ((1.0, 1.0, 2),)
