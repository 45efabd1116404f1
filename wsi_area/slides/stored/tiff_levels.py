"""slides: where the compressed tiles of a tiled TIFF lie, level by level; structure only, by tifffile."""

import struct
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np
import tifffile

from wsi_area.model.geometry import Size
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.stored.level_pages import level_pages
from wsi_area.slides.stored.opened_tiff import opened_tiff
from wsi_area.slides.stored.tiled_level import (
    COMPRESSIONS,
    JPEG,
    JPEG2000_YCBCR,
    MAX_TILE_PX,
    UNCOMPRESSED,
    TiledLevel,
    compact,
    jpeg_head,
)

FULL_VENDORS = ("trestle", "ventana")
"""Vendors that leave out no tile: OpenSlide refuses one of no bytes, where it shows nothing for that of others."""

_RGB, _YCBCR = 2, 6
_STRUCTURE_ERRORS = (
    tifffile.TiffFileError, OSError, ValueError, KeyError, IndexError, TypeError, ArithmeticError, struct.error,
)  # fmt: skip


def tiff_levels(info: SlideInfo) -> tuple[tuple[TiledLevel | None, str], ...]:
    """Return for each level of a tiled TIFF its tiles and "", or None and why the direct lane cannot read it."""
    try:
        with opened_tiff(info.path) as tiff:
            pages = [page for page in map(_full_page, tiff.pages) if page is not None and page.is_tiled]
            found = level_pages(info, pages)
            return tuple(
                (None, obstacle) if page is None else _tiled_level(level.size_px, page, info.vendor)
                for level, (page, obstacle) in zip(info.levels, found, strict=True)
            )
    except _STRUCTURE_ERRORS as error:
        return ((None, f"its TIFF structure cannot be followed ({error})"),) * len(info.levels)


def shared_bytes(
    offsets: Sequence[int], byte_counts: Sequence[int], uncompressed_bytes: int | None = None
) -> frozenset[int]:
    """Return the tiles whose bytes another tile claims as well, though not the very same: of one, the place is wrong.

    Compressed data that begin in the middle of another tile do not decode; those that begin where it does, do. A tile
    that reaches into two others is the one to blame. Tiles that are stored once, being equal, share all their bytes.
    ``uncompressed_bytes`` are those of a tile that is not compressed, of which no more are used.

    >>> sorted(shared_bytes([8, 108, 150, 308], [100, 100, 100, 100], 100))
    [1, 2]
    >>> sorted(shared_bytes([8, 108, 58, 208], [100, 100, 100, 100], 100))
    [2]
    >>> sorted(shared_bytes([8, 8, 58], [90, 80, 40]))
    [0, 1]
    """
    at, count = np.asarray(offsets, np.int64), np.asarray(byte_counts, np.int64)
    order = np.lexsort((count, at))
    order = order[(count[order] > 0) & (at[order] > 0)]
    first, second = order[:-1], order[1:]
    same_place = at[first] == at[second]
    overlap = same_place
    if uncompressed_bytes is not None:
        overlap = at[second] < at[first] + np.minimum(count[first], uncompressed_bytes)
    overlap = overlap & ~(same_place & (count[first] == count[second]))
    pairs = list(zip(first[overlap].tolist(), second[overlap].tolist(), strict=True))
    times = Counter(chain.from_iterable(pairs))
    return frozenset(
        chain.from_iterable([n for n in pair if times[n] == max(times[one] for one in pair)] for pair in pairs)
    )


def _full_page(page: tifffile.TiffPage | tifffile.TiffFrame) -> tifffile.TiffPage | None:
    return page if isinstance(page, tifffile.TiffPage) else page.aspage()


def _tiled_level(size: Size, page: tifffile.TiffPage, vendor: str) -> tuple[TiledLevel | None, str]:
    """Return the tiles of a level in its directory and "", or None and why the direct lane cannot read them."""
    obstacle = _obstacle(page)
    if obstacle is not None:
        return None, obstacle
    tile = Size(int(page.tilewidth), int(page.tilelength))
    across, down = -(-size.width_px // tile.width_px), -(-size.height_px // tile.height_px)
    offsets, counts = compact(page.dataoffsets), compact(page.databytecounts)
    if len(offsets) != across * down or len(counts) != across * down:
        return None, f"it lists {len(offsets)} tiles where {across} × {down} are needed"
    compression, is_ycbcr = int(page.compression), int(page.photometric) == _YCBCR
    intervals = page.jpegheader  # of NDPI, where each level is one JPEG, with the size of an interval in its head
    head = intervals or (jpeg_head(page.jpegtables, is_ycbcr) if compression == JPEG else b"")
    shared = shared_bytes(offsets, counts, 3 * tile.area_px if compression == UNCOMPRESSED else None)
    level = TiledLevel(
        size, tile, across, down, offsets, counts, compression, int(page.predictor), is_ycbcr, head, shared,
        is_full=vendor in FULL_VENDORS, is_interval=intervals is not None,
    )  # fmt: skip
    return level, ""


def _obstacle(page: tifffile.TiffPage) -> str | None:
    """Return the first feature of a page that the direct lane does not know, or None."""
    compression, photometric = int(page.compression), int(page.photometric)
    if compression not in COMPRESSIONS:
        return f"compression {compression} is not one the direct lane decodes"
    if str(page.dtype) != "uint8" or page.samplesperpixel != 3 or int(page.planarconfig) != 1:
        return f"{page.samplesperpixel} samples of {page.dtype} (planar {int(page.planarconfig)}), not 3 × 8-bit"
    if photometric != _RGB and not (photometric == _YCBCR and compression in (JPEG, JPEG2000_YCBCR)):
        return f"photometric {photometric} with compression {compression} is not plain RGB"
    if int(page.predictor) not in (1, 2):
        return f"predictor {int(page.predictor)} is not known"
    if page.imagedepth != 1 or page.tiledepth != 1 or int(page.fillorder) != 1:
        return "it has depth or a reversed bit order"
    if not 0 < page.tilewidth * page.tilelength <= MAX_TILE_PX:
        return f"a tile of {page.tilewidth} × {page.tilelength} px is not a tile"
    return None
