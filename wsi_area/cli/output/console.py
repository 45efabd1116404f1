"""cli: where tables and lines go: a terminal as wide as it is, or a pipe, which has no edge."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from wsi_area.cli.output.text_table import TextTable
from wsi_area.cli.output.wrapping import PIPED_WIDTH
from wsi_area.plain_text import plain


class PlainConsole(Console):
    """A console on which no text orders anything: control characters are escaped, ":art:" and "[b]" are printed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """Yield what is to be printed, its texts plain; the console's own colours are no text."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else plain(text), style, control)

    def print_text(self, text: str = "", style: str = "") -> None:
        """Print a line, or several, as they are."""
        self.print(Text(text, style), soft_wrap=True)

    def print_first_fitting(self, *tables: TextTable) -> None:
        """Print the first table that fits without wrapping or cutting a cell, or else the last."""
        drawn = [_drawn(table) for table in tables]
        self.print(next((table for table in drawn if fits(self, table)), drawn[-1]))


def report_console() -> PlainConsole:
    """Return the console that tables go to: as wide as its terminal, or as a table needs."""
    console = PlainConsole()
    return console if console.is_terminal else PlainConsole(width=PIPED_WIDTH)


def fits(console: Console, table: Table) -> bool:
    """Return True if a table can be printed without wrapping or cutting a cell."""
    return console.measure(table, options=console.options.update(width=PIPED_WIDTH)).maximum <= console.width


def _drawn(table: TextTable) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        drawn.add_column(
            column.head,
            justify="right" if column.is_right else "left",
            no_wrap=column.is_whole,
            overflow="fold" if column.folds else "ellipsis",
            min_width=column.least,
        )
    for row in table.rows:
        drawn.add_row(*(Text.assemble(*cell.parts) for cell in row))
    return drawn
