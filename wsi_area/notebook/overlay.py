"""notebook: the picture of a slide and its classes on the same grid, small enough to draw."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsi_area.compute.picture.majority_picture import PictureGrid, majority_picture
from wsi_area.compute.picture.washes import WASH, outlined
from wsi_area.compute.quantity_text import with_mm2
from wsi_area.errors import ResultError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import ClassMap, RgbArray
from wsi_area.model.record.slide_areas import ClassOnRecord
from wsi_area.results.class_map.class_codes import RESERVED, class_colours, reserved_in
from wsi_area.results.class_map.class_thumbnail import picture_grid
from wsi_area.results.class_map.sparse_class_map import sparse_class_map
from wsi_area.results.layout import SlideLayout
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.tables.quantity import area_text, grouped
from wsi_area.results.thumbnail import Thumbnail, ThumbnailFrame, read_thumbnail

_LONGEST_PX = 1024  # of a picture that has to be made without the slide's own


@frozen_value
class Entry:
    """One line of a legend: a code of the class map that the slide has."""

    code: int
    text: str  # name and area
    color_rgb: tuple[int, int, int]


@frozen_value(eq=False)
class SlidePicture:
    """A slide from its upper left corner on, and its classes pixel by pixel."""

    thumbnail: Thumbnail  # white where the run left no picture
    codes: ClassMap  # uint8 (h, w)
    legend: tuple[Entry, ...]

    def overlay(self) -> NDArray[np.uint8]:
        """Return uint8 (h, w, 4): the classes as washes with rims, clear where there are none."""
        return rgba(self.codes, self.legend)

    def flat(self) -> RgbArray:
        """Return uint8 (h, w, 3): the picture under its classes, which are opaque, in the colours of the legend."""
        photo = Image.fromarray(self.thumbnail.rgb).convert("RGBA")
        over = Image.fromarray(rgba(self.codes, self.legend, wash=255))
        return np.asarray(Image.alpha_composite(photo, over).convert("RGB"))


def rgba(codes: ClassMap, legend: Iterable[Entry], *, wash: int = WASH) -> NDArray[np.uint8]:
    """Return class codes as uint8 (h, w, 4); codes that the legend does not name are clear.

    >>> rgba(np.array([[0, 1]], np.uint8), [Entry(1, "tissue", (9, 8, 7))])[0, :, 3].tolist()
    [0, 217]
    """
    indices, palette, opacity = outlined(codes, {entry.code: entry.color_rgb for entry in legend}, wash=wash)
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    return np.concatenate([colours, np.frombuffer(opacity, np.uint8)[:, None]], axis=1)[indices]


def slide_picture(slide: OpenedSlide, classes: Iterable[str] | None = None) -> SlidePicture:
    """Return the picture of a counted slide with its classes.

    Parameters
    ----------
    slide : OpenedSlide
    classes : names, or None
        Which classes to show; None: every one but the background, and what is in no class.

    Raises
    ------
    ResultError
        The slide has no counts, or a store cannot be read.
    SettingsError
        It has no such class.
    """
    if not slide.is_counted:
        raise ResultError(
            f"{slide.slide_id} ended as {slide.status} and was not counted ({slide.result.reason}); "
            "there is nothing to draw"
        )
    thumbnail = read_thumbnail(slide.layout) or _blank(slide)
    grid, possible = picture_grid(slide.counted.work_px_l0, thumbnail.frame), tuple(class_colours(slide.counted))
    codes = _codes(slide.layout, slide.layout.result_json.stat().st_mtime_ns, grid, possible)
    return SlidePicture(thumbnail, codes, _chosen(slide, classes))


@lru_cache(maxsize=4)  # a notebook draws the same slide again and again, and a large map takes seconds
def _codes(layout: SlideLayout, _result_of_ns: int, grid: PictureGrid, codes: tuple[int, ...]) -> ClassMap:
    picture = majority_picture(sparse_class_map(layout), grid, codes)
    picture.setflags(write=False)
    return picture


def class_names(slide: OpenedSlide) -> dict[int, str]:
    """Return the name of every code that a class map of this slide may hold."""
    reserved = {code: what.text for code, what in RESERVED.items()}
    return {c.id: c.name for c in slide.counted.classes} | reserved


def _blank(slide: OpenedSlide) -> Thumbnail:
    """Return white in the place of a picture that the run did not leave."""
    width, height = slide.counted.width_px, slide.counted.height_px
    box = max(1.0, max(width, height) / _LONGEST_PX)
    frame = ThumbnailFrame(int(-(-width // box)), int(-(-height // box)), box, box)
    return Thumbnail(frame, np.full((frame.height_px, frame.width_px, 3), 255, np.uint8))


def _entries(slide: OpenedSlide) -> list[Entry]:
    """Return the background and every other code that at least one pixel has."""
    found = [
        Entry(c.id, f"{c.name}: {_area(c)}", c.color_rgb)
        for c in slide.counted.classes
        if c.n_px or c.id == BACKGROUND_ID
    ]
    return found + [Entry(code, what.text, what.color_rgb) for code, what in reserved_in(slide.counted).items()]


def _chosen(slide: OpenedSlide, classes: Iterable[str] | None) -> tuple[Entry, ...]:
    entries = _entries(slide)
    if classes is None:
        return tuple(entry for entry in entries if entry.code != BACKGROUND_ID)
    ids = {c.name: c.id for c in slide.counted.classes}
    wanted = [classes] if isinstance(classes, str) else list(classes)
    if unknown := [name for name in wanted if name not in ids]:
        raise SettingsError(f"slide {slide.slide_id} has no class {unknown[0]!r}; it has {', '.join(ids)}")
    return tuple(entry for entry in entries if entry.code in {ids[name] for name in wanted})


def _area(c: ClassOnRecord) -> str:
    return f"{grouped(c.n_px)} px" if c.area_mm2 is None else with_mm2(area_text(c.area_mm2, c.area_u_mm2))
