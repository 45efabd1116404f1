"""cli: how a command ends that could not do what was asked: one line for people and, with --json, one document."""

import os
import sys
import threading
from typing import NoReturn

from wsi_area.cli.output.wrapping import say_beside, say_document
from wsi_area.plain_text import plain

EXIT_INTERRUPTED = 130
INTERRUPTED = "interrupted: run the same command again"


def refuse(message: str, code: int) -> NoReturn:
    """End the program: the message on stderr, and where the command line has --json, as a document on stdout."""
    message = plain(message)
    say_beside(message if code == EXIT_INTERRUPTED else f"wsi-area: {message}")
    tell_document(message, code)
    sys.exit(code)


def end_now_if_at_work(code: int) -> None:
    """End the program without waiting for threads of a run that was given up; nothing where none is at work."""
    if any(thread.name.startswith("wsi-area") and not thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def tell_document(message: str, code: int) -> None:
    """Print what went wrong as the one document that --json promises; nothing where it was not asked for.

    The words of the command line are looked at, and not what was parsed: a line with a wrong option is never parsed.
    """
    words = sys.argv[1:]
    if "--json" in (words[: words.index("--")] if "--" in words else words):
        say_document({"exit_code": code, "error": message})
