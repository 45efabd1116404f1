"""benchmarks: a row of the page: what is divided by what, what is wanted of it, and at which sizes it is measured."""

from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Spread, spread

QUICK, LARGE, HUGE = "10240x10240", "40960x40960", "100000x80000"
"""The sizes of slides, px; others are measured as the next larger one."""


@dataclass(frozen=True)
class Row:
    """One line of the page: a ratio of two parts, or the figure of one."""

    key: str  # of what is measured
    title: str
    over: str
    under: str  # "" where the figure is seconds, or MiB
    wanted: float | None = None  # None: nothing was asked for, so that it is a figure to watch


@dataclass(frozen=True)
class Turns:
    """How often something is measured on a slide of each size; 0: what it says does not hang on the size, or on more.

    What takes minutes is measured once, what takes a second five times: the spread is of the machine then.
    """

    quick: int
    large: int
    huge: int

    def at(self, width_px: int, height_px: int) -> int:
        """Return the number of turns on a slide of this size."""
        area_px = width_px * height_px
        if area_px <= 2 * area_of(QUICK):
            return self.quick
        return self.large if area_px <= 2 * area_of(LARGE) else self.huge


def sides_of(size: str) -> tuple[int, int]:
    """Return width and height in px of ``SIDE`` or ``WIDTHxHEIGHT``.

    >>> sides_of("64"), sides_of("64x48")
    ((64, 64), (64, 48))
    """
    width, _, height = size.partition("x")
    return int(width), int(height or width)


def area_of(size: str) -> int:
    """Return the pixels of a slide of some size."""
    width_px, height_px = sides_of(size)
    return width_px * height_px


def figure(row: Row, samples: list[dict[str, Any]]) -> Spread | None:
    """Return the spread of a row's figure over the turns that came to something."""
    parts = [s["parts"] for s in samples if s["key"] == row.key and "parts" in s]
    wanted = {row.over, row.under} - {""}
    there = [p for p in parts if wanted <= p.keys()]  # a peer may not be installed
    return spread([p[row.over] / (p[row.under] if row.under else 1.0) for p in there])
