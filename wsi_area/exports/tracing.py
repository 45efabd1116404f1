"""exports: a class map, band by band, as its regions: 4-connected, with exact pixel edges and holes; numpy only."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsi_area.exports.regions_in_order import RegionsInOrder
from wsi_area.exports.ring_kernels import open_chains, simple_rings, vertices_of
from wsi_area.exports.rings import ClosedRings, Corners, Ints, RingBatch
from wsi_area.exports.tracing_kernels import CORNER_FIELDS, roots_of, trace_rows
from wsi_area.model.pixels import ClassMap


def traced_regions(
    bands: Iterable[ClassMap],
    x_edges: NDArray[np.int64],
    y_edges: NDArray[np.int64],
    class_ids: Iterable[int],
    beside: Path | None = None,
) -> Iterator[RingBatch]:
    """Yield every region of some classes, ordered by its lowest row, then by its first pixel.

    What is kept in memory are the corners of rings that go on below, and 48 bytes for each closed hole of a region
    that goes on; the holes themselves wait in a file. Neither the order nor a region depends on how the map is cut
    into bands.

    Parameters
    ----------
    bands : uint8 (h, w) each
        The class map from top to bottom, in whole rows.
    x_edges, y_edges : int64 (w + 1,), (rows + 1,)
        Where each column's and row's edge lies in the frame of the regions; ascending.
    class_ids
        What to trace; every other code is what lies between.
    beside : Path or None
        The folder of that file; None: the system's own.

    >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)
    >>> [batch] = traced_regions([ring], np.arange(4), np.arange(4), [1])
    >>> batch.points.tolist(), batch.ends.tolist(), batch.areas_px.tolist()
    ([[0, 0], [3, 0], [3, 3], [0, 3], [1, 1], [1, 2], [2, 2], [2, 1]], [4, 8], [8, 0])
    """
    traced, codes = np.zeros(256, np.uint8), list(class_ids)
    traced[codes] = codes
    x_edges, y_edges = np.ascontiguousarray(x_edges, np.int64), np.ascontiguousarray(y_edges, np.int64)
    sweep = _Sweep(traced, x_edges, y_edges)
    rows = max(1, min(_ROWS_AT_ONCE, _PX_AT_ONCE // len(x_edges)))
    with RegionsInOrder(x_edges, y_edges, beside) as regions:
        for band in bands:
            for row in range(0, len(band), rows):
                yield from regions.ended(*sweep.rows(np.ascontiguousarray(band[row : row + rows])))
        yield from regions.ended(*sweep.rows(np.zeros((1, len(x_edges) - 1), np.uint8)))


_ROWS_AT_ONCE, _PX_AT_ONCE = 256, 1 << 20
_LET_GO_FROM = 1 << 18  # corners of closed rings, 3 MB


class _Sweep:
    """What one pass over a class map remembers of the rows above."""

    def __init__(self, traced: NDArray[np.uint8], x_edges: Ints, y_edges: Ints) -> None:
        self._traced, self._y, width_px = traced, 0, len(x_edges) - 1
        self._x_edges, self._y_edges = x_edges, y_edges
        # of the row above, between two pixels of no class: codes, where they change, and the label of each run
        self._codes, self._changes = np.zeros(width_px + 2, np.uint8), np.zeros(width_px + 1, np.uint8)
        self._labels = np.zeros(width_px + 1, np.int32)
        self._slots = np.zeros((2 * width_px + 4, 2), np.int32)
        self._corners, self._corner_count = np.empty((64, CORNER_FIELDS), np.int32), 0
        self._spare_corners = self._corners[:0]
        self._closed_count = 0  # of them, those of rings that closed
        self._rings, self._points = np.empty((64, 4), np.int64), np.empty((1024, 2), np.int32)
        self._touches = np.empty(1024, np.int32)
        self._live = 0  # labels 0..live-1 are the regions that reach the row above

    def rows(self, band: ClassMap) -> tuple[ClosedRings, Ints, Ints]:
        """Take in the next rows; return the rings that closed, what each label was joined to, and what goes on below.

        Of what goes on below, the roots: ascending, and labelled by their number from then on. The points of rings
        are overwritten by the next call.
        """
        parent = np.arange(max(self._live, 64), dtype=np.int64)
        ring_count, self._rings, self._points, touch_count, self._touches, parent, label_count, corners, n = trace_rows(
            band, self._traced, self._y, self._codes, self._changes, self._labels, parent, self._live, self._slots,
            self._corners, self._corner_count, self._closed_count, self._rings, self._points, self._touches,
        )  # fmt: skip
        found, touches = self._rings[:ring_count], self._touches[:touch_count]
        closed = cut_rings(self._points, found, touches, self._x_edges, self._y_edges)
        self._y += len(band)
        self._corners, self._corner_count = corners, n
        self._closed_count += int(found[:, 1].sum())
        # seldom: each time costs what is open, however few rows came
        if self._closed_count > _LET_GO_FROM + (n - self._closed_count):
            kept, self._corner_count = open_chains(self._codes, self._slots, corners, self._spare_corners)
            self._corners, self._spare_corners = kept, corners
            self._closed_count = 0
        roots = roots_of(parent, label_count)
        runs = np.flatnonzero(self._changes & (self._codes[1:] != 0))
        reached = roots[self._labels[runs]]
        alive = np.unique(reached)
        self._labels[runs] = np.searchsorted(alive, reached)
        self._live = len(alive)
        return closed, roots, alive


def cut_rings(points: Corners, rings: Ints, touches: NDArray[np.int32], x_edges: Ints, y_edges: Ints) -> ClosedRings:
    """Return rings cut where they touch themselves; their points are put in order where they are.

    Parameters
    ----------
    points : int32 (n, 2)
        Of all rings, in columns and rows.
    rings : int64 (rings, 4)
        First point of each, ascending, and how many; label, class.
    touches : int32 (n,)
        Points at which a ring may touch itself, ring by ring.
    x_edges, y_edges : int64 (w + 1,), (rows + 1,)
        Where each column's and row's edge lies in the frame of the regions.
    """
    vertex = vertices_of(points, rings, touches, len(x_edges), len(y_edges))
    order = np.argsort(vertex)
    again = np.flatnonzero(vertex[order[1:]] == vertex[order[:-1]])
    passages = np.stack([touches[order[again]], touches[order[again + 1]]], axis=1)
    most = len(rings) + len(passages)
    known, more = np.empty((most, 6), np.int64), np.empty((most, 2), np.int64)
    count = simple_rings(points, rings, passages, x_edges, y_edges, known, more)
    return ClosedRings(points, known[:count], more[:count, 0], more[:count, 1])
