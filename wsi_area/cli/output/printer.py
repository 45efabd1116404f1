"""cli: who prints what a command has to say: a terminal, with colours, or a pipe, which has no edge and no colours."""

import os
import sys
from typing import Protocol

from wsi_area.cli.output.text_table import TextTable
from wsi_area.cli.output.wrapping import PIPED_WIDTH, say, wrapped


class Printer(Protocol):
    """What lines and tables are printed on."""

    @property
    def is_terminal(self) -> bool:
        """Return True if a person sees it at once."""

    @property
    def width(self) -> int:
        """Return how many columns a line has."""

    def print_text(self, text: str = "", style: str = "") -> None:
        """Print a line, or several, as they are."""

    def print_first_fitting(self, *tables: TextTable) -> None:
        """Print the first table whose lines are as wide as they may be, or else the last."""


class Pipe:
    """A pipe or a file. It needs no library, which takes 0.012 s of CPU to load: a fortieth of a small run."""

    is_terminal = False
    width = PIPED_WIDTH

    def print_text(self, text: str = "", style: str = "") -> None:
        """Print a line, or several, as they are."""
        say(text)

    def print_first_fitting(self, *tables: TextTable) -> None:
        """Print the first table whose lines are as wide as they may be, or else the last."""
        for table in tables:
            lines = list(table.lines())
            if max(map(len, lines)) <= self.width or table is tables[-1]:
                say("\n".join(lines))
                return


def printer() -> Printer:
    """Return who prints on standard output."""
    if is_piped():
        return Pipe()
    from wsi_area.cli.output.console import report_console

    return report_console()


def is_piped() -> bool:
    """Return True if standard output is no terminal, and nobody said that it is to be taken for one."""
    return not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR") or os.environ.get("TTY_COMPATIBLE") == "1")


def print_lines(console: Printer, text: str, style: str = "", indent: str = "", hanging: str | None = None) -> None:
    """Print lines that end between words on a terminal, and nowhere in a pipe; as `wrapped` for the rest."""
    for line in text.split("\n"):
        told = wrapped(line, console.width, indent, hanging) if console.is_terminal else (indent + line if line else "")
        console.print_text(told, style)
