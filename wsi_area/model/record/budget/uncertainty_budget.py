"""model: the uncertainty budget of one area: a row for each thing that may make it wrong, and what they come to."""

from typing import Annotated, ClassVar, Literal

from wsi_area.model.documented import Area, Name, Number, Part, Says, Share, Table

Term = Literal[
    "pixel_size", "pixel_size_conflict", "counting", "work_pixel", "skipped_glass", "threshold", "sampling",
    "segmentation", "observer", "rescan",
]  # fmt: skip
"""What may make an area wrong."""

TERMS: dict[Term, str] = {
    "pixel_size": "pixel size",
    "pixel_size_conflict": "claims of the pixel size that differ",
    "counting": "counting",
    "work_pixel": "work pixel",
    "skipped_glass": "skipped glass",
    "threshold": "threshold",
    "sampling": "sampling",
    "segmentation": "segmentation",
    "observer": "observer",
    "rescan": "rescan",
}
"""Each term as people read it, in the order of the rows."""

_TITLES: dict[str, str] = dict(TERMS.items())

Distribution = Literal["normal", "rectangular", "student", "two-point"]
AreaKind = Literal["class", "total"]

_ROWS: tuple[Table, ...] = ("budget",)
_NOT_ASSESSED = "it was not assessed"
NO_ROW = "no row could be assessed"


class BudgetRow(Part):
    """One thing that may make an area wrong, and by how much."""

    comes_from: ClassVar[str] = "what is on record of the slide (compute.budget)"

    name: Annotated[Name, Says("what may make the area wrong", column="term", tables=_ROWS)]
    source: Annotated[Name, Says("how it was found; why it was not, where it was not", column="source", tables=_ROWS)]
    value: Annotated[
        Number | None, Says("what it was found from, in unit", "see unit", _NOT_ASSESSED, column="value", tables=_ROWS)
    ]
    unit: Annotated[str, Says("unit of value", empty="value is empty, or a plain number", column="unit", tables=_ROWS)]
    distribution: Annotated[
        Name | None,
        Says("normal; rectangular: anywhere between two bounds; student: from few values; two-point: about what was "
             "seen, and not corrected", empty=_NOT_ASSESSED,
             column="distribution", tables=_ROWS),
    ]  # fmt: skip
    degrees_of_freedom: Annotated[
        Number | None,
        Says("degrees of freedom of u", empty=f"there is no end of them, or {_NOT_ASSESSED}",
             column="degrees_of_freedom", tables=_ROWS),
    ] = None  # fmt: skip
    u_mm2: Annotated[
        Area | None, Says("standard uncertainty from this alone", "mm²", _NOT_ASSESSED, column="u_mm2", tables=_ROWS)
    ]
    share: Annotated[
        Share | None,
        Says("its share of the variance of all rows", empty=f"{_NOT_ASSESSED}, or all are 0", column="share",
             tables=_ROWS),
    ] = None  # fmt: skip
    remedy: Annotated[
        str, Says("what would make it smaller, or known", empty="nothing would", column="remedy", tables=_ROWS)
    ] = ""

    @property
    def is_assessed(self) -> bool:
        """Return False where nobody knows how far this makes the area wrong."""
        return self.u_mm2 is not None

    @property
    def title(self) -> str:
        """Return the term in words."""
        return _TITLES.get(self.name, self.name)


class UncertaintyBudget(Part):
    """What makes one area uncertain, row by row, and what that comes to (GUM, JCGM 100:2008)."""

    comes_from: ClassVar[str] = "its rows (compute.budget)"

    kind: Annotated[Name, Says("class, or total: all that is tumour, positive or tissue", column="kind",
                                   tables=_ROWS)]  # fmt: skip
    area: Annotated[Name, Says("the class, or tumor, positive, tissue", column="area", tables=_ROWS)]
    classes: Annotated[tuple[Name, ...], Says("the classes that make it up")]
    measurand: Annotated[Name, Says("what the number stands for, in words", column="measurand", tables=_ROWS)]
    area_mm2: Annotated[
        Area,
        Says("best estimate: the counted area, or that freed of a known error of the segmentation", "mm²",
             column="area_mm2", tables=_ROWS),
    ]  # fmt: skip
    counted_mm2: Annotated[Area, Says("the area as it was counted", "mm²", column="counted_mm2", tables=_ROWS)]
    rows: Annotated[tuple[BudgetRow, ...], Says("each thing that may make it wrong")]
    u_mm2: Annotated[
        Area | None, Says("standard uncertainty of all rows that were assessed", "mm²", NO_ROW,
                          column="combined_u_mm2", tables=_ROWS),
    ]  # fmt: skip
    degrees_of_freedom: Annotated[
        Number | None,
        Says("effective degrees of freedom (Welch–Satterthwaite)", empty=f"there is no end of them, or {NO_ROW}",
             column="effective_degrees_of_freedom", tables=_ROWS),
    ]  # fmt: skip
    k: Annotated[Number | None, Says("coverage factor for about 95 %", empty=NO_ROW, column="k", tables=_ROWS)]
    expanded_mm2: Annotated[
        Area | None, Says("expanded uncertainty: k times that", "mm²", NO_ROW, column="expanded_u_mm2", tables=_ROWS)
    ]

    def row(self, name: Term) -> BudgetRow | None:
        """Return the row of a term; None where the budget has none."""
        return next((row for row in self.rows if row.name == name), None)

    @property
    def by_width(self) -> tuple[BudgetRow, ...]:
        """Return the rows that were assessed and are not 0, the widest first."""
        known = [row for row in self.rows if row.u_mm2]
        return tuple(sorted(known, key=lambda row: -(row.u_mm2 or 0.0)))

    @property
    def is_corrected(self) -> bool:
        """Return True if the best estimate is another than the counted area."""
        return self.area_mm2 != self.counted_mm2

    @property
    def lacking(self) -> tuple[BudgetRow, ...]:
        """Return the rows that were not assessed."""
        return tuple(row for row in self.rows if not row.is_assessed)

    @property
    def knows_segmentation(self) -> bool:
        """Return True if how well the map or the drawing shows what is there is in it."""
        asked = [row for row in self.rows if row.name in ("segmentation", "observer")]
        return bool(asked) and all(row.is_assessed for row in asked)

    @property
    def ci95_mm2(self) -> tuple[float, float] | None:
        """Return the ends of the interval that the expanded uncertainty makes, the lower no less than 0."""
        half = self.expanded_mm2
        return None if half is None else (max(0.0, self.area_mm2 - half), self.area_mm2 + half)
