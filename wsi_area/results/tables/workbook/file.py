"""results: an Excel workbook, typed, so that no country's separator or date can touch its cells."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.plain_text import plain
from wsi_area.results.tables.workbook.looks import (
    COLOURED,
    HEADING,
    TEXT,
    number_format,
    pages_across,
    styles,
    width_of,
    word_format,
)


@frozen_value
class Sheet:
    """One table of the workbook."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    looks: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # unit and kind of a column; else as it is


MOST_ROWS = 1_048_575
"""A sheet holds 2**20 rows (ECMA-376), the heading among them."""
MOST_CHARACTERS = 32_767
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""As `html.escape` has it, which would load all named characters of HTML for three: a millisecond of each run."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, production 2

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """Return an Excel workbook (ECMA-376) of some sheets; the same sheets make the same bytes.

    Text is text, whatever it looks like: ``007`` keeps its zeros, ``1e5`` is no number and ``=A1`` no formula. What is
    None has no cell. A table too long for a sheet is left out. The heading and the first column stay in sight, and each
    sheet can be filtered.
    """
    fitting = [sheet for sheet in sheets if len(sheet.rows) <= MOST_ROWS]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in _parts(fitting):
            add_part(package, name, content)
        for number, sheet in enumerate(fitting, 1):
            add_part(package, f"xl/worksheets/sheet{number}.xml", sheet_xml(sheet))
    return file.getvalue()


def add_part(package: zipfile.ZipFile, name: str, content: str) -> None:
    """Add a part to a workbook, from its XML without the declaration."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # the least that ZIP knows; not the clock
    entry.compress_type = zipfile.ZIP_DEFLATED
    package.writestr(entry, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{content}'.encode())


def _parts(sheets: Sequence[Sheet]) -> Iterator[tuple[str, str]]:
    """Yield what every workbook has besides its sheets."""
    numbers = range(1, len(sheets) + 1)
    kinds = {"workbook.xml": "sheet.main", "styles.xml": "styles"}
    kinds |= {f"worksheets/sheet{n}.xml": "worksheet" for n in numbers}
    listed = "".join(
        f'<Override PartName="/xl/{part}" ContentType="{KIND}.{kind}+xml"/>' for part, kind in kinds.items()
    )
    defaults = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    yield "[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types">{defaults}{listed}</Types>'
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    targets = [*(("worksheet", f"worksheets/sheet{n}.xml") for n in numbers), ("styles", "styles.xml")]
    yield "xl/_rels/workbook.xml.rels", _relations(targets)
    listed = "".join(
        f'<sheet name="{_in_quotes(sheet.name)}" sheetId="{n}" r:id="r{n}"/>'
        for n, sheet in zip(numbers, sheets, strict=True)
    )
    listed_names = "".join(names_of(sheet, n) for n, sheet in enumerate(sheets) if sheet.columns)
    names = f"<definedNames>{listed_names}</definedNames>" if listed_names else ""
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets>{names}</workbook>',
    )
    yield "xl/styles.xml", styles()


def names_of(sheet: Sheet, place: int) -> str:
    """Return the names that belong to a sheet, by its place among all: its filter, and what each printed page repeats.

    A filter has a hidden name: Excel writes one, and some programs look for it.
    """
    printed = f"{_quoted(sheet)}!$A:$A,{_quoted(sheet)}!$1:$1"
    return "".join(
        f'<definedName name="_xlnm.{name}" localSheetId="{place}"{hidden}>{what.translate(_ENTITIES)}</definedName>'
        for name, hidden, what in (
            ("_FilterDatabase", ' hidden="1"', range_of(sheet)),
            ("Print_Titles", "", printed),
        )
    )


def _quoted(sheet: Sheet) -> str:
    name = sheet.name.replace("'", "''")
    return f"'{name}'"


def range_of(sheet: Sheet) -> str:
    """Return the place of a whole table, with its sheet."""
    return f"{_quoted(sheet)}!$A$1:${_letters(len(sheet.columns) - 1)}${len(sheet.rows) + 1}"


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def sheet_xml(sheet: Sheet) -> str:
    """Return the part of a sheet, without the declaration of XML."""
    return "".join(_sheet(sheet))


def _sheet(sheet: Sheet) -> Iterator[str]:
    columns, rows = sheet.columns, sheet.rows
    widths_chars = [width_of(name, rows) for name in columns]
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(widths_chars, 1)
    )
    yield (
        f'<worksheet xmlns="{_MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        '<sheetViews><sheetView workbookViewId="0"><pane xSplit="1" ySplit="1" topLeftCell="B2" '
        'activePane="bottomRight" state="frozen"/></sheetView></sheetViews>'
        f'<cols>{widths}</cols><sheetData><row r="1">'
    )
    letters = [_letters(n) for n in range(len(columns))]
    yield from (_text(f"{letter}1", name, HEADING) for letter, name in zip(letters, columns, strict=True))
    yield "</row>"
    numbers = [number_format(*sheet.looks.get(name, ("", ""))) for name in columns]
    looks = list(zip(letters, columns, numbers, strict=True))
    for number, row in enumerate(rows, 2):
        yield f'<row r="{number}">'
        for letter, name, style in looks:
            value = row.get(name)
            if value is not None:
                yield _cell(f"{letter}{number}", name, value, style)
        yield "</row>"
    yield "</sheetData>"
    if columns:
        yield f'<autoFilter ref="A1:{letters[-1]}{len(rows) + 1}"/>'
    yield (
        '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.25" footer="0.25"/>'
        f'<pageSetup paperSize="9" fitToWidth="{pages_across(widths_chars)}" fitToHeight="0" pageOrder="overThenDown" '
        'orientation="landscape"/><headerFooter><oddFooter>&amp;L&amp;F&amp;C&amp;A&amp;R&amp;P / &amp;N</oddFooter>'
        "</headerFooter></worksheet>"
    )


def _cell(place: str, name: str, value: Any, style: int) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        shown = f' s="{style}"' if style else ""
        return f'<c r="{place}"{shown}><v>{value!r}</v></c>'
    return _text(place, str(value), word_format(str(value)) if name in COLOURED else TEXT)


def _text(place: str, value: str, style: int) -> str:
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_as_xml(value)}</t></is></c>'


@lru_cache(maxsize=1024)  # a table says the same in many of its rows
def _as_xml(text: str) -> str:
    """Return a text as it stands in XML, with a space for what XML 1.0 cannot hold."""
    return _NOT_IN_XML.sub(" ", plain(text)[:MOST_CHARACTERS]).translate(_ENTITIES)


def _in_quotes(text: str) -> str:
    """Return a text as it stands in XML between double quotes."""
    return text.translate(_ENTITIES).replace('"', "&quot;")


def _letters(number: int) -> str:
    """Return the name of a column, counted from 0.

    >>> _letters(0), _letters(25), _letters(26), _letters(701), _letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    rest, place = divmod(number, 26)
    return (_letters(rest - 1) if rest else "") + chr(ord("A") + place)
