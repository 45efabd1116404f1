"""model: ratios of areas as a slide's result says them, each with both of its parts."""

from typing import Annotated, ClassVar, Literal

from wsi_area.model.documented import Count, Name, Number, Part, Says, Table

RATIOS = "ratios of areas that the roles and weights of classes allow; none where no class has one"

_TABLE: tuple[Table, ...] = ("ratios",)

RatioName = Literal[
    "viable_tumor_pct", "necrosis_pct", "stroma_pct", "necrosis_pct_tumor_necrosis", "stroma_pct_tumor_stroma",
    "tumor_stroma_ratio", "weighted_positive_area",
]  # fmt: skip


class RatioOnRecord(Part):
    """One ratio of areas; the size of a pixel cancels out of it."""

    comes_from: ClassVar[str] = "classes.role, classes.weight, classes.n_px (compute.count.ratios)"

    name: Annotated[RatioName, Says("which ratio, see docs/ratios.md", column="ratio", tables=_TABLE)]
    value: Annotated[
        Number | None,
        Says("its value", "", "it was not measured: the reason says why", column="value", tables=_TABLE),
    ]
    unit: Annotated[
        Literal["%", "1"],
        Says("of the value: %, or 1 for a plain number", column="unit", tables=_TABLE),
    ]
    numerator: Annotated[Name, Says("what is divided", column="numerator", tables=_TABLE)]
    numerator_px: Annotated[
        Number | None,
        Says(
            "its pixels; weighted, where it is", "level-0 px", "no class of the settings is that",
            column="numerator_px", tables=_TABLE,
        ),
    ]  # fmt: skip
    denominator: Annotated[Name, Says("what it is divided by", column="denominator", tables=_TABLE)]
    denominator_px: Annotated[
        Count | None,
        Says("its pixels", "level-0 px", "a part of it is no class of the settings", "", "denominator_px", _TABLE),
    ]
    reason: Annotated[
        Name | None,
        Says("why there is no value, and what to do", "", "there is one", column="reason", tables=_TABLE),
    ]
