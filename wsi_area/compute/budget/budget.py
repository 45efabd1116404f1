"""compute: the uncertainty budget of one area, put together from its rows; and again when more is known of it."""

from collections.abc import Sequence

from wsi_area.compute.budget.combination import Component, combined
from wsi_area.compute.budget.rows import exact, unknown
from wsi_area.compute.budget.terms import GIVEN, NOTHING_GIVEN, BudgetTerms, GivenTerm
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.budget.uncertainty_budget import TERMS, AreaKind, BudgetRow, Term, UncertaintyBudget

_ORDER = list(TERMS)


@frozen_value
class CountedArea:
    """One area of a slide, as it was counted."""

    kind: AreaKind
    name: str
    classes: tuple[str, ...]  # that make it up
    measurand: str
    area_mm2: float
    is_drawn: bool  # somebody drew it: then its segmentation is the person's
    uncounted: str = ""  # why not every pixel was counted; "" where each was


def budget_of(area: CountedArea, own: Sequence[BudgetRow], terms: BudgetTerms = NOTHING_GIVEN) -> UncertaintyBudget:
    """Return the budget of an area.

    Parameters
    ----------
    area
        What was counted.
    own : sequence of BudgetRow
        What the run knows by itself.
    terms
        What it does not; a term that nobody gave is not assessed, and says so.
    """
    missing = [row for name in GIVEN if (row := _ungiven(name, area)) is not None]
    bare = UncertaintyBudget(
        kind=area.kind, area=area.name, classes=area.classes, measurand=area.measurand, area_mm2=area.area_mm2,
        counted_mm2=area.area_mm2, rows=(*own, *missing), u_mm2=None, degrees_of_freedom=None, k=None,
        expanded_mm2=None,
    )  # fmt: skip
    return with_terms(bare, terms)


def with_terms(budget: UncertaintyBudget, terms: BudgetTerms) -> UncertaintyBudget:
    """Return a budget with the terms that are given in place of its own rows of these, summed again."""
    names = (budget.area, *budget.classes) if len(budget.classes) == 1 else (budget.area,)
    given = {name: term for name in GIVEN if (term := terms.of(name, names)) is not None}
    counted = budget.counted_mm2
    corrected = [term.area_mm2 for term in given.values() if term.area_mm2 is not None]
    rows = {row.name: row for row in budget.rows} | {n: _given_row(n, t, counted) for n, t in given.items()}
    area_mm2 = corrected[-1] if corrected else budget.area_mm2
    return summed(budget.model_copy(update={"area_mm2": area_mm2, "rows": tuple(rows[n] for n in _ORDER if n in rows)}))


def summed(budget: UncertaintyBudget) -> UncertaintyBudget:
    """Return a budget with what its rows come to, and the share of each."""
    known = [row for row in budget.rows if row.u_mm2 is not None]
    total = combined(Component(row.u_mm2 or 0.0, row.degrees_of_freedom) for row in known)
    rows = tuple(row.model_copy(update={"share": _share(row.u_mm2, total.u)}) for row in budget.rows)
    if not known:
        return budget.model_copy(
            update={"rows": rows, "u_mm2": None, "degrees_of_freedom": None, "k": None, "expanded_mm2": None}
        )
    freedom = None if total.degrees_of_freedom is None else float(total.degrees_of_freedom)
    sums = {"u_mm2": total.u, "degrees_of_freedom": freedom, "k": total.k, "expanded_mm2": total.expanded}
    return budget.model_copy(update={"rows": rows, **sums})


def _share(u_mm2: float | None, of_mm2: float) -> float | None:
    return None if u_mm2 is None or not of_mm2 else min(1.0, (u_mm2 / of_mm2) ** 2)


def _given_row(name: Term, term: GivenTerm, counted_mm2: float) -> BudgetRow:
    """Return the row of a term that is given."""
    return BudgetRow(
        name=name, source=term.source, value=term.value, unit=term.unit, distribution=term.distribution,
        degrees_of_freedom=term.degrees_of_freedom, u_mm2=term.u_of(counted_mm2), remedy=term.remedy,
    )  # fmt: skip


def _ungiven(name: Term, area: CountedArea) -> BudgetRow | None:
    """Return the row of a term that nobody gave; None where there is no such error."""
    if name == "sampling":
        why = f"not assessed: {area.uncounted}"
        return unknown(name, why) if area.uncounted else exact(name, "every pixel was counted")
    if name == "segmentation":
        if area.is_drawn:
            return exact(name, "drawn: how well the outline fits is the observer's error")
        why = "not assessed: how well the class map shows what is there"
        return unknown(name, why, "wsi-area reference draw: points that a reader looks at")
    if name == "observer":
        remedy = "a second reader: wsi-area repeat, or wsi-area reference score with two files of answers"
        return unknown(name, "not assessed: nobody drew it a second time", remedy) if area.is_drawn else None
    return unknown(name, "not assessed: the slide was scanned once", "scan it again: wsi-area repeat")
