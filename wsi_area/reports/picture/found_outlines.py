"""reports: the outlines of the pieces and cores that were found on a slide, as its picture shows them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import ResultError
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.picture.photo_layers import Frame
from wsi_area.results.found_regions import found_label, found_regions
from wsi_area.results.layout import SlideLayout

SHOWN = 600
"""Pieces and cores that a picture shows; the tables have all of them."""


@dataclass(frozen=True, slots=True)
class FoundOutline:
    """One piece or core, drawn over the picture of its slide."""

    path: str  # of SVG, in the units of the frame
    title: str
    label: str
    x: float  # of the middle of the label
    y: float
    font_size: float
    is_doubtful: bool  # broken, missing, cut or without its name: drawn with dashes


def found_outlines(layout: SlideLayout, record: CountedSlide, frame: Frame, notes: list[str]) -> list[FoundOutline]:
    """Return the pieces and cores that were found on a slide; what cannot be read is said among the notes."""
    shown = []
    try:
        for row, rings in found_regions(layout, record):
            rings = [ring * np.array([1.0, frame.y_scale]) for ring in rings]
            (left, top), (right, bottom) = (of([of(ring, axis=0) for ring in rings], axis=0) for of in (np.min, np.max))
            label, is_core = found_label(row), row.region_class == "core"
            size = float(min(frame.width * 0.022, 1.5 * (right - left) / max(3, len(label))))
            # a core has its name inside, a piece above it, where it is in nobody's way
            y = (top + bottom) / 2 if is_core else max(size / 2, top - 0.7 * size)
            whole = row.status == "complete"
            title = row.name if whole else f"{row.name}: {row.status}"
            shown.append(FoundOutline(_path(rings), title, label, (left + right) / 2, float(y), size, not whole))
    except ResultError as error:
        notes.append(f"The pieces and cores cannot be shown: {error}")
        return []
    if len(shown) > SHOWN:
        notes.append(f"The picture shows the first {SHOWN} of {len(shown)} pieces and cores.")
    return shown[:SHOWN]


def _path(rings: list[NDArray[Any]]) -> str:
    lines = (" ".join(f"{x:.1f} {y:.1f}" for x, y in ring[:-1]) for ring in rings)
    return "".join(f"M{line}Z" for line in lines)
