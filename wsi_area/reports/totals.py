"""reports: the numbers for a whole run, the one that counts most first, each with what it is the sum of; pure."""

from collections.abc import Sequence
from typing import Literal

from wsi_area.compute.budget.sums import budget_of_sum
from wsi_area.frozen_value import frozen_value
from wsi_area.model.burden import FINAL
from wsi_area.model.record.budget.uncertainty_budget import UncertaintyBudget
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.reports.attention import warned_text
from wsi_area.reports.documents import STATUS_ORDER
from wsi_area.reports.slide_view import STATUS_TEXT
from wsi_area.results.budget.budget_text import half_text, holds_text, k_text, shown_area
from wsi_area.results.tables.made_of import headline_made_of, tissue_made_of
from wsi_area.results.tables.quantity import area_text, grouped, share_text
from wsi_area.results.tables.tissue_name import headline_mm2, headline_name, tissue_name

_COUNTED = STATUS_TEXT | {"needs_calibration": "without a pixel size"}
_MOST_NAMED = 2  # ways in which tissue was found; the slides' pages have all of them


@frozen_value
class Total:
    """One number for the whole run."""

    name: str
    value: str
    notes: tuple[str, ...]  # what it is a sum of, and of which slides

    @property
    def has_error_bar(self) -> bool:
        """Return True if a ± stands in it."""
        return "±" in self.value


def totals(records: Sequence[EndedSlide]) -> tuple[Total, ...]:
    """Return the sums over the slides of a run that have a final number, and how many slides ended how."""
    final = [r for r in records if isinstance(r, CountedSlide) and r.is_final]
    name, tissue = headline_name(records), tissue_name(records)
    measured = [r for r in final if headline_mm2(r, name) is not None]
    whose = ", ".join(text for text in (_whose(final), warned_text(records)) if text)
    found = []
    if measured:
        mm2, u = (sum(v or 0.0 for v in values) for values in zip(*map(_headline, measured), strict=True))
        what = _told([headline_made_of(r) for r in measured])
        found.append(_area_total(name or "", mm2, u, [_budget(r, "headline") for r in measured], (*what, whose)))
    if measured and tissue:
        shared = [r for r in measured if r.headline.fraction_of_tissue is not None]
        of_mm2 = sum(r.tissue.area_mm2 or 0.0 for r in shared)
        # what lies outside the tissue is no part of it
        in_mm2 = sum((r.headline.fraction_of_tissue or 0.0) * (r.tissue.area_mm2 or 0.0) for r in shared)
        share = share_text(in_mm2, of_mm2)
        found.append(Total(f"{name} in tissue", share, ("all of it in all the tissue, not a mean of slides",)))
    if final and tissue:
        mm2 = sum(r.tissue.area_mm2 or 0.0 for r in final)
        u = sum((r.tissue.area_mm2 or 0.0) * (r.calibration.relative_u_area or 0.0) for r in final)
        what = _told([tissue_made_of(r) for r in final])
        found.append(_area_total(tissue, mm2, u, [_budget(r, "tissue") for r in final], (*what, whose)))
    counted = [f"{n} {_COUNTED[s]}" for s in STATUS_ORDER[::-1] if (n := sum(r.status == s for r in records))]
    return (*found, Total("slides", grouped(len(records)), (", ".join(counted),)))


def _area_total(
    name: str, mm2: float, u_mm2: float, budgets: Sequence[UncertaintyBudget | None], notes: tuple[str, ...]
) -> Total:
    """Return a sum with all that is known of its errors; where a slide has no budget, with the pixel sizes."""
    known = [budget for budget in budgets if budget is not None]
    summed = budget_of_sum(known) if len(known) == len(budgets) else None
    if summed is None or not summed.expanded_mm2:
        return Total(f"{name} mm² ± pixel size", area_text(mm2, u_mm2), notes)
    told = (f"{k_text(summed)}, {holds_text(summed)}", f"± {half_text(mm2, u_mm2)} of the pixel size alone")
    return Total(f"{name} mm² ± expanded uncertainty", shown_area(summed), (*told, *notes))


def _budget(record: CountedSlide, kind: Literal["headline", "tissue"]) -> UncertaintyBudget | None:
    budgets = record.budgets
    if budgets is None:
        return None
    if kind == "tissue":
        return budgets.tissue
    return budgets.tumor if record.headline is record.tumor else budgets.positive


def _headline(record: CountedSlide) -> tuple[float | None, float | None]:
    return record.headline.area_mm2, record.headline.area_u_mm2


def _whose(final: Sequence[CountedSlide]) -> str:
    counts = [f"{n} {status}" for status in sorted(FINAL) if (n := sum(r.status == status for r in final))]
    if len(final) == 1:
        return f"of the one {final[0].status} slide"
    return f"sum of the {' and '.join(counts)} slides" if final else ""


def _told(made_of: Sequence[str]) -> tuple[str, ...]:
    """Return of what a sum over slides is made, as long as that is the same, or nearly, on all of them."""
    kinds = tuple(dict.fromkeys(text for text in made_of if text))
    return kinds if len(kinds) <= _MOST_NAMED else (f"made of {len(kinds)} different kinds; see each slide",)
