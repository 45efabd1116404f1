"""results: an uncertainty budget as people read it: one sentence, what would halve it, a line for each row; pure."""

from collections.abc import Iterator

from wsi_area.compute.quantity_text import number_text, with_mm2
from wsi_area.model.record.budget.uncertainty_budget import BudgetRow, UncertaintyBudget
from wsi_area.model.record.slide_areas import COVERAGE_95
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.quantity import area_text, mm2_text
from wsi_area.results.tables.shown_areas import ShownArea
from wsi_area.results.tables.tissue_name import tissue_name

SMALL = 0.005
"""A row with less of the variance than this is not named in the sentence."""
HALF = 0.75
"""Rows that hold so much of the variance must go, for the uncertainty to be half of what it is."""


def headline_budget(slide: CountedSlide) -> UncertaintyBudget | None:
    """Return the budget of what a slide is about: its tumour, else what is positive, else its tissue; None of none."""
    budgets = slide.budgets
    if budgets is None:
        return None
    headline = budgets.tumor if slide.headline is slide.tumor else budgets.positive
    if headline is not None:
        return headline
    return None if tissue_name([slide]) is None else budgets.tissue


def tissue_budget(slide: CountedSlide) -> UncertaintyBudget | None:
    """Return the budget of the tissue of a slide; None of none."""
    return None if slide.budgets is None else slide.budgets.tissue


def budget_of_shown(slide: CountedSlide, shown: ShownArea) -> UncertaintyBudget | None:
    """Return the budget of an area as pages list it; None where it has none."""
    budgets = slide.budgets
    if budgets is None:
        return None
    if shown.kind == "headline":
        return budgets.tumor if slide.headline is slide.tumor else budgets.positive
    if shown.kind == "tissue":
        return budgets.tissue
    return budgets.of("class", shown.name) if shown.kind == "class" else None


def area_with_error(slide: CountedSlide, shown: ShownArea, *, with_terms: bool = False) -> str:
    """Return an area with all that is known of its errors, which it names; without a budget, with the pixel size.

    ``178.0 ± 8.8 mm² (k = 2)``, or with its terms ``178.0 ± 8.8 mm², k = 2: threshold, pixel size``.
    """
    budget = budget_of_shown(slide, shown)
    if budget is None or not budget.expanded_mm2:
        return f"{shown.text} (pixel size)" if shown.u_mm2 else shown.text
    area = with_mm2(shown_area(budget))
    if budget.is_corrected:
        return f"{with_mm2(mm2_text(shown.area_mm2))} counted, adjusted {area} ({k_text(budget)})"
    return f"{area}, {k_text(budget)}: {', '.join(main_terms(budget))}" if with_terms else f"{area} ({k_text(budget)})"


def main_terms(budget: UncertaintyBudget) -> tuple[str, ...]:
    """Return the terms that an expanded uncertainty holds and that matter, the widest first."""
    return tuple(row.title for row in budget.by_width if (row.share or 0.0) >= SMALL)


def half_text(area_mm2: float | None, u_scale_mm2: float | None) -> str:
    """Return half of the 95 % interval that the pixel size makes of an area, with its unit; "" of none."""
    half = area_text(area_mm2, u_scale_mm2).partition(" ± ")[2]
    return with_mm2(half) if half else ""


def total_with_error(area_mm2: float | None, u_scale_mm2: float | None, budget: UncertaintyBudget | None) -> str:
    """Return an area ± its expanded uncertainty without its unit; without a budget, ± the pixel size."""
    if budget is None or area_mm2 is None or not budget.expanded_mm2 or budget.is_corrected:
        return area_text(area_mm2, u_scale_mm2)
    return shown_area(budget)


def title_of(slide: CountedSlide, budget: UncertaintyBudget) -> str:
    """Return the name of the area of a budget as people read it; a feature that is no tissue keeps its own."""
    if budget.kind != "total":
        return f"class {budget.area}"
    return {"tumor": "tumour", "tissue": tissue_name([slide]) or "tissue"}.get(budget.area, budget.area)


def expanded_text(budget: UncertaintyBudget) -> str:
    """Return an area with its expanded uncertainty: ``16.3 mm², expanded uncertainty 1.4 mm² (k = 2)``."""
    area, _, half = shown_area(budget).partition(" ± ")
    if not half:
        return f"{with_mm2(area)}, no uncertainty is known"
    half, _, other = half.partition(" ")  # from 1 m² on it has a unit of its own
    unit = other or "mm²"
    return f"{area} {unit}, expanded uncertainty {half} {unit} ({k_text(budget)})"


def k_text(budget: UncertaintyBudget) -> str:
    """Return the coverage factor of a budget: ``k = 2``."""
    return f"k = {number_text(float(f'{budget.k or 0.0:.3g}'))}"


def shown_area(budget: UncertaintyBudget) -> str:
    """Return an area ± its expanded uncertainty, rounded by it, without its unit."""
    return area_text(budget.area_mm2, (budget.expanded_mm2 or 0.0) / COVERAGE_95)


def holds_text(budget: UncertaintyBudget) -> str:
    """Return the terms of an expanded uncertainty, the widest first, and what it does not."""
    held, lacking = ", ".join(main_terms(budget)), ", ".join(row.title for row in budget.lacking)
    told = (f"of {held}" if held else "", f"not in it: {lacking}" if lacking else "")
    return "; ".join(text for text in told if text)


def budget_sentence(slide: CountedSlide, budget: UncertaintyBudget) -> str:
    """Return a budget in one sentence: the area, its expanded uncertainty, what that holds and what it does not."""
    told, mark = holds_text(budget), ", " if main_terms(budget) else "; "
    return f"{title_of(slide, budget)}: {expanded_text(budget)}{mark if told else ''}{told}"


def halving_text(budget: UncertaintyBudget) -> str:
    """Return the change that would halve an uncertainty; "" where nothing is known to be uncertain."""
    if not budget.u_mm2:
        return ""
    rows, share = [], 0.0
    for row in budget.by_width:
        rows.append(row)
        share += row.share or 0.0
        if share >= HALF:
            break
    told = "; ".join(f"{row.title} ({row.remedy})" if row.remedy else row.title for row in rows)
    without = "without the error of" if len(rows) == 1 else "without the errors of"
    return f"It would be half or less {without} {told}."


def budget_lines(slide: CountedSlide, budget: UncertaintyBudget) -> Iterator[str]:
    """Yield the lines of a budget: its sentence, what it stands for, each row, what would halve it."""
    yield budget_sentence(slide, budget)
    yield f"  stands for {budget.measurand}"
    for row in budget.rows:
        yield f"  {row_text(row)}"
    if halving := halving_text(budget):
        yield f"  {halving}"


def row_text(row: BudgetRow) -> str:
    """Return a row of a budget as a line: its standard uncertainty, its share, and how it was found."""
    if row.u_mm2 is None:
        return f"{row.title}: {row.source}"
    freedom = "" if row.degrees_of_freedom is None else f", {number_text(row.degrees_of_freedom)} degrees of freedom"
    share = "" if row.share is None else f", {100 * row.share:.0f} % of the variance"
    return f"{row.title}: u {number_text(float(f'{row.u_mm2:.2g}'))} mm²{share}{freedom} ({row.source})"
