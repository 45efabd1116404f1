"""slides: the directories of a TIFF and the fields that say what each is; structure only, no decoder, bounded."""

import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Size

Counts = NDArray[np.unsignedinteger]
Value = int | float | str | tuple[int | float, ...]

MAX_DIRECTORIES = 1 << 14
MAX_TEXT_BYTES = 1 << 24
_MAX_FIELD_VALUES = 1 << 16
_MAX_FIELDS = 1 << 16

SUBFILE_TYPE, WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
DESCRIPTION, ORIENTATION, SAMPLES, X_RESOLUTION, Y_RESOLUTION, PLANAR = 270, 274, 277, 282, 283, 284
RESOLUTION_UNIT, TILE_WIDTH, TILE_LENGTH, TILE_BYTE_COUNTS, SUB_IFDS, SAMPLE_FORMAT = 296, 322, 323, 325, 330, 339
DM_UNITS, DM_SCALES = (65003, 65004), (65009, 65010)
INSTRUMENTS = frozenset({33560, 34118, 34412, 34680, 34682})
"""Fields of Olympus SIS, Zeiss SEM and LSM, and FEI or Thermo Fisher, which only a library reads."""
EXTRA_SAMPLES, IMAGE_DEPTH, STK_PLANES, PIXEL_SCALE, GEO_TRANSFORM, GEO_KEYS = 338, 32997, 33629, 33550, 34264, 34735

NDPI_LENS, NDPI_Z_OFFSET = 65421, 65424
"""Fields of Hamamatsu: the objective, below 0 for what is no scan, and the focal plane in nm from the middle one."""

SCALES = INSTRUMENTS | {PIXEL_SCALE, GEO_TRANSFORM, *DM_SCALES}
"""Fields that state a size of a pixel besides the resolution."""

_READ = frozenset(
    {SUBFILE_TYPE, WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, DESCRIPTION, ORIENTATION, SAMPLES, X_RESOLUTION,
     Y_RESOLUTION, PLANAR, RESOLUTION_UNIT, TILE_WIDTH, TILE_LENGTH, SUB_IFDS, SAMPLE_FORMAT, PIXEL_SCALE,
     GEO_TRANSFORM, GEO_KEYS, EXTRA_SAMPLES, IMAGE_DEPTH, STK_PLANES,
     *DM_UNITS, *DM_SCALES, NDPI_LENS, NDPI_Z_OFFSET}
)  # fmt: skip
_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_BYTES, _TEXT, _UNDEFINED, _RATIONALS = 1, 2, 7, {5: "I", 10: "i"}
_SAMPLE_KINDS = {1: "uint", 2: "int", 3: "float", 4: "void", 5: "complex", 6: "complex"}


