"""slides: several compressed tiles at once, into memory that is already there."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from wsi_area.compute.jpeg.decoder import decode_jpegs
from wsi_area.slides.stored.tiled_level import JPEG, JPEG_END, TiledLevel

_DECODED_BYTES = 1 << 20
"""Pixels that are decoded before they are handed out: fewer turns at Python's lock, and still in the nearer caches."""
_TOGETHER = 4
"""JPEGs that are decoded beside each other: see ``compute.jpeg.decoder``."""
_MOST_PX, _MOST_WIDTH_PX = 1 << 18, 8192
"""Of each of them: more pixels would leave the caches, and 64 bytes for each column wait in memory."""


def tiles_at_once(tiles: TiledLevel) -> int:
    """Return the number of stored tiles that are decoded before they are handed out."""
    fit = max(1, _DECODED_BYTES // (3 * tiles.tile_px.area_px))
    return max(1, fit // _TOGETHER) * _TOGETHER if _are_decoded_together(tiles) else fit


def decode_together(
    data: Sequence[bytes | Exception | None], level: TiledLevel, out: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Return which of several stored tiles were decoded beside each other, bool (n,): JPEGs that are as usual.

    Each of the others, and what is no data, is left to `decode_tile`: one decoder judges what is damaged.

    Parameters
    ----------
    data
        Of each tile its bytes, or else what there is in place of them.
    level : TiledLevel
        Whose tiles they are.
    out : uint8 (n or more, tile h, tile w, 3)
        Contiguous; takes the pixels of those that were decoded. What it has of the others is nothing.
    """
    parts = [some if isinstance(some, bytes) else b"" for some in data]
    if not any(parts) or not _are_decoded_together(level):
        return np.zeros(len(data), np.bool_)
    head = level.jpeg_head
    lengths = np.array([len(part) for part in parts], np.int64)
    ends = lengths.cumsum() + len(head)
    spans = np.stack((ends - lengths, ends), 1)
    joined = np.frombuffer(b"".join((head, *parts)), np.uint8)
    return decode_jpegs(joined, len(head), spans, out[: len(data)], is_ycbcr=level.is_ycbcr)


def _are_decoded_together(level: TiledLevel) -> bool:
    """Return True if tiles of a level are decoded beside each other where they are as usual, even one alone.

    So what is compared with another decoder's pixels is what a run counts.
    """
    tile_px = level.tile_px
    if level.compression != JPEG or tile_px.width_px > _MOST_WIDTH_PX or tile_px.area_px > _MOST_PX:
        return False
    return not level.is_interval or (level.is_ycbcr and _is_ycbcr(level.jpeg_head))


@lru_cache(maxsize=64)
def _is_ycbcr(head: bytes) -> bool:
    """Return True if libjpeg takes what follows a JPEG's head for YCbCr: of its markers, it knows the rules."""
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(head + JPEG_END)
    except ValueError:
        return False
    return bool(colours == "YCbCr")
