"""reports: what the slides of each subject add up to; pure."""

import math
from collections.abc import Sequence

from wsi_area.compute.budget.sums import budget_of_sum
from wsi_area.compute.count.subject_totals import subject_totals
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.budget.uncertainty_budget import UncertaintyBudget
from wsi_area.model.record.subjects import SubjectTotal
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.documents import RunDocuments
from wsi_area.results.budget.budget_text import holds_text, k_text, shown_area
from wsi_area.results.tables.quantity import area_text

_SPELLED = {"tumor": "tumour"}


@frozen_value
class SubjectRow:
    """One total of one subject, as it is printed."""

    subject: str
    slides: str
    name: str
    area: str  # mm² ± all that is known of its errors, else ± the pixel sizes
    error_of: str  # what the ± holds
    is_complete: bool
    remarks: str


def subject_rows(documents: RunDocuments) -> tuple[SubjectRow, ...]:
    """Return the totals of each subject of a run; none where no manifest says who is on the slides."""
    run = documents.run_record
    by_id = {slide.slide_id: slide for slide in documents.slides}
    planned = [by_id[name] for name in run.slides_planned if name in by_id]
    totals = subject_totals(planned, run.known_cases, run.twins)
    of_subject: dict[str, list[CountedSlide]] = {}
    for slide in planned:
        case = run.known_cases.get(slide.slide_id)
        if case is not None and isinstance(slide, CountedSlide):
            of_subject.setdefault(case.subject, []).append(slide)
    return tuple(_row(total, of_subject.get(total.subject, [])) for total in totals if total.kind == "total")


def _row(total: SubjectTotal, slides: Sequence[CountedSlide]) -> SubjectRow:
    told = str(total.n_slides)
    if total.n_slides_measured < total.n_slides:
        told = f"{total.n_slides_measured} of {total.n_slides}"
    name, budget = total.class_name or "", _budget(total, slides)
    area = area_text(total.area_mm2, total.u_mm2) if budget is None else shown_area(budget)
    of = "pixel size" if budget is None else f"{k_text(budget)}, {holds_text(budget)}"
    if "±" not in area:
        of = ""
    return SubjectRow(total.subject, told, _SPELLED.get(name, name), area, of, total.is_complete, total.remarks or "")


def _budget(total: SubjectTotal, slides: Sequence[CountedSlide]) -> UncertaintyBudget | None:
    """Return the budget of a sum over slides; None where one of them has none, or they are not what was summed."""
    budgets: list[UncertaintyBudget] = []
    for slide in slides:
        part = {"tumor": slide.tumor, "positive": slide.positive, "tissue": slide.tissue}.get(total.class_name or "")
        if part is None or part.area_mm2 is None:
            continue
        of = slide.budgets
        found = (
            None
            if of is None
            else {"tumor": of.tumor, "positive": of.positive, "tissue": of.tissue}[total.class_name or ""]
        )
        if found is None:
            return None
        budgets.append(found)
    summed = budget_of_sum(budgets)
    if summed is None or not summed.expanded_mm2 or total.area_mm2 is None:
        return None
    return summed if math.isclose(summed.area_mm2, total.area_mm2, rel_tol=1e-9) else None
