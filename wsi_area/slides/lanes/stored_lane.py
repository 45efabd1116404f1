"""slides: the lane of a picture that only its file's structure knows: one channel, or three planes as one picture."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SlideOpenError
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray, TilePixels
from wsi_area.model.slide import SAMPLE_BITS, SlideInfo
from wsi_area.slides.lanes.reading import DecodedTile, assembled, damaged_tile, require_within
from wsi_area.slides.lanes.shared_tiles import SharedTiles
from wsi_area.slides.stored.part_tiles import StoredPicture, tiles_under
from wsi_area.slides.stored.plain_depth import grey_levels
from wsi_area.slides.stored.tiff_segments import SEGMENT_ERRORS


class StoredReader:
    """One picture made of parts of a TIFF, read tile by tile; memory does not grow with the slide."""

    lane = "stored"

    def __init__(self, info: SlideInfo) -> None:
        self.is_broken = False
        self._info = info
        self._bits = int(info.properties.get(SAMPLE_BITS, 8))
        try:
            self._picture = StoredPicture(Path(info.path), info.level_parts)
        except SEGMENT_ERRORS as error:
            raise SlideOpenError(f"{info.path}: it cannot be opened ({error}); bring the file back") from error

    def holds(self, level: int) -> bool:
        """Return True: it reads every level."""
        return True

    def read(self, level: int, region_level_px: Region) -> TilePixels:
        """Return a region of a level as one block.

        Raises
        ------
        TileReadError
            A stored tile cannot be decoded.
        """
        return assembled(self.decoded_tiles(level, region_level_px), region_level_px)

    def decoded_tiles(
        self, level: int, region_level_px: Region, shared: SharedTiles | None = None
    ) -> Iterator[tuple[DecodedTile, ...]]:
        """Yield a region of a level in its stored tiles; damaged ones as such."""
        require_within(self._info, level, region_level_px)
        for row, column, whole in tiles_under(self._picture, level, region_level_px):
            box = whole.intersection(region_level_px)
            if box is not None:
                yield (self._decoded(level, row, column, whole, box),)

    def read_ahead(self, level: int, regions_level_px: Iterable[Region]) -> None:
        """Do nothing: the system's own reading ahead is enough for one tile after another."""

    def close(self) -> None:
        """Close the file."""
        self._picture.close()

    def _decoded(self, level: int, row: int, column: int, whole: Region, box: Region) -> DecodedTile:
        try:
            samples = self._picture.tile(level, row, column)
            if samples is None:
                shape = box.height_px, box.width_px
                return DecodedTile(box, np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.bool_))
            left, top = box.x_px - whole.x_px, box.y_px - whole.y_px
            of_box = samples[top : top + box.height_px, left : left + box.width_px]
            rgb = self._rgb(of_box)
            if rgb.shape[:2] != (box.height_px, box.width_px):
                raise ValueError(f"it decodes to {samples.shape[:2]}, smaller than a tile")
        except SEGMENT_ERRORS as error:
            return damaged_tile(
                box,
                f"slide {self._info.slide_id!r}, level {level}, stored tile row {row} column {column}: "
                f"{error}; its pixels count as unreadable, re-export or re-scan the slide to have them",
            )
        is_deep = self._bits > 8 and of_box.shape[-1] == 1
        return DecodedTile(box, rgb, None, of_box[..., 0].astype(np.uint16, copy=False) if is_deep else None)

    def _rgb(self, samples: NDArray[np.unsignedinteger]) -> RgbArray:
        """Return uint8 (h, w, 3) RGB of one channel or three; 16-bit samples in 256 grey levels."""
        if samples.dtype == np.uint16:
            # what is brighter than anything that was seen is as bright as there is
            top = np.uint16((1 << self._bits) - 1)
            grey = np.stack([grey_levels(np.minimum(c, top), self._bits) for c in np.moveaxis(samples, -1, 0)], axis=-1)
        else:
            grey = samples.astype(np.uint8, copy=False)
        rgb = np.repeat(grey, 3, axis=-1) if grey.shape[-1] == 1 else grey[..., :3]
        return np.ascontiguousarray(rgb)
