"""reports: the photograph of a slide with its classes and their outlines over it, small enough to be embedded."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.picture.majority_picture import PictureGrid, majority_picture
from wsi_area.compute.picture.rims import filled, outlines
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import UNREADABLE_CODE
from wsi_area.model.pixels import ClassMap
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.picture.embedded import LADDER, Rung, hopeless, jpeg_address, png_address, reduced
from wsi_area.results.class_map.class_codes import class_colours
from wsi_area.results.class_map.class_thumbnail import class_thumbnail
from wsi_area.results.layout import SlideLayout
from wsi_area.results.thumbnail import Thumbnail, read_thumbnail

_WIDEST_CSS_PX, _TALLEST_CSS_PX = 900, 700


@frozen_value
class Frame:
    """The slide's rectangle: level-0 px across, and down in units of the same physical length."""

    width: float
    height: float
    y_scale: float  # units per level-0 px down; 1 where pixels are square or their size is unknown

    @property
    def css_width_px(self) -> int:
        """Return the width at which the picture is shown where there is room."""
        return max(120, round(min(_WIDEST_CSS_PX, _TALLEST_CSS_PX * self.width / self.height)))

    @property
    def css_px(self) -> float:
        """Return the length, in units of the frame, of what is to be drawn 1 px long where there is room."""
        return self.width / self.css_width_px


@frozen_value
class Layer:
    """An image and how far it reaches in the frame from its origin on; what lies beyond is cut."""

    address: str
    width: float
    height: float


@frozen_value(eq=False)
class PhotoLayers:
    """What lies over one another on the picture of a slide; None for what cannot be shown."""

    photo: Layer | None = None
    classes: Layer | None = None  # each in its very colour
    outlines: Layer | None = None  # of the classes; None too where they lie in no patches
    codes: ClassMap | None = None  # uint8 (h, w) on the finest grid, each pixel a box of the slide's small picture
    box_l0_px: tuple[float, float] = (1.0, 1.0)  # width and height under one of its pixels

    @property
    def size_bytes(self) -> int:
        """Return the addresses that the layers take."""
        return sum(len(layer.address) for layer in (self.photo, self.classes, self.outlines) if layer is not None)


def photo_layers(
    layout: SlideLayout,
    record: CountedSlide,
    rows: NDArray[np.int64] | None,
    frame: Frame,
    budget_bytes: int,
    notes: list[str],
) -> PhotoLayers:
    """Return the layers on the finest rung of the ladder that fits; ``notes`` says why something is not shown.

    Parameters
    ----------
    layout, record
        The slide's folder and result.
    rows : int64 (grid_rows, grid_cols, columns), or None
        Its ledger, if that can be read.
    frame : Frame
    budget_bytes : int
        What all layers may take.
    notes : list of str
        Is added to.
    """
    try:
        thumbnail = read_thumbnail(layout)
    except ResultError as error:
        notes.append(str(error))
        return PhotoLayers()
    if thumbnail is None:
        notes.append(
            "The run left no picture of this slide (thumb.jpg), so there is none to show; run the same command "
            "again to have it made."
        )
        return PhotoLayers()
    finest = _classes_of(layout, record, thumbnail, rows, notes)
    box_l0_px = (thumbnail.frame.box_x_l0_px, thumbnail.frame.box_y_l0_px)
    layers, tried = PhotoLayers(), LADDER[0]
    for rung in LADDER:
        photo = layers.photo
        if photo is not None and rung is not LADDER[-1] and hopeless(rung, tried, len(photo.address), budget_bytes):
            continue
        layers, tried = PhotoLayers(_photo(thumbnail, rung, frame), None, None, finest, box_l0_px), rung
        if layers.size_bytes > budget_bytes and rung is not LADDER[-1]:
            continue
        if finest is not None:
            layers = _with_classes(layers, finest, record, thumbnail, rung, frame)
        if layers.size_bytes <= budget_bytes:
            break
    return layers


def _classes_of(
    layout: SlideLayout, record: CountedSlide, thumbnail: Thumbnail, rows: NDArray[np.int64] | None, notes: list[str]
) -> ClassMap | None:
    """Return the classes on the grid of the small picture; None where they cannot be shown, and ``notes`` says why."""
    if record.is_estimate:
        notes.append("An estimate leaves no class map, so no classes are shown: the tiles show where it looked.")
        return None
    try:
        return class_thumbnail(layout, record, thumbnail.frame, rows)
    except ResultError as error:
        notes.append(f"The class map cannot be shown ({error}).")
        return None


def _photo(thumbnail: Thumbnail, rung: Rung, frame: Frame) -> Layer:
    rgb = reduced(thumbnail.rgb, rung.reduction)
    return Layer(jpeg_address(rgb, rung.jpeg_quality), *_reach(rgb.shape, thumbnail, rung, frame))


def _reach(shape: tuple[int, ...], thumbnail: Thumbnail, rung: Rung, frame: Frame) -> tuple[float, float]:
    return (
        shape[1] * rung.reduction * thumbnail.frame.box_x_l0_px,
        shape[0] * rung.reduction * thumbnail.frame.box_y_l0_px * frame.y_scale,
    )


def _with_classes(
    layers: PhotoLayers, finest: ClassMap, record: CountedSlide, thumbnail: Thumbnail, rung: Rung, frame: Frame
) -> PhotoLayers:
    """Return the layers with the classes on the very grid of the photograph, one picture pixel over the other.

    A coarser picture is the majority of the finest one's pixels, in the boxes whose means the photograph has; the
    class map is not asked again.
    """
    height, width = (-(-side // rung.reduction) for side in finest.shape)
    picture, colours = finest, class_colours(record)
    if rung.reduction > 1:
        grid = PictureGrid(width, height, rung.reduction, rung.reduction)
        picture = majority_picture(finest, grid, list(colours))
    reach = _reach((height, width), thumbnail, rung, frame)
    drawn = outlines(picture, colours, solid=(UNREADABLE_CODE,))
    return replace(
        layers,
        classes=Layer(png_address(*filled(picture, colours)), *reach),
        outlines=None if drawn is None else Layer(png_address(*drawn), *reach),
    )
