"""model: the budgets of a slide's areas, and the intervals of the tables that follow from them."""

from typing import Annotated, ClassVar

from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import Name, Part, Says, Table
from wsi_area.model.finding import SLIDE_ID
from wsi_area.model.record.budget.uncertainty_budget import AreaKind, BudgetRow, Term, UncertaintyBudget
from wsi_area.model.record.slide_areas import ClassOnRecord

_AREAS: tuple[Table, ...] = ("areas",)
_ROWS: tuple[Table, ...] = ("budget",)
_NO_BUDGET = "there is no such area in mm², or it was measured by a version that made no budget"
_NOT_KNOWN = f"how well the map shows what is there is not known (the reason is beside it), or {_NO_BUDGET}"
_LOW = "lower end of its 95 % interval with the error of the segmentation in it"
_HIGH = "upper end of its 95 % interval with the error of the segmentation in it"
_REASON = "why it has no interval with the error of the segmentation in it"
_EXPANDED = "expanded uncertainty of all that is known of its errors (about 95 %)"
_TERMS = "what that holds, the widest first"
_FROM = "budgets.listed"


class BudgetsOnRecord(Part):
    """What makes each area of a slide uncertain, row by row, and what that comes to."""

    comes_from: ClassVar[str] = "what is on record of the slide (compute.budget)"

    listed: Annotated[tuple[UncertaintyBudget, ...], Says("a budget for each class but background, and each total")]

    def of(self, kind: AreaKind, area: str) -> UncertaintyBudget | None:
        """Return the budget of an area; None where there is none."""
        return next((b for b in self.listed if b.kind == kind and b.area == area), None)

    @property
    def tumor(self) -> UncertaintyBudget | None:
        """Return the budget of all that is tumour."""
        return self.of("total", "tumor")

    @property
    def positive(self) -> UncertaintyBudget | None:
        """Return the budget of all that is positive."""
        return self.of("total", "positive")

    @property
    def tissue(self) -> UncertaintyBudget | None:
        """Return the budget of the tissue."""
        return self.of("total", "tissue")

    @property
    def tumor_ci95_low_mm2(self) -> Annotated[
        float | None, Says(_LOW, "mm²", _NOT_KNOWN, _FROM, "tumor_area_ci95_low_mm2")
    ]:  # fmt: skip
        """Return the lower end of the interval of the tumour in mm²."""
        return ends_of(self.tumor)[0]

    @property
    def tumor_ci95_high_mm2(self) -> Annotated[
        float | None, Says(_HIGH, "mm²", _NOT_KNOWN, _FROM, "tumor_area_ci95_high_mm2")
    ]:  # fmt: skip
        """Return the upper end of the interval of the tumour in mm²."""
        return ends_of(self.tumor)[1]

    @property
    def tumor_ci95_reason(self) -> Annotated[
        str | None, Says(_REASON, "", f"it has one, or {_NO_BUDGET}", _FROM, "tumor_area_ci95_reason")
    ]:  # fmt: skip
        """Return the reason why the tumour has no interval with the error of the segmentation in it."""
        return reason_of(self.tumor)

    @property
    def tumor_expanded_u_mm2(self) -> Annotated[
        float | None, Says(_EXPANDED, "mm²", _NO_BUDGET, _FROM, "tumor_area_expanded_u_mm2")
    ]:  # fmt: skip
        """Return the expanded uncertainty of the tumour in mm²."""
        return None if self.tumor is None else self.tumor.expanded_mm2

    @property
    def tumor_terms(self) -> Annotated[
        str | None, Says(_TERMS, "", _NO_BUDGET, _FROM, "tumor_area_u_holds")
    ]:  # fmt: skip
        """Return the terms of the expanded uncertainty of the tumour."""
        return terms_of(self.tumor)

    @property
    def positive_ci95_low_mm2(self) -> Annotated[
        float | None, Says(_LOW, "mm²", _NOT_KNOWN, _FROM, "positive_area_ci95_low_mm2")
    ]:  # fmt: skip
        """Return the lower end of the interval of what is positive in mm²."""
        return ends_of(self.positive)[0]

    @property
    def positive_ci95_high_mm2(self) -> Annotated[
        float | None, Says(_HIGH, "mm²", _NOT_KNOWN, _FROM, "positive_area_ci95_high_mm2")
    ]:  # fmt: skip
        """Return the upper end of the interval of what is positive in mm²."""
        return ends_of(self.positive)[1]

    @property
    def positive_ci95_reason(self) -> Annotated[
        str | None, Says(_REASON, "", f"it has one, or {_NO_BUDGET}", _FROM, "positive_area_ci95_reason")
    ]:  # fmt: skip
        """Return the reason why what is positive has no interval with the error of the segmentation in it."""
        return reason_of(self.positive)

    @property
    def positive_expanded_u_mm2(self) -> Annotated[
        float | None, Says(_EXPANDED, "mm²", _NO_BUDGET, _FROM, "positive_area_expanded_u_mm2")
    ]:  # fmt: skip
        """Return the expanded uncertainty of what is positive in mm²."""
        return None if self.positive is None else self.positive.expanded_mm2

    @property
    def positive_terms(self) -> Annotated[
        str | None, Says(_TERMS, "", _NO_BUDGET, _FROM, "positive_area_u_holds")
    ]:  # fmt: skip
        """Return the terms of the expanded uncertainty of what is positive."""
        return terms_of(self.positive)

    @property
    def tissue_expanded_u_mm2(self) -> Annotated[
        float | None, Says(_EXPANDED, "mm²", _NO_BUDGET, _FROM, "tissue_area_expanded_u_mm2")
    ]:  # fmt: skip
        """Return the expanded uncertainty of the tissue in mm²."""
        return None if self.tissue is None else self.tissue.expanded_mm2

    @property
    def tissue_terms(self) -> Annotated[
        str | None, Says(_TERMS, "", _NO_BUDGET, _FROM, "tissue_area_u_holds")
    ]:  # fmt: skip
        """Return the terms of the expanded uncertainty of the tissue."""
        return terms_of(self.tissue)

    def class_ci95_low_mm2(self, of: ClassOnRecord) -> Annotated[
        float | None, Says(_LOW, "mm²", _NOT_KNOWN, _FROM, "ci95_low_mm2", _AREAS)
    ]:  # fmt: skip
        """Return the lower end of the interval of a class in mm²."""
        return ends_of(self.of("class", of.name))[0]

    def class_ci95_high_mm2(self, of: ClassOnRecord) -> Annotated[
        float | None, Says(_HIGH, "mm²", _NOT_KNOWN, _FROM, "ci95_high_mm2", _AREAS)
    ]:  # fmt: skip
        """Return the upper end of the interval of a class in mm²."""
        return ends_of(self.of("class", of.name))[1]

    def class_ci95_reason(self, of: ClassOnRecord) -> Annotated[
        str | None, Says(_REASON, "", f"it has one, or {_NO_BUDGET}", _FROM, "ci95_reason", _AREAS)
    ]:  # fmt: skip
        """Return the reason why a class has no interval with the error of the segmentation in it."""
        return reason_of(self.of("class", of.name))

    def class_expanded_u_mm2(self, of: ClassOnRecord) -> Annotated[
        float | None, Says(_EXPANDED, "mm²", _NO_BUDGET, _FROM, "expanded_u_mm2", _AREAS)
    ]:  # fmt: skip
        """Return the expanded uncertainty of a class in mm²."""
        found = self.of("class", of.name)
        return None if found is None else found.expanded_mm2

    def class_terms(self, of: ClassOnRecord) -> Annotated[
        str | None, Says(_TERMS, "", _NO_BUDGET, _FROM, "u_holds", _AREAS)
    ]:  # fmt: skip
        """Return the terms of the expanded uncertainty of a class."""
        return terms_of(self.of("class", of.name))


