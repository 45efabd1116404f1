"""exports: closed rings put together to regions, in order; holes of a region that goes on below wait in a file."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import CountMismatchError
from wsi_area.exports.ring_kernels import (
    CORNER,
    DOUBLED_AREA,
    FIRST,
    IS_IN_FILE,
    LABEL,
    LENGTH,
    gathered,
    put_together,
)
from wsi_area.exports.rings import ClosedRings, Corners, Ints, RingBatch, begins

_POINTS_AT_ONCE = 1 << 18


class RegionsInOrder:
    """The rings of regions that go on below, until these end.

    A region ends with the ring round it, for no part of it lies below that: what waits are holes. Of each, 48 bytes
    are in memory and the points in a file.
    """

    def __init__(self, x_edges: Ints, y_edges: Ints, beside: Path | None = None) -> None:
        self._edges = (x_edges, y_edges)
        self._file = tempfile.TemporaryFile(dir=beside)  # noqa: SIM115 (closed by __exit__)
        self._point_count = 0  # in the file
        self._waiting = np.empty((0, 6), np.int64)

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
        closed = rings.known
        closed[:, LABEL] = roots[closed[:, LABEL]]
        self._waiting[:, LABEL] = roots[self._waiting[:, LABEL]]
        is_outer = closed[:, DOUBLED_AREA] > 0
        outer = np.flatnonzero(is_outer)
        outer = outer[np.lexsort((closed[outer, CORNER], rings.lowest[outer]))]
        place = np.full(len(roots), -1, np.int64)  # of a region among those that ended
        place[closed[outer, LABEL]] = np.arange(len(outer))
        holes = np.concatenate([self._waiting, closed[~is_outer]])
        has_ended = place[holes[:, LABEL]] >= 0
        _refuse_broken(closed[outer, LABEL], holes[~has_ended, LABEL], alive, len(roots))
        if len(outer):
            known, is_hole = _with_holes(closed[outer], holes[has_ended], place)
            class_ids = rings.class_ids[outer][np.cumsum(~is_hole) - 1]
            yield from self._batches(known, is_hole, class_ids, rings.points)
        self._wait(holes[~has_ended], alive, rings.points)

    def _batches(
        self, known: Ints, is_hole: NDArray[np.bool_], class_ids: Ints, points: Corners
    ) -> Iterator[RingBatch]:
        """Yield rings in order with their points, not too many at once."""
        areas_px = np.zeros(len(known), np.int64)
        outer = np.flatnonzero(~is_hole)
        areas_px[outer] = np.add.reduceat(known[:, DOUBLED_AREA], outer) // 2
        before = begins(np.cumsum(known[:, LENGTH])) // _POINTS_AT_ONCE
        cuts = [0, *(np.flatnonzero(np.diff(before)) + 1).tolist(), len(known)]
        for first, last in pairwise(cuts):
            some = slice(first, last)
            ends = np.cumsum(known[some, LENGTH])
            yield RingBatch(self._points_of(known[some], points), ends, class_ids[some], areas_px[some])

    def _points_of(self, known: Ints, points: Corners) -> Ints:
        """Return the points of some rings, one ring after the other, int64 (n, 2)."""
        filed = points[:0]
        if known[:, IS_IN_FILE].any():  # mapped anew each time, so that what was looked at is not kept in memory
            self._file.flush()
            shape = (self._point_count, 2)
            filed = np.asarray(np.memmap(self._file, np.int32, "r+", shape=shape))
        found: Ints = gathered(points, filed, known, *self._edges)
        return found

    def _wait(self, holes: Ints, alive: Ints, points: Corners) -> None:
        """Keep the holes of regions that go on, with their points in the file."""
        if not len(holes) and self._point_count:
            self._file.seek(0)
            self._file.truncate()
            self._point_count = 0
        new = np.flatnonzero(holes[:, IS_IN_FILE] == 0)
        if len(new):
            self._file.write(memoryview(put_together(points, holes[new])).cast("B"))
            lengths = holes[new, LENGTH]
            holes[new, FIRST] = self._point_count + begins(np.cumsum(lengths))
            holes[new, IS_IN_FILE] = 1
            self._point_count += int(lengths.sum())
        holes[:, LABEL] = np.searchsorted(alive, holes[:, LABEL])
        self._waiting = holes


def _with_holes(outer: Ints, holes: Ints, place: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return rings that are in order, each before its region's holes by their corners; and which of them are holes."""
    of_region = place[holes[:, LABEL]]
    order = np.lexsort((holes[:, CORNER], of_region))
    is_hole = np.zeros(len(outer) + len(holes), np.bool_)
    is_hole[of_region[order] + 1 + np.arange(len(holes))] = True
    known = np.empty((len(is_hole), outer.shape[1]), np.int64)
    known[~is_hole], known[is_hole] = outer, holes[order]
    return known, is_hole


def _refuse_broken(ended: Ints, held: Ints, alive: Ints, label_count: int) -> None:
    """Refuse regions that ended twice, or that neither ended nor go on."""
    goes_on = np.zeros(label_count, np.bool_)
    goes_on[alive] = True
    outer_rings = np.bincount(ended, minlength=1)
    lost, twice = not goes_on[held].all(), outer_rings.max() > 1 or goes_on[ended].any()
    if lost or twice:
        found = 0 if lost else max(2, int(outer_rings.max()))
        raise CountMismatchError(
            f"tracing found {found} outer rings round one region; the outlines are refused. Please report this "
            "with the slide's folder of the run"
        )
