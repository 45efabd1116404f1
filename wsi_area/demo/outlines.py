"""demo: outlines whose area is known in closed form; geometry only, no pixels and no file.

Coordinates are level-0 px, x to the right and y down. A pixel belongs to an outline when its centre does.
"""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import MaskArray

Coordinates = NDArray[np.float64]


class Outline(Protocol):
    """A shape in the plane."""

    @property
    def area_px2(self) -> float:
        """Return its area in square level-0 px, in closed form."""

    @property
    def reach_px(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of a box round it, in level-0 px."""

    def contains(self, x_px: Coordinates, y_px: Coordinates) -> MaskArray:
        """Return the points that lie inside, bool of the broadcast shape of ``x_px`` and ``y_px``."""


@frozen_value
class Disc:
    """A disc, or a ring if it has a hole round the same centre."""

    x_px: float
    y_px: float
    radius_px: float
    hole_px: float = 0.0  # radius

    @property
    def area_px2(self) -> float:
        """Return π (R² - r²).

        >>> round(Disc(0, 0, 2, hole_px=1).area_px2, 4)
        9.4248
        """
        return math.pi * (self.radius_px**2 - self.hole_px**2)

    @property
    def reach_px(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom."""
        return _square(self.x_px, self.y_px, self.radius_px)

    def contains(self, x_px: Coordinates, y_px: Coordinates) -> MaskArray:
        """Return the points that lie inside."""
        squared = (x_px - self.x_px) ** 2 + (y_px - self.y_px) ** 2
        inside: MaskArray = (squared < self.radius_px**2) & (squared >= self.hole_px**2)
        return inside


@frozen_value
class Ellipse:
    """An ellipse whose first half axis points ``angle_deg`` from x towards y."""

    x_px: float
    y_px: float
    half_axes_px: tuple[float, float]
    angle_deg: float = 0.0

    @property
    def area_px2(self) -> float:
        """Return π a b.

        >>> round(Ellipse(0, 0, (3, 2), 30).area_px2, 4)
        18.8496
        """
        return math.pi * self.half_axes_px[0] * self.half_axes_px[1]

    @property
    def reach_px(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom."""
        cos, sin = math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg))
        a, b = self.half_axes_px
        dx, dy = math.hypot(a * cos, b * sin), math.hypot(a * sin, b * cos)
        return self.x_px - dx, self.y_px - dy, self.x_px + dx, self.y_px + dy

    def contains(self, x_px: Coordinates, y_px: Coordinates) -> MaskArray:
        """Return the points that lie inside."""
        cos, sin = math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg))
        dx, dy = x_px - self.x_px, y_px - self.y_px
        a, b = self.half_axes_px
        inside: MaskArray = ((dx * cos + dy * sin) / a) ** 2 + ((dy * cos - dx * sin) / b) ** 2 < 1
        return inside


@frozen_value
class CutDisc:
    """The part of a disc on this side of a knife's straight cut.

    The cut runs ``distance_px`` from the centre, square to the direction ``angle_deg`` from x towards y.
    """

    x_px: float
    y_px: float
    radius_px: float
    angle_deg: float
    distance_px: float

    @property
    def area_px2(self) -> float:
        """Return the disc less the circular segment, R² acos(d/R) - d √(R² - d²).

        >>> round(CutDisc(0, 0, 2, 0, 0).area_px2 / math.pi, 6)  # half of 4 π
        2.0
        """
        r, d = self.radius_px, self.distance_px
        return math.pi * r * r - (r * r * math.acos(d / r) - d * math.sqrt(r * r - d * d))

    @property
    def reach_px(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom."""
        return _square(self.x_px, self.y_px, self.radius_px)

    def contains(self, x_px: Coordinates, y_px: Coordinates) -> MaskArray:
        """Return the points that lie inside."""
        dx, dy = x_px - self.x_px, y_px - self.y_px
        along = dx * math.cos(math.radians(self.angle_deg)) + dy * math.sin(math.radians(self.angle_deg))
        inside: MaskArray = (dx**2 + dy**2 < self.radius_px**2) & (along < self.distance_px)
        return inside


@frozen_value
class Lobed:
    """A blob with a wavy rim: r(θ) = R (1 + Σ aₖ cos(k θ + φₖ))."""

    x_px: float
    y_px: float
    radius_px: float
    waves: tuple[tuple[int, float, float], ...]  # k ≥ 1 waves a turn, each once; aₖ, Σ aₖ < 1; φₖ in radians

    @property
    def area_px2(self) -> float:
        """Return ½ ∫ r² dθ = π R² (1 + ½ Σ aₖ²), since cosines of different k are orthogonal.

        >>> round(Lobed(0, 0, 1, ((3, 0.2, 0.0),)).area_px2 / math.pi, 6)
        1.02
        """
        return math.pi * self.radius_px**2 * (1 + sum(a * a for _, a, _ in self.waves) / 2)

    @property
    def reach_px(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom."""
        return _square(self.x_px, self.y_px, self.radius_px * (1 + sum(abs(a) for _, a, _ in self.waves)))

    def contains(self, x_px: Coordinates, y_px: Coordinates) -> MaskArray:
        """Return the points that lie inside."""
        dx, dy = x_px - self.x_px, y_px - self.y_px
        turn = np.arctan2(dy, dx)
        rim = 1.0 + sum((a * np.cos(k * turn + phase) for k, a, phase in self.waves), np.zeros_like(turn))
        inside: MaskArray = np.hypot(dx, dy) < self.radius_px * rim
        return inside


@frozen_value
class CornerPiece:
    """What a straight cut leaves in the slide's lower right corner: tissue that runs off the scan."""

    slide_px: Size
    width_px: float  # along the lower edge
    height_px: float  # along the right edge

    @property
    def area_px2(self) -> float:
        """Return that of the triangle, half the product of its legs.

        >>> CornerPiece(Size(10, 10), 3, 4).area_px2
        6.0
        """
        return self.width_px * self.height_px / 2

    @property
    def reach_px(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom."""
        right, bottom = self.slide_px.width_px, self.slide_px.height_px
        return right - self.width_px, bottom - self.height_px, right, bottom

    def contains(self, x_px: Coordinates, y_px: Coordinates) -> MaskArray:
        """Return the points that lie inside."""
        from_right, from_bottom = self.slide_px.width_px - x_px, self.slide_px.height_px - y_px
        inside: MaskArray = from_right / self.width_px + from_bottom / self.height_px < 1
        return inside


def _square(x_px: float, y_px: float, radius_px: float) -> tuple[float, float, float, float]:
    return x_px - radius_px, y_px - radius_px, x_px + radius_px, y_px + radius_px
