"""reports: the photograph of a slide and its classes, the one over the other, small enough to be embedded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.picture.majority_picture import PictureGrid, majority_picture
from wsi_area.compute.picture.washes import outlined
from wsi_area.errors import ResultError
from wsi_area.model.pixels import ClassMap
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.picture.embedded import LADDER, Rung, hopeless, jpeg_address, png_address, reduced
from wsi_area.results.class_map.class_codes import class_colours
from wsi_area.results.class_map.class_thumbnail import class_thumbnail
from wsi_area.results.layout import SlideLayout
from wsi_area.results.thumbnail import Thumbnail, read_thumbnail

_WIDEST_CSS_PX, _TALLEST_CSS_PX = 640, 520


@dataclass(frozen=True, slots=True)
class Frame:
    """The slide's rectangle: level-0 px across, and down in units of the same physical length."""

    width: float
    height: float
    y_scale: float  # units per level-0 px down; 1 where pixels are square or their size is unknown

    @property
    def css_width_px(self) -> int:
        """Return how wide the picture is shown where there is room."""
        return max(120, round(min(_WIDEST_CSS_PX, _TALLEST_CSS_PX * self.width / self.height)))


@dataclass(frozen=True, slots=True)
class Layer:
    """An image and how far it reaches in the frame from its origin on; what lies beyond is cut."""

    address: str
    width: float
    height: float


def photo_and_classes(
    layout: SlideLayout,
    record: CountedSlide,
    rows: NDArray[np.int64] | None,
    frame: Frame,
    budget_bytes: int,
    notes: list[str],
) -> tuple[Layer | None, Layer | None]:
    """Return both on the finest rung of the ladder that fits; None for what cannot be shown, and ``notes`` says why.

    Parameters
    ----------
    layout, record
        The slide's folder and result.
    rows : int64 (grid_rows, grid_cols, columns), or None
        Its ledger, if that can be read.
    frame : Frame
    budget_bytes : int
        What both may take.
    notes : list of str
        Is added to.
    """
    try:
        thumbnail = read_thumbnail(layout)
    except ResultError as error:
        notes.append(str(error))
        return None, None
    if thumbnail is None:
        notes.append(
            "The run left no picture of this slide (thumb.jpg), so there is none to show; run the same command "
            "again to have it made."
        )
        return None, None
    try:
        finest = class_thumbnail(layout, record, thumbnail.frame, rows)
    except ResultError as error:
        notes.append(f"The class map cannot be shown ({error}).")
        finest = None
    photo: Layer | None = None
    classes: Layer | None = None
    tried = LADDER[0]
    for rung in LADDER:
        if photo is not None and rung is not LADDER[-1] and hopeless(rung, tried, len(photo.address), budget_bytes):
            continue
        photo, tried = _photo(thumbnail, rung, frame), rung
        if len(photo.address) > budget_bytes:
            continue
        if finest is None:
            break
        classes = _classes(finest, record, thumbnail, rung, frame)
        if len(photo.address) + len(classes.address) <= budget_bytes:
            break
    return photo, classes


def _photo(thumbnail: Thumbnail, rung: Rung, frame: Frame) -> Layer:
    rgb = reduced(thumbnail.rgb, rung.reduction)
    return Layer(jpeg_address(rgb, rung.jpeg_quality), *_reach(rgb.shape, thumbnail, rung, frame))


def _reach(shape: tuple[int, ...], thumbnail: Thumbnail, rung: Rung, frame: Frame) -> tuple[float, float]:
    return (
        shape[1] * rung.reduction * thumbnail.frame.box_x_l0_px,
        shape[0] * rung.reduction * thumbnail.frame.box_y_l0_px * frame.y_scale,
    )


def _classes(finest: ClassMap, record: CountedSlide, thumbnail: Thumbnail, rung: Rung, frame: Frame) -> Layer:
    """Return the classes on the very grid of the photograph, one picture pixel over the other.

    A coarser picture is the majority of the finest one's pixels, in the boxes whose means the photograph has; the
    class map is not asked again.
    """
    height, width = (-(-side // rung.reduction) for side in finest.shape)
    picture, colours = finest, class_colours(record)
    if rung.reduction > 1:
        grid = PictureGrid(width, height, rung.reduction, rung.reduction)
        picture = majority_picture(finest, grid, list(colours))
    return Layer(png_address(*outlined(picture, colours)), *_reach((height, width), thumbnail, rung, frame))
