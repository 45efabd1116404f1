"""exports: the compiled half of rings: open chains, rings made simple and measured, holes that wait for their region.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``sweep`` and ``regions_in_order``, which gives the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part
from wsi_area.exports.tracing.rings import CORNER, DOUBLED_AREA, FIRST, KNOWN_FIELDS, LABEL, LENGTH

_NONE = -1
_NEXT_CORNER, _END, _OTHER_SLOT = 2, 0, 1  # as ``compiled_tracing`` has them


def keep_open(
    codes_at: Any, vertices: int, slots_at: Any, corners_at: Any, corners: int, kept_at: Any, room: int
) -> None:
    """Write the corners of the chains that still wait, without those of closed rings, and renumber the slots.

    At these addresses lie: ``codes`` uint8 (vertices + 1,), the row above them between two pixels of no class: an end
    waits where it changes; ``slots`` int32 (2 vertices + 2, 2) and ``corners`` int32 (n, 3), as ``compiled_tracing``
    has them; ``kept`` int32 (room, 3), which has room for all.
    """
    _keep_open(
        carray(codes_at, vertices + 1), carray(slots_at, (2 * vertices + 2, 2)), carray(corners_at, (corners, 3)),
        carray(kept_at, (room, 3)),
    )  # fmt: skip


@native_part
def _keep_open(codes: Any, slots: Any, corners: Any, kept: Any) -> None:
    count = 0
    for x in range(len(codes) - 1):
        if (codes[x + 1] == 0) | (codes[x + 1] == codes[x]):
            continue
        up = 2 * x + 1
        node = slots[up, _END]
        slots[up, _END] = count
        while node != _NONE:
            kept[count, 0], kept[count, 1], kept[count, _NEXT_CORNER] = corners[node, 0], corners[node, 1], count + 1
            count += 1
            node = corners[node, _NEXT_CORNER]
        kept[count - 1, _NEXT_CORNER] = _NONE
        slots[slots[up, _OTHER_SLOT], _END] = count - 1


@native_part
def _put_from_upper_left(loop: Any, begin: int, end: int, points: Any, at: int) -> None:
    """Write a ring, its uppermost, then leftmost point first."""
    start = begin
    for i in range(begin + 1, end):
        if loop[i, 1] < loop[start, 1] or (loop[i, 1] == loop[start, 1] and loop[i, 0] < loop[start, 0]):
            start = i
    for i in range(begin, end):
        j = i + start - begin
        j = j if j < end else j - (end - begin)
        points[at + i - begin, 0], points[at + i - begin, 1] = loop[j, 0], loop[j, 1]


@native_part
def _cut(
    points: Any, first: int, length: int, passages: Any, k: int, lengths: Any, following: Any, loop: Any, seen: Any
) -> Any:
    """Cut a ring that touches itself, in place; return how many rings it is then, and the passages that are used.

    ``lengths`` is written: how many points each has.
    """
    for i in range(length):
        following[i], seen[i] = i + 1, 0
    following[length - 1] = 0
    while k < len(passages) and passages[k, 0] < first + length:
        i, j = passages[k, 0] - first, passages[k, 1] - first
        following[i], following[j] = following[j], following[i]
        k += 1
    count, found = 0, 0
    for start in range(length):
        i, begin = start, count
        while not seen[i]:
            seen[i] = 1
            loop[count, 0], loop[count, 1] = points[first + i, 0], points[first + i, 1]
            count += 1
            i = following[i]
        if count > begin:
            lengths[found] = count - begin
            found += 1
    count = 0
    for ring in range(found):
        _put_from_upper_left(loop, count, count + lengths[ring], points, first + count)
        count += lengths[ring]
    return found, k


@native_part
def _measure(points: Any, first: int, length: int, x_edges: Any, y_edges: Any, known: Any, at: int) -> int:
    """Write what is known of a ring; return its lowest y. Edges go along x or y, so that areas are sums of x dy."""
    y0 = np.int64(y_edges[points[first, 1]])
    area, lowest, y = np.int64(0), y0, y0
    for i in range(first + 1, first + length):
        next_y = y_edges[points[i, 1]]
        area += x_edges[points[i, 0]] * (next_y - y)  # where y changes x does not
        lowest = max(lowest, next_y)
        y = next_y
    area += x_edges[points[first, 0]] * (y0 - y)
    known[at, FIRST], known[at, LENGTH] = first, length
    known[at, DOUBLED_AREA], known[at, CORNER] = 2 * area, (y0 << 32) + x_edges[points[first, 0]]
    return int(lowest)


def cut_touching(
    points_at: Any, points: int, passages_at: Any, passages: int, known_at: Any, more_at: Any, rings: int,
    x_edges_at: Any, x_edges: int, y_edges_at: Any, y_edges: int, cut_at: Any, more_of_cut_at: Any, following_at: Any,
    loop_at: Any, seen_at: Any, longest: int, lengths_at: Any, count_at: Any,
) -> None:  # fmt: skip
    """Cut rings where they touch themselves, among the points; write how many rings more there are then.

    Each begins at its uppermost, then leftmost point. At these addresses lie: ``points`` int32 (n, 2) in columns and
    rows, changed where a ring is cut; ``passages`` int64 (n, 2), two points of a ring where it passes a vertex twice,
    ring by ring; ``known`` int64 (rings, 5) and ``more`` int64 (rings, 2), what is known of each ring, ascending by
    its first point, and its class and lowest y, changed: of a ring that is cut, one part is in its place; ``x_edges``
    and ``y_edges`` int64, where columns and rows begin; ``cut`` int64 (passages, 5) and ``more_of_cut`` int64
    (passages, 2), the same of the other parts; ``count`` int64 (1,), how many they are. For its own use: int64
    ``following``, int32 ``loop`` and uint8 ``seen`` of the longest ring, int64 ``lengths`` (passages + 1,).

    A vertex that is passed twice has one way in and out too many: exchanging what follows the two passages makes two
    rings of one. Passages never cross, so each exchange leaves rings that do not cross either.
    """
    _cut_touching(
        carray(points_at, (points, 2)), carray(passages_at, (passages, 2)), carray(known_at, (rings, KNOWN_FIELDS)),
        carray(more_at, (rings, 2)), carray(x_edges_at, x_edges), carray(y_edges_at, y_edges),
        carray(cut_at, (passages, KNOWN_FIELDS)), carray(more_of_cut_at, (passages, 2)), carray(following_at, longest),
        carray(loop_at, (longest, 2)), carray(seen_at, longest), carray(lengths_at, passages + 1), carray(count_at, 1),
    )  # fmt: skip


@native_part
def _cut_touching(
    points: Any, passages: Any, known: Any, more: Any, x_edges: Any, y_edges: Any, cut: Any, more_of_cut: Any,
    following: Any, loop: Any, seen: Any, lengths: Any, number: Any,
) -> None:  # fmt: skip
    found, k, ring = 0, 0, 0
    while k < len(passages):
        first, length = known[ring, FIRST], known[ring, LENGTH]
        if passages[k, 0] >= first + length:
            ring += 1
            continue
        count, k = _cut(points, first, length, passages, k, lengths, following, loop, seen)
        more[ring, 1] = _measure(points, first, lengths[0], x_edges, y_edges, known, ring)
        for part in range(1, count):
            first += lengths[part - 1]
            more_of_cut[found, 0] = more[ring, 0]
            more_of_cut[found, 1] = _measure(points, first, lengths[part], x_edges, y_edges, cut, found)
            cut[found, LABEL] = known[ring, LABEL]
            found += 1
    number[0] = found


def find_vertices(
    points_at: Any, points: int, known_at: Any, rings: int, touches_at: Any, touches: int, width: int, height: int,
    vertices_at: Any,
) -> None:  # fmt: skip
    """Write the vertex of each of some points as one number: the same only for points of one ring.

    At these addresses lie: ``points`` int32 (n, 2); ``known`` int64 (rings, 5); ``touches`` int32 (n,), the points,
    ring by ring; ``vertices`` int64 (n,). ``width`` and ``height`` bound the columns and rows.
    """
    _find_vertices(
        carray(points_at, (points, 2)), carray(known_at, (rings, KNOWN_FIELDS)), carray(touches_at, touches), width,
        height, carray(vertices_at, touches),
    )  # fmt: skip


@native_part
def _find_vertices(points: Any, known: Any, touches: Any, width: int, height: int, vertices: Any) -> None:
    ring = 0
    for n in range(len(touches)):
        i = touches[n]
        while i >= known[ring, FIRST] + known[ring, LENGTH]:
            ring += 1
        vertices[n] = (np.int64(ring) * height + points[i, 1]) * width + points[i, 0]


def gather(
    points_at: Any, points: int, filed_at: Any, filed: int, rings_at: Any, rings: int, x_edges_at: Any, x_edges: int,
    y_edges_at: Any, y_edges: int, found_at: Any, count: int,
) -> None:  # fmt: skip
    """Write the points of some rings one after the other, placed by the edges of columns and rows.

    At these addresses lie: ``points`` and ``filed`` int32 (n, 2), those of rings that closed and those in the file;
    ``rings`` int64 (rings, 2), the first point of each, in the file, or else one's complement of it, and how many;
    ``x_edges`` and ``y_edges`` int64; ``found`` int32 (count, 2).
    """
    _gather(
        carray(points_at, (points, 2)), carray(filed_at, (filed, 2)), carray(rings_at, (rings, 2)),
        carray(x_edges_at, x_edges), carray(y_edges_at, y_edges), carray(found_at, (count, 2)),
    )  # fmt: skip


@native_part
def _gather(points: Any, filed: Any, rings: Any, x_edges: Any, y_edges: Any, found: Any) -> None:
    n = 0
    for ring in range(len(rings)):
        first, length = rings[ring, 0], rings[ring, 1]
        if first >= 0:
            for i in range(first, first + length):
                found[n, 0], found[n, 1] = x_edges[filed[i, 0]], y_edges[filed[i, 1]]
                n += 1
        else:
            for i in range(~first, ~first + length):
                found[n, 0], found[n, 1] = x_edges[points[i, 0]], y_edges[points[i, 1]]
                n += 1


def put_together(
    points_at: Any, points: int, known_at: Any, rings: int, chosen_at: Any, chosen: int, found_at: Any, count: int
) -> None:
    """Write the points of some rings one after the other as they are.

    At these addresses lie: ``points`` int32 (n, 2); ``known`` int64 (rings, 5); ``chosen`` int64, which of the rings;
    ``found`` int32 (count, 2), written.
    """
    _put_together(
        carray(points_at, (points, 2)), carray(known_at, (rings, KNOWN_FIELDS)), carray(chosen_at, chosen),
        carray(found_at, (count, 2)),
    )  # fmt: skip


@native_part
def _put_together(points: Any, known: Any, chosen: Any, found: Any) -> None:
    n = 0
    for ring in chosen:
        for i in range(known[ring, FIRST], known[ring, FIRST] + known[ring, LENGTH]):
            found[n, 0], found[n, 1] = points[i, 0], points[i, 1]
            n += 1
