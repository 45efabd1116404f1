"""results: a table of texts, flags, integers and numbers as a Parquet file.

The tables of a run have these four types, and pyarrow takes a tenth of a small run to load and to write the first.
A file is a page for each column, packed with zstandard, and a footer in Thrift's compact form that says where each
lies (https://parquet.apache.org/docs/file-format). It is read with pyarrow, here and elsewhere.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.plain_text import plain
from wsi_area.results.tables.columns import Kind
from wsi_area.version import __version__

Row = Mapping[str, Any]

_MAGIC = b"PAR1"
_OPTIONAL, _DATA_PAGE, _PLAIN, _RLE, _ZSTD, _UTF8 = 1, 0, 0, 3, 6, 0
_MOST_PAGE_BYTES = 2**31 - 1  # the format counts them in 32 bits


@frozen_value
class _Type:
    """What a kind of column is in Python, and in the file."""

    name: str
    holds: tuple[type, ...]
    code: int  # of the format
    stored: Callable[[Sequence[Any]], bytes]  # the cells that are not null


def _texts(cells: Sequence[str]) -> bytes:
    parts: list[bytes] = []
    for cell in cells:
        text = plain(cell).encode()
        parts += (len(text).to_bytes(4, "little"), text)
    return b"".join(parts)


def _flags(cells: Sequence[bool]) -> bytes:
    return _bits(np.array(cells, bool))


def _integers(cells: Sequence[int]) -> bytes:
    return np.array(cells, "<i8").tobytes()


def _numbers(cells: Sequence[float]) -> bytes:
    numbers = np.array(cells, "<f8")
    if not np.isfinite(numbers).all():
        raise ValueError("no finite number")
    return numbers.tobytes()


_TYPES: dict[Kind, _Type] = {
    "text": _Type("string", (str,), 6, _texts),
    "flag": _Type("bool", (bool,), 0, _flags),
    "integer": _Type("int64", (int,), 2, _integers),
    "number": _Type("double", (float, int), 5, _numbers),
}


@frozen_value
class _Page:
    """A column as it lies in the file: its header and its packed content."""

    name: str
    type: _Type
    content: bytes
    unpacked_bytes: int  # with the header


def parquet_bytes(columns: Mapping[str, Kind], rows: Sequence[Row], notes: Mapping[str, str] | None = None) -> bytes:
    """Return a table as a Parquet file; a cell that a row has not, or that is None, is null.

    Parameters
    ----------
    columns : mapping of str to str
        The kind of each column, by name, in their order.
    rows : sequence of mapping
    notes : mapping of str to str, optional
        What the file says of itself beside its columns.

    Raises
    ------
    TypeError, ValueError
        A cell is not of the type of its column, or no finite number; the texts of a column are too long for one page.
    """
    packer = zstandard.ZstdCompressor()
    pages = [_page(name, _TYPES[kind], [row.get(name) for row in rows], packer) for name, kind in columns.items()]
    footer = _footer(pages, len(rows), notes or {})
    return b"".join([_MAGIC, *(page.content for page in pages), footer, struct.pack("<I", len(footer)), _MAGIC])


def _page(name: str, kind: _Type, cells: Sequence[Any], packer: zstandard.ZstdCompressor) -> _Page:
    known = [cell for cell in cells if cell is not None]
    wrong = [
        t for t in set(map(type, known)) if not issubclass(t, kind.holds) or (t is bool and bool not in kind.holds)
    ]
    if wrong:
        raise TypeError(f"a cell of the column {name!r} is a {wrong[0].__name__}, and not of type {kind.name}")
    try:
        content = _levels(cells, len(known)) + kind.stored(known)
    except ValueError as error:
        raise ValueError(f"a cell of the column {name!r} is {error}") from error
    if len(content) > _MOST_PAGE_BYTES:
        raise ValueError(f"the texts of the column {name!r} have {len(content)} bytes, too many for a table")
    packed = packer.compress(content)
    of_data = _struct({1: _int(len(cells)), 2: _int(_PLAIN), 3: _int(_RLE), 4: _int(_RLE)})
    header = _struct({1: _int(_DATA_PAGE), 2: _int(len(content)), 3: _int(len(packed)), 5: of_data})[1]
    return _Page(name, kind, header + packed, len(header) + len(content))


def _levels(cells: Sequence[Any], known: int) -> bytes:
    """Return which cells are there: one run where all are, else a bit for each."""
    if known == len(cells):
        runs = _varint(known << 1) + b"\1"
    else:
        bits = _bits(np.array([cell is not None for cell in cells], bool))
        runs = _varint(len(bits) << 1 | 1) + bits
    return struct.pack("<I", len(runs)) + runs


def _bits(flags: NDArray[np.bool_]) -> bytes:
    return np.packbits(flags, bitorder="little").tobytes()


def _footer(pages: Sequence[_Page], rows: int, notes: Mapping[str, str]) -> bytes:
    schema = [_struct({4: _text("schema"), 5: _int(len(pages))})]
    chunks, at_byte = [], len(_MAGIC)
    for page in pages:
        is_text = {6: _int(_UTF8), 10: _struct({1: _struct({})})} if page.type is _TYPES["text"] else {}
        schema.append(_struct({1: _int(page.type.code), 3: _int(_OPTIONAL), 4: _text(page.name)} | is_text))
        said = {1: _int(page.type.code), 2: _list([_int(_PLAIN), _int(_RLE)]), 3: _list([_text(page.name)])}
        said |= {4: _int(_ZSTD), 5: _long(rows), 6: _long(page.unpacked_bytes), 7: _long(len(page.content))}
        chunks.append(_struct({2: _long(at_byte), 3: _struct(said | {9: _long(at_byte)})}))
        at_byte += len(page.content)
    unpacked_bytes = sum(page.unpacked_bytes for page in pages)
    groups = [_struct({1: _list(chunks), 2: _long(unpacked_bytes), 3: _long(rows)})] if rows else []
    noted = [_struct({1: _text(key), 2: _text(note)}) for key, note in notes.items()]
    said = {1: _int(2), 2: _list(schema), 3: _long(rows), 4: _list(groups) if groups else (_LIST, b"\x0c")}
    said |= {5: _list(noted)} if noted else {}
    return _struct(said | {6: _text(f"wsi-area version {__version__}")})[1]


_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_Said = tuple[int, bytes]
"""A value of Thrift's compact form: its type, and its bytes."""


def _varint(number: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def _int(number: int) -> _Said:
    return _I32, _varint(number << 1)


def _long(number: int) -> _Said:
    return _I64, _varint(number << 1)


def _text(text: str) -> _Said:
    content = text.encode()
    return _BINARY, _varint(len(content)) + content


def _list(items: Sequence[_Said]) -> _Said:
    kind, size = items[0][0], len(items)
    head = bytes([size << 4 | kind]) if size < 15 else bytes([0xF0 | kind]) + _varint(size)
    return _LIST, head + b"".join(content for _, content in items)


def _struct(fields: Mapping[int, _Said]) -> _Said:
    """Return a struct of its fields, whose numbers ascend by 15 at most."""
    parts, before = list[bytes](), 0
    for number, (kind, content) in fields.items():
        parts += (bytes([number - before << 4 | kind]), content)
        before = number
    return _STRUCT, b"".join([*parts, b"\0"])
