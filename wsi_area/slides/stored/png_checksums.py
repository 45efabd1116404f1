"""slides: whether the pixels of a PNG are what was written: the checksum of each of its chunks of pixels."""

import struct
import zlib
from pathlib import Path

_START = b"\x89PNG\r\n\x1a\n"
_BLOCK_BYTES = 1 << 20


def png_damage(file: Path) -> str | None:
    """Return what is wrong with the chunks of a PNG (ISO 15948, 5.3), or None; nothing of it is decoded.

    Pillow, like many readers, looks at the checksums of all chunks but those that hold the pixels.
    """
    with file.open("rb") as stream:
        stream.seek(len(_START))
        while True:
            head = stream.read(8)
            if len(head) < 8:
                return "it ends before its last chunk"
            length, kind = struct.unpack(">I4s", head)
            checksum = zlib.crc32(kind)
            left = length
            while left:
                block = stream.read(min(left, _BLOCK_BYTES))
                if not block:
                    return f"it ends within a chunk of {length} bytes"
                checksum = zlib.crc32(block, checksum)
                left -= len(block)
            stored = stream.read(4)
            if kind == b"IDAT" and stored != struct.pack(">I", checksum):
                return f"the checksum of a chunk of {length} bytes of pixels is wrong"
            if kind == b"IEND":
                return None
