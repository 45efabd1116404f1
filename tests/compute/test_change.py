"""The change of an area between two dates: held against drawn errors, not against the formula."""

import math

import numpy as np
import pytest

from wsi_area.compute.judge.area_change import AreaChange, DatedArea, area_change, crack_count, u_count_of_cracks_mm2

BEFORE, AFTER = DatedArea(120.0, 0.02, 1.0), DatedArea(90.0, 0.03, 0.5)
DRAWS = 200_000


def simulated(before: DatedArea, after: DatedArea, *, same_scale: bool) -> tuple[float, float]:
    """The spread of after − before and of after / before, with errors drawn at random."""
    rng = np.random.default_rng(3)
    first = rng.normal(size=DRAWS)
    second = first if same_scale else rng.normal(size=DRAWS)
    one = before.area_mm2 * (1 + before.relative_u_scale * first) + before.u_count_mm2 * rng.normal(size=DRAWS)
    other = after.area_mm2 * (1 + after.relative_u_scale * second) + after.u_count_mm2 * rng.normal(size=DRAWS)
    return float((other - one).std()), float((other / one).std())


@pytest.mark.parametrize("same_scale", [False, True])
def test_the_uncertainty_is_the_spread_that_such_errors_make(same_scale: bool) -> None:
    change = area_change(BEFORE, AFTER, same_scale=same_scale)
    u_mm2, u_fraction = simulated(BEFORE, AFTER, same_scale=same_scale)
    assert (change.change_mm2, change.fraction) == (-30.0, -0.25)
    assert change.u_mm2 == pytest.approx(u_mm2, rel=0.01)
    assert change.u_fraction == pytest.approx(u_fraction, rel=0.02)


def test_one_error_of_scale_stays_in_the_change_and_leaves_the_quotient() -> None:
    before, after = DatedArea(50.0, 0.06, 0.0), DatedArea(100.0, 0.06, 0.0)
    change = area_change(before, after, same_scale=True)
    assert change.u_mm2 == pytest.approx(0.06 * change.change_mm2)  # a scale 6 % off makes the change 6 % off
    assert change.u_fraction == 0.0


def test_what_did_not_change_is_within_its_uncertainty_and_what_doubled_is_not() -> None:
    same = area_change(BEFORE, BEFORE, same_scale=False)
    assert (same.change_mm2, same.exceeds_ci95) == (0.0, False)
    assert area_change(BEFORE, DatedArea(240.0, 0.02, 1.0), same_scale=False).exceeds_ci95


def test_of_nothing_there_is_no_percentage_and_nothing_to_nothing_is_no_change() -> None:
    nothing = DatedArea(0.0, 0.02, 0.0)
    assert area_change(nothing, AFTER, same_scale=False).fraction is None
    assert area_change(BEFORE, nothing, same_scale=True).fraction == -1.0
    assert area_change(nothing, nothing, same_scale=False) == AreaChange(0.0, 0.0, None, None)
    assert not area_change(nothing, nothing, same_scale=False).exceeds_ci95


def disc(radius_px: float, x_px: float, y_px: float, side_px: int) -> np.ndarray:
    y, x = np.mgrid[:side_px, :side_px]
    return (x - x_px) ** 2 + (y - y_px) ** 2 < radius_px**2


def test_a_disc_crosses_the_grid_once_for_each_row_and_column_of_its_rim() -> None:
    assert crack_count(disc(40.2, 60, 60, 121)) == 8 * 40 + 4  # 81 rows and 81 columns, two edges each
    inside = np.zeros((9, 9), bool)
    inside[0:4] = True  # cut off by the rim of the picture: only its lower edge is known
    assert crack_count(inside) == 9


def test_discs_anywhere_on_the_grid_spread_no_more_than_they_are_said_to() -> None:
    errors = []
    rng = np.random.default_rng(8)
    for _ in range(600):
        radius, (x, y) = rng.uniform(20, 30), rng.uniform(40, 41, 2)
        inside = disc(radius, x, y, 81)
        errors.append((inside.sum() - math.pi * radius**2) / u_count_of_cracks_mm2(crack_count(inside), 1.0))
    # 0.0728 of the theory for smooth outlines against the 0.09 that is used: 0.9, and never more than 1
    assert 0.75 < float(np.std(errors)) < 1.0
