"""slides: where the frames of one DICOM file lie, by its tables and lengths alone; no pixel is decoded (PS3.5, A.4)."""

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.slides.stored.dicom_elements import (
    CHUNK_BYTES,
    ITEM,
    ITEM_HEAD,
    PER_FRAME,
    PIXELS,
    TABLE,
    UNDEFINED,
    elements,
    end_of_items,
    item_at,
    read_bytes,
)
from wsi_area.slides.stored.dicom_header import ScanHeader

_PLACE = re.compile(rb"\x48\0\x1e\x02SL\x04\0(.{4})\x48\0\x1f\x02SL\x04\0(.{4})", re.DOTALL)
"""Column and row of a frame in the whole picture, from 1 on: two elements that follow each other."""


@frozen_value
class FrameSpans:
    """Where the frames of one file lie, in the order of the file, and which part of the picture each one is."""

    offsets: NDArray[np.int64]  # of a compressed frame: of its first item
    byte_counts: NDArray[np.int64]  # up to the next frame, the heads of items among them
    cells: NDArray[np.int64]  # in the grid of the level, row by row


def frame_spans(file: int, file_bytes: int, scan: ScanHeader, *, is_compressed: bool) -> FrameSpans:
    """Return the places of the frames of an open DICOM file.

    Raises
    ------
    ValueError
        Its structure cannot be followed, or says otherwise than its header.
    OSError
        It cannot be read.
    """
    places: list[tuple[int, int]] = []
    table = None
    for tag, at, length in elements(file, file_bytes, scan.rest_at):
        if tag == PER_FRAME:
            end = end_of_items(file, file_bytes, at) if length == UNDEFINED else at + length
            places = list(_places(file, at, min(end, file_bytes)))
        elif tag == TABLE:
            table = read_bytes(file, at, length)
        elif tag == PIXELS:
            if is_compressed:
                offsets, counts = _spans_of_items(file, file_bytes, at, scan.frames, table)
            else:
                offsets, counts = _spans_of_samples(at, length, scan)
            return FrameSpans(offsets, counts, _cells(scan, places))
    raise ValueError("it ends before its pixels")


def deadly_structure(path: Path, frames: int, organization: str, rest_at: int) -> str:
    """Return the part of a DICOM file's structure that would end the process in which OpenSlide reads it; "" for none.

    Its library subtracts the places of neighbouring frames, and looks up places that are not there. ``rest_at`` is
    where the header goes on frame by frame. A file that cannot be followed is left to OpenSlide, which refuses it.
    """
    try:
        with path.open("rb") as stream:
            file, file_bytes = stream.fileno(), os.fstat(stream.fileno()).st_size
            has_places, extended = False, None
            for tag, at, length in elements(file, file_bytes, rest_at):
                has_places = has_places or tag == PER_FRAME
                if tag == TABLE:
                    extended = read_bytes(file, at, length)
                if tag == PIXELS and length == UNDEFINED:
                    first, offsets = _table(file, file_bytes, at, frames, extended)
                    if offsets is not None and (wrong := _disorder(offsets, first)):
                        return f"by its table of offsets frame {wrong} of {frames} does not begin behind the one before"
                if tag == PIXELS:
                    break
    except (ValueError, OSError):
        return ""
    if organization in ("TILED_SPARSE", "3D") and not has_places:
        return f"its frames are {organization}, and do not say where in the picture they lie"
    return ""


