"""slides: the lane of plain images, decoded once as a whole and cut from memory."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import DeepArray, MaskArray, RgbArray, TilePixels
from wsi_area.model.slide import SAMPLE_BITS, SlideInfo
from wsi_area.slides.header.plain_header import DEEP_MODE, HEADER_ERRORS, image_kind, open_pillow
from wsi_area.slides.lanes.reading import VALID_ALPHA, DecodedTile, assembled, damaged_tile, grid_boxes, require_within
from wsi_area.slides.lanes.shared_tiles import SharedTiles
from wsi_area.slides.stored.opened_tiff import opened_tiff
from wsi_area.slides.stored.plain_depth import grey_levels
from wsi_area.slides.stored.plain_tiff import one_of_samples, tiff_pages, tiff_samples_around_damage
from wsi_area.slides.stored.tile_codecs import strict_jpeg
from wsi_area.slides.stored.turning import turned

_BLOCK_PX = 1024


class PlainReader:
    """One plain image; transparent pixels (alpha below 128) are not valid."""

    lane = "plain"

    def __init__(self, info: SlideInfo) -> None:
        self.is_broken = False
        self._info = info
        self._lock = threading.Lock()
        self._decoded: _Image | None = None

    def holds(self, level: int) -> bool:
        """Return True: it reads every level."""
        return True

    def read(self, level: int, region_level_px: Region) -> TilePixels:
        """Return a region of the image as one block.

        Raises
        ------
        TileReadError
            The image cannot be decoded.
        """
        return assembled(self.decoded_tiles(level, region_level_px), region_level_px)

    def decoded_tiles(
        self, level: int, region_level_px: Region, shared: SharedTiles | None = None
    ) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of the image in blocks of at most 1024 px; what is damaged in rectangles of its own."""
        require_within(self._info, level, region_level_px)
        image = self._image()
        for block in grid_boxes(region_level_px, _BLOCK_PX, _BLOCK_PX):
            for box, is_damaged in _rectangles(image.damaged, block):
                if is_damaged:
                    yield (damaged_tile(box, image.damage),)
                    continue
                rows, columns = slice(box.y_px, box.bottom_px), slice(box.x_px, box.right_px)
                valid = None if image.valid is None else image.valid[rows, columns]
                deep = None if image.deep is None else image.deep[rows, columns]
                yield (DecodedTile(box, np.ascontiguousarray(image.rgb[rows, columns]), valid, deep),)

    def read_ahead(self, level: int, regions_level_px: Iterable[Region]) -> None:
        """Do nothing: the picture is decoded as a whole."""

    def close(self) -> None:
        """Let go of the pixels."""
        self._decoded = None

    def _image(self) -> "_Image":
        with self._lock:
            if self._decoded is None:
                self._decoded = self._decode_whole()
            return self._decoded

    def _decode_whole(self) -> "_Image":
        size = self._info.size_l0_px
        shape = size.height_px, size.width_px
        try:
            image = _decode(self._info, int(self._info.properties.get(SAMPLE_BITS, 8))).turned(self._info.orientation)
            if image.rgb.shape != (*shape, 3):
                raise ValueError(f"it decodes to {image.rgb.shape}, its header says {size}")
        except (*HEADER_ERRORS, EOFError, RuntimeError) as error:
            nothing, everywhere = np.broadcast_to(np.uint8(0), (*shape, 3)), np.broadcast_to(np.True_, shape)
            image = _Image(nothing, None, everywhere, str(error))
            # what the file holds does not change; what a disk or a network gives may
            self.is_broken = isinstance(error, OSError)
        if image.damaged is None:
            return image
        what = "the image" if image.damaged.all() else "some of the image"
        said = (
            f"slide {self._info.slide_id!r}: {what} cannot be decoded ({image.damage}); "
            "its pixels count as unreadable, export it again"
        )
        return replace(image, damage=said)


@frozen_value(eq=False)
class _Image:
    """A picture that was decoded whole."""

    rgb: RgbArray
    valid: MaskArray | None
    damaged: MaskArray | None = None  # bool (h, w), None where nothing is
    damage: str = ""
    deep: DeepArray | None = None  # the samples of one channel, where they use more than 8 bits

    def turned(self, orientation: int) -> "_Image":
        """Return it as it is shown."""
        valid, damaged = (None if mask is None else turned(mask, orientation) for mask in (self.valid, self.damaged))
        deep = None if self.deep is None else turned(self.deep, orientation)
        return _Image(turned(self.rgb, orientation), valid, damaged, self.damage, deep)


