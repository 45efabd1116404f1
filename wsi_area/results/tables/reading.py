"""results: the tables of a run read back from their files, whatever somebody has made of these since."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MOST_BYTES = 1 << 30  # unpacked; a table of 100 000 slides has less
_BROKEN = (OSError, ValueError, LookupError, ParseError, DefusedXmlException, zipfile.BadZipFile, NotImplementedError)


@frozen_value
class ReadTable:
    """What a file has of a table: its columns, and its rows with a cell for each column that is not empty."""

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]


def read_csv(content: bytes, name: str) -> ReadTable:
    """Return a table from a CSV, its cells as text; what lies beyond its columns is under ``""``.

    Raises
    ------
    ResultError
        If it is no CSV in UTF-8; ``name`` says which.
    """
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (csv.Error, ValueError) as error:
        raise ResultError(f"{name} cannot be read as CSV ({error})") from error
    columns = tuple(lines[0]) if lines else ()
    return ReadTable(columns, [_cells(columns, line) for line in lines[1:]])


def read_parquet(content: bytes, name: str) -> ReadTable:
    """Return a table from a Parquet file, its cells typed; for errors as `read_csv`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
        rows = [{key: cell for key, cell in row.items() if cell is not None} for row in table.to_pylist()]
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ResultError(f"{name} cannot be read as Parquet ({error})") from error
    return ReadTable(tuple(table.column_names), rows)


def read_workbook(content: bytes, name: str) -> dict[str, ReadTable]:
    """Return the tables of a workbook by the names of their sheets, cells typed; for errors as `read_csv`.

    One that a spreadsheet program has written again is read too.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            if sum(entry.file_size for entry in package.infolist()) > _MOST_BYTES:
                raise ValueError("it unpacks to more than any table of ours")
            names, shared = set(package.namelist()), []
            if "xl/sharedStrings.xml" in names:
                shared = [_text_in(item) for item in fromstring(package.read("xl/sharedStrings.xml"))]
            found = fromstring(package.read("xl/_rels/workbook.xml.rels"))
            target_of = {relation.get("Id"): str(relation.get("Target")) for relation in found}
            sheets = {}
            for sheet in fromstring(package.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
                part = "xl/" + target_of[sheet.get(_ID)].removeprefix("/xl/")
                sheets[str(sheet.get("name"))] = _sheet(fromstring(package.read(part)), shared)
            return sheets
    except _BROKEN as error:
        raise ResultError(f"{name} cannot be read as a workbook ({error})") from error


def _cells(columns: Sequence[str], line: Sequence[Any]) -> dict[str, Any]:
    """Return the cells of a line by column, without empty ones; what has no column is under ``""``."""
    found = {name: cell for name, cell in zip(columns, line, strict=False) if cell not in ("", None)}
    beyond = [cell for cell in line[len(columns) :] if cell not in ("", None)]
    return {**found, "": beyond} if beyond else found


def _sheet(sheet: Element, shared: Sequence[str]) -> ReadTable:
    lines = list(_lines(sheet, shared))
    columns = tuple(str(cell) for cell in lines[0]) if lines else ()
    return ReadTable(columns, [_cells(columns, line) for line in lines[1:]])


def _lines(sheet: Element, shared: Sequence[str]) -> Iterator[list[Any]]:
    """Yield the cells of each row of a sheet, None where there is none."""
    for row in sheet.iter(f"{_MAIN}row"):
        line: list[Any] = []
        for cell in row.iter(f"{_MAIN}c"):
            letters = "".join(c for c in cell.get("r", "") if c.isalpha())
            place = _number_of(letters) if letters else len(line)
            if place > 1 << 14:  # the most that a sheet has (ECMA-376)
                raise ValueError(f"it has a cell in the column {letters}")
            line += [None] * (place + 1 - len(line))
            line[place] = _value(cell, shared)
        yield line


def _value(cell: Element, shared: Sequence[str]) -> Any:
    kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v")
    if cell.find(f"{_MAIN}f") is not None:
        return f"={cell.findtext(f'{_MAIN}f')}"
    if kind == "inlineStr":
        return _text_in(cell)
    if value is None:
        return None
    if kind == "s":
        return shared[int(value)]
    if kind == "b":
        return value == "1"
    return float(value) if kind == "n" else value


def _text_in(element: Element) -> str:
    return "".join(part.text or "" for part in element.iter(f"{_MAIN}t"))


def _number_of(letters: str) -> int:
    """Return the column that is meant, counted from 0.

    >>> _number_of("A"), _number_of("ZZ"), _number_of("AAA")
    (0, 701, 702)
    """
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
