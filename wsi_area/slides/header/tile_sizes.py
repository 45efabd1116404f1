"""slides: how many bytes a TIFF says its tiles have, before anybody allocates them; structure only, no decoder."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SlideOpenError

Counts = NDArray[np.unsignedinteger]

MAX_TILE_BYTES = 1 << 28
"""As much as the largest tile that is decoded has uncompressed."""

MAX_DIRECTORIES = 1 << 10
_TILE_BYTE_COUNTS = 325
_NUMBERS = {3: "u2", 4: "u4", 16: "u8"}  # TIFF's types of a count


def refuse_oversized_tiles(file: Path) -> None:
    """Refuse a TIFF of which a tile is said to be larger than any tile is.

    OpenSlide allocates what is said, and where that fails it ends the whole process, not the slide.

    Raises
    ------
    SlideOpenError
    """
    with file.open("rb") as stream:
        for counts in _tile_byte_counts(stream):
            if counts.size and counts.max() > MAX_TILE_BYTES:
                raise SlideOpenError(
                    f"{file}: its header claims a stored tile of {counts.max()} bytes, more than {MAX_TILE_BYTES}; "
                    "it is damaged or hostile, copy or export it again"
                )


def _tile_byte_counts(stream: BinaryIO) -> Iterator[Counts]:
    """Yield the byte counts of each directory's tiles; what cannot be followed ends it: OpenSlide refuses that."""
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return
    (magic,) = struct.unpack(order + "H", head[2:4])
    if magic not in (42, 43):
        return
    big = magic == 43
    at = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
    entry_format, count_format, next_format = ("HHQ8s", "Q", "Q") if big else ("HHI4s", "H", "I")
    entry_bytes = struct.calcsize(order + entry_format)
    for _ in range(MAX_DIRECTORIES):
        number = _unpacked(stream, at, order + count_format) if at else None
        if number is None or number > 1 << 16:
            return
        stream.seek(at + struct.calcsize(order + count_format))
        entries = stream.read(number * entry_bytes)
        if len(entries) < number * entry_bytes:
            return
        for tag, kind, count, value in struct.iter_unpack(order + entry_format, entries):
            if tag == _TILE_BYTE_COUNTS and kind in _NUMBERS:
                yield _array(stream, np.dtype(order + _NUMBERS[kind]), count, value, order)
        following = at + struct.calcsize(order + count_format) + number * entry_bytes
        at = _unpacked(stream, following, order + next_format) or 0


def _unpacked(stream: BinaryIO, at: int, number_format: str) -> int | None:
    if at >= 1 << 62:
        return None
    stream.seek(at)
    content = stream.read(struct.calcsize(number_format))
    return int(struct.unpack(number_format, content)[0]) if len(content) == struct.calcsize(number_format) else None


def _array(stream: BinaryIO, kind: np.dtype[np.unsignedinteger], count: int, value: bytes, order: str) -> Counts:
    """Return the numbers of a field; those that the file does not hold are not there."""
    length = count * kind.itemsize
    if length <= len(value):
        return np.frombuffer(value, kind, count)
    place = int(struct.unpack(order + ("Q" if len(value) == 8 else "I"), value)[0])
    if place >= 1 << 62:
        return np.empty(0, kind)
    stream.seek(place)
    content = stream.read(min(length, os.fstat(stream.fileno()).st_size))
    return np.frombuffer(content, kind, len(content) // kind.itemsize)