def ends_of(budget: UncertaintyBudget | None) -> tuple[float, float] | tuple[None, None]:
    """Return the ends of the 95 % interval of an area, if the error of the segmentation is in it."""
    if budget is None or not budget.knows_segmentation:
        return None, None
    return budget.ci95_mm2 or (None, None)


def reason_of(budget: UncertaintyBudget | None) -> str | None:
    """Return the reason why an area has no interval with the error of the segmentation in it; None where it has one."""
    if budget is None or budget.knows_segmentation:
        return None
    asked: tuple[Term, ...] = ("segmentation", "observer")
    return "; ".join(f"{r.title} {r.source}" for r in budget.lacking if r.name in asked) or "no row of segmentation"


def terms_of(budget: UncertaintyBudget | None) -> str | None:
    """Return the terms that an expanded uncertainty holds, the widest first."""
    return None if budget is None else " + ".join(row.title for row in budget.by_width) or None


@frozen_value
class BudgetLine:
    """One row of one budget of one slide: a row of the table of budgets."""

    comes_from: ClassVar[str] = "result.json, budgets"

    slide_id: Annotated[Name, Says(SLIDE_ID, column="slide_id", tables=_ROWS)]
    budget: UncertaintyBudget
    row: BudgetRow


Budgets = Annotated[
    BudgetsOnRecord | None,
    Says(BudgetsOnRecord.__doc__ or "", empty="there are no mm², or it was measured by a version that made none"),
]
"""As the result of a slide has them."""
