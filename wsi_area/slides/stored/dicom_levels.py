"""slides: the stored tiles of a DICOM slide, level by level: each level is one file, or several that continue it."""

import os
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from wsi_area.model.geometry import Size
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.stored.dicom_frames import FrameSpans, frame_spans
from wsi_area.slides.stored.dicom_header import NoDicomError, ScanHeader, scans_of_series
from wsi_area.slides.stored.tiled_level import (
    JPEG,
    JPEG2000_RGB,
    MAX_TILE_PX,
    UNCOMPRESSED,
    TiledLevel,
    compact,
    jpeg_head,
)

_CODINGS = {
    ("1.2.840.10008.1.2.1", "RGB"): UNCOMPRESSED,
    ("1.2.840.10008.1.2.4.50", "RGB"): JPEG,
    ("1.2.840.10008.1.2.4.50", "YBR_FULL_422"): JPEG,
    # a JPEG 2000 stream says itself how its colours were turned, and the decoder turns them back
    **{
        (f"1.2.840.10008.1.2.4.{syntax}", colours): JPEG2000_RGB
        for syntax in (90, 91)
        for colours in ("RGB", "YBR_RCT", "YBR_ICT")
    },
}


def dicom_levels(info: SlideInfo, files: Iterable[Path]) -> tuple[tuple[TiledLevel | None, str], ...]:
    """Return for each level of a DICOM slide its tiles and "", or None and why the direct lane cannot read it.

    ``files`` are those in which the levels may lie.
    """
    try:
        scans = scans_of_series(files, Path(info.path))
    except NoDicomError as error:
        return ((None, f"its DICOM header cannot be followed ({error})"),) * len(info.levels)
    levels: list[tuple[TiledLevel | None, str]] = []
    for level in info.levels:
        parts = [scan for scan in scans if scan.size_px == level.size_px]
        try:
            levels.append((_level(level.size_px, parts), ""))
        except (ValueError, OSError) as error:
            levels.append((None, f"its DICOM frames cannot be followed: {error}"))
    return tuple(levels)


def _level(size: Size, parts: Sequence[ScanHeader]) -> TiledLevel:
    """Return the tiles of a level that lie in one file or in several.

    Raises
    ------
    ValueError
        They cannot be followed.
    """
    compression, is_ycbcr = _coding(size, parts)
    tile = parts[0].tile_px
    across, down = -(-size.width_px // tile.width_px), -(-size.height_px // tile.height_px)
    offsets, counts = np.zeros(across * down, np.int64), np.zeros(across * down, np.int64)
    numbers = np.zeros(across * down, np.uint16)
    for number, part in enumerate(parts):
        spans = _spans(part, compression)
        cells = spans.cells
        if len(np.unique(cells)) != len(cells) or counts[cells].any():
            raise ValueError("two frames claim the same place in the picture")
        offsets[cells], counts[cells], numbers[cells] = spans.offsets, spans.byte_counts, number
    return TiledLevel(
        size, tile, across, down, compact(offsets.tolist()), compact(counts.tolist()), compression, 1, is_ycbcr,
        jpeg_head(None, is_ycbcr) if compression == JPEG else b"", frozenset(),
        tuple(part.path for part in parts), array("H", numbers.tobytes()) if len(parts) > 1 else (),
        is_in_items=compression != UNCOMPRESSED, is_full=all(part.organization == "TILED_FULL" for part in parts),
    )  # fmt: skip


def _coding(size: Size, parts: Sequence[ScanHeader]) -> tuple[int, bool]:
    """Return the compression of a level, and whether its JPEG holds luminance and chroma."""
    if not parts:
        raise ValueError(f"no file of its series says that it holds {size.width_px} × {size.height_px} px")
    kinds = {(part.tile_px, part.syntax, part.photometric) for part in parts}
    if len(kinds) > 1 or len(parts) > np.iinfo(np.uint16).max:
        raise ValueError(f"its {len(parts)} files are stored in different ways")
    tile, syntax, photometric = kinds.pop()
    if not 0 < tile.area_px <= MAX_TILE_PX:
        raise ValueError(f"a frame of {tile.width_px} × {tile.height_px} px is not a tile")
    compression = _CODINGS.get((syntax, photometric))
    if compression is None:
        raise ValueError(f"transfer syntax {syntax} of {photometric} is not one the direct lane decodes")
    return compression, photometric != "RGB"


def _spans(part: ScanHeader, compression: int) -> FrameSpans:
    file = os.open(part.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        return frame_spans(file, os.fstat(file).st_size, part, is_compressed=compression != UNCOMPRESSED)
    finally:
        os.close(file)
