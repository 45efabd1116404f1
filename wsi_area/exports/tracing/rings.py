"""exports: rings as arrays: many of them one after the other, with what is known of each."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value

FIRST, LENGTH, LABEL, DOUBLED_AREA, CORNER = range(5)
"""Columns of what is known of a ring that closed: its first point, which is the upper left one, and how many; its
region's label; twice the signed area; that point as a number that orders by y, then x."""
KNOWN_FIELDS = 5
HEAD, TAIL, COUNT, WAITING_AREA = range(4)
"""Columns of the holes that wait for a region: the first of them and the last, or -1; how many they are; twice their
signed area."""
LIST_FIELDS = 4

Ints = NDArray[np.int64]
Corners = NDArray[np.int32]  # (points, 2) of columns and rows of a class map


@frozen_value(eq=False)
class ClosedRings:
    """Rings of pixel edges that closed in some rows; none passes a vertex twice."""

    points: Corners  # of all; each ring begins at its upper left corner, which is not repeated at its end
    known: Ints  # (rings, 5), columns as above; an area is positive round a region, else negative
    more: Ints  # (rings, 2), its class, and the y of its lowest edge in the frame of the regions


@frozen_value(eq=False)
class RingBatch:
    """Rings of regions in order: of each region the one round it, positive, then one round each of its holes, negative.

    The holes are in the order of their upper left corners. Rings of one region touch in points at most. A batch may
    end within a region; the holes that it still has begin the next batch.
    """

    points: (
        NDArray[np.int32] | Ints
    )  # (points, 2) of x, y, a ring after the other; the last point of a ring is not its first again
    ends: Ints  # (rings,), of each ring in the points
    class_ids: Ints  # (rings,)
    areas_px: Ints  # (rings,), of an outer ring what its region covers, a whole number of what points count; else 0

    @property
    def is_outer(self) -> NDArray[np.bool_]:
        """Return the rings that begin a region, bool (rings,)."""
        return self.areas_px > 0

    def part(self, first: int, last: int) -> "RingBatch":
        """Return the rings from one to before another."""
        before = int(self.ends[first - 1]) if first else 0
        ends = self.ends[first:last]
        points = self.points[before : int(ends[-1]) if len(ends) else before]
        return RingBatch(points, ends - before, self.class_ids[first:last], self.areas_px[first:last])


def joined(batches: list[RingBatch]) -> RingBatch:
    """Return the rings of several batches as one."""
    before = np.cumsum([0, *(len(batch.points) for batch in batches)])
    return RingBatch(
        np.concatenate([batch.points for batch in batches]),
        np.concatenate([batch.ends + offset for batch, offset in zip(batches, before, strict=False)]),
        np.concatenate([batch.class_ids for batch in batches]),
        np.concatenate([batch.areas_px for batch in batches]),
    )


def whole_regions(batches: Iterable[RingBatch]) -> Iterator[RingBatch]:
    """Yield the same rings in the same order, cut between regions only."""
    held: list[RingBatch] = []  # the last region, of which more may come
    for batch in batches:
        outer = np.flatnonzero(batch.is_outer)
        last = int(outer[-1]) if len(outer) else 0
        if last or (held and len(outer)):
            yield joined([*held, batch.part(0, last)])
            held = []
        held.append(batch.part(last, len(batch.ends)))
    if held:
        yield joined(held)


def begins(ends: Ints) -> Ints:
    """Return the places where parts begin, each at the end of the one before, int64 (parts,).

    >>> begins(np.array([4, 8, 20])).tolist()
    [0, 4, 8]
    """
    return np.concatenate([np.zeros(1, np.int64), ends])[: len(ends)]


def grown(array: NDArray[Any], count: int, more: int) -> NDArray[Any]:
    """Return the array, or a longer one with its first rows where there is no room for some more.

    >>> grown(np.array([7, 8, 9]), 2, 2)[:2].tolist()
    [7, 8]
    """
    if count + more <= len(array):
        return array
    larger = np.empty((max(len(array) + len(array) // 4, count + more), *array.shape[1:]), array.dtype)
    larger[:count] = array[:count]
    return larger
