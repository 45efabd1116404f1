"""exports: a class map, band by band, as its regions: 4-connected, with exact pixel edges and holes; numpy only."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import CountMismatchError
from wsi_area.exports.ring_kernels import place_rings, simple_rings
from wsi_area.exports.tracing_kernels import CORNER_FIELDS, open_chains, roots_of, trace_rows
from wsi_area.model.pixels import ClassMap

Ints = NDArray[np.int64]
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
    """A closed ring of pixel edges that passes no vertex twice."""

    class_id: int
    points: Ring
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
        place_rings(points, found, ring_count, self._x_edges, self._y_edges)
        simple, ends, doubled, source = cut_rings(points, found[:ring_count])
        self._y += len(band)
        self._corners, self._corner_count = open_chains(self._up, self._down, corners[:n])
        roots = roots_of(parent, label_count)
        rings: defaultdict[int, list[_Ring]] = defaultdict(list)
        for label, earlier in self._open.items():
            rings[int(roots[label])] += earlier
        begin = 0
        for end, area, (label, class_id) in zip(
            ends.tolist(), doubled.tolist(), found[source][:, [2, 4]].tolist(), strict=True
        ):
            rings[int(roots[label])].append(_Ring(class_id, simple[begin:end], area))
            begin = end
        traced = self._labels >= 0
        alive = np.unique(roots[self._labels[traced]])
        self._labels[traced] = np.searchsorted(alive, roots[self._labels[traced]])
        self._live = len(alive)
        ended = [_region(rings.pop(root)) for root in sorted(set(rings) - set(alive.tolist()))]
        # of those that go on below, each ring in memory of its own: the points of all these rows are given up
        self._open = {int(np.searchsorted(alive, root)): [_alone(r, simple) for r in k] for root, k in rings.items()}
        yield from sorted(ended, key=_order)


def _alone(ring: _Ring, points: Ring) -> _Ring:
    """Return a ring that does not hold these points, of which it may be a part."""
    return replace(ring, points=ring.points.copy()) if ring.points.base is points else ring


def _region(rings: list[_Ring]) -> TracedRegion:
    """Return the rings of one region as the one round it and those round its holes."""
    shells = [ring.points for ring in rings if ring.doubled_area > 0]
    if len(shells) != 1:
        raise CountMismatchError(
            f"tracing found {len(shells)} outer rings round one region; the outlines are refused. Please report this "
            "with the slide's folder of the run"
        )
    holes = [ring.points for ring in rings if ring.doubled_area <= 0]
    if len(holes) > 1:
        holes.sort(key=lambda ring: (ring[0, 1], ring[0, 0]))
    return TracedRegion(rings[0].class_id, shells[0], tuple(holes), sum(ring.doubled_area for ring in rings) // 2)


def cut_rings(points: Ring, rings: Ints) -> tuple[Ring, Ints, Ints, Ints]:
    """Return rings cut where they touch themselves, int64: points, and of each simple ring its end, area and origin.

    Parameters
    ----------
    points : int64 (n, 2)
        Of all rings.
    rings : int64 (rings, 5)
        First point of each and how many; label, how often it may touch itself, class.
    """
    touching = np.flatnonzero(rings[:, 3] > 1)
    firsts, lengths = rings[touching, 0], rings[touching, 1]
    of_ring = np.repeat(np.arange(len(touching)), lengths)
    at = np.arange(len(of_ring)) + np.repeat(firsts - (np.cumsum(lengths) - lengths), lengths)
    x, y = points[at].T
    vertex = (of_ring * (y.max(initial=0) + 1) + y) * (x.max(initial=0) + 1) + x
    order = np.argsort(vertex)
    again = np.flatnonzero(vertex[order[1:]] == vertex[order[:-1]])
    passages = np.stack([at[order[again]], at[order[again + 1]]], axis=1)
    simple, ends, doubled, source, count = simple_rings(points, rings, len(rings), passages)
    return simple, ends[:count], doubled[:count], source[:count]


def _order(region: TracedRegion) -> tuple[int, int, int]:
    return int(region.shell[:, 1].max()), int(region.shell[0, 1]), int(region.shell[0, 0])
