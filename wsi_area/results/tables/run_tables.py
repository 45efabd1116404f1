"""results: the tables of a run, made from its slides' results: summary, areas, flags, failed, subjects."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import Table
from wsi_area.model.record.budget.slide_budgets import BudgetLine
from wsi_area.model.record.slide_bands import Band
from wsi_area.model.record.slide_hotspots import HotSpot
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.csv_text import csv_bytes
from wsi_area.results.layout import RunLayout, write_bytes
from wsi_area.results.tables.columns import CLASS, SIGNAL, Kind, columns_of
from wsi_area.results.tables.parquet_file import Row, parquet_bytes
from wsi_area.storage.place import Place

IN_CSV: tuple[Table, ...] = ("summary", "flags", "failed", "ratios", "subjects", "regions")
IN_PARQUET: tuple[Table, ...] = ("summary", "areas", "ratios", "subjects", "regions", "bands", "hotspots", "budget")
TABLE_FILES = (*(f"{table}.csv" for table in IN_CSV), *(f"{table}.parquet" for table in IN_PARQUET))
"""Every file of tables that a run may have, but for the workbook."""


@frozen_value
class RunTable:
    """One table of a run: its columns with their types, and its rows."""

    columns: Mapping[str, Kind]
    rows: Sequence[Row]


def run_tables(slides: Sequence[EndedSlide], run: RunRecord) -> dict[Table, RunTable]:
    """Return the tables of a run by name, without those of objects; the summary has a row for each planned slide.

    There is one of subjects where the run knows who is on its slides.
    """
    lost = [slide for slide in slides if slide.status in {"failed", "incomplete"}]
    failed = [{c.name: c.value(slide, None) for c in columns_of("failed")} for slide in lost]
    tables: dict[Table, RunTable] = {
        "summary": RunTable(_columns("summary", slides), [summary_row(slide) for slide in slides]),
        "areas": RunTable(_columns("areas", slides), [row for slide in slides for row in area_rows(slide)]),
        "flags": RunTable(_kinds("flags"), [row for slide in slides for row in flag_rows(slide)]),
        "failed": RunTable(_kinds("failed"), failed),
    }
    ratios = [row for slide in slides for row in ratio_rows(slide)]
    if ratios:
        tables["ratios"] = RunTable(_kinds("ratios"), ratios)
    if run.known_cases:
        from wsi_area.compute.count.subject_totals import subject_totals

        totals = subject_totals(slides, run.known_cases, run.twins)
        rows = [{column.name: column.value(None, total) for column in columns_of("subjects")} for total in totals]
        tables["subjects"] = RunTable(_kinds("subjects"), rows)
    counted = [slide for slide in slides if isinstance(slide, CountedSlide)]
    if any(slide.bands is not None for slide in counted):
        bands = [r for s in counted if s.bands for r in item_rows("bands", s, s.bands.listed)]
        tables["bands"] = RunTable(item_columns("bands", counted), bands)
    if any(slide.hotspots is not None for slide in counted):
        spots = [r for s in counted if s.hotspots for r in item_rows("hotspots", s, s.hotspots.listed)]
        tables["hotspots"] = RunTable(item_columns("hotspots", counted), spots)
    if any(slide.budgets is not None for slide in counted):
        tables["budget"] = RunTable(_kinds("budget"), [row for slide in counted for row in budget_rows(slide)])
    return tables


def budget_rows(slide: CountedSlide) -> list[dict[str, Any]]:
    """Return the rows of the budgets of one slide: one for each area and each thing that may make it wrong."""
    listed = () if slide.budgets is None else slide.budgets.listed
    lines = [BudgetLine(slide_id=slide.slide_id, budget=budget, row=row) for budget in listed for row in budget.rows]
    return [{column.name: column.value(None, line) for column in columns_of("budget")} for line in lines]


def item_columns(table: Table, slides: Iterable[CountedSlide]) -> dict[str, Kind]:
    """Return the columns of the bands or the hot spots of slides; those of a signal where bands have one."""
    return _columns(table, [slide for slide in slides if slide.bands is not None and slide.bands.has_signal])


def item_rows(table: Table, slide: CountedSlide, items: Sequence[Band | HotSpot]) -> list[dict[str, Any]]:
    """Return the rows of the bands or the hot spots of a slide."""
    return [dict(_cells(table, slide, item)) for item in items]


def table_files(tables: Mapping[Table, RunTable]) -> dict[str, bytes]:
    """Return the content of each file that the tables are written to, but for the workbook, by its name."""
    return {
        **{f"{n}.csv": csv_bytes(list(tables[n].columns), tables[n].rows) for n in IN_CSV if n in tables},
        **{f"{n}.parquet": parquet_bytes(tables[n].columns, tables[n].rows) for n in IN_PARQUET if n in tables},
    }


def write_tables(layout: RunLayout, tables: Mapping[Table, RunTable]) -> dict[str, str]:
    """Return the SHA-256 of each file of tables, by its name; they are written, but for the workbook.

    A table that the run has no more is removed.
    """
    files = table_files(tables)
    for name in TABLE_FILES:
        if name not in files:
            (layout.root / name).unlink(missing_ok=True)
    return {name: _write(layout.root / name, content) for name, content in files.items()}


def _write(path: Place, content: bytes) -> str:
    """Return the SHA-256 of a file, written."""
    write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()


def names_of(table: Table) -> tuple[str, ...]:
    """Return the names of a table's columns, in their order."""
    return tuple(column.name for column in columns_of(table))


