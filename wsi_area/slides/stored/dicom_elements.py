"""slides: the elements of a DICOM file from some place on, in explicit little endian, by their lengths (PS3.5, 7.1)."""

import os
import re
import struct
from collections.abc import Iterator

PER_FRAME, TABLE, PIXELS = 0x52009230, 0x7FE00001, 0x7FE00010
"""The tags of what a header says frame by frame, of its extended table of offsets, and of the pixels."""

UNDEFINED = 0xFFFFFFFF
"""The length of what does not say how long it is."""

ITEM = 0xFFFEE000
ITEM_HEAD = struct.Struct("<HHI")
CHUNK_BYTES = 1 << 22
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_AFTER_ITEMS = re.compile(rb"\xe0\x7f(?:\x01\x00OV|\x02\x00OV|\x10\x00O[BW])\0\0")
"""How the elements begin that may follow a sequence whose length is not said."""


def elements(file: int, file_bytes: int, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield tag, place of the value and length of each element from one on, in explicit little endian."""
    while at + 8 <= file_bytes:
        head = read_bytes(file, at, min(12, file_bytes - at))
        group, element, vr = *struct.unpack_from("<HH", head), head[4:6]
        if vr in _LONG:
            at, length = at + 12, struct.unpack_from("<I", head, 8)[0]
        else:
            at, length = at + 8, struct.unpack_from("<H", head, 6)[0]
        yield group << 16 | element, at, length
        at = end_of_items(file, file_bytes, at) if length == UNDEFINED else at + length


def end_of_items(file: int, file_bytes: int, at: int) -> int:
    """Return the place where the next element begins behind a sequence that does not say how long it is."""
    overlap = b""
    while at < file_bytes:
        chunk = overlap + read_bytes(file, at, min(CHUNK_BYTES, file_bytes - at))
        if found := _AFTER_ITEMS.search(chunk):
            return at - len(overlap) + found.start()
        at += len(chunk) - len(overlap)
        overlap = chunk[-7:]
    return file_bytes


def item_at(file: int, file_bytes: int, at: int) -> tuple[int, int]:
    """Return tag and length of an item, or of what stands in its place.

    Raises
    ------
    ValueError
        The file ends before it.
    """
    if at + ITEM_HEAD.size > file_bytes:
        raise ValueError("it ends within its pixels")
    group, element, length = ITEM_HEAD.unpack(read_bytes(file, at, ITEM_HEAD.size))
    return group << 16 | element, length


def read_bytes(file: int, at: int, count: int) -> bytes:
    """Return so many bytes of a file from a place on.

    Raises
    ------
    ValueError
        The file ends within them.
    """
    data = os.pread(file, count, at)
    if len(data) != count:
        raise ValueError(f"the file ends within the {count} bytes at {at}")
    return data
