"""exports: the compiled half of regions in order: rings sorted by their region, and holes that wait for theirs.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``regions_in_order``, which gives the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part
from wsi_area.exports.tracing.rings import DOUBLED_AREA, KNOWN_FIELDS, LABEL

_NONE = -1


def relabel(known_at: Any, rings: int, roots_at: Any, labels: int, outer_at: Any, count_at: Any) -> None:
    """Give rings the label that theirs was joined to; write which are the ones round a region, and how many.

    At these addresses lie: ``known`` int64 (rings, 6), changed; ``roots`` int64 (labels,); ``outer`` int64 (rings,),
    written as far as ``count``, int64 (1,), says.
    """
    _relabel(
        carray(known_at, (rings, KNOWN_FIELDS)), carray(roots_at, labels), carray(outer_at, rings), carray(count_at, 1)
    )


@native_part
def _relabel(known: Any, roots: Any, outer: Any, number: Any) -> None:
    count = 0
    for ring in range(len(known)):
        known[ring, LABEL] = roots[known[ring, LABEL]]
        if known[ring, DOUBLED_AREA] > 0:
            outer[count] = ring
            count += 1
    number[0] = count


def part_holes(
    known_at: Any, rings: int, place_at: Any, labels: int, of_ended_at: Any, room: int, waiting_at: Any, holes: int,
    counts_at: Any,
) -> None:  # fmt: skip
    """Write the holes of regions that ended, labelled by the place of the region, and apart those of the others.

    At these addresses lie: ``known`` int64 (rings, 6); ``place`` int64 (labels,), of a region among those that ended,
    or -1; ``of_ended`` int64 (room, 6), written behind as many rows as ``counts`` says first; ``waiting`` int64
    (holes, 6); ``counts`` int64 (2,), read and written: the rows of both.
    """
    _part_holes(
        carray(known_at, (rings, KNOWN_FIELDS)), carray(place_at, labels), carray(of_ended_at, (room, KNOWN_FIELDS)),
        carray(waiting_at, (holes, KNOWN_FIELDS)), carray(counts_at, 2),
    )  # fmt: skip


@native_part
def _part_holes(known: Any, place: Any, of_ended: Any, waiting: Any, counts: Any) -> None:
    n, w = counts[0], counts[1]
    for ring in range(len(known)):
        if known[ring, DOUBLED_AREA] > 0:
            continue
        at = place[known[ring, LABEL]]
        if at != _NONE:
            for column in range(KNOWN_FIELDS):
                of_ended[n, column] = known[ring, column]
            of_ended[n, LABEL] = at
            n += 1
        else:
            for column in range(KNOWN_FIELDS):
                waiting[w, column] = known[ring, column]
            w += 1
    counts[0], counts[1] = n, w


def join_lists(
    heads_at: Any, tails_at: Any, live: int, rows_at: Any, count: int, roots_at: Any, labels: int, joined_heads_at: Any,
    joined_tails_at: Any,
) -> None:  # fmt: skip
    """Write the first and the last of the holes that wait for each region, or -1.

    At these addresses lie: ``heads`` and ``tails`` int64 (live,), those of the labels that reached the row above;
    ``rows`` int64 (count, 6), linked where regions were joined; ``roots`` int64 (labels,); ``joined_heads`` and
    ``joined_tails`` int64 (labels,), -1 throughout, written.
    """
    _join_lists(
        carray(heads_at, live), carray(tails_at, live), carray(rows_at, (count, KNOWN_FIELDS)),
        carray(roots_at, labels), carray(joined_heads_at, labels), carray(joined_tails_at, labels),
    )  # fmt: skip


@native_part
def _join_lists(heads: Any, tails: Any, rows: Any, roots: Any, joined_heads: Any, joined_tails: Any) -> None:
    for label in range(len(heads)):
        if heads[label] == _NONE:
            continue
        root = roots[label]
        if joined_heads[root] == _NONE:
            joined_heads[root] = heads[label]
        else:
            rows[joined_tails[root], LABEL] = heads[label]
        joined_tails[root] = tails[label]


def put_waiting(
    holes_at: Any, holes: int, rows_at: Any, room: int, count: int, heads_at: Any, tails_at: Any, labels: int
) -> None:
    """Write holes behind the rows that wait, each at the end of its region's list.

    At these addresses lie: ``holes`` int64 (holes, 6); ``rows`` int64 (room, 6), of which ``count`` are written;
    ``heads`` and ``tails`` int64 (labels,), changed.
    """
    _put_waiting(
        carray(holes_at, (holes, KNOWN_FIELDS)), carray(rows_at, (room, KNOWN_FIELDS)), count, carray(heads_at, labels),
        carray(tails_at, labels),
    )  # fmt: skip


@native_part
def _put_waiting(holes: Any, rows: Any, count: int, heads: Any, tails: Any) -> None:
    for hole in range(len(holes)):
        label = holes[hole, LABEL]
        for column in range(KNOWN_FIELDS):
            rows[count, column] = holes[hole, column]
        rows[count, LABEL] = _NONE
        if heads[label] == _NONE:
            heads[label] = count
        else:
            rows[tails[label], LABEL] = count
        tails[label] = count
        count += 1


def count_waiting(rows_at: Any, count: int, heads_at: Any, lists: int, total_at: Any) -> None:
    """Write how many holes some lists have: int64 (count, 6), int64 (lists,) of first rows or -1, int64 (1,)."""
    _count_waiting(carray(rows_at, (count, KNOWN_FIELDS)), carray(heads_at, lists), carray(total_at, 1))


@native_part
def _count_waiting(rows: Any, heads: Any, total: Any) -> None:
    for place in range(len(heads)):
        row = heads[place]
        while row != _NONE:
            total[0] += 1
            row = rows[row, LABEL]


def take_waiting(rows_at: Any, count: int, heads_at: Any, lists: int, found_at: Any, room: int) -> None:
    """Write the holes of some lists, a list after the other: their label is then the place of their list.

    At these addresses lie: ``rows`` int64 (count, 6); ``heads`` int64 (lists,); ``found`` int64 (room, 6), written.
    """
    _take_waiting(
        carray(rows_at, (count, KNOWN_FIELDS)), carray(heads_at, lists), carray(found_at, (room, KNOWN_FIELDS))
    )


@native_part
def _take_waiting(rows: Any, heads: Any, found: Any) -> None:
    n = 0
    for place in range(len(heads)):
        row = heads[place]
        while row != _NONE:
            for column in range(KNOWN_FIELDS):
                found[n, column] = rows[row, column]
            found[n, LABEL] = place
            n += 1
            row = rows[row, LABEL]


def merge_regions(
    known_at: Any, more_at: Any, rings: int, outer_at: Any, regions: int, holes_at: Any, order_at: Any, holes: int,
    merged_at: Any, classes_at: Any, areas_at: Any,
) -> None:  # fmt: skip
    """Write rings in order, each region's outer one before its holes; of each its class, and the area of its region.

    At these addresses lie: ``known`` int64 (rings, 6) and ``more`` int64 (rings, 2), rings with their classes;
    ``outer`` int64 (regions,), those round regions, in order; ``holes`` int64 (holes, 6), whose label is the place of
    their region, and ``order`` int64 (holes,), by that label first. Written: ``merged`` int64 (regions + holes, 6);
    ``classes`` and ``areas`` int64 of as many: of an outer ring what its region covers, of a hole 0.
    """
    total = regions + holes
    _merge_regions(
        carray(known_at, (rings, KNOWN_FIELDS)), carray(more_at, (rings, 2)), carray(outer_at, regions),
        carray(holes_at, (holes, KNOWN_FIELDS)), carray(order_at, holes), carray(merged_at, (total, KNOWN_FIELDS)),
        carray(classes_at, total), carray(areas_at, total),
    )  # fmt: skip


@native_part
def _merge_regions(
    known: Any, more: Any, outer: Any, holes: Any, order: Any, merged: Any, classes: Any, areas: Any
) -> None:
    n, k = 0, 0
    for place in range(len(outer)):
        ring, begin = outer[place], n
        code, doubled = more[ring, 0], known[ring, DOUBLED_AREA]
        for column in range(KNOWN_FIELDS):
            merged[n, column] = known[ring, column]
        classes[n] = code
        n += 1
        while k < len(order) and holes[order[k], LABEL] == place:
            hole = order[k]
            for column in range(KNOWN_FIELDS):
                merged[n, column] = holes[hole, column]
            classes[n], areas[n] = code, 0
            doubled += holes[hole, DOUBLED_AREA]
            n += 1
            k += 1
        areas[begin] = doubled // 2
