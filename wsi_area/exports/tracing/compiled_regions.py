"""exports: the compiled half of regions in order: rings sorted by their region, and holes that wait for theirs.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``regions_in_order``, which gives the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part
from wsi_area.exports.tracing.rings import (
    CORNER,
    COUNT,
    DOUBLED_AREA,
    FIRST,
    HEAD,
    KNOWN_FIELDS,
    LABEL,
    LENGTH,
    LIST_FIELDS,
    TAIL,
    WAITING_AREA,
)

_NONE = -1
_HOLE_LENGTH, _NEXT = range(2)  # of a link


def relabel(known_at: Any, rings: int, roots_at: Any, labels: int, outer_at: Any, count_at: Any) -> None:
    """Give rings the label that theirs was joined to; write which are the ones round a region, and how many.

    At these addresses lie: ``known`` int64 (rings, 5), changed; ``roots`` int64 (labels,); ``outer`` int64 (rings,),
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


def join_lists(lists_at: Any, live: int, links_at: Any, rows: int, roots_at: Any, labels: int, joined_at: Any) -> None:
    """Write which holes wait for each region, now that some were joined.

    At these addresses lie: ``lists`` int64 (live, 4), those of the labels that reached the row above; ``links`` int32
    (rows, 2), how many points each hole has that waits, and the next one of its region, changed where regions were
    joined; ``roots`` int64 (labels,); ``joined`` int64 (labels, 4), written.
    """
    _join_lists(
        carray(lists_at, (live, LIST_FIELDS)), carray(links_at, (rows, 2)), carray(roots_at, labels),
        carray(joined_at, (labels, LIST_FIELDS)),
    )  # fmt: skip


@native_part
def _join_lists(lists: Any, links: Any, roots: Any, joined: Any) -> None:
    for label in range(len(roots)):
        joined[label, HEAD], joined[label, TAIL] = _NONE, _NONE
        joined[label, COUNT], joined[label, WAITING_AREA] = 0, 0
    for label in range(len(lists)):
        if lists[label, HEAD] == _NONE:
            continue
        root = roots[label]
        if joined[root, HEAD] == _NONE:
            joined[root, HEAD] = lists[label, HEAD]
        else:
            links[joined[root, TAIL], _NEXT] = lists[label, HEAD]
        joined[root, TAIL] = lists[label, TAIL]
        joined[root, COUNT] += lists[label, COUNT]
        joined[root, WAITING_AREA] += lists[label, WAITING_AREA]


def list_waiting(
    holes_at: Any, links_at: Any, rows: int, lists_at: Any, labels: int, ended_at: Any, regions: int, corners_at: Any,
    places_at: Any, sources_at: Any, room: int,
) -> None:  # fmt: skip
    """Write the holes that waited for some regions: by what they are ordered, whose they are, and their rows.

    At these addresses lie: ``holes`` int64 (rows, 2), the first point in the file and the corner of each; ``links``
    int32 (rows, 2) and ``lists`` int64 (labels, 4), as `join_lists` has them; ``ended`` int64 (regions,), labels.
    Written: ``corners`` int64, ``places`` int32, those of the region among the ended, and ``sources`` int64, each
    (room,).
    """
    _list_waiting(
        carray(holes_at, (rows, 2)), carray(links_at, (rows, 2)), carray(lists_at, (labels, LIST_FIELDS)),
        carray(ended_at, regions), carray(corners_at, room), carray(places_at, room), carray(sources_at, room),
    )  # fmt: skip


@native_part
def _list_waiting(holes: Any, links: Any, lists: Any, ended: Any, corners: Any, places: Any, sources: Any) -> None:
    n = 0
    for place in range(len(ended)):
        row = lists[ended[place], HEAD]
        while row != _NONE:
            corners[n], places[n], sources[n] = holes[row, 1], place, row
            n += 1
            row = links[row, _NEXT]


def part_holes(
    known_at: Any, rings: int, place_at: Any, labels: int, doubled_at: Any, regions: int, corners_at: Any,
    places_at: Any, sources_at: Any, room: int, waiting_at: Any, holes: int, counts_at: Any,
) -> None:  # fmt: skip
    """Write the holes of regions that ended, as `list_waiting` does, and apart which holes wait.

    At these addresses lie: ``known`` int64 (rings, 5); ``place`` int64 (labels,), of a region among those that ended,
    or -1; ``doubled`` int64 (regions,), to which twice the area of their holes is added; ``corners``, ``places`` and
    ``sources``, written behind as many as ``counts`` says first, a source as one's complement of the ring; ``waiting``
    int64 (holes,), rings; ``counts`` int64 (2,), read and written: how many of both.
    """
    _part_holes(
        carray(known_at, (rings, KNOWN_FIELDS)), carray(place_at, labels), carray(doubled_at, regions),
        carray(corners_at, room), carray(places_at, room), carray(sources_at, room), carray(waiting_at, holes),
        carray(counts_at, 2),
    )  # fmt: skip


@native_part
def _part_holes(
    known: Any, place: Any, doubled: Any, corners: Any, places: Any, sources: Any, waiting: Any, counts: Any
) -> None:
    n, w = counts[0], counts[1]
    for ring in range(len(known)):
        if known[ring, DOUBLED_AREA] > 0:
            continue
        at = place[known[ring, LABEL]]
        if at != _NONE:
            corners[n], places[n], sources[n] = known[ring, CORNER], at, ~ring
            doubled[at] += known[ring, DOUBLED_AREA]
            n += 1
        else:
            waiting[w] = ring
            w += 1
    counts[0], counts[1] = n, w


