"""reports: the outlines and names of the regions of a slide, as its picture shows them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.picture.focus_marks import Mark
from wsi_area.reports.picture.photo_layers import Frame
from wsi_area.results.layout import SlideLayout
from wsi_area.results.shown_regions import ShownRegion, shown_regions
from wsi_area.results.tables.quantity import grouped

SHOWN = 600
"""Regions that a picture shows; the tables have all of them."""
_FOUND_CSS_PX, _DRAWN_CSS_PX, _SMALLEST_CSS_PX = 20, 13, 9  # of letters
_WIDTH_OF_LETTER = 0.62  # of their size


@frozen_value
class RegionOutline:
    """One region, drawn over the picture of its slide."""

    path: str  # of SVG, in the units of the frame; empty where the outline of a class is the same
    title: str
    label: str
    x: float  # of the middle of the label
    y: float
    font_size: float
    is_found: bool  # a piece or a core; else somebody drew it
    is_doubtful: bool  # broken, missing, cut or without its name: drawn with dashes


@frozen_value
class _Taken:
    """A place on the picture where something is written already: its middle, and half of its width and height."""

    x: float
    y: float
    half_width: float
    half_height: float


def region_outlines(
    layout: SlideLayout, record: CountedSlide, frame: Frame, marks: Sequence[Mark], notes: list[str]
) -> list[RegionOutline]:
    """Return the regions that a slide's picture shows; what cannot be read is said among the notes.

    Parameters
    ----------
    layout, record, frame
        The slide, and the frame of its picture.
    marks : sequence of Mark
        Numbers on the picture, which no name covers.
    notes : list of str
        Is added to.
    """
    shown: list[RegionOutline] = []
    taken = [_Taken(mark.x, mark.y, mark.radius, mark.radius) for mark in marks]
    try:
        for region in shown_regions(layout, record, SHOWN):
            shown.append(_outline(region, frame, taken))
    except ResultError as error:
        notes.append(f"The regions cannot be shown: {error}")
        return []
    count = 0 if record.regions is None else record.regions.count
    if count > SHOWN:
        notes.append(f"The picture shows the first {SHOWN} of {grouped(count)} regions.")
    return shown


def _outline(region: ShownRegion, frame: Frame, taken: list[_Taken]) -> RegionOutline:
    row, unit = region.row, frame.css_px
    rings = [ring * np.array([1.0, frame.y_scale]) for ring in region.rings]
    (left, top), (right, bottom) = (of([of(ring, axis=0) for ring in rings], axis=0) for of in (np.min, np.max))
    label, size = region.label, _DRAWN_CSS_PX * unit
    if region.is_found:  # many of a kind, each as large as the next: letters follow their width
        fitting = (right - left) / (_WIDTH_OF_LETTER * max(3, len(label)))
        size = float(min(_FOUND_CSS_PX * unit, fitting))
    elif right - left < _SMALLEST_CSS_PX * unit:
        label = ""  # a name would hide what it is of
    x, y = (left + right) / 2, (top + bottom) / 2  # inside a core, since cores stand close
    if row.region_class != "core" or not region.is_found:
        x, y = _above(label, size, x, top - 0.7 * size, frame, taken)
    whole, name = row.status == "complete", row.name or row.region_id
    return RegionOutline(
        "" if region.is_class else _path(rings),
        name if whole else f"{name}: {row.status}",
        label, float(x), float(y), size, region.is_found, not whole,
    )  # fmt: skip


def _above(label: str, size: float, x: float, y: float, frame: Frame, taken: list[_Taken]) -> tuple[float, float]:
    """Return the middle of a label above its region, inside the frame, and below what is written there already."""
    half, half_height = _WIDTH_OF_LETTER * size * len(label) / 2, 0.6 * size
    x, y = min(max(x, half), max(half, frame.width - half)), max(y, half_height)
    while label and y < frame.height - size:
        met = [t for t in taken if abs(t.x - x) < half + t.half_width and abs(t.y - y) < half_height + t.half_height]
        if not met:
            break
        y = max(t.y + t.half_height for t in met) + 1.01 * half_height
    if label:
        taken.append(_Taken(x, y, half, half_height))
    return x, y


def _path(rings: list[NDArray[Any]]) -> str:
    lines = (" ".join(f"{x:.1f} {y:.1f}" for x, y in ring[:-1]) for ring in rings)
    return "".join(f"M{line}Z" for line in lines)
