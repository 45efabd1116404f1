"""annotations: a JSON text read from top to bottom, one element of its long lists at a time, never as one tree.

A tree of Python objects takes ten to twenty times the file; an element takes what one outline does.
"""

import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final

from wsi_area.errors import AnnotationError

LIST_BEGINS: Final = object()
"""Yielded in place of a value where a list begins whose elements follow, one by one: it may be empty."""

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def decoded(path: Path, content: bytes) -> str:
    """Return a JSON text out of its bytes: UTF-8, or UTF-16 where it begins with its mark.

    Raises
    ------
    AnnotationError
        It is neither.
    """
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{path} is not JSON that can be read ({error}); export it again") from error


def json_members(path: Path, text: str, lists: frozenset[str]) -> Iterator[tuple[str | None, Any]]:
    """Yield the members of the object that a text holds, as key and value; NaN and Infinity are read.

    A list under one of the keys ``lists`` comes as ``LIST_BEGINS`` and then element by element. Of a text that is a
    list the elements come likewise, under the key None.

    Raises
    ------
    AnnotationError
        It is not JSON, is nested too deeply, or is another value than an object or a list.

    >>> list(json_members(Path("a"), '{"a": [1, 2], "b": [3]}', frozenset("b")))[0]
    ('a', [1, 2])
    """
    try:
        yield from _members(text, lists)
    except RecursionError as error:
        raise AnnotationError(f"{path} is nested too deeply to be annotations; export it again") from error
    except ValueError as error:  # JSONDecodeError, numbers of thousands of digits
        raise AnnotationError(f"{path} is not JSON that can be read ({error}); export it again") from error


def _members(text: str, lists: frozenset[str]) -> Iterator[tuple[str | None, Any]]:
    at = _next(text, 0)
    if text.startswith("[", at):
        yield None, LIST_BEGINS
        at = yield from _elements(text, at, None)
    else:
        at = yield from _object(text, at, lists)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _object(text: str, at: int, lists: frozenset[str]) -> Generator[tuple[str | None, Any], None, int]:
    """Yield the members of the object that begins at a place; return the place behind it."""
    at = _next(text, _past(text, at, "{"))
    while not text.startswith("}", at):
        key, at = _DECODER.raw_decode(text, at)
        if not isinstance(key, str):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
        at = _next(text, _past(text, _next(text, at), ":"))
        if key in lists and text.startswith("[", at):
            yield key, LIST_BEGINS
            at = yield from _elements(text, at, key)
        else:
            value, at = _DECODER.raw_decode(text, at)
            yield key, value
            at = _next(text, at)
        at = _behind_comma(text, at, "}")
    return _next(text, at + 1)


def _elements(text: str, at: int, key: str | None) -> Generator[tuple[str | None, Any], None, int]:
    """Yield the elements of the list that begins at a place under its key; return the place behind it."""
    at = _next(text, at + 1)
    while not text.startswith("]", at):
        value, at = _DECODER.raw_decode(text, at)
        yield key, value
        at = _behind_comma(text, _next(text, at), "]")
    return _next(text, at + 1)


def _behind_comma(text: str, at: int, end: str) -> int:
    """Return the place of what follows an element: the next one, or the end."""
    if text.startswith(end, at):
        return at
    after = _next(text, _past(text, at, ","))
    if text.startswith(end, after):
        raise json.JSONDecodeError("Illegal trailing comma", text, at)
    return after


def _past(text: str, at: int, sign: str) -> int:
    if not text.startswith(sign, at):
        raise json.JSONDecodeError(f"Expecting {sign!r}", text, at)
    return at + 1


def _next(text: str, at: int) -> int:
    """Return the place of the next sign that is no space."""
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
