"""compute: the compiled half of bands: what lies within reach of a border, row by row of a window of a class map.

Down the columns, the rows to the nearest pixel of either side are counted on from row to row; along a row, each of
these pixels reaches as far as an edge lets it. The window is gone through in strips, so that what is kept of the
columns stays in the cache. What its own column puts within the first edge needs no look along its row.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``band_counts``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_STRIP = 64  # rows; the size of the scratch stands in band_counts too
_FAR = 1 << 29  # rows: farther than any
_INSIDE, _OUTSIDE = 1, 2
_CHUNK = 64  # columns that are looked over at once


def count_bands(
    window_at: Any, height: int, width: int, top: int, left: int, tissue_at: Any, rows: int, columns: int,
    side_of_at: Any, outer_at: Any, outer_edges: int, outer_rows: int, inner_at: Any, inner_edges: int,
    inner_rows: int, band_at: Any, begins_at: Any, strips: int, below_at: Any, along_at: Any, states_at: Any,
    counts_at: Any, bands: int,
) -> None:  # fmt: skip
    """Add the level-0 pixels of tissue of the core of a window to its bands and codes: int64 (bands, 256).

    At these addresses lie, contiguous: ``window`` uint8 (h, w) of codes, whose core begins at ``top``, ``left``;
    ``tissue`` uint32 of the core's shape; ``side_of`` uint8 (256,): 1 a code inside the border, 2 outside, 0 neither;
    ``outer`` and ``inner`` int32 (edges + 1, rows + 1): how many columns each edge reaches by the rows to the border,
    below 0 where it does not, and last the nearest edge that so many rows are within; ``band`` int64 (outer edges +
    inner edges) that ends at each, below 0 for none. For its own use: int32 ``begins`` (2 strips, w), ``below`` (2 *
    64, w) and ``along`` (8, w), uint8 ``states`` (64, w).
    """
    _count_bands(
        carray(window_at, (height, width)),
        top,
        left,
        carray(tissue_at, (rows, columns)),
        carray(side_of_at, 256),
        carray(outer_at, (outer_edges + 1, outer_rows + 1)),
        carray(inner_at, (inner_edges + 1, inner_rows + 1)),
        carray(band_at, outer_edges + inner_edges),
        carray(begins_at, (2 * strips, width)),
        carray(below_at, (2 * _STRIP, width)),
        carray(along_at, (8, width)),
        carray(states_at, (_STRIP, width)),
        carray(counts_at, (bands, 256)),
    )


@native_part
def _count_bands(
    window: Any, top: int, left: int, tissue: Any, side_of: Any, outer: Any, inner: Any, band: Any, begins: Any,
    below: Any, along: Any, states: Any, counts: Any,
) -> None:  # fmt: skip
    rows, edges = len(tissue), len(outer) - 1
    to_inside, to_outside = along[4], along[5]
    _begin_strips(window, top, rows, side_of, begins, states[0], to_inside, to_outside)
    _begin(to_inside, to_outside)  # now of the row above
    for y in range(top):
        _one_row_on(window[y], side_of, states[0], to_inside, to_outside)
    for first in range(0, rows, _STRIP):
        end, s = min(rows, first + _STRIP), first // _STRIP
        inside_below, outside_below = along[6], along[7]
        _copy(begins[2 * s], inside_below)
        _copy(begins[2 * s + 1], outside_below)
        for i in range(end - first - 1, -1, -1):
            _one_row_on(window[top + first + i], side_of, states[i], inside_below, outside_below)
            _copy(inside_below, below[2 * i])
            _copy(outside_below, below[2 * i + 1])
        for i in range(end - first):
            y = first + i
            codes, state = window[top + y], states[i]
            _count_on(state, to_inside, to_outside)
            if edges > 0:
                _nearest(to_inside, below[2 * i], along[0])
                _count_row(along, codes, state, _OUTSIDE, left, tissue[y], outer, band, 0, counts)
            if edges < len(band):
                _nearest(to_outside, below[2 * i + 1], along[0])
                _count_row(along, codes, state, _INSIDE, left, tissue[y], inner, band, edges, counts)


@native_part
def _begin_strips(
    window: Any, top: int, rows: int, side_of: Any, begins: Any, state: Any, to_inside: Any, to_outside: Any
) -> None:
    """Write what each strip begins with: the rows from the row below it to the nearest pixel inside, and outside."""
    _begin(to_inside, to_outside)
    for y in range(len(window) - 1, top - 1, -1):
        if y == top + rows - 1 or (y < top + rows and (y - top + 1) % _STRIP == 0):
            s = (y - top) // _STRIP
            _copy(to_inside, begins[2 * s])
            _copy(to_outside, begins[2 * s + 1])
            if s == 0:
                break
        _one_row_on(window[y], side_of, state, to_inside, to_outside)


@native_part
def _begin(one: Any, other: Any) -> None:
    for x in range(len(one)):
        one[x] = _FAR
    for x in range(len(other)):
        other[x] = _FAR


@native_part
def _copy(source: Any, target: Any) -> None:
    for x in range(len(source)):
        target[x] = source[x]


@native_part
def _one_row_on(codes: Any, side_of: Any, state: Any, to_inside: Any, to_outside: Any) -> None:
    """Write the side of each pixel of a row, and count on the rows to the nearest pixel inside, and outside."""
    for x in range(len(codes)):
        state[x] = side_of[codes[x]]
    _count_on(state, to_inside, to_outside)


@native_part
def _count_on(state: Any, to_inside: Any, to_outside: Any) -> None:
    for x in range(len(state)):
        to_inside[x] = 0 if state[x] == _INSIDE else to_inside[x] + 1
    for x in range(len(state)):
        to_outside[x] = 0 if state[x] == _OUTSIDE else to_outside[x] + 1


@native_part
def _nearest(above: Any, below: Any, near: Any) -> None:
    for x in range(len(near)):
        near[x] = min(above[x], below[x])


@native_part
def _count_row(
    along: Any, codes: Any, state: Any, side: int, left: int, tissue: Any, reach: Any, band: Any, of_side: int,
    counts: Any,
) -> None:  # fmt: skip
    """Add what one row has of one side to the counts."""
    near, edge_of = along[0], along[1]
    edges, none = len(reach) - 1, reach.shape[1] - 1
    own = reach[edges]
    at_once = 0  # rows: so near in its own column, a pixel is within the first edge
    while at_once < none and own[at_once] == 0:
        at_once += 1
    nearest = none
    for x in range(len(near)):
        nearest = min(nearest, near[x])
    first, last = _between(near, state, side, left, tissue, 0)
    if nearest >= none or last < first:
        return
    undecided = _between(near, state, side, left, tissue, at_once)
    if undecided[1] >= undecided[0]:
        _look_along(along, undecided[0], undecided[1] + 1, reach)
    of_band, code, n_px = -1, 0, 0  # of a run of pixels that are counted together
    for x in range(first, last + 1):
        if state[x] != side or tissue[x - left] == 0:
            continue
        k = 0
        if near[x] >= at_once:
            k = min(own[min(near[x], none)], edge_of[x])
        to_band = band[of_side + k] if k < edges else -1
        if to_band != of_band or codes[x] != code:
            if of_band >= 0:
                counts[of_band, code] += n_px
            of_band, code, n_px = to_band, codes[x], 0
        n_px += tissue[x - left]
    if of_band >= 0:
        counts[of_band, code] += n_px


@native_part
def _between(near: Any, state: Any, side: int, left: int, tissue: Any, rows: int) -> tuple[int, int]:
    """Return the first and the last pixel of a side with tissue so many rows from the border, or farther."""
    first, last, any_px = left, left - 1, np.int32(0)
    for x in range(left, left + len(tissue)):  # without a branch, so many at once: most rows have none
        any_px |= np.int32(tissue[x - left]) if near[x] >= rows and state[x] == side else np.int32(0)
    if any_px == 0:
        return first, last
    while near[first] < rows or state[first] != side or tissue[first - left] == 0:
        first += 1
    last = left + len(tissue) - 1
    while near[last] < rows or state[last] != side or tissue[last - left] == 0:
        last -= 1
    return first, last


@native_part
def _look_along(along: Any, first: int, end: int, reach: Any) -> None:
    """Write the nearest edge that each pixel of a part of a row is within by another column: its number, or how many.

    A pixel reaches to the right only if the next one there is farther from the border, and to the left likewise.
    """
    near, edge_of, to_right, to_left = along[0], along[1], along[2], along[3]
    edges, none = len(reach) - 1, reach.shape[1] - 1
    most = reach[edges - 1, 0]
    begin, stop = max(0, first - most), min(len(near), end + most)
    for x in range(first, end):
        edge_of[x] = edges
    rights, lefts = 0, 0
    for chunk in range(begin, stop - 1, _CHUNK):
        last, changes = min(chunk + _CHUNK, stop - 1), np.int32(0)
        for x in range(chunk, last):
            changes |= near[x] ^ near[x + 1]
        if changes == 0:
            continue
        for x in range(chunk, min(last, end - 1)):
            to_right[rights] = x
            rights += (near[x] < near[x + 1]) & (near[x] < none)
        for x in range(max(chunk, first), last):
            to_left[lefts] = x + 1
            lefts += (near[x + 1] < near[x]) & (near[x + 1] < none)
    for k in range(edges - 1, -1, -1):  # what an edge reaches, one farther out does
        begin, far = first, first - 1  # what is reached without a gap
        for i in range(rights):
            x = to_right[i]
            reached = x + reach[k, near[x]]
            if reached < x:
                continue
            if x > far + 1:
                for at in range(begin, far + 1):
                    edge_of[at] = k
                begin = x
            far = max(far, reached)
        for at in range(begin, min(far + 1, end)):
            edge_of[at] = k
        begin, far = end - 1, end
        for i in range(lefts - 1, -1, -1):
            x = to_left[i]
            reached = x - reach[k, near[x]]
            if reached > x:
                continue
            if x < far - 1:
                for at in range(far, begin + 1):
                    edge_of[at] = k
                begin = x
            far = min(far, reached)
        for at in range(max(far, first), begin + 1):
            edge_of[at] = k
