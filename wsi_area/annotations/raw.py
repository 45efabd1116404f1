"""annotations: an outline as a file has it, before anybody asked whether it is one; nouns only."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.picture.coordinates import AS_IT_IS, TextWithout
from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn import AN_ANNOTATION, DrawnObject
from wsi_area.model.finding import QaFinding, Severity

Ring = NDArray[np.float64]
"""float64 (n, 2) of x, y in the units of the file; closed or not."""
Polygon = tuple[Ring, ...]
"""The outer ring, then the holes."""

SHOWN = 8
"""Findings of one kind that a file may have one by one; the others are told by their number and area."""


@frozen_value(eq=False)
class RawOutline:
    """One object of a file that encloses an area, or should."""

    index: int  # its place among the objects of the file, from 0
    name: str  # its class, "" where the file gives none
    polygons: tuple[Polygon, ...]
    layer: int = 0  # holes are cut out of the regions of their own layer, and of their class in any layer
    is_hole: bool = False
    stated_area_um2: float | None = None
    stated_area_px2: float | None = None  # in units² of the file
    of: DrawnObject = AN_ANNOTATION


@dataclass(slots=True)
class LeftOut:
    """What of one kind was left out of a file because it encloses nothing, or nobody can tell what."""

    first: int  # the object it was met in first
    count: int = 0
    area: float = 0.0  # by its points, units² of the file; 0 for what encloses nothing
    severity: Severity = "info"


@dataclass(slots=True)
class Parsed:
    """What a parser found; findings have no slide yet."""

    kind: str
    outlines: deque[RawOutline] = field(default_factory=deque)
    findings: list[QaFinding] = field(default_factory=list)
    unit: str = "px"  # or "nm", from the centre of the physical slide
    mpp_um: float | None = None  # µm per unit, where the file says so
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    text: TextWithout = AS_IT_IS  # what its JSON was read from, with what was taken out of that before

    def leave_out(self, index: int, what: str, area: float = 0.0, severity: Severity = "info") -> None:
        """Put on record that an object, or a part of it, is left out: ``what`` it is, e.g. "a Point"."""
        entry = self.left_out.setdefault(what, LeftOut(index, severity=severity))
        entry.count += 1
        entry.area += area

    @property
    def left_out_count(self) -> int:
        """Return the number of things that were left out so far."""
        return sum(entry.count for entry in self.left_out.values())

    def left_out_findings(self) -> tuple[QaFinding, ...]:
        """Return one finding for each kind of thing that was left out, with its count and its area.

        >>> parsed = Parsed("x")
        >>> parsed.leave_out(3, "a line")
        >>> parsed.left_out_findings()[0].message
        'object 3 is a line: it encloses no area and is left out'
        """
        return tuple(_left_out_finding(what, entry) for what, entry in self.left_out.items())


def _left_out_finding(what: str, entry: LeftOut) -> QaFinding:
    subject = (
        f"object {entry.first} is {what}: it"
        if entry.count == 1
        else f"{entry.count} objects or parts of them are each {what} (first: object {entry.first}): each"
    )
    if entry.severity == "info" and not entry.area:
        told = f"{subject} encloses no area and is left out"
    elif entry.area:
        told = f"{subject} is left out; by the points that is {entry.area:.6g} square units of the file"
    else:
        told = f"{subject} is left out, and nobody knows what it encloses"
    remedy = "draw a closed outline where an area was meant"
    severity: Severity = "warning" if entry.area else entry.severity
    return noted("NOT_AN_AREA", severity, told, float(entry.count), 0.0, "objects", remedy)


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


def points_area(polygons: tuple[Polygon, ...]) -> float:
    """Return the area by the shoelace formula: what a ring winds round twice counts twice, or not at all.

    >>> points_area(((np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 3.0], [0.0, 3.0]]),),))
    6.0
    """
    rings = [ring for polygon in polygons for ring in polygon]
    signs = [-1.0 if place else 1.0 for polygon in polygons for place in range(len(polygon))]
    return float(np.array(signs) @ ring_areas(rings))


def ring_areas(rings: Sequence[Ring]) -> NDArray[np.float64]:
    """Return the area by the shoelace formula of each ring, closed or not, float64 (rings,).

    >>> ring_areas([np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 3.0]]), np.array([[5.0, 5.0]])]).tolist()
    [3.0, 0.0]
    """
    lengths, areas = np.array([len(ring) for ring in rings], np.int64), np.zeros(len(rings))
    encloses = lengths >= 3
    if not encloses.any():
        return areas
    lengths = lengths[encloses]
    ends = np.cumsum(lengths)
    firsts, points = ends - lengths, np.concatenate([ring for ring in rings if len(ring) >= 3])
    x, y = (points - np.repeat(points[firsts], lengths, axis=0)).T  # from the first point, so that no digits are lost
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = firsts
    areas[encloses] = np.abs(np.add.reduceat(x * y[following] - x[following] * y, firsts)) / 2
    return areas


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
