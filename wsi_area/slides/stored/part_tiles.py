"""slides: the stored tiles of a picture that may be made of several TIFF directories, decoded one at a time."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from wsi_area.model.geometry import Region, Size
from wsi_area.model.picture import StoredPart
from wsi_area.slides.stored.opened_tiff import opened_tiff, page_at
from wsi_area.slides.stored.plain_depth import steady_brightest
from wsi_area.slides.stored.tiff_segments import segment_samples

MAX_TILE_PX = 1 << 26
_WHITE_IS_ZERO = 0
_THREE_COLOURS = (2, 6)  # red-green-blue, and YCbCr as JPEG has it
_READ_COLOURS = (_WHITE_IS_ZERO, 1, *_THREE_COLOURS)
_APART = 2  # PlanarConfiguration: each sample in tiles of its own


class StoredPicture:
    """A picture whose channels are parts of TIFF directories; open until it is closed."""

    def __init__(self, file: Path, parts: Sequence[Sequence[StoredPart]]) -> None:
        self._tiff = opened_tiff(file)
        self._lock = threading.Lock()  # tifffile's handle has one position
        self.file_bytes = file.stat().st_size
        try:
            self._pages = [[page_at(self._tiff, part.directory_at) for part in level] for level in parts]
        except BaseException:
            self._tiff.close()
            raise
        self._parts = [tuple(level) for level in parts]

    def __enter__(self) -> "StoredPicture":
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    @property
    def dtype(self) -> str:
        """Return the type of its samples."""
        return str(self._pages[0][0].dtype)

    @property
    def channels(self) -> int:
        """Return the number of parts of a pixel: 1, or 3 for red, green and blue."""
        return len(self._parts[0])

    def pages(self, level: int) -> list[tifffile.TiffPage]:
        """Return the directories of a level, one for each part."""
        return self._pages[level]

    def size_px(self, level: int) -> Size:
        """Return the size of a level."""
        page = self._pages[level][0]
        return Size(int(page.imagewidth), int(page.imagelength))

    def tile_px(self, level: int) -> Size:
        """Return the size of its stored tiles."""
        page = self._pages[level][0]
        return Size(int(page.tilewidth), int(page.tilelength))

    def tile(self, level: int, row: int, column: int) -> NDArray[Any] | None:
        """Return (h, w, channels) of a stored tile, not wider than the level; None where the file does not hold it.

        Raises
        ------
        ValueError
            It cannot be decoded to a whole tile; the codecs add errors of their own.
        """
        return _together(
            [
                self._samples(page, part.sample, row, column)
                for page, part in zip(self._pages[level], self._parts[level], strict=True)
            ]
        )

    def brightest(self, level: int) -> tuple[int, int]:
        """Return the brightest sample of a level that is no hot pixel, and how many hot pixels there are.

        Tile by tile; what cannot be decoded is left out.
        """
        largest, hot_px = 0, 0
        size, tile = self.size_px(level), self.tile_px(level)
        for row in range(-(-size.height_px // tile.height_px)):
            for column in range(-(-size.width_px // tile.width_px)):
                try:
                    samples = self.tile(level, row, column)
                except (ValueError, RuntimeError, OSError):  # told when it is read to be counted
                    continue
                for channel in () if samples is None else np.moveaxis(samples, -1, 0):
                    brightest, hot = steady_brightest(channel)
                    largest, hot_px = max(largest, brightest), hot_px + hot
        return largest, hot_px

    def close(self) -> None:
        """Close the file."""
        self._tiff.close()

    def _samples(self, page: tifffile.TiffPage, sample: int | None, row: int, column: int) -> NDArray[Any] | None:
        """Return one sample of each pixel of a tile, or all of its colours, wherever they are stored."""
        across = -(-int(page.imagewidth) // int(page.tilewidth))
        down = -(-int(page.imagelength) // int(page.tilelength))
        index = row * across + column
        wanted = range(colours_of(page)) if sample is None else range(sample, sample + 1)
        if int(page.planarconfig) == _APART:
            return _together([self._segment(page, index + plane * across * down) for plane in wanted])
        pixels = self._segment(page, index)
        return None if pixels is None else pixels[..., wanted.start : wanted.stop]

    def _segment(self, page: tifffile.TiffPage, index: int) -> NDArray[Any] | None:
        offset, count = int(page.dataoffsets[index]), int(page.databytecounts[index])
        if count == 0:  # missing, by OpenSlide's own rule
            return None
        if not 0 < offset <= offset + count <= self.file_bytes:
            raise ValueError(f"its {count} bytes at {offset} are not in the file of {self.file_bytes} bytes")
        with self._lock:
            handle = self._tiff.filehandle
            handle.seek(offset)
            data = handle.read(count)
        pixels = segment_samples(page, data, index)
        if int(page.photometric) == _WHITE_IS_ZERO:
            pixels = np.iinfo(pixels.dtype).max - pixels
        return pixels


def colours_of(page: tifffile.TiffPage) -> int:
    """Return the number of a pixel's samples that are its colours: three or one; the others stand behind them."""
    return 3 if int(page.photometric) in _THREE_COLOURS else 1


def _together(found: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """Return samples that are stored apart as one array, None where none of them is stored."""
    if all(samples is None for samples in found):
        return None
    if any(samples is None for samples in found):
        raise ValueError("some of its colours are missing")
    return np.concatenate([samples for samples in found if samples is not None], axis=-1)


def damage_of(picture: StoredPicture, level: int) -> str | None:
    """Return the reason why the tiles of a level cannot be read, None where they can."""
    pages = picture.pages(level)
    first = pages[0]
    for page in pages:
        if not page.is_tiled:
            return "the picture that is meant is not stored in tiles"
        if not 0 < int(page.tilewidth) * int(page.tilelength) <= MAX_TILE_PX:
            return f"a stored tile of {page.tilewidth} × {page.tilelength} px is none"
        if int(page.photometric) not in _READ_COLOURS:
            return f"its colours are {page.photometric!s}"
        if str(page.dtype) not in ("uint8", "uint16"):
            return f"its samples are {page.dtype}, not 8-bit or 16-bit"
        if (page.shape[-2:], page.tilewidth, page.tilelength, page.dtype) != (
            first.shape[-2:], first.tilewidth, first.tilelength, first.dtype,
        ):  # fmt: skip
            return "its colours are stored in tiles or sizes of their own"
        planes = int(page.samplesperpixel) if int(page.planarconfig) == _APART else 1
        wanted = (
            planes * -(-int(page.imagewidth) // int(page.tilewidth)) * -(-int(page.imagelength) // int(page.tilelength))
        )
        if min(len(page.dataoffsets), len(page.databytecounts)) < wanted:
            return f"it lists {len(page.dataoffsets)} tiles, {wanted} are needed"
    return None


def tiles_under(picture: StoredPicture, level: int, box: Region) -> Iterator[tuple[int, int, Region]]:
    """Yield row, column and the part of each stored tile under a box, in pixels of the level."""
    tile, size = picture.tile_px(level), picture.size_px(level)
    for row in range(box.y_px // tile.height_px, -(-box.bottom_px // tile.height_px)):
        for column in range(box.x_px // tile.width_px, -(-box.right_px // tile.width_px)):
            x, y = column * tile.width_px, row * tile.height_px
            yield (
                row,
                column,
                Region(x, y, min(tile.width_px, size.width_px - x), min(tile.height_px, size.height_px - y)),
            )
