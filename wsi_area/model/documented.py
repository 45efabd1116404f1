"""model: how a value that is written as JSON is made of fields that say what they mean.

With its meaning goes the unit, when it is empty, and where it comes from. A field is
``name: Annotated[type, Says(...)]``. From these words derive the JSON Schema of the document, the columns of the tables
with their types, the workbook and the data dictionary; nothing of them is written a second time.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

from wsi_area.frozen_value import frozen_value
from wsi_area.plain_text import plain_values

SCHEMA_VERSION = 2
"""Of result.json and run.json. Raised, once a release, when a field comes, goes or changes its meaning: a reader knows
the fields of its own version and of all before it, and refuses a document of a later one."""

NEVER = "never"

Table = Literal[
    "summary", "areas", "flags", "failed", "objects", "subjects", "ratios", "regions", "bands", "hotspots",
    "budget", "review",
]  # fmt: skip


@frozen_value
class Says:
    """What a field means, and the column in which tables have it; a field may say several, the first for the schema.

    Parameters
    ----------
    meaning : str
        In words, for people.
    unit : str
        "" for text, flags and plain numbers.
    empty : str
        Where the value is not known; it is then null in the document, and an empty cell in a table.
    source : str
        Where the value comes from; "" leaves it to the part that the field is of.
    column : str
        Its name in a table; "" for a field that no table has. ``<class>`` stands for each class of a run,
        ``<signal>`` for each signal that its segmenter integrates.
    tables : tuple of str
        The tables that have the column.
    formerly : str
        The name that the column had in an earlier version; "" where it had none.
    """

    meaning: str
    unit: str = ""
    empty: str = NEVER
    source: str = ""
    column: str = ""
    tables: tuple[Table, ...] = ("summary",)
    formerly: str = ""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Return the JSON Schema of the field with these words; the first of several stands."""
        schema: dict[str, Any] = dict(handler(core_schema))
        words = {"description": self.meaning, "x-unit": self.unit, "x-from": self.source}
        if self.empty != NEVER:
            words["x-empty"] = self.empty
        return schema | {name: text for name, text in words.items() if text}


PLAIN = "plain"
"""The context in which a document is validated whose texts were made plain all at once, and not part by part."""


class Part(BaseModel):
    """A frozen value of a document: no key too many, none too few, no infinity and no NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True, validate_by_name=True,
        serialize_by_alias=True, json_schema_serialization_defaults_required=True,
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _can_be_written(cls, told: object, asked: ValidationInfo) -> object:
        """Return the value with texts that can be written: a path may hold bytes that are no UTF-8."""
        if asked.context is PLAIN or not isinstance(told, dict):
            return told
        return {name: plain_values(value) for name, value in told.items()}

    comes_from: ClassVar[str] = ""
    """Where the values of its fields come from, where a field says nothing else."""


CLOSED: dict[str, object] = {"extra": "forbid", "json_schema_serialization_defaults_required": True}
"""The ``__pydantic_config__`` of a dataclass that is a part of a document."""


def not_there(value: object) -> bool:
    """Return the answer to "is this key left out of the document?": it is where the value is None."""
    return value is None


def without_version(document: object) -> object:
    """Return a document without its schema version, which is no part of the value."""
    if not isinstance(document, dict):
        return document
    return {name: value for name, value in document.items() if name != "schema_version"}


@frozen_value
class Limits:
    """What a plain value of a document must keep, by the names that pydantic's core has for it.

    A ``Field(ge=0)`` says the same, and is looked at, copied and sorted for each field that has it: a fifth of what the
    documents of a run take to be built.
    """

    kept: tuple[tuple[str, object], ...]

    @classmethod
    def of(cls, **kept: object) -> "Limits":
        """Return limits by name, such as ``ge=0``; types that differ in them alone have each a hash."""
        return cls(tuple(kept.items()))

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return the schema of the plain type with these limits."""
        return {**handler(source), **dict(self.kept)}


Whole = Annotated[int, Limits.of(strict=True)]
Count = Annotated[int, Limits.of(ge=0, strict=True)]
Number = Annotated[float, Limits.of(strict=True)]
Area = Annotated[float, Limits.of(ge=0, strict=True)]
Seconds = Area
Length = Annotated[float, Limits.of(gt=0, strict=True)]
Share = Annotated[float, Limits.of(ge=0, le=1, strict=True)]
Flag = Annotated[bool, Limits.of(strict=True)]
Name = Annotated[str, Limits.of(min_length=1)]
Hash = Annotated[str, Limits.of(pattern="^[0-9a-f]{64}$")]
ClassName = Annotated[str, Limits.of(pattern="^[a-z0-9_]+$")]
ClassId = Annotated[int, Limits.of(ge=0, le=252, strict=True)]
Byte = Annotated[int, Limits.of(ge=0, le=255, strict=True)]
