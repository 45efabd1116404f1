"""exports: the compiled half of GeoJSON: coordinates of polygons as the bytes of their text.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``outline_texts``, which gives the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part

_COMMA, _ZERO, _OPEN, _CLOSE = 44, 48, 91, 93  # in ASCII


@native_part
def _put_number(text: Any, at: int, number: int) -> int:
    """Write a whole number that is not negative; return where it ends."""
    end, limit = at + 1, 10
    while number >= limit:
        end, limit = end + 1, 10 * limit
    for i in range(end - 1, at - 1, -1):
        tenth = number // 10
        text[i] = _ZERO + number - 10 * tenth
        number = tenth
    return end


@native_part
def _put_again(text: Any, at: int, first: int, end: int) -> int:
    """Write a number once more whose text stands before; return where it ends."""
    for i in range(first, end):
        text[at] = text[i]
        at += 1
    return at


def put_polygons(
    points_at: Any, points: int, ends_at: Any, is_outer_at: Any, rings: int, chosen_at: Any, chosen: int,
    heads_at: Any, heads: int, head_ends_at: Any, polygons: int, text_at: Any, room: int, size_at: Any,
) -> None:  # fmt: skip
    """Write some rings as the coordinates of polygons, none of them closed, and how many bytes that took.

    At these addresses lie: ``points`` int64 (n, 2), of all rings, whole numbers that are not negative, and ``ends``
    int64 (rings,); ``is_outer`` bool (rings,): these begin a polygon, and the others go on with the one before;
    ``chosen`` int64, the rings to write, ascending; ``heads`` uint8 and ``head_ends`` int64, what stands before each
    polygon. Written: ``text`` uint8, long enough; ``size`` int64 (1,).
    """
    _put_polygons(
        carray(points_at, (points, 2)), carray(ends_at, rings), carray(is_outer_at, rings), carray(chosen_at, chosen),
        carray(heads_at, heads), carray(head_ends_at, polygons), carray(text_at, room), carray(size_at, 1),
    )  # fmt: skip


@native_part
def _put_polygons(
    points: Any, ends: Any, is_outer: Any, chosen: Any, heads: Any, head_ends: Any, text: Any, size: Any
) -> None:
    at, polygon = 0, 0
    for ring in chosen:
        if is_outer[ring]:
            for i in range(head_ends[polygon - 1] if polygon else 0, head_ends[polygon]):
                text[at] = heads[i]
                at += 1
            polygon += 1
            text[at] = _OPEN
        else:
            text[at] = _COMMA
        text[at + 1] = _OPEN
        at += 2
        first, last = ends[ring - 1] if ring else 0, ends[ring]
        old_x, old_y, x_at, x_end, y_at, y_end = -1, -1, 0, 0, 0, 0
        for i in range(first, last + 1):
            corner = i if i < last else first  # the first of a ring is its last again
            x, y = points[corner, 0], points[corner, 1]
            text[at] = _OPEN
            # edges go along x or y, so that one of the two stands in the point before
            here = at + 1
            end = _put_again(text, here, x_at, x_end) if x == old_x else _put_number(text, here, x)
            x_at, x_end, old_x = here, end, x
            text[end] = _COMMA
            here = end + 1
            end = _put_again(text, here, y_at, y_end) if y == old_y else _put_number(text, here, y)
            y_at, y_end, old_y = here, end, y
            text[end], text[end + 1] = _CLOSE, _COMMA
            at = end + 2
        text[at - 1] = _CLOSE
    size[0] = at
