"""segmenters: the compiled half of the kernels: pieces of rows through look-ups into classes and sums.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``wsi_area.segmenters.kernels``, which checks the shapes: nothing here checks a bound.
Numba widens whole numbers to 64 bits wherever it can; the casts keep them narrow, for twice the speed.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, njit

from wsi_area.compute.machine_code import native_part
from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.segmenters.colour_rule import MAX_BANDS
from wsi_area.segmenters.density import COMPACT_BITS, FLAG_BITS, PIECE_PX, UNITS_PER_MICRO_BITS

_FLAGS = (1 << FLAG_BITS) - 1
_COMPACT_SHIFT, _WIDE_SHIFT = COMPACT_BITS + FLAG_BITS, UNITS_PER_MICRO_BITS + FLAG_BITS
_BYTE_0, _BYTE_1, _BYTE_2, _BYTE_3 = (0, 8, 16, 24) if sys.byteorder == "little" else (24, 16, 8, 0)
_LARGEST_QUICK_FACTOR = 257  # rows of bytes that surely fit into 16 bits; larger boxes are added one by one
_RECIPROCAL_BITS = 50


def _unrolled_part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function written out at each call, so that a constant argument is known when it is compiled."""
    compiled: Callable[..., Any] = njit(nogil=True, inline="always", error_model="numpy")(function)
    return compiled


@native_part
def _copy(source: Any, target: Any) -> None:
    """Copy bytes."""
    for i in range(source.size):
        target[i] = source[i]


@native_part
def _clear(sums: Any) -> None:
    """Set the sums to 0."""
    for k in range(sums.shape[1]):
        sums[0, k] = sums[1, k] = 0


@native_part
def _lowest(samples: Any) -> Any:
    """Return the smallest byte."""
    lowest = np.uint8(255)
    for i in range(samples.size):
        lowest = min(lowest, samples[i])
    return lowest


