"""results: the uncertainty budgets of a slide with what reference points say of it in place of what a map may miss."""

from wsi_area.compute.budget.budget import summed, with_terms
from wsi_area.compute.budget.rows import exact
from wsi_area.compute.budget.terms import BudgetTerms, GivenTerm
from wsi_area.model.record.budget.slide_budgets import BudgetsOnRecord
from wsi_area.model.record.budget.uncertainty_budget import BudgetRow, Term, UncertaintyBudget
from wsi_area.model.uncertainty.reference_score import AdjustedArea, AdjustedOnSlide

_OF_THE_MAP: tuple[Term, ...] = ("counting", "work_pixel", "skipped_glass", "threshold")
"""What makes a map other than what is there. Points are drawn over all of it and looked at on the slide itself."""
_OF_THE_SCALE: tuple[Term, ...] = ("pixel_size", "pixel_size_conflict")


def budgets_with_points(budgets: BudgetsOnRecord, adjusted: AdjustedOnSlide) -> BudgetsOnRecord:
    """Return budgets whose best estimate is the adjusted area, with the points as the term of the segmentation.

    What the points correct adds nothing more. The error of the pixel size is a share of the area, so it goes with it.

    Parameters
    ----------
    budgets, adjusted
        Of one slide.
    """
    by_name = {"class": {area.class_: area for area in adjusted.areas}}
    by_name["total"] = {area.class_: area for area in adjusted.totals}
    listed = (_with_points(budget, by_name[budget.kind].get(budget.area), adjusted) for budget in budgets.listed)
    return BudgetsOnRecord(listed=tuple(listed))


def _with_points(budget: UncertaintyBudget, area: AdjustedArea | None, adjusted: AdjustedOnSlide) -> UncertaintyBudget:
    if area is None or area.points_u_mm2 is None:
        return budget
    # the adjusted area is no longer that of whoever drew, so that the error of drawing is none of it
    kept = (row for row in budget.rows if row.name != "observer")
    rows = tuple(_row(row, budget.counted_mm2, area.adjusted_mm2) for row in kept)
    names = {budget.area: _points_term(area, adjusted)}
    readers = {} if area.observer_u_mm2 is None else {budget.area: _readers_term(area, adjusted)}
    bare = budget.model_copy(update={"rows": rows})
    return summed(with_terms(bare, BudgetTerms(segmentation=names, observer=readers)))


def _row(row: BudgetRow, counted_mm2: float, adjusted_mm2: float) -> BudgetRow:
    """Return a row of the counted area as one of the adjusted area."""
    if row.name in _OF_THE_MAP:
        return exact(row.name, "what it makes wrong on the map, the reference points correct")
    if row.name in _OF_THE_SCALE and row.u_mm2 is not None and counted_mm2:
        return row.model_copy(update={"u_mm2": row.u_mm2 * adjusted_mm2 / counted_mm2})
    return row


def _points_term(area: AdjustedArea, adjusted: AdjustedOnSlide) -> GivenTerm:
    more = area.more_points_to_halve
    return GivenTerm(
        source=f"reference points {adjusted.draw!r}: {area.points} on this slide; the wider side of exact limits",
        u_mm2=area.points_u_mm2,
        value=area.points,
        unit="points",
        area_mm2=area.adjusted_mm2,
        remedy="" if not more else f"{more} more points halve the interval: wsi-area reference draw",
    )


def _readers_term(area: AdjustedArea, adjusted: AdjustedOnSlide) -> GivenTerm:
    """Return the error of the mean of the readers, from how far they lie apart."""
    spread = area.observer_u_mm2 or 0.0
    return GivenTerm(
        source=f"{adjusted.readers} readers of the same points: standard deviation of their mean",
        u_mm2=spread / adjusted.readers**0.5,
        degrees_of_freedom=adjusted.readers - 1,
        distribution="student",
        value=spread,
        unit="mm²",
        remedy="one more reader: wsi-area reference score with a file of answers of each",
    )
