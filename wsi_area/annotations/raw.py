"""annotations: an outline as a file has it, before anybody asked whether it is one; nouns only."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.finding import QaFinding, Severity

Ring = NDArray[np.float64]
"""float64 (n, 2) of x, y in the units of the file; closed or not."""


@dataclass(frozen=True, slots=True, eq=False)
class RawOutline:
    """One object of a file that encloses an area, or should."""

    index: int  # its place among the objects of the file, from 0
    name: str  # its class, "" where the file gives none
    polygons: tuple[tuple[Ring, ...], ...]  # for each polygon its outer ring, then its holes
    layer: int = 0  # holes are cut out of the regions of their own layer only
    is_hole: bool = False
    stated_area_um2: float | None = None
    stated_area_px2: float | None = None  # in units² of the file


@dataclass(slots=True)
class Parsed:
    """What a parser found; findings have no slide yet."""

    kind: str
    outlines: list[RawOutline] = field(default_factory=list)
    findings: list[QaFinding] = field(default_factory=list)
    unit: str = "px"  # or "nm", from the centre of the physical slide
    mpp_um: float | None = None  # µm per unit, where the file says so


def noted(
    code: str,
    severity: Severity,
    message: str,
    measured: float | None = None,
    limit: float | None = None,
    unit: str = "",
    remedy: str = "",
) -> QaFinding:
    """Return a finding about a file; the slide is filled in where the file meets it."""
    return QaFinding("", code, severity, measured, limit, unit, message, remedy)


def not_an_area(index: int, what: str) -> QaFinding:
    """Return the finding that an object of a file was left out because it encloses nothing.

    >>> not_an_area(3, "a line").message
    'object 3 is a line: it encloses no area and is left out'
    """
    message = f"object {index} is {what}: it encloses no area and is left out"
    return noted("NOT_AN_AREA", "info", message, remedy="draw a closed outline where an area was meant")


def ellipse_ring(centre_x: float, centre_y: float, radius_x: float, radius_y: float) -> Ring:
    """Return an ellipse as a ring of 720 points that encloses exactly the ellipse's area.

    A polygon inscribed in an ellipse is smaller by ``sin(2π/n) / (2π/n)``; its radii are grown by the root of
    the inverse, 6 millionths of themselves.

    >>> import math, shapely
    >>> abs(shapely.Polygon(ellipse_ring(7.0, 9.0, 20.0, 10.0)).area / (200 * math.pi) - 1) < 1e-12
    True
    """
    n = 720
    angle = np.arange(n) * (2 * np.pi / n)
    grown = float(np.sqrt((2 * np.pi / n) / np.sin(2 * np.pi / n)))
    return np.stack([centre_x + radius_x * grown * np.cos(angle), centre_y + radius_y * grown * np.sin(angle)], axis=-1)


def box_ring(points: Ring) -> Ring:
    """Return the corners of the box round some points.

    >>> box_ring(np.array([[4.0, 1.0], [2.0, 5.0]])).tolist()
    [[2.0, 1.0], [4.0, 1.0], [4.0, 5.0], [2.0, 5.0]]
    """
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def number(text: object) -> float:
    """Return a number out of a file, or NaN where it is none; the outline it belongs to is refused later.

    >>> number("12.5"), number(None)
    (12.5, nan)
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return float("nan")
    try:
        return float(text)
    except (ValueError, OverflowError):
        return float("nan")


def positive(text: object) -> float | None:
    """Return a number above 0, or None for what is absent, 0 or no number: converters write 0 for "not known".

    >>> positive("0.252"), positive("0"), positive("n/a")
    (0.252, None, None)
    """
    value = number(text)
    return value if 0 < value < float("inf") else None
