"""The budget of a sum over slides: what they share adds up, what is each one's own adds by its squares."""

import math

import pytest

from wsi_area.compute.budget.budget import CountedArea, budget_of
from wsi_area.compute.budget.rows import rectangular, uncorrected, unknown
from wsi_area.compute.budget.sums import budget_of_sum
from wsi_area.compute.budget.terms import BudgetTerms, GivenTerm
from wsi_area.model.record.budget.uncertainty_budget import TERMS, BudgetRow, UncertaintyBudget


def slide(area_mm2: float, *rows: BudgetRow, terms: BudgetTerms = BudgetTerms()) -> UncertaintyBudget:  # noqa: B008
    return budget_of(CountedArea("total", "tumor", ("tumor",), "tumour", area_mm2, is_drawn=False), rows, terms)


def own(u_mm2: float) -> BudgetRow:
    """Of skipped glass: each slide's own."""
    return rectangular("skipped_glass", "bound", u_mm2 * math.sqrt(3), 1.0, "mm²", "")


def shared(u_mm2: float) -> BudgetRow:
    """Of the work pixel: one rule for all."""
    return uncorrected("work_pixel", "seen", u_mm2, 1.0, "%", "")


def test_own_errors_of_a_sum_add_by_their_squares_and_shared_ones_as_they_are() -> None:
    total = budget_of_sum([slide(10.0, own(3.0), shared(0.5)), slide(20.0, own(4.0), shared(1.5))])
    assert total is not None
    assert (total.area_mm2, total.counted_mm2) == (30.0, 30.0)
    assert {row.name: row.u_mm2 for row in total.rows if row.u_mm2} == {
        "skipped_glass": pytest.approx(5.0), "work_pixel": pytest.approx(2.0),
    }  # fmt: skip
    assert total.u_mm2 == pytest.approx(math.hypot(5.0, 2.0))


def test_what_one_slide_does_not_know_the_sum_does_not_know() -> None:
    total = budget_of_sum([slide(10.0, shared(1.0)), slide(20.0, unknown("work_pixel", "not assessed"))])
    assert total is not None
    assert {row.name for row in total.lacking} == {"work_pixel", "segmentation", "rescan"}
    assert "1 of 2 slides" in next(row.source for row in total.lacking if row.name == "work_pixel")


def test_few_values_behind_a_term_stay_few() -> None:
    points = BudgetTerms(segmentation={"tumor": GivenTerm("model", u_mm2=1.0, degrees_of_freedom=4)})
    total = budget_of_sum([slide(10.0, terms=points)] * 3)
    assert total is not None
    assert (total.degrees_of_freedom, total.u_mm2) == (4, pytest.approx(3.0))
    assert total.k == pytest.approx(2.87, abs=0.005)


def test_a_sum_of_one_is_that_one_and_of_none_is_nothing() -> None:
    one = slide(10.0, own(1.0), shared(2.0))
    total = budget_of_sum([one])
    assert total is not None
    assert (total.area_mm2, total.u_mm2, total.k) == (one.area_mm2, one.u_mm2, one.k)
    assert budget_of_sum([]) is None


def test_every_term_has_a_name_for_people() -> None:
    assert all(title and title == title.lower() for title in TERMS.values())
