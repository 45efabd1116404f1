"""results: how the cells of the workbook look: a number by its unit, a word of praise or blame by its colour; pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
GENERAL, HEADING, TEXT = 0, 1, 2
"""Formats: as it is; bold on grey; text that stays text when somebody edits it."""


def _never_nought(digits: str, least: str) -> str:
    """Return a format that shows what is smaller than its last digit as a power of ten, never as 0."""
    return f"[=0]0;[<{least}]0.00E+00;{digits}"


_AREA, _PERCENT, _PURE = (
    _never_nought("#,##0.0000", "0.001"),
    _never_nought("0.00", "0.01"),
    _never_nought("0.000", "0.001"),
)
_NUMBER_FORMATS: dict[tuple[str, str], str] = {
    ("mm²", "number"): _AREA,
    ("<signal>·mm²", "number"): _AREA,
    ("%", "number"): _PERCENT,
    ("mm", "number"): _PURE,
    ("", "number"): _PURE,
    ("<signal>", "number"): _PURE,
    ("µm/px", "number"): "0.0000",
    ("level-0 px", "number"): "#,##0.0",
    ("level-0 px", "integer"): "#,##0",
}  # fmt: skip
"""By unit and kind of a column; the value in the cell keeps its last digit. What is not here looks as Excel likes."""

_FIRST_OF_OURS = 164  # smaller numbers of formats are Excel's own (ECMA-376, 18.8.30)
_CODES = tuple(dict.fromkeys(_NUMBER_FORMATS.values()))

_GOOD, _LOOK, _BAD, _NOTE = ("C6EFCE", "006100"), ("FFEB9C", "7F6000"), ("FFC7CE", "9C0006"), ("DDEBF7", "1F4E78")
_COLOURS = (_GOOD, _LOOK, _BAD, _NOTE)  # ground and letters
_COLOUR_OF = {
    "complete": _GOOD, "accepted": _GOOD,
    "incomplete": _LOOK, "needs_calibration": _LOOK, "warning": _LOOK, "accepted_with_remark": _LOOK,
    "needs_remeasuring": _LOOK, "second_opinion": _LOOK, "reviewers_differ": _LOOK, "outdated": _LOOK,
    "failed": _BAD, "refusal": _BAD, "rejected": _BAD,
    "estimated": _NOTE, "info": _NOTE,
}  # fmt: skip
COLOURED = frozenset({"status", "severity", "verdict"})
"""Columns whose words have a colour."""

_LEAST_WIDTH, _MOST_WIDTH = 8, 56  # characters
_CHARACTERS_OF_A_PAGE = 190  # of A4, turned, at letters of some 7 points
_LOOKED_AT = 300  # rows that a width follows
_BUTTON = 4  # characters that the button of a filter takes


def number_format(unit: str, kind: str) -> int:
    """Return the format of the numbers of a column, as a place in the styles."""
    code = _NUMBER_FORMATS.get((unit, kind))
    return GENERAL if code is None else TEXT + 1 + len(_COLOURS) + _CODES.index(code)


def word_format(word: str) -> int:
    """Return the format of a word in a column of `COLOURED`, as a place in the styles."""
    colour = _COLOUR_OF.get(word)
    return TEXT if colour is None else TEXT + 1 + _COLOURS.index(colour)


def width_of(name: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the width of a column in characters: its name with the button of its filter, and its first rows."""
    shown = max((_length(row.get(name)) for row in rows[:_LOOKED_AT]), default=0)
    return max(_LEAST_WIDTH, min(_MOST_WIDTH, max(len(name) + _BUTTON, shown + 2)))


def pages_across(widths_chars: Sequence[int]) -> int:
    """Return the printed pages that a table is wide: as few as can be read on A4, each with the first column.

    >>> pages_across([20, 100]), pages_across([20] + [30] * 20)
    (1, 4)
    """
    first, *others = widths_chars or [0]
    return max(1, -(-sum(others) // max(1, _CHARACTERS_OF_A_PAGE - first)))


def _length(value: Any) -> int:
    if isinstance(value, float):
        return len(f"{value:,.4f}")
    return len(f"{value:,}") if isinstance(value, int) else len(str(value or ""))


def styles() -> str:
    """Return the part ``xl/styles.xml`` (ECMA-376, 18.8).

    A format keeps its place for good, and a new one comes last: into a workbook of an earlier version, whose cells know
    the places of then, these styles are put with a further sheet.
    """
    base = '<sz val="11"/><name val="Calibri"/>'
    fonts = [f"<font>{base}</font>", f"<font><b/>{base}</font>"]
    fonts += [f'<font><sz val="11"/><color rgb="FF{ink}"/><name val="Calibri"/></font>' for _, ink in _COLOURS]
    fills = ['<fill><patternFill patternType="none"/></fill>', '<fill><patternFill patternType="gray125"/></fill>']
    fills += [
        f'<fill><patternFill patternType="solid"><fgColor rgb="FF{ground}"/></patternFill></fill>'
        for ground in ("E7ECF1", *(ground for ground, _ in _COLOURS))
    ]
    none = "<border><left/><right/><top/><bottom/><diagonal/></border>"
    line = '<border><left/><right/><top/><bottom style="thin"><color rgb="FF8A939D"/></bottom><diagonal/></border>'
    codes = [f'<numFmt numFmtId="{n}" formatCode="{_quoted(code)}"/>' for n, code in enumerate(_CODES, _FIRST_OF_OURS)]
    formats = [
        _format(),
        _format(font=1, fill=2, border=1),
        _format(code=49),
        *(_format(code=49, font=2 + n, fill=3 + n) for n in range(len(_COLOURS))),
        *(_format(code=n) for n in range(_FIRST_OF_OURS, _FIRST_OF_OURS + len(_CODES))),
    ]
    return (
        f'<styleSheet xmlns="{_MAIN}">{_counted("numFmts", codes)}{_counted("fonts", fonts)}'
        f"{_counted('fills', fills)}{_counted('borders', [none, line])}"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f"{_counted('cellXfs', formats)}"
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _format(*, code: int = 0, font: int = 0, fill: int = 0, border: int = 0) -> str:
    applied = {"NumberFormat": code, "Font": font, "Fill": fill, "Border": border}
    said = "".join(f' apply{name}="1"' for name, number in applied.items() if number)
    return f'<xf numFmtId="{code}" fontId="{font}" fillId="{fill}" borderId="{border}" xfId="0"{said}/>'


def _counted(name: str, items: Iterable[str]) -> str:
    listed = list(items)
    return f'<{name} count="{len(listed)}">{"".join(listed)}</{name}>'


def _quoted(code: str) -> str:
    return code.replace("<", "&lt;").replace(">", "&gt;")
