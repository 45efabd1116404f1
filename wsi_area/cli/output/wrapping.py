"""cli: lines that end between words where a person's terminal ends; pipes and logs get each line whole."""

import json
import logging
import os
import sys
import textwrap
from typing import IO, Any

import click

from wsi_area.plain_text import plain, plain_values

_UNKNOWN_WIDTH = 80

PIPED_WIDTH = 4096
"""In a pipe nothing is wrapped, so that grep and cut see whole lines."""


def wrapped(text: str, width: int, indent: str = "", hanging: str | None = None) -> str:
    """Return text with its lines broken between words.

    A word that is longer than a line, such as a path, stays whole: broken by a newline it could not be copied.

    Parameters
    ----------
    text : str
        Its own line ends are kept.
    width : int
        Columns.
    indent, hanging : str
        What each line begins with, and what those begin with that were broken off, if otherwise.

    >>> print(wrapped("give the pixel size: --mpp", 16, "→ ", "  "))
    → give the pixel
      size: --mpp
    """
    rest = indent if hanging is None else hanging
    return "\n".join(
        textwrap.fill(
            line, width, initial_indent=indent, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False,
            replace_whitespace=False,
        )
        for line in text.split("\n")
    )  # fmt: skip


def terminal_width(stream: IO[str]) -> int | None:
    """Return the columns of the terminal that a stream goes to; None for a pipe or a file."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or _UNKNOWN_WIDTH
    except (OSError, ValueError):  # a terminal that does not tell, or no file at all
        return _UNKNOWN_WIDTH


def for_stream(text: str, stream: IO[str]) -> str:
    """Return text as it goes to a stream: without orders to a terminal, and wrapped for one."""
    width, text = terminal_width(stream), plain(text)
    return text if width is None else wrapped(text, width)


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print lines for people or programs, without orders to a terminal; every command prints through here."""
    click.echo(plain(text), err=err, nl=nl)


def say_wrapped(text: str) -> None:
    """Print lines for people, broken between words on a terminal; what is broken off stands below its own line."""
    width, lines = terminal_width(sys.stdout), plain(text).split("\n")
    for line in lines:
        hanging = line[: len(line) - len(line.lstrip())] + "  "
        click.echo(line if width is None else wrapped(line, width, hanging=hanging))


def say_document(document: Any, *, allow_nan: bool = True) -> None:
    """Print a document for programs as JSON, whose texts order nothing and can be written."""
    click.echo(json.dumps(plain_values(document), indent=2, ensure_ascii=False, allow_nan=allow_nan))


def say_beside(text: str) -> None:
    """Print lines for people on standard error."""
    click.echo(for_stream(text, sys.stderr), err=True)


class WrappedLines(logging.StreamHandler[IO[str]]):
    """Writes the lines of the log to standard error, wrapped where that is a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of the log, or several of a terminal."""
        return for_stream(super().format(record), self.stream)
