"""storage: one gzip stream of parts that are packed each by itself, by whichever thread."""

import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from isal import isal_zlib

from wsi_area.frozen_value import frozen_value

_BLOCK_BYTES, _COPIED_BYTES = 1 << 20, 1 << 20
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate; no name, no time, nothing said of level and system
_LAST_BLOCK = b"\x03\0"  # an empty one that ends the stream
_LEVEL = 3  # the densest of ISA-L's


@frozen_value(eq=False)
class PackedPart:
    """A part of a deflate stream that ends on a whole byte and looks back at no other part."""

    deflated: bytes | memoryview
    check: int  # CRC-32 of what is packed
    size_bytes: int  # of what is packed


def packed_part(data: bytes | memoryview) -> PackedPart:
    """Return bytes packed by ISA-L."""
    packer = isal_zlib.compressobj(_LEVEL, wbits=-isal_zlib.MAX_WBITS)
    deflated = packer.compress(data) + packer.flush(isal_zlib.Z_FULL_FLUSH)
    return PackedPart(deflated, check_of(data), len(data))


def check_of(data: bytes | memoryview) -> int:
    """Return the CRC-32 of some bytes."""
    return isal_zlib.crc32(data)


class _Parts:
    """Parts one after the other: what gzip wants to know at their end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.check, self.size_bytes = 0, 0  # of what is packed

    def put(self, part: PackedPart) -> None:
        """Write a part."""
        self._file.write(part.deflated)
        self._count(part.check, part.size_bytes)

    def _count(self, check: int, size_bytes: int) -> None:
        self.check = isal_zlib.crc32_combine(self.check, check, size_bytes)
        self.size_bytes += size_bytes


class PartSpool(_Parts):
    """A file without a name in which parts wait, given up at the end of a block."""

    def __init__(self, beside: Path | None) -> None:
        super().__init__(tempfile.TemporaryFile(dir=beside))  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give up the file."""
        self._file.close()

    def pieces(self) -> Iterator[bytes]:
        """Yield what was written, from the begin."""
        self._file.seek(0)
        while piece := self._file.read(_COPIED_BYTES):
            yield piece


class BlockWriter(_Parts):
    """What is written is packed block by block, between the parts that are put as they are."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__(raw)
        self._rest = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        """Take bytes."""
        self._rest += data
        while len(self._rest) >= _BLOCK_BYTES:
            super().put(packed_part(bytes(self._rest[:_BLOCK_BYTES])))
            del self._rest[:_BLOCK_BYTES]

    def put(self, part: PackedPart) -> None:
        """Write a part behind what was written before."""
        self.end()
        super().put(part)

    def put_spooled(self, spool: PartSpool) -> None:
        """Write the parts that wait in a file."""
        self.end()
        for piece in spool.pieces():
            self._file.write(piece)
        self._count(spool.check, spool.size_bytes)

    def end(self) -> None:
        """Pack what is left."""
        if self._rest:
            super().put(packed_part(bytes(self._rest)))
            self._rest.clear()


@contextmanager
def packed_in_blocks(raw: BinaryIO) -> Iterator[BlockWriter]:
    """Lend a writer whose bytes arrive as one gzip member, without name and time: the same content, the same bytes.

    Parameters
    ----------
    raw
        Where the stream goes.
    """
    raw.write(_HEADER)
    writer = BlockWriter(raw)
    yield writer
    writer.end()
    raw.write(_LAST_BLOCK + struct.pack("<II", writer.check, writer.size_bytes & 0xFFFFFFFF))
