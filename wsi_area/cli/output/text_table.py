"""cli: a table of texts, and what it looks like where nobody's terminal ends."""

import unicodedata
from collections.abc import Iterator
from itertools import zip_longest

from wsi_area.frozen_value import frozen_value
from wsi_area.plain_text import plain

_GAP = "  "


@frozen_value
class Styled:
    """A text of which parts have a style: pairs of text and style, one after the other."""

    parts: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """Return it without its styles."""
        return "".join(text for text, _ in self.parts)


@frozen_value
class Column:
    """A column: its head, and how its cells stand."""

    head: str
    is_right: bool = False  # numbers end below each other
    is_whole: bool = False  # on a terminal no line of it is broken
    folds: bool = False  # on a terminal a line is broken anywhere, such as in a name
    least: int | None = None  # columns of a terminal


@frozen_value
class TextTable:
    """Columns, and rows with a cell for each; a cell may have several lines."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Styled, ...], ...]

    def lines(self) -> Iterator[str]:
        """Yield the lines of heads and rows, each as long as it must be, without styles and orders to a terminal."""
        heads = [column.head.split("\n") for column in self.columns]
        deepest = max(map(len, heads))
        heads = [[""] * (deepest - len(head)) + head for head in heads]  # all stand on the first row
        cells = [heads, *([cell.text.split("\n") for cell in row] for row in self.rows)]
        rows = [[[plain(line) for line in cell] for cell in row] for row in cells]
        widths = [max(width_of(line) for cell in column for line in cell) for column in zip(*rows, strict=True)]
        for row in rows:
            for line in zip_longest(*row, fillvalue=""):
                shown = (
                    _filled(text, column, width) for text, column, width in zip(line, self.columns, widths, strict=True)
                )
                yield _GAP.join(shown).rstrip()


def _filled(text: str, column: Column, width: int) -> str:
    space = " " * (max(width, column.least or 0) - width_of(text))
    return space + text if column.is_right else text + space


def width_of(text: str) -> int:
    """Return how many columns of a terminal a line takes: two for each sign of the Far East, none for an accent alone.

    >>> width_of("µm²"), width_of("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)
