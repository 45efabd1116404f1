"""plain_text: text that can be written and shown: names are bytes, and some characters are orders to a terminal."""

import os
import re
from typing import Any

_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line end, marks that turn the direction of a line round, and what is no character."""

_ESCAPED = re.compile(r"(\\x[0-9a-f]{2}|\\u(?:00[89]|20[0-9a-f])[0-9a-f])")
_SURROGATE_OF_BYTE = 0xDC00  # what os.fsdecode adds to a byte that is no UTF-8

MOST_OF_A_TITLE = 200  # characters


def plain(text: str) -> str:
    r"""Return text of which every character can be written as UTF-8 and orders nothing; what cannot is escaped.

    >>> plain("caf\udce9.tif"), plain("a\x1b[2J\x07b"), plain("日本 µm²\n")
    ('caf\\xe9.tif', 'a\\x1b[2J\\x07b', '日本 µm²\n')
    """
    return text if text.isprintable() else _ODD.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if _SURROGATE_OF_BYTE + 0x80 <= code <= _SURROGATE_OF_BYTE + 0xFF:
        return f"\\x{code - _SURROGATE_OF_BYTE:02x}"
    # a character above 7f is two bytes of UTF-8, and must not read like the one byte of that number
    return f"\\x{code:02x}" if code <= 0x7F else f"\\u{code:04x}"


def is_one_line(text: str) -> bool:
    r"""Return True if a text is one line as it stands: a name that ends a line or orders something is none.

    >>> is_one_line("Ada Müller-山田"), is_one_line("Ada\nMiller"), is_one_line("Ada\x1b[31m")
    (True, False, False)
    """
    return "\n" not in text and plain(text) == text


def plain_values(value: Any) -> Any:
    r"""Return a text, or a dict, list or tuple that holds some, with `plain` text; whatever else is in it stays.

    >>> plain_values({"file": "a\x07", "rows": [1, 2.5]})
    {'file': 'a\\x07', 'rows': [1, 2.5]}
    """
    if isinstance(value, str):
        return value if value.isprintable() else plain(value)
    if value is None or isinstance(value, float | int):  # most of what is in a document
        return value
    if isinstance(value, dict):
        return {plain_values(key): plain_values(item) for key, item in value.items()}
    if type(value) in (list, tuple) and any(isinstance(item, str | dict | list | tuple) for item in value[:1]):
        return type(value)(plain_values(item) for item in value)
    return value


def plain_cell(value: Any) -> Any:
    """Return the text that a template shows: a text is `plain`; what a template made, and what is no text, stays."""
    return plain(value) if type(value) is str else value


def named_file(text: str) -> str:
    r"""Return the path that a document names, whose odd bytes are escaped there.

    A file that really has a backslash in its name goes first.

    >>> import os
    >>> os.fsencode(named_file("/there/is/no/caf\\xe9.tif"))
    b'/there/is/no/caf\xe9.tif'
    """
    if "\\" not in text or os.path.lexists(text):
        return text
    parts = _ESCAPED.split(text)  # every second one is an escape
    return os.fsdecode(b"".join(_bytes_of(part) if n % 2 else os.fsencode(part) for n, part in enumerate(parts)))


def _bytes_of(escaped: str) -> bytes:
    return bytes.fromhex(escaped[2:]) if escaped[1] == "x" else chr(int(escaped[2:], 16)).encode()


def title_line(text: str) -> str:
    """Return a title as one line of text, without spaces round it.

    Raises
    ------
    ValueError
        It is empty, too long, or has characters that are no text, such as line breaks.

    >>> title_line(" Cohort 3, Ki-67 ")
    'Cohort 3, Ki-67'
    """
    line = text.strip()
    if not line or len(line) > MOST_OF_A_TITLE or not line.isprintable():
        raise ValueError(
            f"a title is one line of 1 to {MOST_OF_A_TITLE} characters, without line breaks; this has {len(line)}: "
            f"{plain(line[:60])!r}"
        )
    return line
