"""audit: what a reader sees of a point: the slide about it, read by the lane that measured it."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from wsi_area.errors import WsiAreaError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.model.uncertainty.reference_design import DesignPoint
from wsi_area.plain_text import named_file
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.slides import SlideReader, borrow_reader, inspect, read_around_damage

PATCH_PX = 448
_JPEG_QUALITY = 88
_PAPER = 255


@frozen_value
class Patch:
    """The picture about a point."""

    jpeg: bytes  # b"" where there is none
    x_share: float  # where in it the point lies, 0 to 1
    y_share: float
    why_not: str  # "" where there is a picture


def patches(run: OpenedRun, points: Sequence[DesignPoint], field_um: float) -> dict[str, Patch]:
    """Return the picture of each point by its id; slide by slide, in memory one at a time but for the JPEGs."""
    by_slide: dict[str, list[DesignPoint]] = {}
    for point in points:
        by_slide.setdefault(point.slide_id, []).append(point)
    return {
        name: patch for slide_id, own in by_slide.items() for name, patch in _of_slide(run[slide_id], own, field_um)
    }


def _of_slide(slide: OpenedSlide, points: Sequence[DesignPoint], field_um: float) -> Iterator[tuple[str, Patch]]:
    counted = slide.counted
    try:
        info = inspect(Path(named_file(counted.path)), slide_id=slide.slide_id, choice=counted.choice)
        if info.fingerprint != counted.fingerprint:
            raise WsiAreaError(f"{counted.path} is not the file that was measured")
        with borrow_reader(info, counted.reader) as reader:
            for point in points:
                yield point.point_id, _patch(slide, info, reader, point, field_um)
    except WsiAreaError as error:
        yield from ((p.point_id, Patch(b"", 0.5, 0.5, f"no picture: {error}")) for p in points)


def _patch(slide: OpenedSlide, info: SlideInfo, reader: SlideReader, point: DesignPoint, field_um: float) -> Patch:
    mpp = slide.mpp
    assert mpp is not None, "slides without a pixel size are left out of a draw"
    wide, high = field_um / mpp.x, field_um / mpp.y  # level-0 px
    # the coarsest level that has a pixel for each of the picture's
    fits = [n for n, level in enumerate(info.levels) if wide / level.downsample_x >= PATCH_PX]
    level = fits[-1] if fits else 0
    size, down = info.levels[level].size_px, (info.levels[level].downsample_x, info.levels[level].downsample_y)
    centre = (point.x_px + 0.5) / down[0], (point.y_px + 0.5) / down[1]
    width, height = max(1, round(wide / down[0])), max(1, round(high / down[1]))
    left, top = round(centre[0] - width / 2), round(centre[1] - height / 2)
    x, y = max(0, left), max(0, top)
    right, bottom = min(size.width_px, left + width), min(size.height_px, top + height)
    read, _ = read_around_damage(reader, level, Region(x, y, right - x, bottom - y))
    whole = np.full((height, width, 3), _PAPER, np.uint8)
    rgb = np.where(read.valid[..., None], read.rgb, np.uint8(_PAPER))
    whole[y - top : bottom - top, x - left : right - left] = rgb
    picture = io.BytesIO()
    Image.fromarray(whole).resize((PATCH_PX, PATCH_PX), Image.Resampling.BOX).save(
        picture, "JPEG", quality=_JPEG_QUALITY
    )
    return Patch(picture.getvalue(), (centre[0] - left) / width, (centre[1] - top) / height, "")


def without_pictures(found: Mapping[str, Patch]) -> list[str]:
    """Return the ids of the points of which there is no picture."""
    return [name for name, patch in found.items() if not patch.jpeg]
