"""Areas from reference points: held against scipy, against exact coverage, and against numbers that can be counted."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from wsi_area.compute.reference.allocation import allocated, more_to_halve
from wsi_area.compute.reference.share_limits import share_limits
from wsi_area.compute.reference.strata import row_sizes, strata_of
from wsi_area.compute.reference.stratified_area import StratifiedArea, mean_of_readers, stratified_area, with_scale


@pytest.mark.parametrize(("hits", "trials"), [(0, 7), (3, 50), (50, 50), (199, 1000)])
def test_limits_of_a_share_are_those_of_scipy(hits: int, trials: int) -> None:
    low, high = share_limits(np.array(hits), np.array(trials))
    exact = binomtest(hits, trials).proportion_ci(method="exact")
    assert (float(low), float(high)) == pytest.approx((exact.low, exact.high), abs=1e-12)


@pytest.mark.parametrize("wrong", [(0.001, 0.0), (0.004, 0.1), (0.02, 0.165), (0.3, 0.5)])
@pytest.mark.parametrize("drawn", [(50, 50), (30, 200), (500, 100)])
def test_the_interval_holds_the_true_area_in_95_of_100_samples(
    wrong: tuple[float, float], drawn: tuple[int, int]
) -> None:
    # two strata: every possible sample with its own chance, so that nothing is left to draws
    sizes, truth = np.array([900.0, 100.0]), np.array([wrong[0], 1 - wrong[1]])
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(drawn[0] + 1), np.arange(drawn[1] + 1)))
    chance = binom.pmf(a, drawn[0], truth[0]) * binom.pmf(b, drawn[1], truth[1])
    found = stratified_area(np.stack([a, b], 1), np.zeros(2, int), np.array(drawn), sizes, np.array([0.0, 1.0]))
    true = sizes @ truth
    held = chance[(found.low_95 <= true + 1e-9) & (true - 1e-9 <= found.high_95)].sum()
    assert held >= 0.95
    assert chance @ found.area == pytest.approx(true)


def test_a_perfect_sample_is_not_without_doubt() -> None:
    found = stratified_area(
        np.array([0, 50]), np.zeros(2, int), np.array([50, 50]), np.array([9.0, 1.0]), np.array([0.0, 1.0])
    )
    assert float(found.area) == 1.0
    assert found.u_published == 0.0
    assert found.low_95 < 0.95
    assert found.high_95 > 1.5


def test_a_stratum_without_points_may_be_anything() -> None:
    found = stratified_area(
        np.array([0, 50]), np.zeros(2, int), np.array([0, 50]), np.array([9.0, 1.0]), np.array([0.0, 1.0])
    )
    assert (float(found.area), float(found.high_95)) == (1.0, 10.0)


def test_the_error_of_the_pixel_size_is_added_once_and_readers_of_the_same_points_are_not_independent() -> None:
    one = StratifiedArea(np.array(10.0), np.array(9.0), np.array(12.0), np.array(0.5))
    two = StratifiedArea(np.array(14.0), np.array(12.0), np.array(15.0), np.array(0.7))
    both = mean_of_readers([one, two])
    assert (both.area, both.low_95, both.high_95) == (12.0, 10.5, 13.5)
    scaled = with_scale(both, 2 / (1.96 * 12))
    assert (12 - scaled.low_95, scaled.high_95 - 12) == pytest.approx((2.5, 2.5))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_strata_of_a_map_are_those_found_pixel_by_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    class_map = rng.choice(np.array([0, 1, 2, 255], np.uint8), (12, 15), p=[0.8, 0.1, 0.05, 0.05])
    reach, expected = 1 + seed % 2, np.full(class_map.shape, 0xFFFF)
    for y, x in np.ndindex(class_map.shape):
        near = class_map[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        if class_map[y, x] < 3:
            expected[y, x] = 2 * class_map[y, x] + (len(set(near[near < 3].tolist())) > 1)
    strata = strata_of(class_map, 3, reach)
    assert strata.tolist() == expected.tolist()
    widths, heights = rng.integers(1, 5, 15), rng.integers(1, 5, 12)
    sizes = row_sizes(strata, 3, widths, heights)
    for stratum in range(6):
        assert sizes[:, stratum].tolist() == ((strata == stratum) @ widths * heights).tolist()


@pytest.mark.parametrize("points", [1, 50, 300, 1000])
def test_points_add_up_and_no_stratum_is_left_without(points: int) -> None:
    sizes = [10**7, 10**5, 0, 300, 3]
    counts = allocated(sizes, points)
    assert sum(counts) == max(points, 8)
    assert counts[2] == 0
    assert all(n >= min(2, size) for n, size in zip(counts, sizes, strict=True) if size)
    assert all(n <= size for n, size in zip(counts, sizes, strict=True))


def test_as_many_points_as_are_asked_for_make_the_interval_half_as_wide() -> None:
    rng, sizes, truth = np.random.default_rng(5), np.array([800.0, 200.0]), np.array([0.05, 0.8])
    widths, drawn = [], np.array([100, 100])
    for _ in range(200):
        hits = rng.binomial(drawn, truth)
        now = stratified_area(hits, np.zeros(2, int), drawn, sizes, np.array([0.0, 1.0]))
        width = float(now.high_95 - now.low_95)
        more = more_to_halve(hits[None], np.zeros((1, 2), int), drawn, sizes, np.array([0.0, 1.0]), 0.0)
        assert more is not None
        then = stratified_area(
            rng.binomial(drawn + more, truth), np.zeros(2, int), drawn + more, sizes, np.array([0.0, 1.0])
        )
        widths.append(float(then.high_95 - then.low_95) / width)
    assert np.mean(widths) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("truth", "points"), [((0.0, 1.0), 10), ((0.02, 0.98), 20), ((0.3, 0.6), 15), ((0.0, 1.0), 60)]
)
def test_of_few_points_too_as_many_as_are_asked_for_make_the_interval_half_as_wide(
    truth: tuple[float, float], points: int
) -> None:
    rng, sizes, mapped = np.random.default_rng(6), np.array([800.0, 200.0]), np.array([0.0, 1.0])
    none, drawn, ratios = np.zeros((1, 2), int), np.array([points, points]), []
    for _ in range(60):
        hits = rng.binomial(drawn, truth)
        now = stratified_area(hits, none[0], drawn, sizes, mapped)
        more = more_to_halve(hits[None], none, drawn, sizes, mapped, 0.0)
        assert more is not None
        then = hits + rng.binomial(more, truth)
        later = stratified_area(then, none[0], drawn + more, sizes, mapped)
        ratios.append(float((later.high_95 - later.low_95) / (now.high_95 - now.low_95)))
    assert 0.3 < np.mean(ratios) < 0.56


@pytest.mark.parametrize("unsure", [1, 2, 3])
def test_where_nobody_can_tell_enough_of_them_no_number_of_points_halves_an_interval(unsure: int) -> None:
    sizes, mapped, drawn = np.array([800.0, 200.0]), np.array([0.0, 1.0]), np.array([40, 40])
    hits, not_told = np.array([[0, 20 - 5 * unsure]]), np.array([[10 * unsure, 10 * unsure]])
    assert more_to_halve(hits, not_told, drawn, sizes, mapped, 0.0) is None
    few = np.array([[0, 1]])
    told = more_to_halve(np.array([[2, 36]]), few, drawn, sizes, mapped, 0.0)
    assert told is not None
    assert sum(told) > 80  # to halve an interval takes more points than there are


def test_where_the_pixel_size_is_half_of_an_interval_no_number_of_points_halves_it() -> None:
    sizes, mapped, drawn = np.array([800.0, 200.0]), np.array([0.0, 1.0]), np.array([400, 400])
    hits, none = np.array([[4, 390]]), np.zeros((1, 2), int)
    assert more_to_halve(hits, none, drawn, sizes, mapped, 0.0) is not None
    assert more_to_halve(hits, none, drawn, sizes, mapped, 0.5) is None
