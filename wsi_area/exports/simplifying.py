"""exports: outlines with fewer corners, on request only, each with the area it has afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Ring = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SimplifiedOutline:
    """An outline with some of its corners, and the area that it encloses."""

    rings: tuple[Ring, ...]
    area_px: float  # in the square of the unit of its coordinates; a multiple of 1/2


def simplified(rings: Sequence[Ring], tolerance_px: float) -> SimplifiedOutline | None:
    """Return an outline with as few of its corners as move it by no more than a distance; None where none will do.

    Douglas and Peucker 1973, with the rings of one outline kept from crossing each other. Each outline is
    simplified by itself: between two classes gaps and overlaps of up to twice the distance can open.

    Parameters
    ----------
    rings : int64 (n, 2) each
        The outer ring, then its holes; the last point is not the first again.
    tolerance_px : float
        The distance, in the unit of the coordinates.

    >>> stairs = np.array([[0, 0], [8, 0], [8, 1], [9, 1], [9, 9], [0, 9]])
    >>> simple = simplified([stairs], 2.0)
    >>> len(simple.rings[0]), simple.area_px
    (4, 76.5)
    """
    outline = shapely.Polygon(rings[0], rings[1:])
    simple = outline.simplify(tolerance_px, preserve_topology=True)
    if simple.geom_type != "Polygon" or simple.is_empty or not simple.is_valid:
        return None
    found = tuple(_corners(ring) for ring in (simple.exterior, *simple.interiors))
    return SimplifiedOutline(found, float(simple.area))


def _corners(ring: shapely.LinearRing) -> Ring:
    """Return the corners of a ring as the integers they were before."""
    return np.asarray(shapely.get_coordinates(ring)[:-1], dtype=np.int64)
