"""compute: the compiled half of the largest extent: convex hulls of parts and of points, and how wide they are.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``feret``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part


@native_part
def _half_hull(xs: Any, ys: Any, points: int, sign: int, hull_x: Any, hull_y: Any, begin: int) -> int:
    """Append one side of a convex hull to a list and return its new length.

    Andrew's monotone chain (Inf. Process. Lett. 9, 1979) over points of rising y: ``sign`` 1 keeps the side of
    small x, −1 that of large x. Points on a straight line are left out.
    """
    end = begin
    for i in range(points):
        while end - begin >= 2:
            ax, ay, bx, by = hull_x[end - 2], hull_y[end - 2], hull_x[end - 1], hull_y[end - 1]
            if sign * ((bx - ax) * (ys[i] - ay) - (xs[i] - ax) * (by - ay)) < 0:
                break
            end -= 1
        hull_x[end], hull_y[end] = xs[i], ys[i]
        end += 1
    return end


@native_part
def _widest_um2(hull_x: Any, hull_y: Any, points: int, um_x: float, um_y: float) -> float:
    """Return the square of the largest distance of two points, µm²."""
    widest = 0.0
    for i in range(points):
        for j in range(i):
            x_um, y_um = abs(hull_x[i] - hull_x[j]) * um_x, abs(hull_y[i] - hull_y[j]) * um_y
            widest = max(widest, x_um * x_um + y_um * y_um)
    return widest


def hull_parts(
    tops_at: Any, offsets_at: Any, row_counts_at: Any, parts: int, lefts_at: Any, rights_at: Any, rows: int,
    x_edges_at: Any, columns: int, y_edges_at: Any, height: int, um_x: float, um_y: float, kept_at: Any,
    scratch_at: Any, rows_most: int, extents_um2_at: Any, hull_starts_at: Any, hull_x_at: Any, hull_y_at: Any,
    room: int,
) -> None:  # fmt: skip
    """Write the square of each part's largest extent, and the corners of its convex hull where they are to be kept.

    ``scratch`` is int64 (6 rows_most + 6,), ``rows_most`` the rows of the highest part.
    """
    tops, offsets, row_counts = carray(tops_at, parts), carray(offsets_at, parts), carray(row_counts_at, parts)
    lefts, rights = carray(lefts_at, rows), carray(rights_at, rows)
    x_edges, y_edges, kept = carray(x_edges_at, columns + 1), carray(y_edges_at, height + 1), carray(kept_at, parts)
    extents_um2, hull_starts = carray(extents_um2_at, parts), carray(hull_starts_at, parts + 1)
    hull_x, hull_y = carray(hull_x_at, room), carray(hull_y_at, room)
    scratch, one = carray(scratch_at, 6 * rows_most + 6), rows_most + 1
    xs, ys, own_x, own_y = scratch[:one], scratch[one : 2 * one], scratch[2 * one : 4 * one], scratch[4 * one :]
    kept_end = 0
    for n in range(parts):
        hull_starts[n] = kept_end
        if offsets[n] < 0:
            continue
        rows_of, at = row_counts[n], offsets[n]
        _edges(lefts, at, rows_of, x_edges, True, xs)
        for k in range(rows_of + 1):
            ys[k] = y_edges[tops[n] + k]
        end = _half_hull(xs, ys, rows_of + 1, 1, own_x, own_y, 0)
        _edges(rights, at, rows_of, x_edges, False, xs)
        end = _half_hull(xs, ys, rows_of + 1, -1, own_x, own_y, end)
        if kept[n]:
            for k in range(end):
                hull_x[kept_end + k], hull_y[kept_end + k] = own_x[k], own_y[k]
            kept_end += end
        else:
            extents_um2[n] = _widest_um2(own_x, own_y, end, um_x, um_y)
    hull_starts[parts] = kept_end


@native_part
def _edges(ends: Any, at: int, rows: int, x_edges: Any, is_left: bool, xs: Any) -> None:
    """Write where corners lie on the edges between rows: each edge has the wider of its two rows."""
    for k in range(rows + 1):
        below, above = ends[at + min(k, rows - 1)], ends[at + max(k - 1, 0)]
        xs[k] = x_edges[min(below, above) if is_left else max(below, above)]


def measure_hulls(
    point_starts_at: Any, groups: int, x_at: Any, y_at: Any, points: int, um_x: float, um_y: float, scratch_at: Any,
    points_most: int, extents_um2_at: Any,
) -> None:  # fmt: skip
    """Write the square of the largest extent of each group of points; a group's points are sorted by y, then by x.

    ``scratch`` is int64 (7 points_most,), ``points_most`` the points of the largest group.
    """
    point_starts, extents_um2 = carray(point_starts_at, groups + 1), carray(extents_um2_at, groups)
    x, y, scratch, one = carray(x_at, points), carray(y_at, points), carray(scratch_at, 7 * points_most), points_most
    lowest, highest, ys = scratch[:one], scratch[one : 2 * one], scratch[2 * one : 3 * one]
    hull_x, hull_y = scratch[3 * one : 5 * one], scratch[5 * one :]
    for n in range(groups):
        rows = 0
        for i in range(point_starts[n], point_starts[n + 1]):
            if rows and ys[rows - 1] == y[i]:
                highest[rows - 1] = x[i]
            else:
                lowest[rows], highest[rows], ys[rows] = x[i], x[i], y[i]
                rows += 1
        end = _half_hull(lowest, ys, rows, 1, hull_x, hull_y, 0)
        end = _half_hull(highest, ys, rows, -1, hull_x, hull_y, end)
        extents_um2[n] = _widest_um2(hull_x, hull_y, end, um_x, um_y)
