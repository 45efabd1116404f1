"""notebook: what the viewer's page is told of a slide before its first tile; plain values, ready for JSON."""

import math
from collections.abc import Iterable
from typing import Any

from wsi_area.compute.picture.scale_bar import length_text
from wsi_area.model.calibration import Mpp
from wsi_area.notebook.overlay import Entry, class_names
from wsi_area.notebook.viewer.grid import TILE_PX, ViewGrid
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.thumbnail import Thumbnail

NO_MPP = "No pixel size is known for this slide, so the picture has no scale bar."


def page_facts(slide: OpenedSlide, grid: ViewGrid, legend: Iterable[Entry], notes: Iterable[str]) -> dict[str, Any]:
    """Return the sizes of the picture, its classes, the bars that may be drawn, and what has to be said."""
    names = class_names(slide)
    return {
        "slide_id": slide.slide_id,
        "width_px": grid.size_px.width_px,
        "height_px": grid.size_px.height_px,
        "tile_px": TILE_PX,
        "first_level": grid.first_level,
        "last_level": grid.last_level,
        "mpp_x_um": None if slide.mpp is None else slide.mpp.x,
        "bars": [] if slide.mpp is None else scale_bars(grid, slide.mpp),
        "classes": [
            {"code": e.code, "name": names[e.code], "text": e.text, "color": f"#{bytes(e.color_rgb).hex()}"}
            for e in legend
        ],
        "notes": [note for note in (*notes, NO_MPP if slide.mpp is None else "") if note],
    }


def scale_bars(grid: ViewGrid, mpp: Mpp) -> list[tuple[float, str]]:
    """Return every bar of 1, 2 or 5 times a power of ten µm that fits the slide, with its text, shortest first.

    >>> from wsi_area.model.geometry import Size
    >>> scale_bars(ViewGrid(Size(4, 4), Size(4, 4)), Mpp(0.25, 0.25))[-2:]
    [(0.5, '0.5 µm'), (1.0, '1 µm')]
    """
    longest_um = grid.size_px.width_px * mpp.x
    first = math.floor(math.log10(mpp.x))
    powers = range(first, max(first, math.floor(math.log10(longest_um))) + 1)
    lengths_um = [float(f"{step}e{power}") for power in powers for step in (1, 2, 5)]
    return [(length_um, length_text(length_um)) for length_um in lengths_um if length_um <= longest_um]


def last_tissue_level(grid: ViewGrid, picture: Thumbnail) -> int:
    """Return the level beyond which the run's own picture has nothing to add."""
    box = max(1.0, min(picture.frame.box_x_l0_px, picture.frame.box_y_l0_px))
    return max(grid.first_level, grid.last_level - math.floor(math.log2(box)))
