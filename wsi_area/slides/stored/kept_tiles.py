"""slides: how much of a slide its file holds, by its directories alone; no pixel is decoded."""

from collections.abc import Iterator

import numpy as np
import tifffile

from wsi_area.model.record.slide_certificate import StoredTiles
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.stored.opened_tiff import opened_tiff, page_at, quiet_tifffile

_STRUCTURE_ERRORS = (
    tifffile.TiffFileError, OSError, ValueError, KeyError, IndexError, TypeError, ArithmeticError,
)  # fmt: skip


def stored_tiles(info: SlideInfo) -> StoredTiles | None:
    """Return the stored tiles of the levels of a slide; None where it is no TIFF, or none that can be followed.

    A tile of no bytes is missing, which is OpenSlide's rule; one of bytes at no place is damaged.
    """
    try:
        with quiet_tifffile(), opened_tiff(info.path) as tiff:
            pages = list(_pages(tiff, info))
            offsets = np.concatenate([np.asarray(page.dataoffsets, np.uint64) for page in pages])
            counts = np.concatenate([np.asarray(page.databytecounts, np.uint64) for page in pages])
    except _STRUCTURE_ERRORS:
        return None
    if not offsets.size or offsets.size != counts.size:
        return None
    ends = offsets.astype(np.float64) + counts  # as floats, since 64 bits may overflow; below 2**53 they are exact
    beyond = (counts > 0) & (ends > info.file_bytes)
    return StoredTiles(
        listed=offsets.size,
        missing=int((counts == 0).sum()),
        without_place=int(((counts > 0) & (offsets == 0)).sum()),
        beyond_end=int(beyond.sum()),
    )


def _pages(tiff: tifffile.TiffFile, info: SlideInfo) -> Iterator[tifffile.TiffPage]:
    """Yield the directory of each level, or one for each of its colours."""
    parts = [part.directory_at for level in info.level_parts for part in level]
    if directories := dict.fromkeys(parts or info.level_directories):
        yield from (page_at(tiff, at) for at in directories)
        return
    pages = [page.aspage() for page in tiff.pages]
    for level in info.levels:
        size = level.size_px.width_px, level.size_px.height_px
        wanted = (size, size[::-1]) if info.is_turned else (size,)
        alike = [page for page in pages if (page.imagewidth, page.imagelength) in wanted]
        # of several alike the one that the file names first; the smallest levels of some makers are stored nowhere
        yield from alike[:1]
