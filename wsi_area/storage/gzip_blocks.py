"""storage: one gzip stream, packed block by block by several threads; the bytes do not depend on how many."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from isal import isal_zlib

from wsi_area.storage.in_order import InOrder

_BLOCK_BYTES = 1 << 20
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate; no name, no time, nothing said of level and system
_LAST_BLOCK = b"\x03\0"  # an empty one that ends the stream


class BlockWriter:
    """What is written is packed block by block, each by itself and up to a whole byte, so that they can be joined."""

    def __init__(self, packed: InOrder[bytes], level: int) -> None:
        self._packed, self._level, self._rest = packed, level, bytearray()
        self.check, self.size_bytes = 0, 0  # of all that was written, as gzip wants them at the end

    def write(self, data: bytes | memoryview) -> None:
        """Take bytes."""
        self.check, self.size_bytes = isal_zlib.crc32(data, self.check), self.size_bytes + len(data)
        self._rest += data
        while len(self._rest) >= _BLOCK_BYTES:
            self._packed.give(_deflated, bytes(self._rest[:_BLOCK_BYTES]), self._level)
            del self._rest[:_BLOCK_BYTES]

    def end(self) -> None:
        """Pack what is left."""
        self._packed.give(_deflated, bytes(self._rest), self._level)
        self._rest.clear()


def _deflated(block: bytes, level: int) -> bytes:
    """Return a part of a deflate stream that ends on a whole byte and looks back at no other part."""
    packer = isal_zlib.compressobj(level, wbits=-isal_zlib.MAX_WBITS)
    return packer.compress(block) + packer.flush(isal_zlib.Z_FULL_FLUSH)


@contextmanager
def packed_in_blocks(raw: BinaryIO, level: int, threads: int = 1) -> Iterator[BlockWriter]:
    """Lend a writer whose bytes arrive as one gzip member, without name and time: the same content, the same bytes.

    Parameters
    ----------
    raw
        Where the stream goes.
    level : int
        Of ISA-L's deflate, 0 to 3.
    threads : int
        How many pack.
    """
    raw.write(_HEADER)
    packed: InOrder[bytes] = InOrder(threads, raw.write)
    with packed:
        writer = BlockWriter(packed, level)
        yield writer
        writer.end()
    raw.write(_LAST_BLOCK + struct.pack("<II", writer.check, writer.size_bytes & 0xFFFFFFFF))
