"""cli: where tables and lines go: a terminal as wide as it is, or a pipe, which has no edge."""

import textwrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 4096
"""In a pipe nothing is wrapped, so that grep and cut see whole lines."""


def report_console() -> Console:
    """Return the console that tables go to: as wide as its terminal, or as a table needs."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def fits(console: Console, table: Table) -> bool:
    """Return whether a table can be printed without wrapping or cutting a cell."""
    return console.measure(table, options=console.options.update(width=PIPED_WIDTH)).maximum <= console.width


def print_lines(console: Console, text: str, style: str = "", indent: str = "") -> None:
    """Print lines that end between words on a terminal, and nowhere in a pipe.

    A word that is longer than the terminal, such as a path, stays whole: broken by a newline it could not be copied.
    """
    for line in text.split("\n"):
        told = line
        if console.is_terminal:
            told = textwrap.fill(
                line, console.width, initial_indent=indent, subsequent_indent=indent, break_long_words=False,
                break_on_hyphens=False, replace_whitespace=False, drop_whitespace=True,
            )  # fmt: skip
        elif line:
            told = indent + line
        console.print(Text(told, style), soft_wrap=True)
