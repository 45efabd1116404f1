"""exports: closed rings put together to regions, in order; holes of a region that goes on below wait in a file."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from wsi_area.errors import CountMismatchError
from wsi_area.exports.ring_kernels import (
    CORNER,
    DOUBLED_AREA,
    FIRST,
    IS_IN_FILE,
    LABEL,
    LENGTH,
    gathered,
    lists_joined,
    put_together,
    put_waiting,
    regions_merged,
    waited,
)
from wsi_area.exports.rings import ClosedRings, Corners, Ints, RingBatch, begins

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
        closed = rings.known
        closed[:, LABEL] = roots[closed[:, LABEL]]
        heads, tails = lists_joined(self._heads, self._tails, self._rows, roots)
        is_outer = closed[:, DOUBLED_AREA] > 0
        outer = np.flatnonzero(is_outer)
        outer = outer[np.lexsort((closed[outer, CORNER], rings.lowest[outer]))]
        ended, holes = closed[outer, LABEL], closed[~is_outer]
        place = np.full(len(roots), -1, np.int64)  # of a region among those that ended
        place[ended] = np.arange(len(outer))
        has_ended = place[holes[:, LABEL]] >= 0
        held = np.concatenate([holes[~has_ended, LABEL], np.flatnonzero((heads >= 0) & (place < 0))])
        _refuse_broken(ended, held, alive, len(roots))
        if len(outer):
            waited_for = waited(self._rows, heads[ended])
            self._left_count += len(waited_for)
            of_ended = holes[has_ended]
            of_ended[:, LABEL] = place[of_ended[:, LABEL]]
            inner = np.concatenate([waited_for, of_ended])
            order = np.lexsort((inner[:, CORNER], inner[:, LABEL]))
            known, class_ids, areas_px = regions_merged(closed[outer], rings.class_ids[outer], inner, order)
            yield from self._batches(known, class_ids, areas_px, rings.points)
        self._wait(holes[~has_ended], heads, tails, alive, rings.points)

    def _batches(self, known: Ints, class_ids: Ints, areas_px: Ints, points: Corners) -> Iterator[RingBatch]:
        """Yield rings in order with their points, not too many at once."""
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
            self._file.write(memoryview(put_together(points, holes)).cast("B"))
            lengths = holes[:, LENGTH]
            holes[:, FIRST] = self._point_count + begins(np.cumsum(lengths))
            holes[:, IS_IN_FILE] = 1
            self._point_count += int(lengths.sum())
            end = self._row_count + len(holes)
            if end > len(self._rows):
                self._rows = np.concatenate([self._rows[: self._row_count], np.empty((end, 6), np.int64)])
            put_waiting(holes, self._rows, self._row_count, heads, tails)
            self._row_count = end
        self._heads, self._tails = heads[alive], tails[alive]

    def _let_go(self, heads: Ints, tails: Ints, alive: Ints) -> None:
        """Forget the holes of regions that ended; the others are list after list."""
        waiting = alive[heads[alive] >= 0]
        self._rows = waited(self._rows, heads[waiting])
        self._row_count, self._left_count = len(self._rows), 0
        of_list = self._rows[:, LABEL].copy()
        is_last = np.diff(of_list, append=-1) != 0
        self._rows[:, LABEL] = np.where(is_last, -1, np.arange(1, len(of_list) + 1))
        tails[waiting] = np.flatnonzero(is_last)
        heads[waiting] = begins(tails[waiting] + 1)


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
