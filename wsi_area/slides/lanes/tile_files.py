"""slides: the files in which the stored tiles of a slide lie, open, and the bytes of each tile."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SlideOpenError
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.lanes.other_layouts import other_layout
from wsi_area.slides.stored.tiled_level import TiledLevel

_MARKER_BYTES = 2
NEAR_BYTES = 4096
"""Two tiles of a file that are this near are fetched as one: what lies between is on the same page anyway."""
_LOST_FILE = "no file holds it, though all are there by its header: one of several files is lost"
_LOST_TILE = "it has no bytes, though a slide of its vendor holds all of its tiles"


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


class TileFiles:
    """The stored tiles of a slide, read by ``pread``: no position is shared, so any number of threads may read."""

    def __init__(self, info: SlideInfo) -> None:
        self._info = info
        self.levels = _tiled_levels(info)
        self._open: dict[str, tuple[int, int]] = {}
        paths = dict.fromkeys(path for tiles, _ in self.levels if tiles is not None for path in tiles.files)
        try:
            for path in paths or (info.path,):
                self._open[path] = _opened(path)
        except SlideOpenError:
            self.close()
            raise

    def place(self, tiles: TiledLevel, index: int) -> tuple[int, int]:
        """Return the descriptor and the length of the file that holds a stored tile."""
        return self._open[tiles.files[tiles.file_of(index)] if tiles.files else self._info.path]

    def bytes_of(self, tiles: TiledLevel, index: int) -> bytes | None:
        """Return the compressed bytes of a stored tile, or None where OpenSlide takes it for missing: it has no bytes.

        Raises
        ------
        ValueError
            No file holds them where its directory says, or can: a tile of so many bytes lies nowhere.
        OSError
            They cannot be read.
        """
        offset, count = tiles.offsets[index], tiles.byte_counts[index]
        if count == 0:
            if tiles.is_full:
                raise ValueError(_LOST_FILE if tiles.files else _LOST_TILE)
            return None
        if offset == 0:
            raise ValueError(f"its directory gives it {count} bytes and no place in the file")
        if count < 0:  # of an interval whose next one is said to begin before it
            raise ValueError(f"by its directory it ends {-count} bytes before it begins at {offset}")
        if index in tiles.shared:
            raise ValueError(f"another tile claims some of its {count} bytes at {offset}")
        file, file_bytes = self.place(tiles, index)
        if tiles.is_in_items:
            from wsi_area.slides.stored.dicom_frames import frame_bytes  # which only DICOM need pay

            return frame_bytes(file, file_bytes, offset, count)
        before_bytes = _MARKER_BYTES if tiles.is_interval and index else 0
        data = os.pread(file, before_bytes + count, offset - before_bytes) if offset + count <= file_bytes else b""
        if len(data) != before_bytes + count:
            raise ValueError(f"the file ends within it ({count} bytes at {offset})")
        if tiles.is_interval:
            is_last = index == len(tiles.offsets) - 1
            _require_markers(data[:before_bytes], data[-_MARKER_BYTES:], index, is_last=is_last)
        return data[before_bytes:]

    def read_together(self, tiles: TiledLevel, indices: NDArray[np.int64], memory: TileMemory) -> NDArray[np.int64]:
        """Return where the bytes of stored tiles lie in memory, int64 (n, 2), first byte and end.

        At 0 are those that are missing, or that cannot be fetched: `bytes_of` says why.
        """
        offsets, counts = np.asarray(tiles.offsets), np.asarray(tiles.byte_counts)
        if tiles.is_in_items or tiles.is_interval or offsets.dtype != np.int64 or counts.dtype != np.int64:
            return _joined((self._bytes_if_any(tiles, index) for index in indices.tolist()), memory)
        offsets, counts = offsets[indices], counts[indices]
        numbers = np.asarray(tiles.file_numbers)[indices] if tiles.file_numbers else np.zeros(len(indices), np.int64)
        usable = (offsets > 0) & (counts > 0)
        if tiles.shared:
            usable &= ~np.isin(indices, list(tiles.shared))
        for file_number, first in zip(*np.unique(numbers, return_index=True), strict=True):
            _, file_bytes = self.place(tiles, int(indices[first]))
            usable &= (numbers != file_number) | (counts <= file_bytes - offsets)
        memory.grow(int(counts[usable].sum()) + NEAR_BYTES * len(indices))
        found, at = np.zeros((len(indices), 2), np.int64), memory.head_bytes
        for file_number in np.unique(numbers[usable]):
            of_file = np.flatnonzero(usable & (numbers == file_number))
            of_file = of_file[np.argsort(offsets[of_file], kind="stable")]
            file, _ = self.place(tiles, int(indices[of_file[0]]))
            found[of_file], at = _read_spans(file, offsets[of_file], counts[of_file], memory, at)
        return found

    def _bytes_if_any(self, tiles: TiledLevel, index: int) -> bytes | None:
        """Return the compressed bytes of a stored tile, or None where it is missing, or they cannot be fetched."""
        try:
            return self.bytes_of(tiles, index)
        except (ValueError, OSError):
            return None

    def close(self) -> None:
        """Close the files."""
        for file, _ in self._open.values():
            os.close(file)


def _require_markers(before: bytes, behind: bytes, index: int, *, is_last: bool) -> None:
    """Refuse a restart interval that does not lie between markers: they are numbered from 0 to 7, again and again.

    That the one before it is of another number is the damage of the interval before.

    Raises
    ------
    ValueError
    """
    wanted = b"\xff\xd9" if is_last else bytes((0xFF, 0xD0 + index % 8))
    if behind != wanted:
        raise ValueError(f"it ends with {behind.hex(' ')}, not with the marker {wanted.hex(' ')}")
    if index and (before[:1] != b"\xff" or before[1] & 0xF8 != 0xD0):
        raise ValueError(f"{before.hex(' ')} stand before it, which is no restart marker")


def _opened(path: str) -> tuple[int, int]:
    """Return a descriptor of a file and its length.

    Raises
    ------
    SlideOpenError
        The file is gone, or may not be read.
    """
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise SlideOpenError(f"{path}: {error.strerror}; bring the file back") from error
    return file, os.fstat(file).st_size


def _tiled_levels(info: SlideInfo) -> tuple[tuple[TiledLevel | None, str], ...]:
    """Return for each level of a slide its tiles and "", or None and why the direct lane cannot read it."""
    if reason := other_layout(info.vendor):
        return ((None, reason),) * len(info.levels)
    if info.vendor == "dicom":  # either library takes 0.2 s to load, which the other format need not pay
        from wsi_area.slides.header.dicom import files_beside
        from wsi_area.slides.stored.dicom_levels import dicom_levels

        return dicom_levels(info, files_beside(Path(info.path)))
    from wsi_area.slides.stored.tiff_levels import tiff_levels

    return tiff_levels(info)


def _read_spans(
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


def _joined(parts: Iterable[bytes | None], memory: TileMemory) -> NDArray[np.int64]:
    """Return where parts lie in memory, into which they are copied, int64 (n, 2); at 0 those that there are not."""
    known = [part or b"" for part in parts]
    lengths = np.array([len(part) for part in known], np.int64)
    memory.grow(int(lengths.sum()))
    ends = memory.head_bytes + lengths.cumsum()
    memory.data[memory.head_bytes : memory.head_bytes + int(lengths.sum())] = np.frombuffer(b"".join(known), np.uint8)
    spans: NDArray[np.int64] = np.stack((ends - lengths, ends), 1)
    spans[lengths == 0] = 0
    return spans
