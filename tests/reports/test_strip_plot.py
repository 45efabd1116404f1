"""Outliers by a rule that can be worked out by hand, and dots that neither hide nor leave the axis."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wsi_area.reports.plots.strip_plot import WIDTH, Value, outliers, strip_plot


def values(*numbers: float) -> list[Value]:
    return [Value(f"s{i}", f"slide-{i}", number) for i, number in enumerate(numbers)]


def test_the_modified_z_score_is_cut_at_three_and_a_half() -> None:
    # median 5, deviations 4 3 2 1 0 1 2 3 4 → MAD 2 → cut at 3.5 · 1.4826 · 2 = 10.378 from 5
    steady = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert outliers([*steady, 15.37])[-1] is False
    assert outliers([*steady, 15.39])[-1] is True


def test_a_fault_does_not_hide_behind_another() -> None:
    assert outliers([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 50.0, 60.0]) == [False] * 6 + [True, True]


def test_one_slide_of_another_pixel_size_stands_apart_from_many_of_one() -> None:
    assert outliers([0.2526] * 9 + [0.4990]) == [False] * 9 + [True]


def test_what_only_rounding_tells_apart_does_not_stand_apart() -> None:
    assert not any(outliers([0.2270972] * 9 + [0.2271024]))


@pytest.mark.parametrize("numbers", [[], [3.0], [1.0, 1.0, 1.0, 99.0], [7.0] * 20])
def test_too_few_or_equal_slides_have_no_outlier(numbers: list[float]) -> None:
    assert not any(outliers(numbers))


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=60))
@example([0.0, 2.4587917828399444e-209])  # ticks were rounded to twelve decimals
@example([0.0, 1e-320, 1e6])
@example([0.0, 5e-324])
def test_every_slide_is_drawn_on_the_axis_and_none_on_another(numbers: list[float]) -> None:
    plot = strip_plot("Tissue", "mm²", values(*numbers))
    assert plot is not None
    assert len(plot.dots) == len(numbers)
    assert all(0 <= dot.x <= WIDTH and 0 < dot.y < plot.height for dot in plot.dots)
    assert min(t.x for t in plot.ticks) - 0.02 <= min(d.x for d in plot.dots)
    assert max(d.x for d in plot.dots) <= max(t.x for t in plot.ticks) + 0.02
    places = sorted((d.y, d.x) for d in plot.dots)
    for (y, x), (next_y, next_x) in pairwise(places):
        assert next_y - y > 1 or next_x - x >= 6.99


def test_a_wide_range_has_a_logarithmic_axis_and_equal_steps() -> None:
    plot = strip_plot("Tissue", "mm²", values(0.1, 1.0, 10.0, 100.0))
    assert plot is not None
    assert plot.is_log
    steps = [b.x - a.x for a, b in pairwise(plot.dots)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.02)
    assert [tick.text for tick in plot.ticks] == ["0.1", "1", "10", "100"]


def test_a_lower_bound_is_drawn_but_enters_no_median() -> None:
    bound = Value("torn", "slide-9", 500.0, is_bound=True)
    plot = strip_plot("Tissue", "mm²", [*values(1.0, 2.0, 3.0, 4.0, 5.0), bound])
    assert plot is not None
    assert plot.median_text == "3"
    assert not plot.dots[-1].is_outlier


def test_nothing_to_show_is_no_plot() -> None:
    assert strip_plot("Tumour", "mm²", []) is None


def test_of_many_that_stand_apart_the_furthest_are_named_and_all_are_drawn() -> None:
    plot = strip_plot("Tissue", "mm²", values(*[10.0 + i / 100 for i in range(100)], *[20.0 + i for i in range(30)]))
    assert plot is not None
    assert len(plot.outliers) == 30
    assert [dot.of.value for dot in plot.named] == [38.0 + i for i in range(12)]
    assert plot.height <= 130
