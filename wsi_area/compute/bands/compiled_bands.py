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

from wsi_area.compute.bands.compiled_reach import FAR, band_at, look_along, rows_at_once
from wsi_area.compute.machine_code import native_part

_STRIP = 64  # rows; the size of the scratch stands in band_counts too
_INSIDE, _OUTSIDE = 1, 2
_CHUNK = 64  # columns that are looked over at once


def count_bands(
    window_at: Any, height: int, width: int, top: int, left: int, tissue_at: Any, rows: int, columns: int,
    side_of_at: Any, outer_at: Any, outer_edges: int, outer_rows: int, inner_at: Any, inner_edges: int,
    inner_rows: int, band_at: Any, begins_at: Any, strips: int, below_at: Any, along_at: Any, states_at: Any,
    counts_at: Any, bands: int, signal_at: Any, has_signal: int, sums_at: Any,
) -> None:  # fmt: skip
    """Add the level-0 pixels of tissue of the core of a window to its bands and codes: int64 (bands + 2, 256).

    And beside them, where there is a ``signal``, int32 of the core's shape: each pixel's times those pixels, to the
    ``sums``, int64 (bands + 2, 256).

    At these addresses lie, contiguous: ``window`` uint8 (h, w) of codes, whose core begins at ``top``, ``left``;
    ``tissue`` uint32 of the core's shape; ``side_of`` uint8 (256,): 1 a code inside the border, 2 outside, 0 neither;
    ``outer`` and ``inner`` int32 (edges + 1, rows + 1): how many columns each edge reaches by the rows to the border,
    below 0 where it does not, and last the nearest edge that so many rows are within; ``band`` int64 (outer edges +
    inner edges) that ends at each, below 0 for none. For its own use: the last two rows of the counts and of the sums,
    int32 ``begins`` (2 strips, w), ``below`` (2 * 64, w) and ``along`` (11, w), uint8 ``states`` (64, w).
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
        carray(along_at, (11, width)),
        carray(states_at, (_STRIP, width)),
        carray(counts_at, (bands + 2, 256)),
        carray(signal_at, (rows if has_signal else 1, columns if has_signal else 0)),
        carray(sums_at, (bands + 2, 256)),
    )


@native_part
def _count_bands(
    window: Any, top: int, left: int, tissue: Any, side_of: Any, outer: Any, inner: Any, band: Any, begins: Any,
    below: Any, along: Any, states: Any, counts: Any, signal: Any, sums: Any,
) -> None:  # fmt: skip
    rows = len(tissue)
    to_inside, to_outside, inside_below, outside_below = along[7], along[8], along[9], along[10]
    _begin_strips(window, top, rows, side_of, begins, states[0], to_inside, to_outside)
    _begin(to_inside, to_outside)  # now of the row above
    for y in range(top):
        _one_row_on(window[y], side_of, states[0], to_inside, to_outside)
    for first in range(0, rows, _STRIP):
        end, s = min(rows, first + _STRIP), first // _STRIP
        _copy(begins[2 * s], inside_below)
        _copy(begins[2 * s + 1], outside_below)
        for i in range(end - first - 1, -1, -1):
            _one_row_on(window[top + first + i], side_of, states[i], inside_below, outside_below)
            _copy(inside_below, below[2 * i])
            _copy(outside_below, below[2 * i + 1])
        for i in range(end - first):
            y = first + i
            _count_on(states[i], to_inside, to_outside)
            _nearest(to_inside, below[2 * i], along[0])
            _nearest(to_outside, below[2 * i + 1], along[1])
            of_row = signal[y if signal.shape[1] else 0]  # of no columns where there is no signal
            _count_row(window[top + y], states[i], left, tissue[y], along, outer, inner, band, counts, of_row, sums)
    _add_at_once(side_of, len(outer) - 1, band, counts)
    if signal.shape[1]:
        _add_at_once(side_of, len(outer) - 1, band, sums)


@native_part
def _add_at_once(side_of: Any, edges: int, band: Any, counts: Any) -> None:
    """Add what its own column puts within the first edge, which is counted by code alone, to the band there."""
    bands = len(counts) - 2
    for code in range(256):
        to_band = -1
        if side_of[code] == _OUTSIDE and edges > 0:
            to_band = band[0]
        if side_of[code] == _INSIDE and edges < len(band):
            to_band = band[edges]
        if to_band >= 0:
            counts[to_band, code] += counts[bands, code] + counts[bands + 1, code]


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
        one[x] = FAR
    for x in range(len(other)):
        other[x] = FAR


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
    codes: Any, state: Any, left: int, tissue: Any, along: Any, outer: Any, inner: Any, band: Any, counts: Any,
    signal: Any, sums: Any,
) -> None:  # fmt: skip
    """Add one row of the core to the counts, and its signal to the sums."""
    near_out, near_in, edge_out, edge_in, kinds = along[0], along[1], along[2], along[3], along[6]
    rows_out, rows_in = rows_at_once(outer), rows_at_once(inner)
    first_out, end_out, first_in, end_in = len(tissue), 0, len(tissue), 0  # where its own column does not tell
    for begin in range(0, len(tissue), _CHUNK):
        end = min(begin + _CHUNK, len(tissue))
        kind = _kind_of(near_out, near_in, state, left, tissue, begin, end, rows_out, rows_in)
        kinds[begin // _CHUNK] = kind
        if kind & 2:
            first_out, end_out = min(first_out, begin), end
        if kind & 4:
            first_in, end_in = min(first_in, begin), end
    if end_out:
        look_along(near_out, edge_out, along[4], along[5], left + first_out, left + end_out, outer)
    if end_in:
        look_along(near_in, edge_in, along[4], along[5], left + first_in, left + end_in, inner)
    for begin in range(0, len(tissue), _CHUNK):
        end = min(begin + _CHUNK, len(tissue))
        if kinds[begin // _CHUNK] == 1:
            _count_at_once(codes, left, tissue, begin, end, counts)
            if len(signal):
                _sum_at_once(codes, left, tissue, signal, begin, end, sums)
        elif kinds[begin // _CHUNK] > 1:
            for x in range(begin, end):
                to_band = -1
                if tissue[x] == 0:  # nobody looked along the row for it
                    continue
                if state[left + x] == _OUTSIDE and outer.shape[0] > 1:
                    to_band = band_at(near_out[left + x], edge_out[left + x], rows_out, outer, band, 0)
                elif state[left + x] == _INSIDE and inner.shape[0] > 1:
                    to_band = band_at(near_in[left + x], edge_in[left + x], rows_in, inner, band, len(outer) - 1)
                if to_band >= 0:
                    counts[to_band, codes[left + x]] += tissue[x]
                    if len(signal):
                        sums[to_band, codes[left + x]] += np.int64(tissue[x]) * np.int64(signal[x])


@native_part
def _kind_of(
    near_out: Any, near_in: Any, state: Any, left: int, tissue: Any, begin: int, end: int, rows_out: int, rows_in: int
) -> int:
    """Return the kinds of some columns of a row: 1 tissue, 2 and 4 what its own column leaves open, out- and inside."""
    any_px, out_px, in_px = np.uint32(0), np.uint32(0), np.uint32(0)
    for x in range(begin, end):  # without a branch, so many at once
        any_px |= tissue[x]
    if any_px == 0:
        return 0
    for x in range(begin, end):
        out_px |= tissue[x] if near_out[left + x] >= rows_out and state[left + x] == _OUTSIDE else np.uint32(0)
    for x in range(begin, end):
        in_px |= tissue[x] if near_in[left + x] >= rows_in and state[left + x] == _INSIDE else np.uint32(0)
    return 1 + (2 if out_px else 0) + (4 if in_px else 0)


@native_part
def _count_at_once(codes: Any, left: int, tissue: Any, begin: int, end: int, counts: Any) -> None:
    """Add columns to the last two rows of the counts, in turn: to add to one number twice must wait."""
    one, other = len(counts) - 2, len(counts) - 1
    for x in range(begin, end - 1, 2):
        counts[one, codes[left + x]] += tissue[x]
        counts[other, codes[left + x + 1]] += tissue[x + 1]
    if (end - begin) % 2:
        counts[one, codes[left + end - 1]] += tissue[end - 1]


@native_part
def _sum_at_once(codes: Any, left: int, tissue: Any, signal: Any, begin: int, end: int, sums: Any) -> None:
    """Add the signal of columns to the last two rows of the sums, as `_count_at_once` adds their pixels."""
    one, other = len(sums) - 2, len(sums) - 1
    for x in range(begin, end - 1, 2):
        sums[one, codes[left + x]] += np.int64(tissue[x]) * np.int64(signal[x])
        sums[other, codes[left + x + 1]] += np.int64(tissue[x + 1]) * np.int64(signal[x + 1])
    if (end - begin) % 2:
        sums[one, codes[left + end - 1]] += np.int64(tissue[end - 1]) * np.int64(signal[end - 1])
