"""exports: a class map, band by band, as its regions: 4-connected, with exact pixel edges and holes; numpy only."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.errors import ResultError
from wsi_area.exports.tracing.regions_in_order import RegionsInOrder
from wsi_area.exports.tracing.rings import KNOWN_FIELDS, LENGTH, ClosedRings, Corners, Ints, RingBatch, grown
from wsi_area.model.pixels import ClassMap

_TRACING, _RINGS = "wsi_area.exports.tracing.compiled_tracing", "wsi_area.exports.tracing.compiled_rings"
_FROZEN = ("wsi_area.exports.tracing.rings",)  # what is compiled in besides their own files
NATIVE = (
    Native(
        _TRACING, "trace_rows",
        "uint8* int64 int64 uint8* int64 uint8* uint8* int32* int32* int64* int64 int32* int64 int64* int64* int64 "
        "int32* int64 int32* int64 int64* int64* int64 uint8* int32* int64*", _FROZEN,
    ),
    Native(_TRACING, "find_roots", "int64* int64 int64*", _FROZEN),
    Native(_RINGS, "keep_open", "uint8* int64 int32* int32* int64 int32* int64", _FROZEN),
    Native(
        _RINGS, "cut_touching",
        "int32* int64 int64* int64 int64* int64* int64 int64* int64 int64* int64 int64* int64* int64* int32* uint8* "
        "int64 int64* int64*", _FROZEN,
    ),
    Native(_RINGS, "find_vertices", "int32* int64 int64* int64 int32* int64 int64 int64 int64*", _FROZEN),
)  # fmt: skip
_CALLS = {native.name: native for native in NATIVE}


def _call(name: str, *values: Any) -> None:
    native = _CALLS[name]
    call_native(native.module, name, native.arguments, *values, frozen=native.frozen)


def traced_regions(
    bands: Iterable[ClassMap],
    x_edges: NDArray[np.int64],
    y_edges: NDArray[np.int64],
    class_ids: Iterable[int],
    beside: Path | None = None,
) -> Iterator[RingBatch]:
    """Yield every region of some classes, ordered by its lowest row, then by its first pixel.

    What is kept in memory are the corners of rings that go on below, and 24 bytes for each closed hole of a region
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

    Raises
    ------
    ResultError
        The frame of the regions is larger than their coordinates can say.

    >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)
    >>> [batch] = traced_regions([ring], np.arange(4), np.arange(4), [1])
    >>> batch.points.tolist(), batch.ends.tolist(), batch.areas_px.tolist()
    ([[0, 0], [3, 0], [3, 3], [0, 3], [1, 1], [1, 2], [2, 2], [2, 1]], [4, 8], [8, 0])
    """
    traced, codes = np.zeros(256, np.uint8), list(class_ids)
    traced[codes] = codes
    x_edges, y_edges = np.ascontiguousarray(x_edges, np.int64), np.ascontiguousarray(y_edges, np.int64)
    if max(x_edges[-1], y_edges[-1]) > _MOST_PX:
        raise ResultError(
            f"a slide of {x_edges[-1]} x {y_edges[-1]} level-0 px cannot be outlined; {_MOST_PX} px either way at most"
        )
    sweep = _Sweep(traced, x_edges, y_edges)
    rows = max(1, min(_ROWS_AT_ONCE, _PX_AT_ONCE // len(x_edges)))
    with RegionsInOrder(x_edges, y_edges, beside) as regions:
        for band in bands:
            for row in range(0, len(band), rows):
                yield from regions.ended(*sweep.rows(np.ascontiguousarray(band[row : row + rows])))
        yield from regions.ended(*sweep.rows(np.zeros((1, len(x_edges) - 1), np.uint8)))


_MOST_PX = 2**31 - 1  # a number of 32 bits
_MOST_PX = 2**31 - 1  # a number of 32 bits
_ROWS_AT_ONCE, _PX_AT_ONCE = 256, 1 << 20
_LET_GO_FROM = 1 << 18  # corners of closed rings, 3 MB


CORNER_FIELDS = 3
"""Of a corner: twice its vertex's column, and one more where another corner of the same class may lie on the vertex;
its row; the corner after it in its chain."""
_DONE, _CORNERS, _CLOSED, _LABELS, _RINGS_CLOSED, _POINTS, _TOUCHES = range(7)
"""What is counted while rows are swept: these; corners of open chains and of rings that closed; of them those of
rings that closed; labels; rings; their points; those of these that may touch others."""


class _Sweep:
    """What one pass over a class map remembers of the rows above."""

    def __init__(self, traced: NDArray[np.uint8], x_edges: Ints, y_edges: Ints) -> None:
        self._traced, self._y, self._width_px = traced, 0, len(x_edges) - 1
        self._x_edges, self._y_edges = x_edges, y_edges
        # of the row above, between two pixels of no class: codes, where they change, and the label of each run
        vertices = self._width_px + 1
        self._codes, self._changes = np.zeros(vertices + 1, np.uint8), np.zeros(vertices, np.uint8)
        self._labels, self._slots = np.zeros(vertices, np.int32), np.zeros((2 * vertices + 2, 2), np.int32)
        self._scratch = np.zeros(2 * vertices + 1, np.uint8), np.empty(vertices, np.int32)
        self._corners, self._parent = np.empty((64, CORNER_FIELDS), np.int32), np.empty(64, np.int64)
        self._kept = self._corners[:0].copy()  # where those of open chains are put on their way
        self._known, self._more = np.empty((64, KNOWN_FIELDS), np.int64), np.empty((64, 2), np.int64)
        self._points, self._touches = np.empty((1024, 2), np.int32), np.empty(1024, np.int32)
        # labels 0, 1, … are the regions that reach the row above
        self._counts = np.zeros(7, np.int64)

    def rows(self, band: ClassMap) -> tuple[ClosedRings, Ints, Ints]:
        """Take in the next rows; return the rings that closed, what each label was joined to, and what goes on below.

        Of what goes on below, the roots: ascending, and labelled by their number from then on. The points of rings
        are overwritten by the next call.
        """
        counts = self._counts
        counts[_DONE] = counts[_RINGS_CLOSED] = counts[_POINTS] = counts[_TOUCHES] = 0
        self._make_room()
        self._parent[: counts[_LABELS]] = np.arange(counts[_LABELS])
        while True:
            self._trace(band)
            if counts[_DONE] == len(band):
                break
            self._make_room()
        self._y += len(band)
        rings = counts[_RINGS_CLOSED]
        closed = cut_rings(
            self._points, self._known[:rings], self._more[:rings], self._touches[: counts[_TOUCHES]], self._x_edges,
            self._y_edges,
        )  # fmt: skip
        self._let_go()
        roots = np.empty(counts[_LABELS], np.int64)
        _call("find_roots", self._parent, len(roots), roots)
        runs = np.flatnonzero(self._changes & (self._codes[1:] != 0))
        reached = roots[self._labels[runs]]
        goes_on = np.zeros(len(roots), np.bool_)
        goes_on[reached] = True
        alive = np.flatnonzero(goes_on)
        number = np.empty(len(roots), np.int32)
        number[alive] = np.arange(len(alive))
        self._labels[runs] = number[reached]
        counts[_LABELS] = len(alive)
        return closed, roots, alive

    def _trace(self, band: ClassMap) -> None:
        below, turns = self._scratch
        _call(
            "trace_rows", band, *band.shape, self._traced, self._y, self._codes, self._changes, self._labels,
            self._slots, self._parent, len(self._parent), self._corners, len(self._corners), self._known, self._more,
            len(self._known), self._points, len(self._points), self._touches, len(self._touches), self._x_edges,
            self._y_edges, len(self._y_edges), below, turns, self._counts,
        )  # fmt: skip

    def _make_room(self) -> None:
        """Let a further row have room in each list: at a vertex, four corners and two rings that close at most."""
        counts, a_row = self._counts, 4 * (self._width_px + 1)
        most = int(counts[_CORNERS] - counts[_CLOSED]) + a_row  # points of one ring
        self._parent = grown(self._parent, counts[_LABELS], self._width_px)
        self._corners = grown(self._corners, counts[_CORNERS], a_row)
        self._known = grown(self._known, counts[_RINGS_CLOSED], a_row // 2)
        self._more = grown(self._more, counts[_RINGS_CLOSED], a_row // 2)
        self._points = grown(self._points, counts[_POINTS], 2 * most)
        self._touches = grown(self._touches, counts[_TOUCHES], most)

    def _let_go(self) -> None:
        """Forget the corners of closed rings: seldom, for each time costs what is open, however few rows came."""
        counts = self._counts
        open_count = int(counts[_CORNERS] - counts[_CLOSED])
        if counts[_CLOSED] <= _LET_GO_FROM + 2 * open_count:
            return
        if len(self._kept) < open_count:
            self._kept = np.empty((open_count + open_count // 4, CORNER_FIELDS), np.int32)
        kept, corners = self._kept, self._corners
        _call("keep_open", self._codes, self._width_px + 1, self._slots, corners, len(corners), kept, len(kept))
        corners[:open_count] = kept[:open_count]
        counts[_CORNERS], counts[_CLOSED] = open_count, 0


def cut_rings(
    points: Corners, known: Ints, more: Ints, touches: NDArray[np.int32], x_edges: Ints, y_edges: Ints
) -> ClosedRings:
    """Return rings cut where they touch themselves; their points are put in order where they are.

    Parameters
    ----------
    points : int32 (n, 2)
        Of all rings, in columns and rows.
    known, more : int64 (rings, 5), (rings, 2)
        What is known of each, ascending by its first point; its class and its lowest y. Changed where one is cut.
    touches : int32 (n,)
        Points at which a ring may touch itself, ring by ring.
    x_edges, y_edges : int64 (w + 1,), (rows + 1,)
        Where each column's and row's edge lies in the frame of the regions.
    """
    vertex = np.empty(len(touches), np.int64)
    _call(
        "find_vertices", points, len(points), known, len(known), touches, len(touches), len(x_edges), len(y_edges),
        vertex,
    )  # fmt: skip
    order = np.argsort(vertex)
    again = np.flatnonzero(vertex[order[1:]] == vertex[order[:-1]])
    passages = np.stack([touches[order[again]], touches[order[again + 1]]], axis=1).astype(np.int64)
    cut, more_of_cut = np.empty((len(passages), KNOWN_FIELDS), np.int64), np.empty((len(passages), 2), np.int64)
    longest, count = int(known[:, LENGTH].max(initial=0)), np.zeros(1, np.int64)
    _call(
        "cut_touching", points, len(points), passages, len(passages), known, more, len(known), x_edges, len(x_edges),
        y_edges, len(y_edges), cut, more_of_cut, np.empty(longest, np.int64), np.empty((longest, 2), np.int32),
        np.empty(longest, np.uint8), longest, np.empty(len(passages) + 1, np.int64), count,
    )  # fmt: skip
    parts = slice(0, count[0])
    return ClosedRings(points, np.concatenate([known, cut[parts]]), np.concatenate([more, more_of_cut[parts]]))
