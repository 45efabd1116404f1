"""compute: the budget of a sum of areas of several slides; pure."""

import math
from collections.abc import Sequence

from wsi_area.compute.budget.budget import summed
from wsi_area.compute.budget.rows import unknown
from wsi_area.model.record.budget.uncertainty_budget import TERMS, BudgetRow, Term, UncertaintyBudget

SHARED: frozenset[Term] = frozenset({"pixel_size", "work_pixel", "threshold", "segmentation", "observer"})
"""Errors that go the same way on all slides, as the most they can do: one scanner, one rule, one model, one reader. The
others are each slide's own."""


def budget_of_sum(budgets: Sequence[UncertaintyBudget]) -> UncertaintyBudget | None:
    """Return the budget of the sum of some areas: shared errors add up, own ones by their squares; None of none.

    A term that is not assessed on one of them is not assessed for the sum. What one of them lacks altogether, such as
    a threshold, adds nothing there.

    Parameters
    ----------
    budgets
        Of one area by name, a slide each.
    """
    if not budgets:
        return None
    first = budgets[0]
    rows = [row for name in TERMS if (row := _row(name, budgets)) is not None]
    classes = tuple(dict.fromkeys(name for budget in budgets for name in budget.classes))
    bare = UncertaintyBudget(
        kind=first.kind, area=first.area, classes=classes, measurand=f"sum over {len(budgets)} slides of {first.area}",
        area_mm2=math.fsum(b.area_mm2 for b in budgets), counted_mm2=math.fsum(b.counted_mm2 for b in budgets),
        rows=tuple(rows), u_mm2=None, degrees_of_freedom=None, k=None, expanded_mm2=None,
    )  # fmt: skip
    return summed(bare)


def _row(name: Term, budgets: Sequence[UncertaintyBudget]) -> BudgetRow | None:
    """Return the row of a term of a sum; None where no slide has one."""
    rows = [row for budget in budgets if (row := budget.row(name)) is not None]
    if not rows:
        return None
    lacking = [row for row in rows if not row.is_assessed]
    if lacking:
        return unknown(name, f"{lacking[0].source} (on {len(lacking)} of {len(budgets)} slides)", lacking[0].remedy)
    parts = [row.u_mm2 or 0.0 for row in rows]
    u_mm2 = math.fsum(parts) if name in SHARED else math.hypot(*parts)
    freedom = [row.degrees_of_freedom for row in rows if row.degrees_of_freedom is not None and row.u_mm2]
    how = "all err the same way" if name in SHARED else "each errs for itself"
    return BudgetRow(
        name=name, source=f"of {len(rows)} slides, {how}", value=None, unit="", distribution=rows[0].distribution,
        degrees_of_freedom=min(freedom) if freedom else None, u_mm2=u_mm2, remedy=rows[0].remedy,
    )  # fmt: skip
