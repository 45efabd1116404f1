"""results: the codes that a slide's class map may hold, each with its colour; those that are no class among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.results.thumbnail import UNSCANNED_RGB

Rgb = tuple[int, int, int]

UNREADABLE_RGB = (213, 94, 0)
"""Vermillion: a hole in the measurement is to be seen, and by whoever sees colours differently."""

OUTSIDE_RGB = (96, 96, 96)


@dataclass(frozen=True, slots=True)
class ReservedCode:
    """What a code stands for that no segmenter gives."""

    text: str
    color_rgb: Rgb
    count_key: str  # of the counts in a slide's document


RESERVED: Mapping[int, ReservedCode] = {
    UNREADABLE_CODE: ReservedCode("unreadable", UNREADABLE_RGB, "n_px_unreadable"),
    OUTSIDE_ROI_CODE: ReservedCode("outside the region of interest", OUTSIDE_RGB, "n_px_outside_roi"),
    UNSCANNED_CODE: ReservedCode("not scanned", UNSCANNED_RGB, "n_px_unscanned"),
}


def reserved_in(record: Mapping[str, Any]) -> dict[int, ReservedCode]:
    """Return the codes that are no class and that at least one pixel of a counted slide has.

    >>> record = {"counts": {"n_px_unreadable": 0, "n_px_outside_roi": 12, "n_px_unscanned": 0}}
    >>> [code.text for code in reserved_in(record).values()]
    ['outside the region of interest']
    """
    return {code: reserved for code, reserved in RESERVED.items() if record["counts"][reserved.count_key]}


def class_colours(record: Mapping[str, Any]) -> dict[int, Rgb]:
    """Return each code that the class map of a counted slide may hold, in ascending order, with its colour."""
    colours = {c["id"]: rgb_of(c["color_rgb"]) for c in record["classes"]}
    colours |= {code: reserved.color_rgb for code, reserved in reserved_in(record).items()}
    return dict(sorted(colours.items()))


def rgb_of(values: Any) -> Rgb:
    """Return a colour of a document as three whole numbers."""
    red, green, blue = (int(value) for value in values)
    return red, green, blue