@native_part
def _look_up(words: Any, tables: Any, line: Any, length: int) -> None:
    """Write what the three channels of each pixel add up to; four pixels are three words of four bytes.

    Past ``length`` up to 3 more are written, of whatever bytes lie there.
    """
    for x in range((length + 3) // 4):
        a, b, c = words[3 * x], words[3 * x + 1], words[3 * x + 2]
        line[4 * x] = (
            tables[(a >> _BYTE_0) & 255] + tables[256 + ((a >> _BYTE_1) & 255)] + tables[512 + ((a >> _BYTE_2) & 255)]
        )
        line[4 * x + 1] = (
            tables[(a >> _BYTE_3) & 255] + tables[256 + ((b >> _BYTE_0) & 255)] + tables[512 + ((b >> _BYTE_1) & 255)]
        )
        line[4 * x + 2] = (
            tables[(b >> _BYTE_2) & 255] + tables[256 + ((b >> _BYTE_3) & 255)] + tables[512 + ((c >> _BYTE_0) & 255)]
        )
        line[4 * x + 3] = (
            tables[(c >> _BYTE_1) & 255] + tables[256 + ((c >> _BYTE_2) & 255)] + tables[512 + ((c >> _BYTE_3) & 255)]
        )


@native_part
def _sort_piece(line: Any, limits: Any, out: Any, reached: Any) -> None:
    """Write the classes; say how many pixels, and how much signal, reach class 1, 2, 3, 4 or more.

    Without branches and in the width of the look-ups, so that the compiler makes vector code of it.
    """
    number = line.dtype.type
    shift = _COMPACT_SHIFT if line.itemsize == 4 else _WIDE_SHIFT
    half = number(1 << (shift - 1))
    weak, moderate, strong = limits[0], limits[1], limits[2]
    count1 = count2 = count3 = count4 = signal1 = signal2 = signal3 = signal4 = number(0)
    for x in range(line.size):
        density = line[x]
        in2, in3, in4 = number(density >= weak), number(density >= moderate), number(density >= strong)
        in1 = number(number((density & _FLAGS) != 0) | in2)
        micro = number(number(max(density, number(0)) + half) >> shift)
        out[x] = np.uint8(in1 + in2 + in3 + in4)
        count1, signal1 = number(count1 + in1), number(signal1 + micro * in1)
        count2, signal2 = number(count2 + in2), number(signal2 + micro * in2)
        count3, signal3 = number(count3 + in3), number(signal3 + micro * in3)
        count4, signal4 = number(count4 + in4), number(signal4 + micro * in4)
    counts, signals = reached
    counts[1], counts[2], counts[3], counts[4] = count1, count2, count3, count4
    signals[1], signals[2], signals[3], signals[4] = signal1, signal2, signal3, signal4
    if line.itemsize == 4:  # 256 × 2^24 overflows the sign, which is undone here
        for k in range(1, 5):
            signals[k] &= 0xFFFFFFFF


@native_part
def _correct_piece(line: Any, valid: Any, weights: Any, out: Any, reached: Any) -> Any:
    """Give each pixel its own weight where all were counted with the first; return the weight not valid.

    A pixel that is not valid has weight 0 and its own code.
    """
    shift = _COMPACT_SHIFT if line.itemsize == 4 else _WIDE_SHIFT
    unscanned = np.int64(0)
    for x in range(out.size):
        weight, reaches = weights[x], out[x]
        if valid.size and not valid[x]:
            out[x] = UNSCANNED_CODE
            unscanned += weight
            weight = np.int64(0)
        excess = weight - weights[0]
        if excess:
            reached[0, 0] += excess
            if reaches:  # the line was not looked up where all is background
                micro = (max(np.int64(line[x]), np.int64(0)) + (1 << (shift - 1))) >> shift
                for k in range(1, reaches + 1):
                    reached[0, k] += excess
                    reached[1, k] += excess * micro
    return unscanned


@native_part
def _mean(total: Any, count: Any) -> Any:
    """Return total / count rounded half up."""
    return (2 * total + count) // (2 * count)


@native_part
def _quick_mean(total: Any, count: Any, reciprocal: Any) -> Any:
    """Return total / count rounded half up, by ``reciprocal`` = ceil(2^50 / 2n).

    Exact while (2·total + n) · 2n < 2^50 (Granlund & Montgomery 1994), which holds for n up to 257² and bytes.
    """
    return ((2 * total + count) * reciprocal) >> _RECIPROCAL_BITS


@native_part
def _add_line(pixels: Any, sums: Any) -> None:
    """Add a line of bytes to its sums."""
    for i in range(pixels.size):
        sums[i] = np.uint16(sums[i] + pixels[i])


@native_part
def _all_set(mask: Any) -> bool:
    """Return whether no byte is 0; without an early end, which would forbid vector code."""
    return bool(_lowest(mask) != 0)


@_unrolled_part
def _across(sums: Any, whole: Any, factor: Any, rows: Any, samples: Any) -> None:
    """Write the means of whole boxes from the sums of their columns; a constant factor is unrolled."""
    box = rows * factor
    reciprocal = -(-(1 << _RECIPROCAL_BITS) // (2 * box))
    for x in range(whole):
        red = green = blue = np.int64(0)
        for j in range(factor):
            at = 3 * (x * factor + j)
            red += sums[at]
            green += sums[at + 1]
            blue += sums[at + 2]
        samples[3 * x] = _quick_mean(red, box, reciprocal)
        samples[3 * x + 1] = _quick_mean(green, box, reciprocal)
        samples[3 * x + 2] = _quick_mean(blue, box, reciprocal)


@native_part
def _reduce_whole(
    pixels: Any, width: int, left: int, right: int, top: int, bottom: int, factor: int, sums: Any, samples: Any
) -> None:
    """Write the box means of a piece of one output row in which every pixel is valid."""
    span = right - left
    for i in range(span * 3):
        sums[i] = 0
    for y in range(top, bottom):
        at = (y * width + left) * 3
        _add_line(pixels[at : at + span * 3], sums)
    whole, rows = span // factor, bottom - top
    if factor == 2:
        _across(sums, whole, 2, rows, samples)
    elif factor == 4:
        _across(sums, whole, 4, rows, samples)
    else:
        _across(sums, whole, factor, rows, samples)
    rest = span - whole * factor  # the last column of the slide may be narrower
    if rest:
        for channel in range(3):
            total = np.int64(0)
            for j in range(whole * factor, span):
                total += sums[3 * j + channel]
            samples[3 * whole + channel] = _mean(total, rows * rest)


@native_part
def _reduce_one_by_one(
    pixels: Any,
    mask: Any,
    width: int,
    left: int,
    right: int,
    top: int,
    bottom: int,
    factor: int,
    samples: Any,
    samples_valid: Any,
) -> None:
    """Write the box means of the valid pixels, and which boxes are at least half valid."""
    for x in range(-((left - right) // factor)):
        first, last = left + x * factor, min(left + (x + 1) * factor, right)
        red = green = blue = seen = np.int64(0)
        for y in range(top, bottom):
            for j in range(y * width + first, y * width + last):
                if not mask.size or mask[j]:
                    red += pixels[3 * j]
                    green += pixels[3 * j + 1]
                    blue += pixels[3 * j + 2]
                    seen += 1
        samples_valid[x] = 2 * seen >= (bottom - top) * (last - first)
        count = max(seen, np.int64(1))
        samples[3 * x] = _mean(red, count)
        samples[3 * x + 1] = _mean(green, count)
        samples[3 * x + 2] = _mean(blue, count)


@native_part
def _reduce_row(
    pixels: Any, mask: Any, height: int, width: int, factor: int, row: int, start: int, length: int,
    sums: Any, samples: Any, samples_valid: Any,
) -> bool:  # fmt: skip
    """Write the box means of a piece of one output row; return whether every pixel under it is valid."""
    left, right = start * factor, min((start + length) * factor, width)
    top, bottom = row * factor, min((row + 1) * factor, height)
    is_whole = True
    if mask.size:
        for y in range(top, bottom):
            is_whole = is_whole and _all_set(mask[y * width + left : y * width + right])
    if is_whole and factor <= _LARGEST_QUICK_FACTOR:
        _reduce_whole(pixels, width, left, right, top, bottom, factor, sums, samples)
    else:
        _reduce_one_by_one(pixels, mask, width, left, right, top, bottom, factor, samples, samples_valid)
    return is_whole


def classify_tile(
    pixels_at: Any,
    mask_at: Any,
    mask_px: int,
    height: int,
    width: int,
    factor: int,
    tables_at: Any,
    limits_at: Any,
    column_weights_at: Any,
    row_weights_at: Any,
    out_at: Any,
    out_width: int,
    out_height: int,
    out_stride: int,
    counts_at: Any,
    signal_at: Any,
    classes: int,
    words_at: Any,
    samples_at: Any,
    samples_valid_at: Any,
    line_at: Any,
    sums_at: Any,
    sums_length: int,
    reached_at: Any,
    total_at: Any,
) -> None:
    """Work off a tile whose arrays lie at these addresses; ``kernels`` has their types, and makes this machine code.

    ``tables`` and ``limits`` are all int32 or all int64; ``limits`` are the three bands and the byte from
    which on a colour is background. All arrays are contiguous but ``out``, whose rows lie ``out_stride`` bytes apart;
    a mask of 0 pixels means that all are valid. ``words`` and ``samples`` are the same memory; the last
    eight are scratch, for no memory may be taken here.
    """
    _classify(
        carray(pixels_at, height * width * 3),
        carray(mask_at, mask_px),
        height,
        width,
        factor,
        carray(tables_at, 768),
        carray(limits_at, MAX_BANDS + 1),
        carray(column_weights_at, out_width),
        carray(row_weights_at, out_height),
        carray(out_at, (out_height - 1) * out_stride + out_width),
        out_stride,
        carray(counts_at, classes + 3),
        carray(signal_at, classes),
        carray(words_at, PIECE_PX * 3 // 4),
        carray(samples_at, PIECE_PX * 3),
        carray(samples_valid_at, PIECE_PX),
        carray(line_at, PIECE_PX),
        carray(sums_at, sums_length),
        carray(reached_at, (2, MAX_BANDS + 3)),
        carray(total_at, (2, MAX_BANDS + 3)),
    )


@native_part
def _classify(
    pixels: Any, mask: Any, height: int, width: int, factor: int, tables: Any, limits: Any, column_weights: Any,
    row_weights: Any, out: Any, out_stride: int, counts: Any, signal: Any,
    words: Any, samples: Any, samples_valid: Any, line: Any, sums: Any, reached: Any, total: Any,
) -> None:  # fmt: skip
    """Work off a tile row by row, piece by piece.

    ``reached`` and ``total`` hold the weight, and the weighted signal, of what is class k or more; nothing is more
    than the last.
    """
    out_height, out_width = row_weights.size, column_weights.size
    _clear(total)
    classes = counts.size - 3
    for start in range(0, out_width, PIECE_PX):
        length = min(PIECE_PX, out_width - start)
        weights = column_weights[start : start + length]
        uniform = True
        for x in range(length):
            uniform = uniform and weights[x] == weights[0]
        for row in range(out_height):
            out_row = out[row * out_stride + start : row * out_stride + start + length]
            if factor == 1:
                at = row * width + start
                _copy(pixels[at * 3 : (at + length) * 3], samples)
                row_valid = mask[at : at + length]  # empty without a mask
            else:
                is_whole = _reduce_row(
                    pixels, mask, height, width, factor, row, start, length, sums, samples, samples_valid
                )
                row_valid = samples_valid[:0] if is_whole else samples_valid[:length]
            _clear(reached)
            if _lowest(samples[: length * 3]) >= limits[3]:
                for x in range(length):
                    out_row[x] = 0
            else:
                _look_up(words, tables, line, length)
                _sort_piece(line[:length], limits, out_row, reached)
            reached[0, 0] = length
            for k in range(classes):
                reached[0, k] *= weights[0]
                reached[1, k] *= weights[0]
            if row_valid.size or not uniform:
                unscanned = _correct_piece(line, row_valid, weights, out_row, reached)
                counts[classes] += unscanned * row_weights[row]
            for k in range(classes):
                total[0, k] += reached[0, k] * row_weights[row]
                total[1, k] += reached[1, k] * row_weights[row]
    for k in range(classes):
        counts[k] += total[0, k] - total[0, k + 1]
        signal[k] += total[1, k] - total[1, k + 1]
    signal[0] += total[1, 1]  # the background has none of it
