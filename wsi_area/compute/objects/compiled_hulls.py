"""compute: the compiled half of the largest extent: convex hulls of parts and of points, and how wide they are.

Called through ``feret``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code, machine_part


@machine_part
def _half_hull(xs: Any, ys: Any, sign: int, hull_x: Any, hull_y: Any, begin: int) -> int:
    """Append one side of a convex hull to a list and return its new length.

    Andrew's monotone chain (Inf. Process. Lett. 9, 1979) over points of rising y: ``sign`` 1 keeps the side of
    small x, −1 that of large x. Points on a straight line are left out.
    """
    end = begin
    for i in range(len(xs)):
        while end - begin >= 2:
            ax, ay, bx, by = hull_x[end - 2], hull_y[end - 2], hull_x[end - 1], hull_y[end - 1]
            if sign * ((bx - ax) * (ys[i] - ay) - (xs[i] - ax) * (by - ay)) < 0:
                break
            end -= 1
        hull_x[end], hull_y[end] = xs[i], ys[i]
        end += 1
    return end


@machine_part
def _widest_um2(hull_x: Any, hull_y: Any, um_x: float, um_y: float) -> float:
    """Return the square of the largest distance of two points, µm²."""
    widest = 0.0
    for i in range(len(hull_x)):
        for j in range(i):
            x_um, y_um = abs(hull_x[i] - hull_x[j]) * um_x, abs(hull_y[i] - hull_y[j]) * um_y
            widest = max(widest, x_um * x_um + y_um * y_um)
    return widest


@machine_code
def hull_parts(
    tops: Any, offsets: Any, row_counts: Any, lefts: Any, rights: Any, x_edges: Any, y_edges: Any, um_x: float,
    um_y: float, kept: Any, extents_um: Any, hull_starts: Any, hull_x: Any, hull_y: Any,
) -> None:  # fmt: skip
    """Write each part's largest extent, and the corners of its convex hull where they are to be kept."""
    rows_most = 0
    for n in range(len(tops)):
        rows_most = max(rows_most, row_counts[n])
    xs, ys = np.empty(rows_most + 1, np.int64), np.empty(rows_most + 1, np.int64)
    own_x, own_y = np.empty(2 * rows_most + 2, np.int64), np.empty(2 * rows_most + 2, np.int64)
    kept_end = 0
    for n in range(len(tops)):
        hull_starts[n] = kept_end
        if offsets[n] < 0:
            continue
        rows, at = row_counts[n], offsets[n]
        for k in range(rows + 1):  # corners lie on the edges between rows; each edge has the wider of its two rows
            ys[k] = y_edges[tops[n] + k]
            xs[k] = x_edges[min(lefts[at + min(k, rows - 1)], lefts[at + max(k - 1, 0)])]
        end = _half_hull(xs[: rows + 1], ys[: rows + 1], 1, own_x, own_y, 0)
        for k in range(rows + 1):
            xs[k] = x_edges[max(rights[at + min(k, rows - 1)], rights[at + max(k - 1, 0)])]
        end = _half_hull(xs[: rows + 1], ys[: rows + 1], -1, own_x, own_y, end)
        if kept[n]:
            hull_x[kept_end : kept_end + end] = own_x[:end]
            hull_y[kept_end : kept_end + end] = own_y[:end]
            kept_end += end
        else:
            extents_um[n] = np.sqrt(_widest_um2(own_x[:end], own_y[:end], um_x, um_y))
    hull_starts[len(tops)] = kept_end


@machine_code
def measure_hulls(point_starts: Any, x: Any, y: Any, um_x: float, um_y: float, extents_um: Any) -> None:
    """Write the largest extent of each group of points; a group's points are sorted by y, then by x."""
    for n in range(len(extents_um)):
        begin, stop = point_starts[n], point_starts[n + 1]
        lowest, highest, ys = np.empty((3, stop - begin), np.int64)
        rows = 0
        for i in range(begin, stop):
            if rows and ys[rows - 1] == y[i]:
                highest[rows - 1] = x[i]
            else:
                lowest[rows], highest[rows], ys[rows] = x[i], x[i], y[i]
                rows += 1
        hull_x, hull_y = np.empty((2, 2 * rows), np.int64)
        end = _half_hull(lowest[:rows], ys[:rows], 1, hull_x, hull_y, 0)
        end = _half_hull(highest[:rows], ys[:rows], -1, hull_x, hull_y, end)
        extents_um[n] = np.sqrt(_widest_um2(hull_x[:end], hull_y[:end], um_x, um_y))
