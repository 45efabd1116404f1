"""annotations: what the codes of a mask mean, from the table beside it."""

import csv
import io
from pathlib import Path

from wsi_area.annotations.raw import noted
from wsi_area.annotations.untrusted import read_bytes
from wsi_area.errors import AnnotationError
from wsi_area.model.finding import QaFinding

_MAX_TABLE_BYTES = 1 << 20
_CODE_COLUMNS, _NAME_COLUMNS = ("code", "gt_code", "label", "value"), ("name", "group", "class", "class_name")


def names_of_codes(mask: Path, present: tuple[int, ...]) -> tuple[dict[int, str], tuple[QaFinding, ...]]:
    """Return the class name of each code that a mask holds, and what was noticed; code 0 is never a class.

    The table is ``<stem>_class_codes.csv`` or ``class_codes.csv`` beside the mask, with the columns ``code`` and
    ``name``. A code that is in no table is called ``class_<code>``.
    """
    stem = mask.name.partition(".")[0]
    tables = [mask.parent / f"{stem}_class_codes.csv", mask.parent / "class_codes.csv"]
    table = next((path for path in tables if path.is_file()), None)
    listed = {} if table is None else _read_table(table)
    codes = [code for code in present if code != 0]
    names = {code: listed.get(code, f"class_{code}") for code in codes}
    unlisted = [code for code in codes if code not in listed]
    findings = []
    if table is not None and unlisted:
        message = f"{table.name} has no name for the codes {unlisted}; they are called class_<code>"
        findings.append(noted("MASK_CODE_WITHOUT_NAME", "warning", message, float(len(unlisted)), 0.0, "codes"))
    if 0 in listed and listed[0].casefold() not in ("background", "outside", "outside_roi"):
        message = f"{table.name if table else ''} calls code 0 {listed[0]!r}, but 0 is what belongs to no class"
        findings.append(noted("MASK_CODE_0_IS_BACKGROUND", "warning", message, 0.0, remedy="give it another code"))
    return names, tuple(findings)


def _read_table(path: Path) -> dict[int, str]:
    try:
        text = read_bytes(path, _MAX_TABLE_BYTES).decode("utf-8-sig")
        rows = [{(k or "").strip().lower(): v for k, v in row.items()} for row in csv.DictReader(io.StringIO(text))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(f"{path} is not a table of codes that can be read ({error}); save it as CSV") from error
    columns = rows[0].keys() if rows else ()
    code_column = next((c for c in _CODE_COLUMNS if c in columns), None)
    name_column = next((c for c in _NAME_COLUMNS if c in columns), None)
    if code_column is None or name_column is None:
        raise AnnotationError(f"{path} needs the columns code and name; it has {', '.join(columns) or 'none'}")
    names: dict[int, str] = {}
    for number, row in enumerate(rows, start=2):
        code, name = str(row[code_column] or "").strip(), str(row[name_column] or "").strip()
        if not code.isascii() or not code.isdigit() or int(code) > 255 or not name:
            raise AnnotationError(f"{path}, line {number}: {code!r}, {name!r} is not a code 0..255 and a name; mend it")
        if int(code) in names:
            raise AnnotationError(f"{path}, line {number}: code {code} has a name already ({names[int(code)]!r})")
        names[int(code)] = name
    return names
