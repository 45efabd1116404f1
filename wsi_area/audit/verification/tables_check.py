"""audit: the tables of a run made again from its slides' documents, and held against the files cell by cell."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from wsi_area.audit.verification.disagreement import Disagreement
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import Table
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.csv_text import text_of_csv
from wsi_area.results.layout import RunLayout
from wsi_area.results.tables.object_tables import OBJECTS_TABLE, read_objects, slide_objects
from wsi_area.results.tables.reading import ReadTable, read_csv, read_parquet, read_workbook
from wsi_area.results.tables.region_tables import with_regions
from wsi_area.results.tables.run_tables import TABLE_FILES, RunTable, run_tables, table_files
from wsi_area.results.tables.workbook.file import workbook
from wsi_area.results.tables.workbook.sheets import WORKBOOK, sheets_of
from wsi_area.results.uncertainty.reference_scores import reference_scores, with_reference
from wsi_area.storage.place import Place
from wsi_area.version import __version__

MOST_TOLD = 20
"""Cells named of one file; a table made of something else would name all of them."""
_OF_PEOPLE = {"review"}
"""Sheets that may be there and cannot be made again: the events that they are made of are held for themselves."""
_OF_A_DOCUMENT_THAT_FAILED = frozenset({"wsi_area_version", "config_hash"})
"""What the table of a slide that failed has from where nobody can look it up any more."""


@frozen_value
class _Known:
    """What the tables are held against."""

    slides: Sequence[EndedSlide]  # in the order of the run; as far as known
    unknown: Collection[str]  # slides whose documents cannot be read or believed: their rows cannot be made again
    same_version: bool  # another version may have other columns


def table_faults(
    layout: RunLayout,
    run: RunRecord,
    slides: Sequence[EndedSlide],
    unknown: Collection[str],
    review: RunTable | None = None,
) -> Iterator[Disagreement]:
    """Yield what in the tables of a run is not what its documents make.

    Parameters
    ----------
    layout, run
        Where it lies, and what ran.
    slides : sequence of EndedSlide
        What the tables are to say, slide by slide, in the order of the run.
    unknown : collection of str
        Slides of which nobody knows that.
    review : RunTable or None
        What the sheet of the review is to say; None: nobody knows.
    """
    known = _Known(slides, unknown, run.seal is not None and run.wsi_area_version == __version__)
    try:
        shown = with_reference(slides, reference_scores(layout))
        tables = with_regions(run_tables(shown, run), layout, shown)
    except ResultError as error:
        yield Disagreement("", "regions", str(error))
        return
    files = table_files(tables)
    if known.same_version:  # an end of a run takes away the tables that it has no more
        for name in TABLE_FILES:
            if name not in files and (layout.root / name).exists():
                yield Disagreement("", name, "this run has no such table: it is of another one; take it away")
    for name, wanted in files.items():
        read = _one_csv if name.endswith(".csv") else _one_parquet
        yield from _most(_file_faults(layout.root / name, name, read, wanted, known))
    yield from _most(_workbook_faults(layout, run, tables if review is None else {**tables, "review": review}, known))
    ended = run.ended_slides
    measured = [name for name in run.slides_planned if name in ended and ended[name].status != "failed"]
    yield from _most(_objects_faults(layout, measured, unknown))


def _one_csv(content: bytes, name: str) -> dict[str, ReadTable]:
    return {"": read_csv(content, name)}


def _one_parquet(content: bytes, name: str) -> dict[str, ReadTable]:
    return {"": read_parquet(content, name)}


def _most(faults: Iterator[Disagreement]) -> Iterator[Disagreement]:
    """Yield the first faults of a file, and how many more there are."""
    found = list(faults)
    yield from found[:MOST_TOLD]
    if len(found) > MOST_TOLD:
        yield Disagreement("", found[0].what, f"{len(found) - MOST_TOLD} more of its cells are not what they should be")


def _workbook_faults(
    layout: RunLayout, run: RunRecord, tables: Mapping[Table, RunTable], known: _Known
) -> Iterator[Disagreement]:
    if not (layout.root / WORKBOOK).is_file() and run.seal is None:
        return  # versions without it, and some with, sealed nothing
    wanted = workbook(sheets_of(tables, run.seal or ""))
    yield from _file_faults(layout.root / WORKBOOK, WORKBOOK, read_workbook, wanted, known, sealed=run.seal is not None)


def _file_faults(
    place: Place,
    name: str,
    read: Callable[[bytes, str], Mapping[str, ReadTable]],
    wanted: bytes,
    known: _Known,
    *,
    sealed: bool = True,
) -> Iterator[Disagreement]:
    """Yield what in a file of tables is not what it should be, sheet by sheet; a CSV has one without a name."""
    try:
        found = read(place.read_bytes(), name)
    except FileNotFoundError:
        yield Disagreement("", name, "it is not there; run the same command again")
        return
    except (ResultError, OSError) as error:
        yield Disagreement("", name, str(error))
        return
    for sheet, table in read(wanted, name).items():
        if sheet in found:
            yield from _table_faults(name, f"sheet {sheet}, " if sheet else "", found[sheet], table, known)
        elif sealed:
            yield Disagreement("", name, f"its sheet {sheet} is not there")
    for sheet in found.keys() - read(wanted, name).keys() - _OF_PEOPLE:
        yield Disagreement("", name, f"its sheet {sheet} is none of ours")


def _table_faults(name: str, sheet: str, found: ReadTable, wanted: ReadTable, known: _Known) -> Iterator[Disagreement]:
    if known.same_version and not known.unknown and found.columns != wanted.columns:
        odd = [*(set(found.columns) ^ set(wanted.columns))] or ["their order"]
        yield Disagreement("", name, f"{sheet}its columns are not those of the run: {', '.join(sorted(odd))}")
    columns = [column for column in wanted.columns if column in found.columns]
    if "subject" in columns and known.unknown:
        return  # of a subject whose slide nobody knows the sum cannot be made again
    if "slide_id" not in columns:
        yield from _row_faults(name, sheet, columns, list(enumerate(found.rows, 2)), wanted.rows, "", frozenset())
        return
    bare = {slide.slide_id for slide in known.slides if type(slide) is EndedSlide}
    rows_of = _by_slide(found.rows)
    wanted_of = _by_slide(wanted.rows)
    for slide_id in dict.fromkeys([*wanted_of, *rows_of]):
        rows, due = rows_of.get(slide_id, []), [row for _, row in wanted_of.get(slide_id, [])]
        if slide_id in known.unknown:
            continue
        if len(rows) != len(due):
            yield _wrong_number(name, sheet, slide_id, rows, len(due), known)
            continue
        odd_ones = _OF_A_DOCUMENT_THAT_FAILED if slide_id in bare else frozenset()
        yield from _row_faults(name, sheet, columns, rows, due, slide_id, odd_ones)
    if list(rows_of) != [slide for slide in rows_of if slide in wanted_of or slide in known.unknown]:
        return
    in_both = [slide for slide in wanted_of if slide in rows_of]
    if in_both != [slide for slide in rows_of if slide in wanted_of]:
        yield Disagreement("", name, f"{sheet}its slides do not stand in the order of the run")


_Rows = list[tuple[int, Mapping[str, Any]]]


def _by_slide(rows: Sequence[Mapping[str, Any]]) -> dict[str, _Rows]:
    """Return the rows of each slide with their numbers; the heading is row 1."""
    found: dict[str, _Rows] = {}
    for number, row in enumerate(rows, 2):
        found.setdefault(text_of_csv(str(row.get("slide_id", ""))), []).append((number, row))
    return found


def _wrong_number(name: str, sheet: str, slide_id: str, rows: _Rows, due: int, known: _Known) -> Disagreement:
    if not rows:
        return Disagreement(slide_id, name, f"{sheet}it has no row of this slide, the documents make {due}")
    at = ", ".join(str(number) for number, _ in rows[:5])
    told = f"{sheet}it has {len(rows)} rows of this slide (row {at}), the documents make {due}"
    if slide_id in {slide.slide_id for slide in known.slides}:
        return Disagreement(slide_id, name, told)
    return Disagreement("", name, f"{told}: {slide_id!r} is no slide of the run")


def _row_faults(
    name: str,
    sheet: str,
    columns: Sequence[str],
    rows: _Rows,
    due: Sequence[Mapping[str, Any]],
    slide_id: str,
    odd_ones: Collection[str],
) -> Iterator[Disagreement]:
    for (number, row), wanted in zip(rows, due, strict=False):
        if beyond := row.get(""):
            yield Disagreement(slide_id, name, f"{sheet}row {number} has cells beyond its columns: {beyond!r}")
        for column in columns:
            found, value = row.get(column), wanted.get(column)
            if column not in odd_ones and not _same(found, value):
                told = f"{column} is {_shown(found)} in {sheet}row {number}, the documents give {_shown(value)}"
                yield Disagreement(slide_id, name, told)
    if len(rows) != len(due):
        yield Disagreement(slide_id, name, f"{sheet}it has {len(rows)} rows, {len(due)} are due")


def _shown(value: Any) -> str:
    return "empty" if value is None else repr(value)[:200]


def _same(found: Any, wanted: Any) -> bool:
    """Return True if two cells say the same: numbers to the last digit, texts to the last letter."""
    if found == wanted and isinstance(found, bool) == isinstance(wanted, bool):
        return True
    if isinstance(found, str) and isinstance(wanted, str):
        return text_of_csv(found) == text_of_csv(wanted) or _number(found) == _number(wanted) is not None
    return False


def _number(text: str) -> float | None:
    """Return the number that a cell of a CSV is; None for text."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _objects_faults(layout: RunLayout, slide_ids: Sequence[str], unknown: Collection[str]) -> Iterator[Disagreement]:
    """Yield what in the run's table of objects is not what its slides' tables have, one after the other."""
    place = layout.root / OBJECTS_TABLE
    try:
        due = dict(slide_objects(layout, slide_ids))
        found = read_objects(place) if place.is_file() else None
    except ResultError as error:
        yield Disagreement("", OBJECTS_TABLE, str(error))
        return
    if found is None or not due:
        if (found is None) != (not due):
            told = "is not there, though its slides have tables" if found is None else "is of no slide of the run"
            yield Disagreement("", OBJECTS_TABLE, f"it {told}")
        return
    start = 0
    for slide_id, table in due.items():
        part = found.slice(start, table.num_rows)
        if slide_id not in unknown and not part.equals(table):
            yield from _first_difference(slide_id, start, part.to_pylist(), table.to_pylist())
            return
        start += table.num_rows
    if start != found.num_rows:
        yield Disagreement("", OBJECTS_TABLE, f"it has {found.num_rows} rows, the tables of its slides have {start}")


def _first_difference(
    slide_id: str, start: int, found: Sequence[Mapping[str, Any]], due: Sequence[Mapping[str, Any]]
) -> Iterator[Disagreement]:
    """Yield the first row that is not that of a slide's table; all that follows may only be shifted."""
    for number, (row, wanted) in enumerate(zip(found, due, strict=False), start + 1):
        for column in wanted:
            if row.get(column) != wanted[column]:
                told = f"row {number}: {column} is {row.get(column)!r}, the slide's own table has {wanted[column]!r}"
                yield Disagreement(slide_id, OBJECTS_TABLE, told)
                return
    yield Disagreement(slide_id, OBJECTS_TABLE, f"it ends after row {start + len(found)}, or has other columns")
