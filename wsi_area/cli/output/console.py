"""cli: where tables and lines go: a terminal as wide as it is, or a pipe, which has no edge."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wsi_area.cli.output.wrapping import wrapped

PIPED_WIDTH = 4096
"""In a pipe nothing is wrapped, so that grep and cut see whole lines."""


def report_console() -> Console:
    """Return the console that tables go to: as wide as its terminal, or as a table needs."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def fits(console: Console, table: Table) -> bool:
    """Return True if a table can be printed without wrapping or cutting a cell."""
    return console.measure(table, options=console.options.update(width=PIPED_WIDTH)).maximum <= console.width


def print_lines(console: Console, text: str, style: str = "", indent: str = "", hanging: str | None = None) -> None:
    """Print lines that end between words on a terminal, and nowhere in a pipe; as `wrapped` for the rest."""
    for line in text.split("\n"):
        told = wrapped(line, console.width, indent, hanging) if console.is_terminal else (indent + line if line else "")
        console.print(Text(told, style), soft_wrap=True)
