"""slides: restart intervals that lie under each other in a picture, as one JPEG: one head to be parsed, not many."""

import struct
from collections.abc import Sequence
from functools import lru_cache

from wsi_area.slides.stored.tiled_level import JPEG_END, JPEG_START

_FRAME, _SCAN, _INTERVAL = b"\xff\xc0", b"\xff\xda", b"\xff\xdd"  # SOF0, SOS and DRI (ITU T.81, B.1.1.3)
_BLOCK_PX = 8


def joined_intervals(head: bytes, intervals: Sequence[bytes]) -> bytes | None:
    """Return the JPEG of some intervals, each under the one before it, or None where it would show other pixels.

    Parameters
    ----------
    head
        What makes a JPEG of one interval, as far as its data.
    intervals
        The data of each, with the marker of two bytes that ends it.

    Notes
    -----
    A decoder blends chroma over the rows of neighbours where a block of it stands for two rows: not so in an interval
    by itself. Markers are numbered anew, since those of a column are not numbered one after the other.
    """
    head_of_all = _head_of(head, len(intervals))
    if head_of_all is None:
        return None
    parts = [head_of_all]
    for n, data in enumerate(intervals):
        parts += data[:-2], bytes((0xFF, 0xD0 + n % 8))
    parts[-1] = JPEG_END
    return b"".join(parts)


@lru_cache(maxsize=64)
def _head_of(head: bytes, count: int) -> bytes | None:
    """Return the head of a picture that is so many intervals high, or None if they are no whole rows of blocks."""
    places = _segments(head)
    if places is None or not {_FRAME, _SCAN, _INTERVAL} <= places.keys():
        return None
    frame = places[_FRAME]
    height_px, width_px, components = struct.unpack_from(">HHB", head, frame + 5)
    samplings = [head[frame + 11 + 3 * n] for n in range(components)]
    across = max(s >> 4 for s in samplings)
    (stated,) = struct.unpack_from(">H", head, places[_INTERVAL] + 4)
    is_row = height_px == _BLOCK_PX and stated == -(-width_px // (_BLOCK_PX * across))
    if not is_row or any(s & 15 != 1 for s in samplings) or height_px * count > 0xFFFF:
        return None
    return head[: frame + 5] + struct.pack(">H", height_px * count) + head[frame + 7 :]


def _segments(head: bytes) -> dict[bytes, int] | None:
    r"""Return the place of each kind of marker in the head of a JPEG, or None where it does not end with its scan's.

    >>> _segments(bytes.fromhex("ffd8 ffdd 0004 0010 ffda 0003 00"))
    {b'\xff\xdd': 2, b'\xff\xda': 8}
    >>> _segments(bytes.fromhex("ffd8 ffda 0003 00 77")) is None
    True
    """
    places: dict[bytes, int] = {}
    at = len(JPEG_START)
    while at + 4 <= len(head) and head[at] == 0xFF:
        marker = head[at : at + 2]
        places[marker] = at
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return places if at == len(head) else None
