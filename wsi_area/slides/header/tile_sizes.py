"""slides: the bytes that a TIFF says its tiles have, held against what a tile can have, before they are allocated."""

from collections.abc import Iterable
from pathlib import Path

from wsi_area.errors import SlideOpenError
from wsi_area.slides.header.tiff_directories import Directory

MAX_TILE_BYTES = 1 << 28
"""As much as the largest tile that is decoded has uncompressed."""


def refuse_oversized_tiles(file: Path, directories: Iterable[Directory]) -> None:
    """Refuse a TIFF of which a tile is said to be larger than any tile is.

    OpenSlide allocates what is said, and where that fails it ends the whole process, not the slide.

    Raises
    ------
    SlideOpenError
    """
    for directory in directories:
        if directory.tile_bytes > MAX_TILE_BYTES:
            raise SlideOpenError(
                f"{file}: its header claims a stored tile of {directory.tile_bytes} bytes, more than {MAX_TILE_BYTES}; "
                "it is damaged or hostile, copy or export it again"
            )
        refuse_oversized_tiles(file, directory.inner)
