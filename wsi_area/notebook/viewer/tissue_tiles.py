"""notebook: tiles of a slide's own pixels for the viewer, from its file or from the run's picture."""

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image

from wsi_area.compute.calibration.level_ratios import usable_levels
from wsi_area.errors import SlideError, StaleResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import RgbArray
from wsi_area.model.slide import SlideInfo
from wsi_area.notebook.viewer.grid import TileBox
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.thumbnail import UNSCANNED_RGB, Thumbnail
from wsi_area.slides import borrow_reader, inspect

_MOST_READ_PX = 4096 * 4096  # for one tile; a slide without coarse levels would have all of itself read
_AS_FINE = 1.02  # a quarter of 1303 px is 325: a ratio of 4.009
_JPEG_QUALITY = 80


def measured_file(slide: OpenedSlide, file: str | Path | None) -> SlideInfo:
    """Return the file that a slide was measured from, opened as far as its header.

    Raises
    ------
    SlideError
        There is no such file, or it cannot be opened.
    StaleResultError
        It is another file than the one that was measured.
    """
    choice = slide.counted.choice
    info = inspect(slide.counted.path if file is None else file, slide_id=slide.slide_id, choice=choice)
    if info.fingerprint != slide.counted.fingerprint:
        raise StaleResultError(
            f"{info.path} is not the file that was measured; give that file with view(file=…), or measure again"
        )
    return info


@frozen_value(eq=False)
class TissueTiles:
    """Where the pixels come from; without a file from the picture alone."""

    info: SlideInfo | None
    lane: str
    picture: Thumbnail

    def jpeg(self, box: TileBox) -> bytes:
        """Return the JPEG of a tile.

        Raises
        ------
        SlideError, TileError
            The file cannot be read there.
        """
        file = io.BytesIO()
        Image.fromarray(self.pixels(box)).save(file, "JPEG", quality=_JPEG_QUALITY)
        return file.getvalue()

    def pixels(self, box: TileBox) -> RgbArray:
        """Return uint8 (h, w, 3) RGB: means where the slide has more pixels than the tile, the very pixels at 1:1.

        The run's picture is used where it is as fine as the tile, and where the file would have to give more than
        4096 × 4096 pixels for one tile because it has no level that is coarse enough.
        """
        frame = self.picture.frame
        steps = box.step_x_l0_px / frame.box_x_l0_px, box.step_y_l0_px / frame.box_y_l0_px
        if self.info is None or min(steps) >= 1:
            return self._from_picture(box)
        level, region = _least_to_read(self.info, box)
        if region.area_px > _MOST_READ_PX:
            return self._from_picture(box)
        with borrow_reader(self.info, self.lane) as reader:
            read = reader.read(level, region)
        rgb = np.where(read.valid[..., None], read.rgb, np.array(UNSCANNED_RGB, np.uint8))
        downsample = self.info.levels[level].downsample_x, self.info.levels[level].downsample_y
        return _resampled(rgb, region, downsample, box)

    def _from_picture(self, box: TileBox) -> RgbArray:
        frame = self.picture.frame
        step = frame.box_x_l0_px, frame.box_y_l0_px
        region = _region(box, step, Size(frame.width_px, frame.height_px))
        rgb = self.picture.rgb[region.y_px : region.bottom_px, region.x_px : region.right_px]
        return _resampled(rgb, region, step, box)


def _least_to_read(info: SlideInfo, box: TileBox) -> tuple[int, Region]:
    """Return the coarsest level that is not coarser than the tile, and what of it the tile shows."""
    fine_enough = [
        level
        for level in usable_levels(info)
        if info.levels[level].downsample_x <= _AS_FINE * box.step_x_l0_px
        and info.levels[level].downsample_y <= _AS_FINE * box.step_y_l0_px
    ]
    level = info.levels[max(fine_enough, default=0)]
    return level.index, _region(box, (level.downsample_x, level.downsample_y), level.size_px)


def _region(box: TileBox, step_l0_px: tuple[float, float], size_px: Size) -> Region:
    """Return the pixels that a tile touches, and one more on each side for what is drawn between them."""
    step_x, step_y = step_l0_px
    left, top = max(0, math.floor(box.left_l0_px / step_x) - 1), max(0, math.floor(box.top_l0_px / step_y) - 1)
    right = min(size_px.width_px, math.ceil(box.right_l0_px / step_x) + 1)
    bottom = min(size_px.height_px, math.ceil(box.bottom_l0_px / step_y) + 1)
    return Region(left, top, right - left, bottom - top)


def _resampled(rgb: RgbArray, region: Region, step_l0_px: tuple[float, float], box: TileBox) -> RgbArray:
    """Return the part of a region under a tile in the tile's pixels."""
    (step_x, step_y), size = step_l0_px, box.size_px
    left, top = box.left_l0_px / step_x - region.x_px, box.top_l0_px / step_y - region.y_px
    # the last box of a thumbnail may reach beyond the slide, but a slide never beyond its levels
    right = min(box.right_l0_px / step_x - region.x_px, region.width_px)
    bottom = min(box.bottom_l0_px / step_y - region.y_px, region.height_px)
    part = left, top, right, bottom
    if (right - left, bottom - top) == (size.width_px, size.height_px) and all(edge.is_integer() for edge in part):
        return np.asarray(rgb[int(top) : int(bottom), int(left) : int(right)])
    enlarges = right - left < size.width_px or bottom - top < size.height_px
    rule = Image.Resampling.BILINEAR if enlarges else Image.Resampling.BOX
    resized = Image.fromarray(np.ascontiguousarray(rgb)).resize((size.width_px, size.height_px), rule, box=part)
    return np.asarray(resized)


def open_tissue(slide: OpenedSlide, file: str | Path | None, picture: Thumbnail) -> tuple[TissueTiles, str]:
    """Return the source of a slide's pixels, and a note on it: none where the file is there.

    Raises
    ------
    SlideError, StaleResultError
        A file was named that cannot be opened or is not the one that was measured.
    """
    reader = slide.counted.reader
    lane = reader if reader in ("plain", "stored") else "openslide"  # the direct lane is proven on the work level
    try:
        return TissueTiles(measured_file(slide, file), lane, picture), ""
    except (SlideError, StaleResultError) as error:
        if file is not None:
            raise
        why = (
            "The slide's own pixels cannot be shown"
            if isinstance(error, SlideError)
            else "The file in the slide's place is another"
        )
        return TissueTiles(None, lane, picture), (
            f"{why}: {error}. What you see is the small picture that the run kept; the classes are as fine as ever."
        )
