"""slides: the bytes of many stored tiles at once: those that lie near each other in a file are read as one."""

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

NEAR_BYTES = 4096
"""Two tiles of a file that are this near are fetched as one: what lies between is on the same page anyway."""


class TileMemory:
    """Memory for the bytes of stored tiles, used again and again; it begins with what their JPEGs share."""

    def __init__(self, head: bytes) -> None:
        self.head_bytes = len(head)
        self.data = np.frombuffer(bytearray(head), np.uint8)

    def grow(self, data_bytes: int) -> None:
        """Make room for so many bytes behind the head; what else was there is lost."""
        wanted = self.head_bytes + data_bytes
        if wanted > self.data.size:
            data = np.empty(wanted + wanted // 4, np.uint8)
            data[: self.head_bytes] = self.data[: self.head_bytes]
            self.data = data


def read_spans(
    file: int, offsets: NDArray[np.int64], lengths: NDArray[np.int64], memory: TileMemory, at: int
) -> tuple[NDArray[np.int64], int]:
    """Return where parts of a file lie in memory, int64 (n, 2), first byte and end, and the end of all of them.

    Those that cannot be read are at 0. ``offsets`` rise. The memory has room behind ``at`` for all of the parts and
    what lies between near ones.
    """
    spans = np.zeros((len(offsets), 2), np.int64)
    ends = offsets + lengths
    gaps = offsets[1:] - ends[:-1]
    starts = np.flatnonzero((gaps < 0) | (gaps > NEAR_BYTES)) + 1
    for part in np.split(np.arange(len(offsets)), starts):
        begin, wanted = int(offsets[part[0]]), int(ends[part[-1]] - offsets[part[0]])
        try:
            got = os.preadv(file, [memory.data[at : at + wanted].data], begin)
        except OSError:
            continue
        whole = part[ends[part] - begin <= got]
        spans[whole, 0], spans[whole, 1] = offsets[whole] - begin + at, ends[whole] - begin + at
        at += wanted
    return spans, at


def joined(parts: Iterable[bytes | None], memory: TileMemory) -> NDArray[np.int64]:
    """Return where parts lie in memory, into which they are copied, int64 (n, 2); at 0 those that there are not."""
    known = [part or b"" for part in parts]
    lengths = np.array([len(part) for part in known], np.int64)
    memory.grow(int(lengths.sum()))
    ends = memory.head_bytes + lengths.cumsum()
    memory.data[memory.head_bytes : memory.head_bytes + int(lengths.sum())] = np.frombuffer(b"".join(known), np.uint8)
    spans: NDArray[np.int64] = np.stack((ends - lengths, ends), 1)
    spans[lengths == 0] = 0
    return spans