@frozen_value
class Directory:
    """One directory: a picture with its size, or a part of one."""

    at: int  # byte offset in the file
    values: Mapping[int, Value]
    tile_bytes: int  # the largest byte count that it claims of a tile
    tags: frozenset[int] = frozenset()  # of every field, read or not
    inner: tuple["Directory", ...] = field(default=())  # SubIFDs

    @property
    def size_px(self) -> Size:
        """Return width and length as stored, not turned."""
        return Size(self.number(WIDTH), self.number(LENGTH))

    @property
    def is_tiled(self) -> bool:
        """Return True if it is stored in tiles, not strips."""
        return TILE_WIDTH in self.values

    @property
    def is_reduced(self) -> bool:
        """Return True if it calls itself a reduced version of another picture."""
        return bool(self.number(SUBFILE_TYPE) & 1)

    @property
    def samples(self) -> int:
        """Return the samples of a pixel."""
        return self.number(SAMPLES, 1)

    @property
    def dtype(self) -> str:
        """Return the type of a sample, such as ``uint8``; of unequal ones that of the first."""
        kind = _SAMPLE_KINDS.get(self.number(SAMPLE_FORMAT, 1), "void")
        return f"{kind}{self.number(BITS, 1)}"

    @property
    def description(self) -> str:
        """Return ImageDescription, "" where there is none."""
        found = self.values.get(DESCRIPTION, "")
        return found if isinstance(found, str) else ""

    def number(self, tag: int, default: int = 0) -> int:
        """Return the first number of a field as an integer."""
        value = self.values.get(tag, default)
        first = value[0] if isinstance(value, tuple) and value else value
        return int(first) if isinstance(first, int | float) and math.isfinite(first) else default

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the numbers of a field, none where there is none."""
        value = self.values.get(tag, ())
        if isinstance(value, int | float):
            return (value,)
        return value if isinstance(value, tuple) else ()

    def text(self, tag: int) -> str:
        """Return a field as text."""
        value = self.values.get(tag, "")
        return value if isinstance(value, str) else ""


@frozen_value
class _Form:
    """How a TIFF writes its numbers: byte order, and 32 or 64 bits for an offset."""

    order: str
    is_big: bool
    size_bytes: int

    @property
    def entry(self) -> str:
        return self.order + ("HHQ8s" if self.is_big else "HHI4s")

    @property
    def count(self) -> str:
        return self.order + ("Q" if self.is_big else "H")

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.is_big else "I")


def tiff_directories(file: Path) -> tuple[Directory, ...]:
    """Return the directories of a TIFF in order, each with its SubIFDs; none of a file that is no TIFF.

    What cannot be followed ends the list: whoever decodes the file says what is wrong with it. At most
    ``MAX_DIRECTORIES`` are followed, each once.
    """
    with file.open("rb") as stream:
        return tuple(_chain(stream))


def _chain(stream: BinaryIO) -> Iterator[Directory]:
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return
    (magic,) = struct.unpack(order + "H", head[2:4])
    if magic not in (42, 43) or (magic == 43 and len(head) < 16):
        return
    form = _Form(order, magic == 43, os.fstat(stream.fileno()).st_size)
    at = int(struct.unpack_from(form.offset, head, 8 if form.is_big else 4)[0])
    seen: set[int] = set()
    while at and at not in seen and len(seen) < MAX_DIRECTORIES:
        seen.add(at)
        found = _directory(stream, form, at, seen)
        if found is None:
            return
        directory, at = found
        yield directory


def _directory(stream: BinaryIO, form: _Form, at: int, seen: set[int]) -> tuple[Directory, int] | None:
    """Return one directory and where the next one lies, or None where it cannot be followed."""
    number = _unpacked(stream, at, form.count)
    if number is None or number > _MAX_FIELDS:
        return None
    entry_bytes = struct.calcsize(form.entry)
    stream.seek(at + struct.calcsize(form.count))
    entries = stream.read(number * entry_bytes)
    if len(entries) < number * entry_bytes:
        return None
    values: dict[int, Value] = {}
    tags: set[int] = set()
    tile_bytes = 0
    for tag, kind, count, raw in struct.iter_unpack(form.entry, entries):
        tags.add(tag)
        if tag == TILE_BYTE_COUNTS:
            tile_bytes = _largest(stream, form, kind, count, raw)
        elif tag in _READ and (value := _value(stream, form, kind, count, raw)) is not None:
            values[tag] = value
    following = at + struct.calcsize(form.count) + number * entry_bytes
    after = _unpacked(stream, following, form.offset) or 0
    inner = tuple(_inner(stream, form, values.pop(SUB_IFDS, ()), seen))
    return Directory(at, values, tile_bytes, frozenset(tags), inner), after


def _inner(stream: BinaryIO, form: _Form, offsets: Value, seen: set[int]) -> Iterator[Directory]:
    places = (offsets,) if isinstance(offsets, int | float) else offsets if isinstance(offsets, tuple) else ()
    for place in map(int, places):
        if place in seen or len(seen) >= MAX_DIRECTORIES:
            continue
        seen.add(place)
        found = _directory(stream, form, place, seen)
        if found is not None:
            yield found[0]


def _unpacked(stream: BinaryIO, at: int, number_format: str) -> int | None:
    if at >= 1 << 62:
        return None
    stream.seek(at)
    content = stream.read(struct.calcsize(number_format))
    return int(struct.unpack(number_format, content)[0]) if len(content) == struct.calcsize(number_format) else None


def _value(stream: BinaryIO, form: _Form, kind: int, count: int, raw: bytes) -> Value | None:
    """Return the value of a field: text, one number or several; None where the file does not hold it."""
    if kind in (_TEXT, _UNDEFINED) or (kind == _BYTES and count > 16):
        content = _content(stream, form, min(count, MAX_TEXT_BYTES), raw)
        return None if content is None else _text(content.partition(b"\0")[0])
    if not 0 < count <= _MAX_FIELD_VALUES:
        return None
    if kind in _RATIONALS:
        content = _content(stream, form, 8 * count, raw)
        if content is None:
            return None
        parts = struct.unpack(f"{form.order}{2 * count}{_RATIONALS[kind]}", content)
        return _one_or_all(tuple(a / b if b else math.nan for a, b in zip(parts[::2], parts[1::2], strict=True)))
    code = _TYPES.get(kind)
    if code is None:
        return None
    content = _content(stream, form, struct.calcsize(code) * count, raw)
    return None if content is None else _one_or_all(struct.unpack(f"{form.order}{count}{code}", content))


def _text(content: bytes) -> str:
    """Return text in UTF-8, which Latin-1 is not but by chance; what is not UTF-8 is Latin-1."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _one_or_all(numbers: tuple[int | float, ...]) -> Value:
    return numbers[0] if len(numbers) == 1 else numbers


def _content(stream: BinaryIO, form: _Form, length: int, raw: bytes) -> bytes | None:
    """Return the bytes of a field: they lie in its entry, or where the entry says."""
    if length <= len(raw):
        return raw[:length]
    (place,) = struct.unpack(form.offset, raw)
    if place + length > form.size_bytes:
        return None
    stream.seek(place)
    content = stream.read(length)
    return content if len(content) == length else None


def _largest(stream: BinaryIO, form: _Form, kind: int, count: int, raw: bytes) -> int:
    """Return the largest of a field's numbers that the file holds."""
    code = {3: "u2", 4: "u4", 16: "u8"}.get(kind)
    if code is None:
        return 0
    numbers = np.dtype(form.order + code)
    length = count * numbers.itemsize
    if length <= len(raw):
        content = raw[:length]
    else:
        (place,) = struct.unpack(form.offset, raw)
        if place >= form.size_bytes:
            return 0
        stream.seek(place)
        content = stream.read(min(length, form.size_bytes))
    counts: Counts = np.frombuffer(content, numbers, len(content) // numbers.itemsize)
    return int(counts.max()) if counts.size else 0
