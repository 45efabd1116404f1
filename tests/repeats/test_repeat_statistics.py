"""The spread of repeats, ICC(2,1) and the limits of agreement, held against published tables and known shares."""

import numpy as np
import pytest
from scipy import stats

from wsi_area.compute.repeats.limits_of_agreement import limits_of_agreement
from wsi_area.compute.repeats.next_measurement import (
    Spread,
    on_another_occasion,
    on_any_repeat,
    on_these_occasions,
    relative_u,
)
from wsi_area.compute.repeats.two_way import (
    Interval,
    degrees_of_freedom,
    icc_agreement,
    icc_published,
    repeatability_sd,
    reproducibility_sd,
    two_way,
    variation,
)

JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
"""Shrout and Fleiss 1979, table 2: six targets, four judges."""

WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
WRIGHT_AGAIN = [490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
"""Bland and Altman 1986, table 1: peak expiratory flow rates by a large meter, twice, and by a mini meter, l/min."""

CHILDREN = """190 220 200 200 220 200 240 230 260 260 240 280 210 300 280 265 270 265 280 270 280 280 270 275 260 280
280 300 275 275 275 305 280 290 300 290 320 290 300 290 300 300 310 300 270 250 330 370 320 330 330 330 335 320 335 375
350 320 340 365 360 320 350 345 330 340 380 390 335 385 360 370 400 420 425 420 430 460 480 470"""
"""Bland and Altman 1996 (BMJ 312:1654): four peak expiratory flow rates of 20 children, l/min."""


def covered(found: Interval, truth: float) -> float:
    return float(np.mean((found.low_95 <= truth) & (truth <= found.high_95)))


def drawn(
    seed: int, many: int, subjects: int, occasions: int, sd_subject: float, sd_occasion: float, sd_error: float
) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (
        random.normal(0, sd_subject, (many, subjects, 1))
        + random.normal(0, sd_occasion, (many, 1, occasions))
        + random.normal(0, sd_error, (many, subjects, occasions))
    )


def test_the_published_icc_of_six_targets_and_four_judges_comes_out_with_its_interval() -> None:
    table = two_way(JUDGES)
    assert (float(table.ms_subjects), float(table.ms_error)) == (
        pytest.approx(11.24, abs=5e-3),
        pytest.approx(1.02, abs=5e-3),
    )
    assert float(table.ms_occasions) == pytest.approx(97.46 / 3, abs=5e-3)
    assert float(table.ms_within) == pytest.approx(6.26, abs=5e-3)  # their one-way mean square
    found = icc_published(table)
    assert float(found.value) == pytest.approx(0.29, abs=5e-3)
    # as the R package psych gives the interval of McGraw and Wong for these data
    assert (float(found.low_95), float(found.high_95)) == (
        pytest.approx(0.019, abs=5e-4),
        pytest.approx(0.761, abs=5e-4),
    )


def test_the_interval_of_icc_is_never_narrower_than_the_published_one() -> None:
    table = two_way(drawn(3, 200, 6, 3, 1.0, 0.3, 0.5))
    ours, published = icc_agreement(table, draws=500), icc_published(table)
    assert np.all(ours.low_95 <= published.low_95)
    assert np.all(ours.high_95 >= published.high_95)


def test_the_published_spread_of_four_readings_of_twenty_children_comes_out() -> None:
    table = two_way(np.array(CHILDREN.split(), float).reshape(20, 4))
    assert float(table.ms_within) * 60 == pytest.approx(27631.25)  # their residual sum of squares
    assert float(reproducibility_sd(table).value) == pytest.approx(21.46, abs=5e-3)


def test_the_published_bias_and_limits_of_two_flow_meters_come_out() -> None:
    found = limits_of_agreement(np.array(WRIGHT, float) - np.array(MINI, float))
    assert float(found.bias.value) == pytest.approx(-2.1, abs=0.05)
    assert (float(found.bias.low_95), float(found.bias.high_95)) == (
        pytest.approx(-22.0, abs=0.1),
        pytest.approx(17.8, abs=0.05),
    )
    assert float(found.sd) == pytest.approx(38.8, abs=0.05)
    # they took 2 SD for 1.96
    assert float(found.bias.value + 2 * found.sd) == pytest.approx(75.5, abs=0.1)
    again = np.array(WRIGHT, float) - np.array(WRIGHT_AGAIN, float)
    assert float(limits_of_agreement(again).sd) == pytest.approx(21.7, abs=0.05)


@pytest.mark.parametrize("subjects", [3, 8, 40])
def test_the_interval_of_a_limit_is_that_of_a_quantile_of_a_normal_distribution(subjects: int) -> None:
    # an independent tool: the tolerance factor of a normal sample, of which the limit's upper end is one
    values = np.random.default_rng(subjects).normal(5, 2, subjects)
    found = limits_of_agreement(values)
    factor = stats.nct.ppf(0.975, subjects - 1, stats.norm.ppf(0.975) * np.sqrt(subjects)) / np.sqrt(subjects)
    assert float(found.upper.high_95) == pytest.approx(values.mean() + factor * values.std(ddof=1), rel=1e-6)
    truth = 5 + stats.norm.ppf(0.975) * 2
    many = limits_of_agreement(np.random.default_rng(1).normal(5, 2, (20_000, subjects)))
    assert covered(many.upper, truth) == pytest.approx(0.95, abs=0.006)
    assert covered(many.lower, 10 - truth) == pytest.approx(0.95, abs=0.006)


@pytest.mark.parametrize("sd_occasion", [0.0, 0.05, 0.3])
@pytest.mark.parametrize(("subjects", "occasions"), [(3, 2), (10, 2), (6, 4)])
def test_the_interval_of_each_spread_holds_the_true_one(subjects: int, occasions: int, sd_occasion: float) -> None:
    table = two_way(drawn(7, 4000, subjects, occasions, 1.0, sd_occasion, 0.1))
    within = float(np.hypot(sd_occasion, 0.1))
    assert covered(repeatability_sd(table), 0.1) > 0.94
    assert covered(reproducibility_sd(table), within) > 0.94
    assert covered(icc_agreement(table, draws=1000), 1 / (1 + within**2)) > 0.935


@pytest.mark.parametrize("spreads", [(0.0, 0.05), (0.05, 0.05), (0.2, 0.05), (0.3, 0.3)])
@pytest.mark.parametrize(("subjects", "occasions"), [(3, 2), (30, 2), (10, 4)])
def test_one_more_measurement_lies_within_the_expanded_uncertainty(
    subjects: int, occasions: int, spreads: tuple[float, float]
) -> None:
    table = two_way(drawn(9, 4000, subjects, occasions, 0.8, *spreads))
    random = np.random.default_rng(10)
    error = random.normal(0, np.hypot(*spreads), 4000)
    assert holds(on_another_occasion(table), error) > 0.95
    if not spreads[0]:
        assert holds(on_any_repeat(table), error) > 0.95


@pytest.mark.parametrize("offsets", [(0.0, 0.0), (0.1, -0.1), (0.3, 0.0, -0.3)])
def test_one_more_measurement_on_a_scanner_of_the_study_lies_within_it_too(offsets: tuple[float, ...]) -> None:
    random = np.random.default_rng(12)
    table = two_way(drawn(13, 4000, 20, len(offsets), 0.8, 0.0, 0.1) + np.array(offsets))
    error = random.choice(offsets, 4000) - np.mean(offsets) + random.normal(0, 0.1, 4000)
    these = on_these_occasions(table)
    assert holds(these, error) > 0.95
    assert np.median(these.sd) < np.median(on_another_occasion(table).sd) + 1e-3


def holds(spread: Spread, error: np.ndarray) -> float:
    """How often the area that there is lies within t u of the measured one, whose logarithm is off by an error."""
    half = stats.t.ppf((1 + 0.9545) / 2, np.maximum(1, np.floor(spread.degrees_of_freedom))) * relative_u(spread.sd)
    true = np.exp(-error)
    return float(np.mean((np.maximum(0, 1 - half) <= true) & (true <= 1 + half)))


def test_the_published_interval_of_icc_fails_where_two_scanners_differ_much() -> None:
    table = two_way(drawn(5, 4000, 20, 2, 0.8, 0.2, 0.05))
    truth = 0.64 / (0.64 + 0.2**2 + 0.05**2)
    assert covered(icc_published(table), truth) < 0.85
    assert covered(icc_agreement(table, draws=1000), truth) > 0.935


def test_one_pair_of_scanners_leaves_few_degrees_of_freedom_however_many_slides_there_are() -> None:
    apart = two_way(drawn(11, 1, 200, 2, 1.0, 1.0, 0.01))
    alike = two_way(drawn(11, 1, 200, 2, 1.0, 0.0, 0.01))
    assert float(degrees_of_freedom(apart)[0]) < 1.1
    assert float(degrees_of_freedom(alike)[0]) > 100


def test_the_coefficient_of_variation_is_that_of_a_lognormal_area() -> None:
    areas = np.exp(np.random.default_rng(2).normal(0, 0.3, 400_000))
    assert float(variation(0.3)) == pytest.approx(areas.std() / areas.mean(), rel=0.01)
