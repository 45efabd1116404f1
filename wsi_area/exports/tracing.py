"""exports: a class map, band by band, as its regions: 4-connected, with exact pixel edges and holes; numpy only."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import CountMismatchError
from wsi_area.exports.ring_kernels import placed_rings, simple_rings
from wsi_area.exports.tracing_kernels import CORNER_FIELDS, open_chains, roots_of, trace_rows
from wsi_area.model.pixels import ClassMap

Ring = NDArray[np.int64]
"""int64 (n, 2) of x, y; the last point is not the first again."""


@dataclass(frozen=True, slots=True, eq=False)
class TracedRegion:
    """One 4-connected region of one class: a ring round it, positive, and one round each of its holes, negative.

    Each ring begins at its upper left corner; the holes are in the order of theirs. Rings touch in points at most.
    """

    class_id: int
    shell: Ring
    holes: tuple[Ring, ...]
    area_px: int  # that the rings enclose, a whole number of what the coordinates count


def traced_regions(
    bands: Iterable[ClassMap], x_edges: NDArray[np.int64], y_edges: NDArray[np.int64], class_ids: Iterable[int]
) -> Iterator[TracedRegion]:
    """Yield every region of some classes, ordered by its lowest row, then by its first pixel.

    What is kept in memory are the corners of regions that go on below; neither the order nor a region depends on
    how the map is cut into bands.

    Parameters
    ----------
    bands : uint8 (h, w) each
        The class map from top to bottom, in whole rows.
    x_edges, y_edges : int64 (w + 1,), (rows + 1,)
        Where each column's and row's edge lies in the frame of the regions; ascending.
    class_ids
        What to trace; every other code is what lies between.

    >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)
    >>> [region] = traced_regions([ring], np.arange(4), np.arange(4), [1])
    >>> region.shell.tolist(), region.holes[0].tolist(), region.area_px
    ([[0, 0], [3, 0], [3, 3], [0, 3]], [[1, 1], [1, 2], [2, 2], [2, 1]], 8)
    """
    is_traced = np.zeros(256, np.bool_)
    is_traced[list(class_ids)] = True
    sweep = _Sweep(is_traced, np.ascontiguousarray(x_edges, np.int64), np.ascontiguousarray(y_edges, np.int64))
    for band in bands:
        for row in range(0, len(band), _ROWS_AT_ONCE):
            yield from sweep.rows(np.ascontiguousarray(band[row : row + _ROWS_AT_ONCE]))
    yield from sweep.rows(np.zeros((1, len(x_edges) - 1), np.uint8))


_ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Ring:
    """A closed ring of pixel edges that may pass a vertex twice."""

    class_id: int
    points: Ring
    may_touch_itself: bool
    doubled_area: int  # signed


class _Sweep:
    """What one pass over a class map remembers of the rows above."""

    def __init__(self, is_traced: NDArray[np.bool_], x_edges: NDArray[np.int64], y_edges: NDArray[np.int64]) -> None:
        self._is_traced, self._y, width_px = is_traced, 0, len(x_edges) - 1
        self._x_edges, self._y_edges = x_edges, y_edges
        self._codes, self._labels = np.zeros(width_px, np.uint8), np.full(width_px, -1, np.int64)
        self._up, self._down = np.full(width_px + 1, -1, np.int64), np.full(width_px + 1, -1, np.int64)
        self._corners, self._corner_count = np.empty((64, CORNER_FIELDS), np.int64), 0
        self._live = 0  # labels 0..live-1 are the regions that reach the row above
        self._open: dict[int, list[_Ring]] = {}  # rings of those that are closed already

    def rows(self, band: ClassMap) -> Iterator[TracedRegion]:
        """Take in the next rows; yield the regions that ended in or just above them."""
        parent = np.arange(max(self._live, 64), dtype=np.int64)
        found, ring_count, points, parent, label_count, corners, n = trace_rows(
            band, self._is_traced, self._y, self._codes, self._labels, parent, self._live, self._up, self._down,
            self._corners, self._corner_count,
        )  # fmt: skip
        doubled = placed_rings(points, found, ring_count, self._x_edges, self._y_edges)
        self._y += len(band)
        self._corners, self._corner_count = open_chains(self._up, self._down, corners[:n])
        roots = roots_of(parent, label_count)
        rings: defaultdict[int, list[_Ring]] = defaultdict(list)
        for label, earlier in self._open.items():
            rings[int(roots[label])] += earlier
        for (first, count, label, saddles, class_id), area in zip(
            found[:ring_count].tolist(), doubled.tolist(), strict=True
        ):
            rings[int(roots[label])].append(_Ring(class_id, points[first : first + count], saddles > 1, area))
        traced = self._labels >= 0
        alive = np.unique(roots[self._labels[traced]])
        self._labels[traced] = np.searchsorted(alive, roots[self._labels[traced]])
        self._live = len(alive)
        ended = [_region(rings.pop(root)) for root in sorted(set(rings) - set(alive.tolist()))]
        # of those that go on below, each ring in memory of its own: the points of all these rows are given up
        self._open = {int(np.searchsorted(alive, root)): [_alone(r, points) for r in k] for root, k in rings.items()}
        yield from sorted(ended, key=_order)


def _alone(ring: _Ring, points: Ring) -> _Ring:
    """Return a ring that does not hold these points, of which it may be a part."""
    return replace(ring, points=ring.points.copy()) if ring.points.base is points else ring


def _region(rings: list[_Ring]) -> TracedRegion:
    """Return the rings of one region as the one round it and those round its holes."""
    simple = [part for ring in rings for part in _cut(ring)]
    shells = [ring for ring, doubled in simple if doubled > 0]
    if len(shells) != 1:
        raise CountMismatchError(
            f"tracing found {len(shells)} outer rings round one region; the outlines are refused. Please report this "
            "with the slide's folder of the run"
        )
    holes = [ring for ring, doubled in simple if doubled <= 0]
    if len(holes) > 1:
        holes.sort(key=lambda ring: (ring[0, 1], ring[0, 0]))
    return TracedRegion(rings[0].class_id, shells[0], tuple(holes), sum(doubled for _, doubled in simple) // 2)


def _cut(ring: _Ring) -> list[tuple[Ring, int]]:
    """Return the simple rings that a ring is made of, each with twice its signed area."""
    if not ring.may_touch_itself:
        return [(ring.points, ring.doubled_area)]
    key = ring.points[:, 1] * (ring.points[:, 0].max() + 1) + ring.points[:, 0]
    points, ends, doubled, count = simple_rings(ring.points, key, np.argsort(key))
    return list(zip(np.split(points, ends[: count - 1]), doubled[:count].tolist(), strict=True))


def _order(region: TracedRegion) -> tuple[int, int, int]:
    return int(region.shell[:, 1].max()), int(region.shell[0, 1]), int(region.shell[0, 0])
