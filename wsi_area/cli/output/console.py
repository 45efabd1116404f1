"""cli: where tables and lines go: a terminal as wide as it is, or a pipe, which has no edge."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from wsi_area.cli.output.wrapping import wrapped
from wsi_area.plain_text import plain

PIPED_WIDTH = 4096
"""In a pipe nothing is wrapped, so that grep and cut see whole lines."""


class PlainConsole(Console):
    """A console on which no text orders anything: control characters are escaped, ":art:" and "[b]" are printed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """Yield what is to be printed, its texts plain; the console's own colours are no text."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else plain(text), style, control)


def report_console() -> Console:
    """Return the console that tables go to: as wide as its terminal, or as a table needs."""
    console = PlainConsole()
    return console if console.is_terminal else PlainConsole(width=PIPED_WIDTH)


def fits(console: Console, table: Table) -> bool:
    """Return True if a table can be printed without wrapping or cutting a cell."""
    return console.measure(table, options=console.options.update(width=PIPED_WIDTH)).maximum <= console.width


def print_lines(console: Console, text: str, style: str = "", indent: str = "", hanging: str | None = None) -> None:
    """Print lines that end between words on a terminal, and nowhere in a pipe; as `wrapped` for the rest."""
    for line in text.split("\n"):
        told = wrapped(line, console.width, indent, hanging) if console.is_terminal else (indent + line if line else "")
        console.print(Text(told, style), soft_wrap=True)
