"""exports: closed rings put together to regions, in order; holes of a region that goes on below wait in a file."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.errors import CountMismatchError
from wsi_area.exports.tracing.rings import (
    CORNER,
    FIRST,
    IS_IN_FILE,
    KNOWN_FIELDS,
    LABEL,
    LENGTH,
    ClosedRings,
    Corners,
    Ints,
    RingBatch,
    begins,
)

_RINGS, _REGIONS = (f"wsi_area.exports.tracing.compiled_{name}" for name in ("rings", "regions"))
_ARGUMENTS = {
    "gather": (_RINGS, "int32* int64 int32* int64 int64* int64 int64* int64 int64* int64 int32* int64"),
    "put_together": (_RINGS, "int32* int64 int64* int64 int32* int64"),
    "relabel": (_REGIONS, "int64* int64 int64* int64 int64* int64*"),
    "part_holes": (_REGIONS, "int64* int64 int64* int64 int64* int64 int64* int64 int64*"),
    "join_lists": (_REGIONS, "int64* int64* int64 int64* int64 int64* int64 int64* int64*"),
    "put_waiting": (_REGIONS, "int64* int64 int64* int64 int64 int64* int64* int64"),
    "count_waiting": (_REGIONS, "int64* int64 int64* int64 int64*"),
    "take_waiting": (_REGIONS, "int64* int64 int64* int64 int64* int64"),
    "merge_regions": (_REGIONS, "int64* int64* int64 int64* int64 int64* int64* int64 int64* int64* int64*"),
}
_FROZEN = ("wsi_area.exports.tracing.rings",)  # what is compiled in besides their own files
NATIVE = tuple(Native(module, name, words, _FROZEN) for name, (module, words) in _ARGUMENTS.items())


def _call(name: str, *values: Any) -> None:
    module, words = _ARGUMENTS[name]
    call_native(module, name, words, *values, frozen=_FROZEN)


_POINTS_AT_ONCE = 1 << 18
_LET_GO_FROM = 1 << 16  # holes of regions that ended, 3 MB


class RegionsInOrder:
    """The rings of regions that go on below, until these end.

    A region ends with the ring round it, for no part of it lies below that: what waits are holes. Of each, 48 bytes
    are in memory and the points in a file. Each region's are a list, so that nobody looks at holes that go on waiting.
    """

    def __init__(self, x_edges: Ints, y_edges: Ints, beside: Path | None = None) -> None:
        self._edges = (x_edges, y_edges)
        self._file = tempfile.TemporaryFile(dir=beside)  # noqa: SIM115 (closed by __exit__)
        self._point_count = 0  # in the file
        self._rows, self._row_count, self._left_count = np.empty((64, 6), np.int64), 0, 0  # of them, of ended regions
        self._heads, self._tails = np.empty(0, np.int64), np.empty(0, np.int64)  # of the label of each region: rows

    def __enter__(self) -> Self:
        """Return itself; the file is given up at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give up the file."""
        self._file.close()

    def ended(self, rings: ClosedRings, roots: Ints, alive: Ints) -> Iterator[RingBatch]:
        """Yield the regions that ended with some rings, ordered by lowest row, then by first pixel.

        Parameters
        ----------
        rings
            What closed since the last call.
        roots : int64 (labels,)
            The label that each label was joined to.
        alive : int64 (n,)
            The roots of the regions that go on below, ascending; from now on they are labelled 0 … n - 1.

        Raises
        ------
        CountMismatchError
            A region has not exactly one outer ring.
        """
        known, labels, count = rings.known, len(roots), np.zeros(2, np.int64)
        outer = np.empty(len(known), np.int64)
        _call("relabel", known, len(known), roots, labels, outer, count)
        outer = outer[: count[0]]
        outer = outer[np.lexsort((known[outer, CORNER], rings.more[outer, 1]))]
        heads, tails = np.full((2, labels), -1, np.int64)
        _call("join_lists", self._heads, self._tails, len(self._heads), self._rows, len(self._rows), roots, labels,
              heads, tails)  # fmt: skip
        ended = known[outer, LABEL]
        place = np.full(labels, -1, np.int64)  # of a region among those that ended
        place[ended] = np.arange(len(outer))
        is_twice = bool((place[ended] != np.arange(len(outer))).any())
        waited = self._count_of(heads[ended])
        holes, count[:] = len(known) - len(outer), (waited, 0)
        inner, waiting = (np.empty((n, KNOWN_FIELDS), np.int64) for n in (waited + holes, holes))
        _call("take_waiting", self._rows, len(self._rows), heads[ended], len(ended), inner, len(inner))
        _call("part_holes", known, len(known), place, labels, inner, len(inner), waiting, holes, count)
        inner, waiting = inner[: count[0]], waiting[: count[1]]
        held = np.concatenate([waiting[:, LABEL], np.flatnonzero((heads >= 0) & (place < 0))])
        _refuse_broken(ended, is_twice, held, alive, labels)
        if len(outer):
            self._left_count += waited
            yield from self._batches(*_merged(rings, outer, inner), rings.points)
        self._wait(waiting, heads, tails, alive, rings.points)

    def _count_of(self, heads: Ints) -> int:
        """Return how many holes wait in some lists."""
        total = np.zeros(1, np.int64)
        _call("count_waiting", self._rows, len(self._rows), heads, len(heads), total)
        return int(total[0])

    def _taken(self, heads: Ints) -> Ints:
        """Return the holes of some lists, a list after the other, int64 (n, 6); their label is their list's place."""
        found = np.empty((self._count_of(heads), KNOWN_FIELDS), np.int64)
        _call("take_waiting", self._rows, len(self._rows), heads, len(heads), found, len(found))
        return found

    def _batches(self, known: Ints, class_ids: Ints, areas_px: Ints, points: Corners) -> Iterator[RingBatch]:
        """Yield rings in order with their points, not too many at once."""
        before = begins(np.cumsum(known[:, LENGTH])) // _POINTS_AT_ONCE
        cuts = [0, *(np.flatnonzero(np.diff(before)) + 1).tolist(), len(known)]
        for first, last in pairwise(cuts):
            some = slice(first, last)
            ends = np.cumsum(known[some, LENGTH])
            yield RingBatch(self._points_of(known[some], points), ends, class_ids[some], areas_px[some])

    def _points_of(self, known: Ints, points: Corners) -> Corners:
        """Return the points of some rings, one ring after the other, int32 (n, 2)."""
        filed = points[:0]
        if known[:, IS_IN_FILE].any():  # mapped anew each time, so that what was looked at is not kept in memory
            self._file.flush()
            shape = (self._point_count, 2)
            filed = np.asarray(np.memmap(self._file, np.int32, "r+", shape=shape))
        found = np.empty((int(known[:, LENGTH].sum()), 2), np.int32)
        x_edges, y_edges = self._edges
        _call(
            "gather", points, len(points), filed, len(filed), known, len(known), x_edges, len(x_edges), y_edges,
            len(y_edges), found, len(found),
        )  # fmt: skip
        return found

    def _wait(self, holes: Ints, heads: Ints, tails: Ints, alive: Ints, points: Corners) -> None:
        """Keep the holes of regions that go on, with their points in the file."""
        if len(holes) == 0 and not (heads[alive] >= 0).any():
            self._row_count, self._left_count = 0, 0
            if self._point_count:
                self._file.seek(0)
                self._file.truncate()
                self._point_count = 0
        elif 2 * self._left_count > self._row_count + _LET_GO_FROM:
            self._let_go(heads, tails, alive)
        if len(holes):
            lengths = holes[:, LENGTH]
            together = np.empty((int(lengths.sum()), 2), np.int32)
            _call("put_together", points, len(points), holes, len(holes), together, len(together))
            self._file.write(together.data.cast("B"))
            holes[:, FIRST] = self._point_count + begins(np.cumsum(lengths))
            holes[:, IS_IN_FILE] = 1
            self._point_count += int(lengths.sum())
            end = self._row_count + len(holes)
            if end > len(self._rows):
                self._rows = np.concatenate([self._rows[: self._row_count], np.empty((end, 6), np.int64)])
            _call(
                "put_waiting", holes, len(holes), self._rows, len(self._rows), self._row_count, heads, tails, len(heads)
            )
            self._row_count = end
        self._heads, self._tails = heads[alive], tails[alive]

    def _let_go(self, heads: Ints, tails: Ints, alive: Ints) -> None:
        """Forget the holes of regions that ended; the others are list after list."""
        waiting = alive[heads[alive] >= 0]
        self._rows = self._taken(heads[waiting])
        self._row_count, self._left_count = len(self._rows), 0
        of_list = self._rows[:, LABEL].copy()
        is_last = np.diff(of_list, append=-1) != 0
        self._rows[:, LABEL] = np.where(is_last, -1, np.arange(1, len(of_list) + 1))
        tails[waiting] = np.flatnonzero(is_last)
        heads[waiting] = begins(tails[waiting] + 1)


