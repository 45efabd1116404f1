"""reports: the numbers of the foci on the picture of a slide, each beside its focus and covering none."""

import numpy as np

from wsi_area.compute.picture.beside import Label, beside
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_foci import Focus
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.picture.photo_layers import Frame, PhotoLayers

LISTED_FOCI = 10
"""Foci named one by one on the page and numbered on the picture, the largest first."""
_RADIUS_CSS_PX = 14


@frozen_value
class Mark:
    """A number on the picture, with the line that leads to its focus; in the units of the frame."""

    number: int
    x: float
    y: float
    to_x: float
    to_y: float
    radius: float


def focus_marks(record: CountedSlide, layers: PhotoLayers, frame: Frame) -> tuple[Mark, ...]:
    """Return the numbers of the listed foci; on their middles where the classes cannot be seen."""
    listed = () if record.foci is None else record.foci.listed[:LISTED_FOCI]
    spots = [(number, *middle) for number, focus in enumerate(listed, start=1) if (middle := _middle(focus))]
    radius = _RADIUS_CSS_PX * frame.css_px
    if layers.codes is None:
        labels = [Label(x, y, x, y) for _, x, y in spots]
    else:
        box_x, box_y = layers.box_l0_px
        tumor = [c.id for c in record.classes if c.is_tumor]
        found = beside(np.isin(layers.codes, tumor), [(x / box_x, y / box_y) for _, x, y in spots], radius / box_x)
        labels = [Label(a.x * box_x, a.y * box_y, a.to_x * box_x, a.to_y * box_y) for a in found]
    k = frame.y_scale
    return tuple(
        Mark(number, a.x, a.y * k, a.to_x, a.to_y * k, radius) for (number, _, _), a in zip(spots, labels, strict=True)
    )


def _middle(focus: Focus) -> tuple[float, float] | None:
    x, y = focus.centroid_x_l0_px, focus.centroid_y_l0_px
    return None if x is None or y is None else (x, y)
