"""compute: which band a pixel is in, by whole offsets in work pixels: decided exactly, in whatever box it lies.

The distance of a pixel is that from its centre to the nearest centre of a pixel of the class, in µm; inside the class
it is negative, to the nearest centre of a pixel of another class. A band ``(from, to]`` has what is farther than the
one and at most as far as the other.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt, lcm

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp

Ints = NDArray[np.int64]

_DIGITS = 12
"""A length in µm is taken as the decimal number of so many digits: 3 × 0.1 is 0.3, so a pixel there is at an edge."""


@frozen_value(eq=False)
class Side:
    """The bands on one side of a border, the nearest first."""

    reach_px: Ints  # (edges, rows): how many columns an edge reaches, by the rows to the border; -1: not so far
    band: Ints  # (edges,): the band that ends at each edge, seen from the border; -1: none

    @property
    def rows_px(self) -> int:
        """Return the most rows that a pixel of these bands is away from the border."""
        return max(0, int(self.reach_px.shape[1]) - 1)

    @property
    def columns_px(self) -> int:
        """Return the most columns that a pixel of these bands is away from the border."""
        return max(0, int(self.reach_px.max(initial=0)))


@frozen_value(eq=False)
class BandRule:
    """The bands of a slide, from the innermost outwards."""

    edges_um: tuple[float, ...]
    outside: Side
    inside: Side

    @property
    def bands(self) -> tuple[tuple[float, float], ...]:
        """Return the edges of each band: from, to."""
        return tuple(zip(self.edges_um, self.edges_um[1:], strict=False))

    @property
    def halo_px(self) -> tuple[int, int]:
        """Return the number of rows and columns round a pixel that decide which band it is in."""
        sides = (self.outside, self.inside)
        return max(side.rows_px for side in sides), max(side.columns_px for side in sides)


def band_rule(edges_um: Sequence[float], work_mpp: Mpp) -> BandRule:
    """Return the bands between edges, for work pixels of a size.

    Parameters
    ----------
    edges_um : sequence of float
        In ascending order, at least two; negative inside the class.
    work_mpp : Mpp
        µm per work pixel.
    """
    edges = tuple(edges_um)
    last = len(edges) - 1
    outer = [i for i, edge in enumerate(edges) if edge > 0]
    inner = [i for i, edge in reversed(list(enumerate(edges))) if edge < 0]
    return BandRule(
        edges,
        Side(_table([reach_px(edges[i], work_mpp) for i in outer]), np.array([i - 1 for i in outer], np.int64)),
        Side(
            _table([reach_px(-edges[i], work_mpp, short_of=True) for i in inner]),
            np.array([i if i < last else -1 for i in inner], np.int64),
        ),
    )


def reach_px(radius_um: float, work_mpp: Mpp, *, short_of: bool = False) -> Ints:
    """Return the columns that a disc reaches at each number of rows from its centre, int64 (rows,); -1: not at all.

    Parameters
    ----------
    radius_um : float
        Of the disc: centres of pixels at most as far, or nearer than that.
    work_mpp : Mpp
        µm per work pixel.
    short_of : bool
        Whether a centre at exactly the radius is left out.

    >>> reach_px(5.0, Mpp(1.0, 1.0)).tolist()
    [5, 4, 4, 4, 3, 0]
    >>> reach_px(5.0, Mpp(1.0, 1.0), short_of=True).tolist()
    [4, 4, 4, 3, 2, -1]
    """
    radius, x, y = whole_lengths(radius_um, work_mpp.x, work_mpp.y)
    left = [radius * radius - (row * y) ** 2 for row in range(radius // y + 1)]
    squares = [(square - 1 if short_of else square) // (x * x) for square in left]
    return np.array([isqrt(square) if square >= 0 else -1 for square in squares], np.int64)


def whole_lengths(*lengths_um: float) -> list[int]:
    """Return lengths as whole multiples of one unit, exactly.

    >>> whole_lengths(0.5, 0.75, 3 * 0.1)
    [10, 15, 6]
    """
    exact = [Fraction(f"{length:.{_DIGITS}g}") for length in lengths_um]
    unit = lcm(*(length.denominator for length in exact))
    return [int(length * unit) for length in exact]


def _table(reaches: Sequence[Ints]) -> Ints:
    """Return the reach of each edge as one table, -1 where an edge has fewer rows than the farthest."""
    rows = max((len(reach) for reach in reaches), default=0)
    table = np.full((len(reaches), rows), -1, np.int64)
    for row, reach in zip(table, reaches, strict=True):
        row[: len(reach)] = reach
    return table
