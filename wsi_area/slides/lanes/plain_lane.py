"""slides: the lane of plain images, decoded once as a whole and cut from memory."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from wsi_area.errors import TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import MaskArray, RgbArray, TilePixels
from wsi_area.model.slide import SAMPLE_BITS, SlideInfo
from wsi_area.slides.header.plain_header import DEEP_MODE, HEADER_ERRORS, image_kind, open_pillow
from wsi_area.slides.lanes.plain_depth import grey_levels
from wsi_area.slides.lanes.plain_tiff import tiff_samples
from wsi_area.slides.lanes.reading import VALID_ALPHA, DecodedTile, assembled, grid_boxes, require_within

_BLOCK_PX = 1024


class PlainReader:
    """One plain image; transparent pixels (alpha below 128) are not valid."""

    lane = "plain"

    def __init__(self, info: SlideInfo) -> None:
        self.is_broken = False
        self._info = info
        self._lock = threading.Lock()
        self._decoded: tuple[RgbArray, MaskArray | None] | None = None

    def read(self, level: int, region_level_px: Region) -> TilePixels:
        """Return a region of the image as one block.

        Raises
        ------
        TileReadError
            The image cannot be decoded.
        """
        return assembled(self.decoded_tiles(level, region_level_px), region_level_px)

    def decoded_tiles(self, level: int, region_level_px: Region) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of the image in blocks of at most 1024 px.

        Raises
        ------
        TileReadError
            The image cannot be decoded.
        """
        require_within(self._info, level, region_level_px)
        rgb, valid = self._pixels()
        for box in grid_boxes(region_level_px, _BLOCK_PX, _BLOCK_PX):
            rows, columns = slice(box.y_px, box.bottom_px), slice(box.x_px, box.right_px)
            block_valid = None if valid is None else valid[rows, columns]
            yield (DecodedTile(box, np.ascontiguousarray(rgb[rows, columns]), block_valid),)

    def read_ahead(self, level: int, regions_level_px: Iterable[Region]) -> None:
        """Do nothing: the picture is decoded as a whole."""

    def close(self) -> None:
        """Let go of the pixels."""
        self._decoded = None

    def _pixels(self) -> tuple[RgbArray, MaskArray | None]:
        with self._lock:
            if self._decoded is None:
                self._decoded = self._decode_whole()
            return self._decoded

    def _decode_whole(self) -> tuple[RgbArray, MaskArray | None]:
        size = self._info.size_l0_px
        try:
            rgb, valid = _decode(Path(self._info.path), int(self._info.properties.get(SAMPLE_BITS, 8)))
            if rgb.shape != (size.height_px, size.width_px, 3):
                raise ValueError(f"it decodes to {rgb.shape}, its header says {size}")
        except (*HEADER_ERRORS, EOFError, RuntimeError) as error:
            self.is_broken = True
            raise TileReadError(
                f"slide {self._info.slide_id!r}: the image cannot be decoded ({error}); "
                "its pixels count as unreadable, export it again"
            ) from error
        return rgb, valid


def _decode(file: Path, sample_bits: int) -> tuple[RgbArray, MaskArray | None]:
    kind = image_kind(file)
    if kind == "tiff":
        with tifffile.TiffFile(file) as tiff:
            page = tiff.pages[0]
            samples = tiff_samples(page, file.stat().st_size)
            return _tiff_pixels(page, grey_levels(samples, sample_bits) if samples.dtype == np.uint16 else samples)
    with open_pillow(file, kind) as image:
        if image.mode == DEEP_MODE:
            return np.repeat(grey_levels(np.asarray(image, np.uint16), sample_bits)[..., None], 3, axis=-1), None
        has_alpha = image.mode in ("LA", "RGBA") or "transparency" in image.info
        return _split_alpha(np.asarray(image.convert("RGBA" if has_alpha else "RGB")))


def _tiff_pixels(page: tifffile.TiffPage, samples: NDArray[np.uint8]) -> tuple[RgbArray, MaskArray | None]:
    """Return RGB and validity; ``samples`` is uint8 (h, w), (h, w, samples) or (samples, h, w)."""
    photometric = int(page.photometric)
    if photometric == 3:  # palette of 16-bit colours, (3, 256)
        colours = (np.asarray(page.colormap) >> 8).astype(np.uint8).T
        return np.ascontiguousarray(colours[samples]), None
    if int(page.planarconfig) == 2 and samples.ndim == 3:
        samples = np.moveaxis(samples, 0, -1)
    if photometric == 0:  # 0 is white
        samples = 255 - samples
    if samples.ndim == 2:
        samples = samples[..., None]
    if samples.shape[-1] == 1:
        samples = np.repeat(samples, 3, axis=-1)
    return _split_alpha(samples)


def _split_alpha(samples: NDArray[np.uint8]) -> tuple[RgbArray, MaskArray | None]:
    rgb = np.ascontiguousarray(samples[..., :3])
    if samples.shape[-1] < 4:
        return rgb, None
    valid: MaskArray = samples[..., 3] >= VALID_ALPHA
    return rgb, None if bool(valid.all()) else valid