def frame_bytes(file: int, file_bytes: int, offset: int, count: int) -> bytes:
    """Return the compressed bytes of a frame that lies in one item or several.

    Raises
    ------
    ValueError
        They are not where the tables say.
    OSError
        They cannot be read.
    """
    data = os.pread(file, count, offset) if offset + count <= file_bytes else b""
    if len(data) != count:
        raise ValueError(f"the file ends within it ({count} bytes at {offset})")
    parts, at = [], 0
    while at + ITEM_HEAD.size <= count:
        group, element, length = ITEM_HEAD.unpack_from(data, at)
        if group << 16 | element != ITEM:
            raise ValueError(f"it begins at {offset}, and no item lies at {offset + at}, where one should")
        at += ITEM_HEAD.size
        if at + length > count:
            raise ValueError(f"its {length} bytes at {offset} reach into what follows, {count - at} bytes behind")
        parts.append(data[at : at + length])
        at += length
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _places(file: int, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield column and row, from 1 on, of each frame that says where it lies."""
    overlap = b""
    while at < end:
        chunk = overlap + read_bytes(file, at, min(CHUNK_BYTES, end - at))
        at += len(chunk) - len(overlap)
        done = 0
        for found in _PLACE.finditer(chunk):
            yield struct.unpack("<i", found[1])[0], struct.unpack("<i", found[2])[0]
            done = found.end()
        overlap = chunk[max(done, len(chunk) - 23) :]


def _cells(scan: ScanHeader, places: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the cell of the level's grid that each frame is, from 0 on, row by row."""
    width, height = scan.tile_px.width_px, scan.tile_px.height_px
    across, down = -(-scan.size_px.width_px // width), -(-scan.size_px.height_px // height)
    if places:
        if len(places) != scan.frames:
            raise ValueError(f"{len(places)} of its {scan.frames} frames say where they lie")
        column, row = (np.asarray(places, np.int64) - 1).T
        if (column % width).any() or (row % height).any():
            raise ValueError("its frames do not lie on a grid")
        column, row = column // width, row // height
        if not ((column >= 0) & (column < across) & (row >= 0) & (row < down)).all():
            raise ValueError("some of its frames lie beyond the picture")
        cells: NDArray[np.int64] = row * across + column
        return cells
    if scan.organization not in ("", "TILED_FULL"):
        raise ValueError(f"its frames are {scan.organization} and do not say where they lie")
    if scan.first_frame < 0 or scan.first_frame + scan.frames > across * down:
        raise ValueError(f"it lists {scan.first_frame + scan.frames} frames where {across} × {down} are needed")
    return np.arange(scan.first_frame, scan.first_frame + scan.frames, dtype=np.int64)


def _spans_of_samples(at: int, length: int, scan: ScanHeader) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    each = 3 * scan.tile_px.area_px
    if length == UNDEFINED or length < each * scan.frames:
        raise ValueError(f"its {scan.frames} frames need {each * scan.frames} bytes, its pixels have {length}")
    counts = np.full(scan.frames, each, np.int64)
    return at + np.arange(scan.frames, dtype=np.int64) * each, counts


def _spans_of_items(
    file: int, file_bytes: int, at: int, frames: int, extended: bytes | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of compressed frames: by either table, or else item by item."""
    first, offsets = _table(file, file_bytes, at, frames, extended)
    if offsets is None:
        offsets = np.fromiter(_item_offsets(file, file_bytes, first), np.int64)
        if len(offsets) != frames:
            raise ValueError(f"it has {len(offsets)} items for {frames} frames, and no table says which are of one")
    if not frames or _disorder(offsets, first):
        raise ValueError("its table of offsets does not ascend")
    return offsets, np.append(offsets[1:], _end_of_frames(file, file_bytes, int(offsets[-1]))) - offsets


def _table(
    file: int, file_bytes: int, at: int, frames: int, extended: bytes | None
) -> tuple[int, NDArray[np.int64] | None]:
    """Return the begin of the first frame, and of each by either table, or None where there is none."""
    tag, length = item_at(file, file_bytes, at)
    if tag != ITEM:
        raise ValueError("its pixels begin with no table of offsets")
    first = at + ITEM_HEAD.size + length
    if extended is not None and len(extended) == 8 * frames:
        return first, first + np.frombuffer(extended, "<u8").astype(np.int64)
    if length and length != 4 * frames:
        raise ValueError(f"its table lists {length // 4} offsets for {frames} frames")
    if length:
        return first, first + np.frombuffer(read_bytes(file, at + ITEM_HEAD.size, length), "<u4").astype(np.int64)
    return first, None


def _disorder(offsets: NDArray[np.int64], first: int) -> int:
    """Return the first frame, from 1 on, that does not begin behind the one before it; 0 where all do."""
    behind = np.diff(offsets, prepend=first - 1) > 0
    return 0 if behind.all() else int(np.argmin(behind)) + 1


def _item_offsets(file: int, file_bytes: int, at: int) -> Iterator[int]:
    while at + ITEM_HEAD.size <= file_bytes:
        tag, length = item_at(file, file_bytes, at)
        if tag != ITEM:
            return
        yield at
        at += ITEM_HEAD.size + length


def _end_of_frames(file: int, file_bytes: int, last: int) -> int:
    """Return the end of the last frame's items; at least the head of one is taken to be there."""
    end = last + ITEM_HEAD.size
    for at in _item_offsets(file, file_bytes, last):
        end = at + ITEM_HEAD.size + item_at(file, file_bytes, at)[1]
    return end
