"""exports: outlines with fewer corners, on request only, each with the area it has afterwards."""

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.exports.tracing.rings import RingBatch, begins
from wsi_area.frozen_value import frozen_value


@frozen_value(eq=False)
class SimplifiedRings:
    """Whole regions with some of their corners, and the area that each encloses."""

    rings: RingBatch  # as they are now; ``areas_px`` is what the regions enclosed before
    outline_areas_px: NDArray[
        np.float64
    ]  # (regions,), in the square of the unit of their coordinates; a multiple of 1/2
    is_exact: NDArray[np.bool_]  # (regions,), whether a region was left as it was


def simplified(batch: RingBatch, tolerance_px: float) -> SimplifiedRings:
    """Return outlines with as few of their corners as move them by no more than a distance.

    Douglas and Peucker 1973, with the rings of one outline kept from crossing each other. Each outline is
    simplified by itself: between two classes gaps and overlaps of up to twice the distance can open. One that would
    break stays as it was.

    Parameters
    ----------
    batch
        Whole regions.
    tolerance_px : float
        The distance, in the unit of the coordinates.

    >>> stairs = np.array([[0, 0], [8, 0], [8, 1], [9, 1], [9, 9], [0, 9]])
    >>> one = RingBatch(stairs, np.array([6]), np.array([1]), np.array([80]))
    >>> simple = simplified(one, 2.0)
    >>> simple.rings.ends.tolist(), simple.outline_areas_px.tolist(), simple.is_exact.tolist()
    ([4], [76.5], [False])
    """
    of_ring = np.repeat(np.arange(len(batch.ends)), batch.ends - begins(batch.ends))
    rings = shapely.linearrings(batch.points.astype(np.float64), indices=of_ring)
    exact = shapely.polygons(rings, indices=np.cumsum(batch.is_outer) - 1)
    simple = shapely.simplify(exact, tolerance_px, preserve_topology=True)
    is_sound = (shapely.get_type_id(simple) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(simple)
    is_sound &= shapely.is_valid(simple)
    chosen = np.where(is_sound, simple, exact)
    return SimplifiedRings(_rings_of(chosen, batch), shapely.area(chosen), ~is_sound)


def _rings_of(outlines: NDArray[np.object_], before: RingBatch) -> RingBatch:
    """Return the rings of outlines, with the classes and the areas that they had before."""
    rings, region = shapely.get_rings(outlines, return_index=True)
    corners, of_ring = shapely.get_coordinates(rings, return_index=True)
    is_last = np.diff(of_ring, append=-1) != 0  # the first one again
    ends = np.cumsum(np.bincount(of_ring[~is_last], minlength=len(rings)))
    is_outer = np.diff(region, prepend=-1) != 0
    areas_px = np.zeros(len(rings), np.int64)
    areas_px[is_outer] = before.areas_px[before.is_outer]
    class_ids = before.class_ids[before.is_outer][region]
    return RingBatch(corners[~is_last].astype(np.int64), ends, class_ids, areas_px)