def _kinds(table: Table) -> dict[str, Kind]:
    return {column.name: column.kind for column in columns_of(table)}


def _columns(table: Table, slides: Sequence[EndedSlide]) -> dict[str, Kind]:
    """Return the columns of a table with their types: one for each class, and for each signal, of this run."""
    counted = [slide for slide in slides if isinstance(slide, CountedSlide)]
    classes = dict.fromkeys(c.name for slide in counted for c in slide.classes)
    return table_columns(
        table, classes, dict.fromkeys(slide.signal.name for slide in counted if slide.signal is not None)
    )


def table_columns(table: Table, classes: Iterable[str], signals: Iterable[str]) -> dict[str, Kind]:
    """Return the columns of a table with their types: one for each class, and for each signal."""
    of_run = {CLASS: list(classes), SIGNAL: list(signals)}
    found: dict[str, Kind] = {}
    for column in columns_of(table):
        names = [column.name]
        for mark, own in of_run.items():
            names = [n.replace(mark, name) for n in names for name in own] if mark in column.name else names
        found |= dict.fromkeys(names, column.kind)
    return found


def summary_row(slide: EndedSlide) -> dict[str, Any]:
    """Return the summary's row of one slide; what is not known is None, never 0."""
    return {name: _cell(value) for name, value in _cells("summary", slide, None)}


def _cells(table: Table, slide: EndedSlide, item: object) -> Iterator[tuple[str, Any]]:
    """Yield the cells of a row by the names of their columns; what the slide has none of has no cell."""
    classes, signal = (slide.classes, slide.signal) if isinstance(slide, CountedSlide) else ((), None)
    for column in columns_of(table):
        if CLASS in column.name:
            yield from ((column.name.replace(CLASS, c.name), column.value(slide, c)) for c in classes)
        elif SIGNAL not in column.name:
            yield column.name, column.value(slide, item)
        elif signal is not None:
            yield column.name.replace(SIGNAL, signal.name), column.value(slide, item)


def _cell(value: Any) -> Any:
    """Return a value as a cell of the summary: an empty text says nothing."""
    return None if value == "" else value


def area_rows(slide: EndedSlide) -> list[dict[str, Any]]:
    """Return the long table's rows of one slide: one for each class."""
    classes = slide.classes if isinstance(slide, CountedSlide) else ()
    return [dict(_cells("areas", slide, c)) for c in classes]


def ratio_rows(slide: EndedSlide) -> list[dict[str, Any]]:
    """Return the rows of the ratios of one slide."""
    ratios = slide.ratios if isinstance(slide, CountedSlide) else ()
    return [{column.name: column.value(slide, r) for column in columns_of("ratios")} for r in ratios]


def flag_rows(slide: EndedSlide) -> list[dict[str, Any]]:
    """Return the rows of what was noticed of one slide."""
    findings = slide.findings if isinstance(slide, CountedSlide) else ()
    return [{column.name: column.value(slide, f) for column in columns_of("flags")} for f in findings]