def _merged(rings: ClosedRings, outer: Ints, holes: Ints) -> tuple[Ints, Ints, Ints]:
    """Return rings in order, int64 (n, 6), each region's outer one before its holes; their classes and areas."""
    order = np.lexsort((holes[:, CORNER], holes[:, LABEL]))
    total = len(outer) + len(holes)
    merged, classes, areas = (
        np.empty((total, KNOWN_FIELDS), np.int64),
        np.empty(total, np.int64),
        np.empty(total, np.int64),
    )
    _call(
        "merge_regions", rings.known, rings.more, len(rings.known), outer, len(outer), holes, order, len(holes), merged,
        classes, areas,
    )  # fmt: skip
    return merged, classes, areas


def _refuse_broken(ended: Ints, is_twice: bool, held: Ints, alive: Ints, label_count: int) -> None:
    """Refuse regions that ended twice, or that neither ended nor go on."""
    goes_on = np.zeros(label_count, np.bool_)
    goes_on[alive] = True
    lost, twice = not goes_on[held].all(), is_twice or goes_on[ended].any()
    if lost or twice:
        found = 0 if lost else max(2, int(np.bincount(ended).max()))
        raise CountMismatchError(
            f"tracing found {found} outer rings round one region; the outlines are refused. Please report this "
            "with the slide's folder of the run"
        )
