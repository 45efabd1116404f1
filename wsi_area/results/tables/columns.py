"""results: the columns of the tables, found on the fields of the result with all that these say of themselves."""

import re
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import Part, Says, Table
from wsi_area.model.finding import QaFinding
from wsi_area.model.record.budget.slide_budgets import BudgetLine
from wsi_area.model.record.slide_areas import ClassOnRecord
from wsi_area.model.record.slide_bands import Band
from wsi_area.model.record.slide_foci import Focus
from wsi_area.model.record.slide_hotspots import HotSpot
from wsi_area.model.record.slide_ratios import RatioOnRecord
from wsi_area.model.record.slide_regions import ClassInRegion, RegionOnRecord
from wsi_area.model.record.subjects import SubjectTotal
from wsi_area.model.slide_result import CountedSlide, UncountedSlide

Kind = Literal["text", "integer", "number", "flag"]
CLASS, SIGNAL = "<class>", "<signal>"

_FIRST: dict[Table, tuple[str, ...]] = {
    "summary": (
        "slide_id", "status", "reason", "tumor_area_mm2", "tumor_area_u_mm2", "tumor_area_ci95_low_mm2",
        "tumor_area_ci95_high_mm2", "tumor_pct_tissue", "tissue_area_mm2", "analyzed_area_mm2", "unread_area_mm2",
        "total_area_mm2", "mpp_x_um", "mpp_y_um", "mpp_source", "mpp_quality", "mpp_note", "work_mpp_um",
        "asked_work_mpp_um", "objective_power", "vendor", "width_px", "height_px", "n_px_total", "n_px_unscanned",
        "n_px_outside_roi", "n_px_unreadable", "n_px_background", "n_px_excluded", "n_px_tissue", "n_px_tumor",
        "class_<class>_area_mm2", "n_px_class_<class>", "tumor_area_filled_mm2", "foci_count", "largest_focus_mm2",
        "largest_extent_mm", "annotations", "roi", "mean_<signal>", "threshold", "threshold_method",
        "skipped_tissue_px_upper_bound", "reader", "flags", "path", "sha_sample", "config_hash", "wsi_area_version",
    ),
    "areas": (
        "slide_id", "class_id", "class_name", "is_tissue", "is_tumor", "n_px", "area_mm2", "area_u_mm2",
        "ci95_low_mm2", "ci95_high_mm2", "pct_tissue", "mean_<signal>", "status",
    ),
    "budget": ("slide_id", "kind", "area", "term", "u_mm2", "share", "source"),
    "hotspots": (
        "slide_id", "rank", "center_x_px", "center_y_px", "window_mm2", "tissue_mm2", "positive_mm2", "positive_pct",
        "times_mean",
    ),
    "objects": ("slide_id", "object_id", "set", "area_px", "area_mm2", "filled_px", "filled_area_mm2"),
    "regions": (
        "slide_id", "region_id", "region_name", "region_class", "parent_id", "status", "n_px", "area_mm2",
        "outline_area_mm2", "pct_tissue", "class_<class>_area_mm2",
    ),
}  # fmt: skip
"""The order that version 0.1.0 gave its columns, which stays; columns that have come since follow, field by field."""


_OF_ROWS = (ClassOnRecord, RatioOnRecord, Focus, RegionOnRecord, ClassInRegion, Band, HotSpot)
"""Values of which a document holds several, each of them a row of a table or a group of cells in it."""

_ROW_OF_ITS_OWN: dict[Table, type] = {
    "flags": QaFinding,
    "subjects": SubjectTotal,
    "budget": BudgetLine,
}
"""Tables whose rows are values of their own, and not a slide or a part of one."""


Reach = Callable[[Any, Any], Any]


@frozen_value
class Column:
    """One column of a table; ``<class>`` in its name stands for each class of the run, ``<signal>`` for each signal."""

    name: str
    unit: str  # "" for text, flags and plain numbers
    kind: Kind
    meaning: str
    empty: str  # where it is empty
    source: str  # where in the document the value stands, and where it comes from
    value: Reach  # the value, from the slide, and the class or focus or finding that the row is of
    formerly: str = ""  # its name in an earlier version


