"""results: the tables of a run as one Excel workbook, typed, so that no country's separator or date can touch them."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from wsi_area.plain_text import plain

Table = tuple[str, Sequence[str], Sequence[Mapping[str, Any]]]
"""The name of a sheet, its columns, its rows."""

MOST_ROWS = 1_048_575
"""A sheet holds 2**20 rows (ECMA-376), the heading among them."""
MOST_CHARACTERS = 32_767

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEADING, _TEXT = 1, 2  # formats of _STYLES: bold, and text that stays text when somebody edits it
_FONT = '<sz val="11"/><name val="Calibri"/>'
_PLAIN = 'numFmtId="0" fontId="0" fillId="0" borderId="0"'
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    f'<cellStyleXfs count="1"><xf {_PLAIN}/></cellStyleXfs><cellXfs count="3"><xf {_PLAIN} xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def workbook(tables: Sequence[Table]) -> bytes:
    """Return an Excel workbook (ECMA-376) with a sheet for each table; the same tables make the same bytes.

    Text is text, whatever it looks like: ``007`` keeps its zeros, ``1e5`` is no number and ``=A1`` no formula. What is
    None has no cell. A table too long for a sheet is left out.
    """
    fitting = [table for table in tables if len(table[2]) <= MOST_ROWS]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in _parts([name for name, _, _ in fitting]):
            _add(package, name, content)
        for number, (_, columns, rows) in enumerate(fitting, 1):
            _add(package, f"xl/worksheets/sheet{number}.xml", "".join(_sheet(columns, rows)))
    return file.getvalue()


def _add(package: zipfile.ZipFile, name: str, content: str) -> None:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # the least that ZIP knows; not the clock
    entry.compress_type = zipfile.ZIP_DEFLATED
    package.writestr(entry, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{content}'.encode())


def _parts(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what every workbook has besides its sheets."""
    numbers = range(1, len(names) + 1)
    kinds = {"workbook.xml": "sheet.main", "styles.xml": "styles"}
    kinds |= {f"worksheets/sheet{n}.xml": "worksheet" for n in numbers}
    listed = "".join(
        f'<Override PartName="/xl/{part}" ContentType="{_KIND}.{kind}+xml"/>' for part, kind in kinds.items()
    )
    defaults = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    yield "[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types">{defaults}{listed}</Types>'
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    targets = [*(("worksheet", f"worksheets/sheet{n}.xml") for n in numbers), ("styles", "styles.xml")]
    yield "xl/_rels/workbook.xml.rels", _relations(targets)
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="r{n}"/>' for n, name in zip(numbers, names, strict=True)
    )
    yield "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>'
    yield "xl/styles.xml", _STYLES


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _sheet(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{max(10, min(28, len(name) + 2))}" customWidth="1"/>'
        for n, name in enumerate(columns, 1)
    )
    yield (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane xSplit="1" ySplit="1" '
        'topLeftCell="B2" activePane="bottomRight" state="frozen"/></sheetView></sheetViews>'
        f'<cols>{widths}</cols><sheetData><row r="1">'
    )
    letters = [_letters(n) for n in range(len(columns))]
    yield from (_cell(f"{letter}1", name, _HEADING) for letter, name in zip(letters, columns, strict=True))
    yield "</row>"
    for number, row in enumerate(rows, 2):
        yield f'<row r="{number}">'
        for letter, name in zip(letters, columns, strict=True):
            value = row.get(name)
            if value is not None:
                yield _cell(f"{letter}{number}", value, _TEXT)
        yield "</row>"
    yield "</sheetData></worksheet>"


def _cell(place: str, value: Any, style: int) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    text = escape("".join(map(_character, plain(str(value))[:MOST_CHARACTERS])))
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _character(character: str) -> str:
    """Return a character, a space for what XML 1.0 cannot hold."""
    known = character in "\t\n\r" or " " <= character < "\ufffe" or character > "\uffff"
    return character if known and not "\ud800" <= character <= "\udfff" else " "


def _letters(number: int) -> str:
    """Return the name of a column, counted from 0.

    >>> _letters(0), _letters(25), _letters(26), _letters(701), _letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    rest, place = divmod(number, 26)
    return (_letters(rest - 1) if rest else "") + chr(ord("A") + place)
