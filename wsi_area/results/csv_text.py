"""results: a table as CSV: comma, point, UTF-8; no text of it is a formula to a spreadsheet."""

import csv
from collections.abc import Mapping, Sequence
from typing import Any

from wsi_area.plain_text import plain
from wsi_area.results.layout import write_bytes
from wsi_area.storage.place import Place

_FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
"""With what a formula begins in a spreadsheet, the wide forms too; a carriage return is escaped before it gets here."""
_QUOTED = tuple(f"'{sign}" for sign in _FORMULA)


def write_csv(path: Place, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table as CSV, as `csv_bytes` makes it."""
    write_bytes(path, csv_bytes(columns, rows))


def csv_bytes(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a table as CSV: comma, point, UTF-8; missing values are empty, and no text is a formula (`csv_text`)."""
    lines: list[str] = []

    class _Lines:
        def write(self, text: str) -> None:
            lines.append(text)

    writer = csv.DictWriter(_Lines(), fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({c: _cell(row.get(c)) for c in columns} for row in rows)
    return "".join(lines).encode()


def csv_text(text: str) -> str:
    """Return a text as a cell of a CSV: with ``'`` before what a spreadsheet would take for a formula.

    Whoever reads a table takes the ``'`` away where one of ``= + - @`` or a tab follows it, as `text_of_csv` does.
    Numbers are no text, and stay as they are.

    >>> csv_text("=1+1"), csv_text("-a"), csv_text("µm²")
    ("'=1+1", "'-a", 'µm²')
    """
    told = plain(text)
    return f"'{told}" if told[:1] in _FORMULA or (told[:1] == "'" and told[1:2] in _FORMULA) else told


def text_of_csv(cell: str) -> str:
    """Return the text that `csv_text` wrote into a cell.

    >>> text_of_csv("'=1+1"), text_of_csv("'tis"), text_of_csv(csv_text("'=a"))
    ('=1+1', "'tis", "'=a")
    """
    return cell[1:] if cell[:1] == "'" and (cell[1:2] in _FORMULA or cell[1:3] in _QUOTED) else cell


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return csv_text(value)
    return repr(value) if isinstance(value, float) else value
