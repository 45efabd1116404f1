"""model: who or what is on a slide, as its manifest says, and what the slides of one subject add up to."""

from typing import Annotated, ClassVar, Literal

from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import CLOSED, Area, Count, Flag, Name, Part, Says, Table

_TABLE: tuple[Table, ...] = ("subjects",)
NO_SUM = "none of the subject's slides has such an area in mm²"


@frozen_value
class Case:
    """Who or what is on a slide: a patient, an animal, a sample."""

    __pydantic_config__: ClassVar = CLOSED

    subject: Annotated[Name, Says("who or what is on the slide")]
    block: Annotated[Name | None, Says("which block or part of the subject", empty="the manifest does not say")] = None
    date: Annotated[Name | None, Says("the day that it is of, ISO 8601", empty="the manifest does not say")] = None

    @property
    def part(self) -> str:
        """Return the subject with its block."""
        return f"{self.subject}, {self.block}" if self.block else self.subject


class SubjectTotal(Part):
    """One class, or all tumour, positive or tissue, summed over the slides of one subject."""

    comes_from: ClassVar[str] = "the results of the subject's slides (compute.count.subject_totals)"

    subject: Annotated[
        Name, Says("who or what the slides are of", source="the manifest", column="subject", tables=_TABLE)
    ]
    n_slides: Annotated[Count, Says("slides of the subject, measured or not", column="n_slides", tables=_TABLE)]
    class_name: Annotated[
        str | None,
        Says(
            "the class; or tumor, positive, tissue: all classes that are", "", "no slide of the run was counted",
            column="class", tables=_TABLE,
        ),
    ]  # fmt: skip
    area_mm2: Annotated[
        Area | None, Says("its area, added over the slides that have one", "mm²", NO_SUM, "", "area_mm2", _TABLE)
    ]
    u_mm2: Annotated[
        Area | None,
        Says(
            "standard uncertainty of that, from the pixel sizes alone: those of one source err together, so theirs are "
            "added; those of different sources are added in squares",
            "mm²", NO_SUM, "", "u_mm2", _TABLE,
        ),
    ]  # fmt: skip
    kind: Annotated[
        Literal["class", "total"],
        Says("class; or total, of all classes that are tumour, positive or tissue", column="kind", tables=_TABLE),
    ]
    n_slides_measured: Annotated[
        Count, Says("slides of which the area is in the sum", column="n_slides_measured", tables=_TABLE)
    ]
    is_complete: Annotated[
        Flag, Says("whether the sum has every slide of the subject, whole", column="is_complete", tables=_TABLE)
    ]
    blocks: Annotated[
        str | None, Says("blocks of the subject, each once", "", "none is named", "the manifest", "blocks", _TABLE)
    ]
    dates: Annotated[
        str | None, Says("dates of the subject, each once", "", "none is named", "the manifest", "dates", _TABLE)
    ]
    remarks: Annotated[
        str | None,
        Says(
            "slides that are not in the sum, or not whole; slides with the same content; several dates in one sum", "",
            "there is nothing to say", column="remarks", tables=_TABLE,
        ),
    ]  # fmt: skip
