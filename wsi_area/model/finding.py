"""model: one thing that quality assurance should know about a slide."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import CLOSED, Name, Number, Says, Table, Whole
from wsi_area.plain_text import plain

Severity = Literal["info", "warning", "refusal"]
"""``refusal`` withholds the mm²; ``warning`` asks a person to look; ``info`` is on record."""

Code = Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]*$")]
"""A word in capitals, e.g. MPP_CONFLICT."""

SLIDE_ID = "the slide's name in the run: its file name without suffix, or from the manifest"
"""What slide_id means, wherever it stands."""
_FLAGS: tuple[Table, ...] = ("flags",)


@frozen_value
class QaFinding:
    """A reason code with its numbers, its sentence and its remedy."""

    __pydantic_config__: ClassVar = CLOSED

    slide_id: Annotated[Name, Says(SLIDE_ID, column="slide_id", tables=_FLAGS)]
    code: Annotated[
        Code,
        Says("what was noticed, as a word that stays the same from version to version", column="code", tables=_FLAGS),
    ]
    severity: Annotated[
        Severity,
        Says("info: on record; warning: look at it; refusal: mm² are withheld", column="severity", tables=_FLAGS),
    ]
    measured: Annotated[
        Whole | Number | None,
        Says("the number found", "see unit", "the finding has no number", column="measured", tables=_FLAGS),
    ]
    limit: Annotated[
        Whole | Number | None,
        Says("the number it was held against", "see unit", "there is no limit", column="limit", tables=_FLAGS),
    ]
    unit: Annotated[str, Says("of measured and limit", empty="they have none", column="unit", tables=_FLAGS)]
    message: Annotated[Name, Says("what was found, as a sentence", column="message", tables=_FLAGS)]
    remedy: Annotated[str, Says("what to do about it", empty="nothing needs doing", column="remedy", tables=_FLAGS)] = (
        ""
    )

    def __post_init__(self) -> None:
        """Escape what cannot be written or shown: a message names files."""
        object.__setattr__(self, "message", plain(self.message))
        object.__setattr__(self, "remedy", plain(self.remedy))
