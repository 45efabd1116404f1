"""results: the codes that a slide's class map may hold, each with its colour; those that are no class among them."""

from collections.abc import Mapping

from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.thumbnail import UNSCANNED_RGB

Rgb = tuple[int, int, int]

UNREADABLE_RGB = (213, 94, 0)
"""Vermillion: a hole in the measurement is to be seen, and by whoever sees colours differently."""

OUTSIDE_RGB = (96, 96, 96)


@frozen_value
class ReservedCode:
    """What a code stands for that no segmenter gives."""

    text: str
    color_rgb: Rgb


RESERVED: Mapping[int, ReservedCode] = {
    UNREADABLE_CODE: ReservedCode("unreadable", UNREADABLE_RGB),
    OUTSIDE_ROI_CODE: ReservedCode("outside the region of interest", OUTSIDE_RGB),
    UNSCANNED_CODE: ReservedCode("not scanned", UNSCANNED_RGB),
}


def reserved_in(slide: CountedSlide) -> dict[int, ReservedCode]:
    """Return the codes that are no class and that at least one pixel of a slide has."""
    counts = slide.counts
    n_px = {
        UNREADABLE_CODE: counts.n_px_unreadable,
        OUTSIDE_ROI_CODE: counts.n_px_outside_roi,
        UNSCANNED_CODE: counts.n_px_unscanned,
    }
    return {code: reserved for code, reserved in RESERVED.items() if n_px[code]}


def class_colours(slide: CountedSlide) -> dict[int, Rgb]:
    """Return each code that the class map of a slide may hold, in ascending order, with its colour."""
    colours = {c.id: c.color_rgb for c in slide.classes}
    colours |= {code: reserved.color_rgb for code, reserved in reserved_in(slide).items()}
    return dict(sorted(colours.items()))