@cache
def columns_of(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table, in their order.

    >>> [column.name for column in columns_of("failed")]
    ['slide_id', 'status', 'reason', 'path']
    """
    found: dict[str, Column] = {}
    row = _ROW_OF_ITS_OWN.get(table)
    if table == "review":
        from wsi_area.model.review.verdict import SlideVerdict

        row = SlideVerdict
    for root in (CountedSlide, UncountedSlide) if row is None else (row,):
        for says, bare, path, reach in _said_in(root, _slide if row is None else _item):
            if says.column and table in says.tables:
                source = ": ".join(text for text in (f"`{path}`" if path else "", says.source) if text)
                column = Column(
                    says.column, says.unit, _kind_of(bare), says.meaning, says.empty, source, reach, says.formerly
                )
                found.setdefault(column.name, column)
    first = _FIRST.get(table, ())
    return tuple(found[name] for name in (*first, *(name for name in found if name not in first)))


@cache
def unit_of(table: Table, name: str) -> str:
    """Return the unit of a column of a run, whose name may be that of one class or signal; "" where none is known.

    >>> unit_of("summary", "class_stroma_area_mm2"), unit_of("summary", "n_px_class_stroma")
    ('mm²', 'level-0 px')
    """
    units = {column.name: column.unit for column in columns_of(table)}
    if name in units:
        return units[name]
    for of_each, unit in units.items():
        if of_each != (pattern := re.sub(f"{CLASS}|{SIGNAL}", ".+", of_each)) and re.fullmatch(pattern, name):
            return unit
    return ""


def _slide(slide: Any, item: Any) -> Any:
    return slide


def _item(slide: Any, item: Any) -> Any:
    return item


@cache  # several tables have their columns of the same documents
def _said_in(root: type, reach: Reach) -> tuple[tuple[Says, Any, str, Reach], ...]:
    return tuple(_said_of(root, "", reach))


def _said_of(kind: type, path: str, reach: Reach) -> Iterator[tuple[Says, Any, str, Reach]]:
    """Yield what each field and property of a value, and of the values in it, says of itself, and how it is reached."""
    comes_from: str = getattr(kind, "comes_from", "")
    for name, bare, said in _fields(kind):
        place, further = f"{path}{name.rstrip('_')}", _attribute(reach, name)
        for says in said:
            yield says if says.source or not comes_from else replace(says, source=comes_from), bare, place, further
        for inner, is_row in _values_in(bare):
            yield from _said_of(inner, f"{place}.", _item if is_row else further)
    for name, function, is_of_row in _derived(kind):
        bare, said = _parted(function.__annotations__["return"])
        further = _call(reach, name) if is_of_row else _attribute(reach, name)
        yield from ((says, bare, "", further) for says in said)


def _fields(kind: type) -> Iterator[tuple[str, Any, tuple[Says, ...]]]:
    """Yield each field of a value, its type without None, and what is said of it.

    A part of a document knows its fields, so that no type hint need be made out a second time.
    """
    if issubclass(kind, Part):
        for name, field in kind.model_fields.items():
            bare, _ = _parted(field.annotation)
            yield name, bare, tuple(note for note in field.metadata if isinstance(note, Says))
        return
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        yield (name, *_parted(hint))


def _attribute(reach: Reach, name: str) -> Reach:
    """Return the way to an attribute; it ends in None where there is nothing on the way, or no such attribute."""
    if reach is _item:  # most cells are one step away
        return lambda slide, item: getattr(item, name, None)
    if reach is _slide:
        return lambda slide, item: getattr(slide, name, None)
    return lambda slide, item: getattr(reach(slide, item), name, None)


def _call(reach: Reach, name: str) -> Reach:
    """Return the way to a method of one item; it ends in None where there is nothing on the way."""
    return lambda slide, item: None if (of := reach(slide, item)) is None else getattr(of, name)(item)


def _derived(kind: type) -> Iterator[tuple[str, Callable[..., Any], bool]]:
    """Yield the properties of a value, and its methods of one class, whose return types say something."""
    for name, attribute in vars(kind).items():
        function = attribute.fget if isinstance(attribute, property) else attribute
        if isinstance(function, types.FunctionType) and get_origin(function.__annotations__.get("return")) is Annotated:
            yield name, function, function is attribute


def _parted(hint: Any) -> tuple[Any, tuple[Says, ...]]:
    """Return a type without what is said of it and without None, and what is said of it."""
    said: tuple[Says, ...] = ()
    if get_origin(hint) is Annotated:
        bare, *notes = get_args(hint)
        hint, said = bare, tuple(note for note in notes if isinstance(note, Says))
    if get_origin(hint) in (Union, types.UnionType):
        inner = [_parted(arm)[0] for arm in get_args(hint) if arm is not type(None)]
        hint = inner[0] if len(inner) == 1 else Union[tuple(inner)]  # noqa: UP007  (made at run time)
    return hint, said


def _values_in(bare: Any) -> Iterator[tuple[type, bool]]:
    """Yield the values that a type holds, and whether a table has a row for each of them."""
    arms = get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (bare,)
    for arm in arms:
        if isinstance(arm, type) and issubclass(arm, Part):
            yield arm, False
        elif get_origin(arm) is tuple:
            yield from ((inner, True) for inner in get_args(arm) if inner in _OF_ROWS)


def _kind_of(bare: Any) -> Kind:
    kinds: dict[Any, Kind] = {bool: "flag", int: "integer", float: "number"}
    return kinds.get(bare, "text")
