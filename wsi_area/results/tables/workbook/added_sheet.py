"""results: one sheet put into a workbook of ours that is written already; all others stay as they are, to the byte."""

import io
import re
import zipfile
from html import escape

from wsi_area.errors import ResultError
from wsi_area.results.tables.workbook.file import KIND, Sheet, add_part, names_of, range_of, sheet_xml
from wsi_area.results.tables.workbook.looks import styles

_TYPES, _BOOK, _RELS = "[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_STYLES = "xl/styles.xml"
_OURS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/(_rels/workbook\.xml\.rels|(workbook|styles|worksheets/sheet\d+)\.xml)"
)
_WORKSHEET = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"


def with_sheet(content: bytes, sheet: Sheet) -> bytes:
    """Return a workbook with a sheet: in the place of the one of that name, or behind the last.

    Raises
    ------
    ResultError
        It is no workbook that this program wrote.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = {name: package.read(name).decode() for name in package.namelist()}
        book = parts[_BOOK]
        if odd := sorted(name for name in parts if not _OURS.fullmatch(name)):
            raise ValueError(f"another program wrote it: it holds {odd[0]}")
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise ResultError(
            f"the workbook of the run cannot be read ({error}); run the same command again, which writes it anew"
        ) from error
    names = re.findall(r'<sheet name="([^"]*)"', book)
    if sheet.name in names:
        number = names.index(sheet.name) + 1
        before = re.escape(f"'{sheet.name}'!") + r"\$A\$1:\$[A-Z]+\$\d+"
        parts[_BOOK] = re.sub(before, lambda found: escape(range_of(sheet), quote=False), book)
    else:
        number = len(names) + 1
        parts |= _made_room(parts, sheet, number)
    parts[f"xl/worksheets/sheet{number}.xml"] = sheet_xml(sheet)
    parts[_STYLES] = styles()  # an earlier version may have written fewer
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            add_part(package, name, text.partition("?>\n")[2] if text.startswith("<?xml") else text)
    return file.getvalue()


def _made_room(parts: dict[str, str], sheet: Sheet, number: int) -> dict[str, str]:
    """Return the parts that list the sheets, with one more."""
    part = f"worksheets/sheet{number}.xml"
    listed = f'<sheet name="{escape(sheet.name)}" sheetId="{number}" r:id="{sheet.name}"/>'
    name = names_of(sheet, number - 1)
    book = parts[_BOOK].replace("</sheets>", f"{listed}</sheets>")
    if "</definedNames>" in book:
        book = book.replace("</definedNames>", f"{name}</definedNames>")
    else:
        book = book.replace("</sheets>", f"</sheets><definedNames>{name}</definedNames>")
    kind = f'<Override PartName="/xl/{part}" ContentType="{KIND}.worksheet+xml"/>'
    relation = f'<Relationship Id="{sheet.name}" Type="{_WORKSHEET}" Target="{part}"/>'
    return {
        _BOOK: book,
        _TYPES: parts[_TYPES].replace("</Types>", f"{kind}</Types>"),
        _RELS: parts[_RELS].replace("</Relationships>", f"{relation}</Relationships>"),
    }