def _rectangles(damaged: MaskArray | None, block: Region) -> Iterator[tuple[Region, bool]]:
    """Yield the rectangles of a block, and which of them are damaged: strips and tiles make few of them."""
    if damaged is None:
        yield block, False
        return
    part = damaged[block.y_px : block.bottom_px, block.x_px : block.right_px]
    for top, bottom in pairwise([0, *(np.flatnonzero((part[1:] != part[:-1]).any(axis=1)) + 1).tolist(), len(part)]):
        row = part[top]
        for left, right in pairwise([0, *(np.flatnonzero(row[1:] != row[:-1]) + 1).tolist(), len(row)]):
            yield Region(block.x_px + left, block.y_px + top, right - left, bottom - top), bool(row[left])


def _decode(info: SlideInfo, sample_bits: int) -> _Image:
    """Return a plain image as it is stored.

    Raises
    ------
    ValueError
        It is damaged; Pillow and tifffile add errors of their own.
    """
    file = Path(info.path)
    kind = image_kind(file)
    if kind == "tiff":
        return _decode_tiff(info, sample_bits)
    if kind == "jpeg":
        return _Image(strict_jpeg(file.read_bytes()), None)
    with open_pillow(file, kind) as image:
        if image.mode == DEEP_MODE:
            samples = np.asarray(image, np.uint16)
            grey = np.repeat(grey_levels(samples, sample_bits)[..., None], 3, axis=-1)
            return _Image(grey, None, deep=samples if sample_bits > 8 else None)
        has_alpha = image.mode in ("LA", "RGBA") or "transparency" in image.info
        return _Image(*_split_alpha(np.asarray(image.convert("RGBA" if has_alpha else "RGB"))))


def _decode_tiff(info: SlideInfo, sample_bits: int) -> _Image:
    parts = info.level_parts[0] if info.level_parts else ()
    with opened_tiff(info.path) as tiff:
        pages = tiff_pages(tiff, parts)
        read = [tiff_samples_around_damage(page, info.file_bytes) for page in pages]
    wanted = [part.sample for part in parts] or [None]
    one = [
        one_of_samples(samples, page, sample) for (samples, _, _), page, sample in zip(read, pages, wanted, strict=True)
    ]
    found = [grey_levels(samples, sample_bits) if samples.dtype == np.uint16 else samples for samples in one]
    masks = [mask for _, mask, _ in read if mask is not None]
    damaged = np.logical_or.reduce(masks) if masks else None
    damage = next((text for _, _, text in read if text), "")
    if len(found) == 1:
        deep = one[0].reshape(one[0].shape[:2]) if one[0].dtype == np.uint16 and sample_bits > 8 else None
        return _Image(*_tiff_pixels(pages[0], found[0], parts[0].sample if parts else None), damaged, damage, deep)
    return _Image(np.ascontiguousarray(np.stack(found, axis=-1)), None, damaged, damage)  # red, green and blue


def _tiff_pixels(
    page: tifffile.TiffPage, samples: NDArray[np.uint8], sample: int | None
) -> tuple[RgbArray, MaskArray | None]:
    """Return RGB and validity; ``samples`` is uint8 (h, w), (h, w, samples) or (samples, h, w)."""
    photometric = int(page.photometric)
    if photometric == 3 and sample is None:  # palette of 16-bit colours, (3, 256)
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
    is_transparency = tuple(map(int, page.extrasamples)) in ((1,), (2,))
    return _split_alpha(samples if is_transparency or samples.shape[-1] < 4 else samples[..., :3])


def _split_alpha(samples: NDArray[np.uint8]) -> tuple[RgbArray, MaskArray | None]:
    rgb = np.ascontiguousarray(samples[..., :3])
    if samples.shape[-1] < 4:
        return rgb, None
    valid: MaskArray = samples[..., 3] >= VALID_ALPHA
    return rgb, None if bool(valid.all()) else valid
