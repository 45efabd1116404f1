"""exports: closed rings put together to regions, in order; holes of a region that goes on below wait in a file."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.errors import CountMismatchError
from wsi_area.exports.tracing.rings import (
    CORNER,
    COUNT,
    DOUBLED_AREA,
    HEAD,
    LABEL,
    LENGTH,
    LIST_FIELDS,
    WAITING_AREA,
    ClosedRings,
    Corners,
    Ints,
    RingBatch,
    begins,
    grown,
)

_RINGS, _REGIONS = (f"wsi_area.exports.tracing.compiled_{name}" for name in ("rings", "regions"))
_ARGUMENTS = {
    "gather": (_RINGS, "int32* int64 int32* int64 int64* int64 int64* int64 int64* int64 int32* int64"),
    "put_together": (_RINGS, "int32* int64 int64* int64 int64* int64 int32* int64"),
    "relabel": (_REGIONS, "int64* int64 int64* int64 int64* int64*"),
    "join_lists": (_REGIONS, "int64* int64 int32* int64 int64* int64 int64*"),
    "list_waiting": (_REGIONS, "int64* int32* int64 int64* int64 int64* int64 int64* int32* int64* int64"),
    "part_holes": (
        _REGIONS, "int64* int64 int64* int64 int64* int64 int64* int32* int64* int64 int64* int64 int64*"
    ),
    "put_waiting": (_REGIONS, "int64* int64 int64* int64 int64 int64* int32* int64 int64 int64* int64"),
    "keep_waiting": (_REGIONS, "int64* int32* int64 int64* int64 int64* int32* int64"),
    "merge_regions": (
        _REGIONS,
        "int64* int64* int64 int64* int64* int64 int64* int32* int64 int32* int64* int64* int64 int64* int64* int64*",
    ),
}  # fmt: skip
_FROZEN = ("wsi_area.exports.tracing.rings",)  # what is compiled in besides their own files
NATIVE = tuple(Native(module, name, words, _FROZEN) for name, (module, words) in _ARGUMENTS.items())


def _call(name: str, *values: Any) -> None:
    module, words = _ARGUMENTS[name]
    call_native(module, name, words, *values, frozen=_FROZEN)


_POINTS_AT_ONCE = 1 << 18
_LET_GO_FROM = 1 << 16  # holes of regions that ended, 3 MB


class RegionsInOrder:
    """The rings of regions that go on below, until these end.

    A region ends with the ring round it, for no part of it lies below that: what waits are holes. Of each, 24 bytes
    are in memory and the points in a file. Each region's are a list, so that nobody looks at holes that go on waiting.
    """

    def __init__(self, x_edges: Ints, y_edges: Ints, beside: Path | None = None) -> None:
        self._edges = (x_edges, y_edges)
        self._file = tempfile.TemporaryFile(dir=beside)  # noqa: SIM115 (closed by __exit__)
        self._point_count = 0  # in the file
        # of each hole where its points begin, its corner; how many they are, the next hole of its region
        self._holes, self._links = np.empty((64, 2), np.int64), np.empty((64, 2), np.int32)
        self._row_count, self._left_count = 0, 0  # of them, of ended regions
        self._lists = np.empty((0, LIST_FIELDS), np.int64)  # of the label of each region

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
        lists = np.empty((labels, LIST_FIELDS), np.int64)
        _call("join_lists", self._lists, len(self._lists), self._links, len(self._links), roots, labels, lists)
        ended = known[outer, LABEL]
        place = np.full(labels, -1, np.int64)  # of a region among those that ended
        place[ended] = np.arange(len(outer))
        is_twice = bool((place[ended] != np.arange(len(outer))).any())
        doubled, waited = known[outer, DOUBLED_AREA] + lists[ended, WAITING_AREA], int(lists[ended, COUNT].sum())
        inner, waiting = self._parted(known, place, doubled, lists, ended, waited)
        held = np.concatenate([known[waiting, LABEL], np.flatnonzero((lists[:, HEAD] >= 0) & (place < 0))])
        _refuse_broken(ended, is_twice, held, alive, labels)
        if len(outer):
            self._left_count += waited
            merged, class_ids, areas_px = self._merged(rings, outer, doubled, *inner)
            del inner
            yield from self._batches(merged, class_ids, areas_px, rings.points)
        self._wait(known, waiting, lists, alive, rings.points)

    def _parted(
        self, known: Ints, place: Ints, doubled: Ints, lists: Ints, ended: Ints, waited: int
    ) -> tuple[tuple[Ints, NDArray[np.int32], Ints], Ints]:
        """Return the holes of regions that ended (corner, place of the region, where it is), and rings that wait.

        The areas of the regions are less by those of the holes.
        """
        holes, count = len(known) - len(ended), np.array([waited, 0], np.int64)
        room = waited + holes
        corners, places, sources = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room, np.int64)
        waiting = np.empty(holes, np.int64)
        _call(
            "list_waiting", self._holes, self._links, len(self._links), lists, len(lists), ended, len(ended), corners,
            places, sources, room,
        )  # fmt: skip
        _call(
            "part_holes", known, len(known), place, len(place), doubled, len(doubled), corners, places, sources, room,
            waiting, holes, count,
        )  # fmt: skip
        found = slice(0, count[0])
        return (corners[found], places[found], sources[found]), waiting[: count[1]]

    def _merged(
        self, rings: ClosedRings, outer: Ints, doubled: Ints, corners: Ints, places: NDArray[np.int32], sources: Ints
    ) -> tuple[Ints, Ints, Ints]:
        """Return rings in order, each region's outer one before its holes; their classes and areas.

        Of each, int64 (n, 2): where its points begin, in the file, or else the complement of it, and how many they are.
        """
        order, total = np.lexsort((corners, places)), len(outer) + len(places)
        merged, classes, areas = np.empty((total, 2), np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
        _call(
            "merge_regions", rings.known, rings.more, len(rings.known), outer, doubled, len(outer), self._holes,
            self._links, len(self._links), places, sources, order, len(order), merged, classes, areas,
        )  # fmt: skip
        return merged, classes, areas

    def _batches(self, merged: Ints, class_ids: Ints, areas_px: Ints, points: Corners) -> Iterator[RingBatch]:
        """Yield rings in order with their points, not too many at once."""
        before = begins(np.cumsum(merged[:, 1])) // _POINTS_AT_ONCE
        cuts = [0, *(np.flatnonzero(np.diff(before)) + 1).tolist(), len(merged)]
        for first, last in pairwise(cuts):
            some = slice(first, last)
            ends = np.cumsum(merged[some, 1])
            yield RingBatch(self._points_of(merged[some], points), ends, class_ids[some], areas_px[some])

    def _points_of(self, merged: Ints, points: Corners) -> Corners:
        """Return the points of some rings, one ring after the other, int32 (n, 2)."""
        filed = points[:0]
        if (merged[:, 0] >= 0).any():  # mapped anew each time, so that what was looked at is not kept in memory
            self._file.flush()
            shape = (self._point_count, 2)
            filed = np.asarray(np.memmap(self._file, np.int32, "r+", shape=shape))
        found = np.empty((int(merged[:, 1].sum()), 2), np.int32)
        x_edges, y_edges = self._edges
        _call(
            "gather", points, len(points), filed, len(filed), merged, len(merged), x_edges, len(x_edges), y_edges,
            len(y_edges), found, len(found),
        )  # fmt: skip
        return found

    def _wait(self, known: Ints, waiting: Ints, lists: Ints, alive: Ints, points: Corners) -> None:
        """Keep the holes of regions that go on, with their points in the file."""
        if len(waiting) == 0 and not (lists[alive, HEAD] >= 0).any():
            self._row_count, self._left_count = 0, 0
            if self._point_count:
                self._file.seek(0)
                self._file.truncate()
                self._point_count = 0
        elif 2 * self._left_count > self._row_count + _LET_GO_FROM:
            lists = self._let_go(lists, alive)
        if len(waiting):
            together = np.empty((int(known[waiting, LENGTH].sum()), 2), np.int32)
            _call(
                "put_together", points, len(points), known, len(known), waiting, len(waiting), together, len(together)
            )
            self._file.write(together.data.cast("B"))
            self._holes = grown(self._holes, self._row_count, len(waiting))
            self._links = grown(self._links, self._row_count, len(waiting))
            _call(
                "put_waiting", known, len(known), waiting, len(waiting), self._point_count, self._holes, self._links,
                len(self._links), self._row_count, lists, len(lists),
            )  # fmt: skip
            self._point_count += len(together)
            self._row_count += len(waiting)
        self._lists = lists[alive]

    def _let_go(self, lists: Ints, alive: Ints) -> Ints:
        """Forget the holes of regions that ended; return the lists of the others, at their labels."""
        kept, room = lists[alive], int(lists[alive, COUNT].sum())
        holes, links = np.empty((room, 2), np.int64), np.empty((room, 2), np.int32)
        _call(
            "keep_waiting", self._holes, self._links, len(self._links), kept, len(kept), holes, links, room,
        )  # fmt: skip
        self._holes, self._links, self._row_count, self._left_count = holes, links, room, 0
        lists[alive] = kept
        return lists


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
