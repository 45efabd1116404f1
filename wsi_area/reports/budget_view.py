"""reports: the uncertainty budget of what a slide is about: what dominates, what would halve it; pure."""

from wsi_area.compute.quantity_text import number_text
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.budget.uncertainty_budget import UncertaintyBudget
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.budget.budget_text import (
    budget_sentence,
    expanded_text,
    halving_text,
    headline_budget,
    holds_text,
    title_of,
)
from wsi_area.results.tables.quantity import NONE

BAR_WIDTH = 160.0


@frozen_value
class BudgetLineView:
    """One row of the chart."""

    title: str
    expanded: str  # k times its standard uncertainty, mm²
    share: str  # of the variance
    bar: float  # its length, of `BAR_WIDTH`
    source: str


@frozen_value
class BudgetView:
    """The budget of one area."""

    name: str
    sentence: str  # area, expanded uncertainty, k
    whole: str  # with what it holds
    holds: str
    measurand: str
    rows: tuple[BudgetLineView, ...]  # the widest first
    lacking: tuple[tuple[str, str], ...]  # what was not assessed, and why
    halving: str


def budget_view(slide: CountedSlide) -> BudgetView | None:
    """Return the budget of what a slide is about; None where there is none."""
    budget = headline_budget(slide)
    if budget is None:
        return None
    return BudgetView(
        title_of(slide, budget), expanded_text(budget), budget_sentence(slide, budget), holds_text(budget),
        budget.measurand, _rows(budget), tuple((row.title, row.source) for row in budget.lacking),
        halving_text(budget),
    )  # fmt: skip


def _rows(budget: UncertaintyBudget) -> tuple[BudgetLineView, ...]:
    """Return the rows that were assessed, the widest first; what adds nothing has no bar."""
    rows = []
    for row in sorted((r for r in budget.rows if r.is_assessed), key=lambda r: -(r.u_mm2 or 0.0)):
        half_mm2, share = (budget.k or 0.0) * (row.u_mm2 or 0.0), row.share or 0.0
        told = f"{number_text(float(f'{half_mm2:.2g}'))}" if half_mm2 else "0"
        percent = f"{100 * share:.0f} %" if share >= 0.005 else "< 1 %" if share else NONE
        rows.append(BudgetLineView(row.title, told, percent, BAR_WIDTH * share, row.source))
    return tuple(rows)