def put_waiting(
    known_at: Any, rings: int, waiting_at: Any, count: int, first: int, holes_at: Any, links_at: Any, room: int,
    row: int, lists_at: Any, labels: int,
) -> None:  # fmt: skip
    """Write holes behind the rows that wait, each at the end of its region's list.

    At these addresses lie: ``known`` int64 (rings, 5); ``waiting`` int64 (count,), rings, whose points follow each
    other in the file from ``first`` on; ``holes`` int64 and ``links`` int32 (room, 2), written from ``row`` on;
    ``lists`` int64 (labels, 4), changed.
    """
    _put_waiting(
        carray(known_at, (rings, KNOWN_FIELDS)), carray(waiting_at, count), first, carray(holes_at, (room, 2)),
        carray(links_at, (room, 2)), row, carray(lists_at, (labels, LIST_FIELDS)),
    )  # fmt: skip


@native_part
def _put_waiting(known: Any, waiting: Any, first: int, holes: Any, links: Any, row: int, lists: Any) -> None:
    for ring in waiting:
        label = known[ring, LABEL]
        holes[row, 0], holes[row, 1] = first, known[ring, CORNER]
        links[row, _HOLE_LENGTH], links[row, _NEXT] = known[ring, LENGTH], _NONE
        first += known[ring, LENGTH]
        if lists[label, HEAD] == _NONE:
            lists[label, HEAD] = row
        else:
            links[lists[label, TAIL], _NEXT] = row
        lists[label, TAIL] = row
        lists[label, COUNT] += 1
        lists[label, WAITING_AREA] += known[ring, DOUBLED_AREA]
        row += 1


def keep_waiting(
    holes_at: Any, links_at: Any, rows: int, lists_at: Any, labels: int, kept_holes_at: Any, kept_links_at: Any,
    room: int,
) -> None:  # fmt: skip
    """Write the holes of some lists, one list after the other, where there is room, and renumber the lists.

    At these addresses lie: ``holes`` int64 and ``links`` int32 (rows, 2); ``lists`` int64 (labels, 4), changed;
    ``kept_holes`` int64 and ``kept_links`` int32 (room, 2), written.
    """
    _keep_waiting(
        carray(holes_at, (rows, 2)), carray(links_at, (rows, 2)), carray(lists_at, (labels, LIST_FIELDS)),
        carray(kept_holes_at, (room, 2)), carray(kept_links_at, (room, 2)),
    )  # fmt: skip


@native_part
def _keep_waiting(holes: Any, links: Any, lists: Any, kept_holes: Any, kept_links: Any) -> None:
    n = 0
    for label in range(len(lists)):
        row = lists[label, HEAD]
        if row == _NONE:
            continue
        lists[label, HEAD] = n
        while row != _NONE:
            kept_holes[n, 0], kept_holes[n, 1] = holes[row, 0], holes[row, 1]
            kept_links[n, _HOLE_LENGTH], kept_links[n, _NEXT] = links[row, _HOLE_LENGTH], n + 1
            n += 1
            row = links[row, _NEXT]
        kept_links[n - 1, _NEXT] = _NONE
        lists[label, TAIL] = n - 1


def merge_regions(
    known_at: Any, more_at: Any, rings: int, outer_at: Any, doubled_at: Any, regions: int, holes_at: Any, links_at: Any,
    rows: int, places_at: Any, sources_at: Any, order_at: Any, count: int, merged_at: Any, classes_at: Any,
    areas_at: Any,
) -> None:  # fmt: skip
    """Write rings in order, each region's outer one before its holes; of each its class, and the area of its region.

    At these addresses lie: ``known`` int64 (rings, 5) and ``more`` int64 (rings, 2), rings with their classes;
    ``outer`` int64 (regions,), those round regions, in order, and ``doubled`` int64 (regions,), twice what each
    covers; ``holes`` int64 and ``links`` int32 (rows, 2), those that waited; ``places`` int32 and ``sources`` int64
    (count,), as `part_holes` has them, and ``order`` int64 (count,), by the place first. Written: ``merged`` int64
    (regions + count, 2), as `gather` has its rings; ``classes`` and ``areas`` int64 of as many: of an outer ring what
    its region covers, of a hole 0.
    """
    total = regions + count
    _merge_regions(
        carray(known_at, (rings, KNOWN_FIELDS)), carray(more_at, (rings, 2)), carray(outer_at, regions),
        carray(doubled_at, regions), carray(holes_at, (rows, 2)), carray(links_at, (rows, 2)), carray(places_at, count),
        carray(sources_at, count), carray(order_at, count), carray(merged_at, (total, 2)), carray(classes_at, total),
        carray(areas_at, total),
    )  # fmt: skip


@native_part
def _merge_regions(
    known: Any, more: Any, outer: Any, doubled: Any, holes: Any, links: Any, places: Any, sources: Any, order: Any,
    merged: Any, classes: Any, areas: Any,
) -> None:  # fmt: skip
    n, k = 0, 0
    for place in range(len(outer)):
        ring = outer[place]
        code = more[ring, 0]
        merged[n, 0], merged[n, 1] = ~known[ring, FIRST], known[ring, LENGTH]
        classes[n], areas[n] = code, doubled[place] // 2
        n += 1
        while k < len(order) and places[order[k]] == place:
            source = sources[order[k]]
            if source >= 0:
                merged[n, 0], merged[n, 1] = holes[source, 0], links[source, _HOLE_LENGTH]
            else:
                merged[n, 0], merged[n, 1] = ~known[~source, FIRST], known[~source, LENGTH]
            classes[n], areas[n] = code, 0
            n += 1
            k += 1
