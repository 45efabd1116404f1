"""segmenters: the compiled half of the kernels: pieces of rows through look-ups into classes and sums.

All of it in one file, because numba's cache on disk watches only the file of the function it compiled.
Called through ``wsi_area.segmenters.kernels``, which checks the shapes: nothing here checks a bound.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.segmenters.colour_rule import MAX_BANDS, UNITS_PER_MICRO_BITS

PIECE_PX = 2048  # output pixels worked on at once: 16 KiB of densities
FLAG_BITS = 56  # a look-up holds the density below and the number of foreground channels above
_FLAG_HALF = 1 << (FLAG_BITS - 1)
_COUNT_BITS = 40  # in the sums of a piece: pixels above, their signal below (2048 × 80 × 6e6 < 2^40)
_COUNT_ONE = 1 << _COUNT_BITS
_SIGNAL_MASK = _COUNT_ONE - 1
_SIGNAL_HALF = 1 << (UNITS_PER_MICRO_BITS - 1)
_RECIPROCAL_BITS = 50
_LARGEST_RECIPROCAL = 1 << 20  # boxes up to 1024 × 1024: see _mean


def machine_code(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled on its first call, without the GIL, and kept on disk for the next process.

    Where nothing can be written, neither beside the package nor in the user's cache (a container), it is
    compiled again by every process, which a warning says.
    """
    try:
        compiled: Callable[..., Any] = njit(nogil=True, cache=True)(function)
    except RuntimeError as error:  # numba's only word for "no place to cache"
        logging.getLogger(__name__).warning("%s; set NUMBA_CACHE_DIR to a folder that can be written", error)
        compiled = njit(nogil=True)(function)
    return compiled


@machine_code
def classify_tile(
    pixels: Any,
    pixel_stride: int,
    mask: Any,
    mask_stride: int,
    height: int,
    width: int,
    factor: int,
    tables: Any,
    bands: Any,
    column_weights: Any,
    row_weights: Any,
    out: Any,
    out_stride: int,
    counts: Any,
    signal: Any,
) -> None:
    """Work off a tile row by row, piece by piece."""
    out_height, out_width = row_weights.size, column_weights.size
    line = np.empty(PIECE_PX, np.int64)
    means = np.empty(PIECE_PX * 3, np.uint8)
    means_valid = np.empty(PIECE_PX, np.uint8)
    sums = np.empty(min(PIECE_PX * factor, width) * 3, np.uint32)
    classes = counts.size - 3
    # weight, and weighted signal, of what is class k or more; nothing is more than the last
    reached = np.zeros((2, MAX_BANDS + 3), np.int64)
    for start in range(0, out_width, PIECE_PX):
        length = min(PIECE_PX, out_width - start)
        weights = column_weights[start : start + length]
        uniform = _is_uniform(weights)
        for row in range(out_height):
            out_row = out[row * out_stride + start : row * out_stride + start + length]
            if factor == 1:
                at = row * pixel_stride + start * 3
                _look_up(pixels[at : at + length * 3], tables, line[:length])
                at = row * mask_stride + start
                row_valid = mask[at : at + length]  # empty without a mask
            else:
                all_valid = _reduce_row(
                    pixels, pixel_stride, mask, mask_stride, height, width, factor, row, start, length,
                    sums, means, means_valid,
                )  # fmt: skip
                _look_up(means[: length * 3], tables, line[:length])
                row_valid = means_valid[:0] if all_valid else means_valid[:length]
            reached[:] = 0
            _sort_piece(line[:length], bands, out_row, reached)
            reached *= weights[0]
            if row_valid.size or not uniform:
                unscanned = _correct_piece(line[:length], row_valid, weights, out_row, reached)
                counts[classes] += unscanned * row_weights[row]
            for k in range(classes):
                counts[k] += (reached[0, k] - reached[0, k + 1]) * row_weights[row]
                signal[k] += (reached[1, k] - reached[1, k + 1]) * row_weights[row]


@machine_code
def _look_up(rgb: Any, tables: Any, line: Any) -> None:
    """Write what the three channels of each pixel add up to."""
    triples = rgb.reshape(-1, 3)
    for x in range(line.size):
        line[x] = tables[triples[x, 0]] + tables[256 + np.intp(triples[x, 1])] + tables[512 + np.intp(triples[x, 2])]


@machine_code
def _sort_piece(line: Any, bands: Any, out: Any, reached: Any) -> None:
    """Write the classes; add how many pixels, and how much signal, reach each class or more.

    Without branches, so that the compiler makes vector code of it.
    """
    weak, moderate, strong = bands[0], bands[1], bands[2]
    sum0 = sum1 = sum2 = sum3 = sum4 = np.int64(0)
    for x in range(line.size):
        flags = (line[x] + _FLAG_HALF) >> FLAG_BITS
        units = line[x] - (flags << FLAG_BITS)
        in2 = np.int64(units >= weak)
        in3 = np.int64(units >= moderate)
        in4 = np.int64(units >= strong)
        in1 = np.int64(flags > 0) | in2
        out[x] = in1 + in2 + in3 + in4
        one = _COUNT_ONE + ((max(units, np.int64(0)) + _SIGNAL_HALF) >> UNITS_PER_MICRO_BITS)
        sum0 += one
        sum1 += one & -in1
        sum2 += one & -in2
        sum3 += one & -in3
        sum4 += one & -in4
    for k, total in enumerate((sum0, sum1, sum2, sum3, sum4)):
        reached[0, k] += total >> _COUNT_BITS
        reached[1, k] += total & _SIGNAL_MASK


@machine_code
def _correct_piece(line: Any, valid: Any, weights: Any, out: Any, reached: Any) -> Any:
    """Give each pixel its own weight where all were counted with the first; return the weight not valid.

    A pixel that is not valid has weight 0 and its own code.
    """
    unscanned = np.int64(0)
    for x in range(line.size):
        weight, reaches = weights[x], out[x]
        if valid.size and not valid[x]:
            out[x] = UNSCANNED_CODE
            unscanned += weight
            weight = np.int64(0)
        excess = weight - weights[0]
        if excess:
            units = line[x] - (((line[x] + _FLAG_HALF) >> FLAG_BITS) << FLAG_BITS)
            micro = (max(units, np.int64(0)) + _SIGNAL_HALF) >> UNITS_PER_MICRO_BITS
            for k in range(reaches + 1):
                reached[0, k] += excess
                reached[1, k] += excess * micro
    return unscanned


@machine_code
def _reduce_row(
    pixels: Any,
    pixel_stride: int,
    mask: Any,
    mask_stride: int,
    height: int,
    width: int,
    factor: int,
    row: int,
    start: int,
    length: int,
    sums: Any,
    means: Any,
    means_valid: Any,
) -> bool:
    """Write the box means of a piece of one output row; return whether every pixel under it is valid."""
    left, right = start * factor, min((start + length) * factor, width)
    top, bottom = row * factor, min((row + 1) * factor, height)
    span = right - left
    if mask.size:
        for y in range(top, bottom):
            if not _all_set(mask[y * mask_stride + left : y * mask_stride + right]):
                _reduce_masked(
                    pixels, pixel_stride, mask, mask_stride, left, right, top, bottom, factor, means, means_valid
                )
                return False
    sums[: span * 3] = 0
    for y in range(top, bottom):
        at = y * pixel_stride + left * 3
        _add_line(pixels[at : at + span * 3], sums)
    whole = span // factor
    rows = bottom - top
    box = rows * factor
    reciprocal = -(-(1 << _RECIPROCAL_BITS) // (2 * box)) if box <= _LARGEST_RECIPROCAL else 0
    for x in range(whole):
        red = green = blue = np.int64(0)
        for j in range(x * factor, (x + 1) * factor):
            red += sums[3 * j]
            green += sums[3 * j + 1]
            blue += sums[3 * j + 2]
        means[3 * x] = _mean(red, box, reciprocal)
        means[3 * x + 1] = _mean(green, box, reciprocal)
        means[3 * x + 2] = _mean(blue, box, reciprocal)
    rest = span - whole * factor  # the last column of the slide may be narrower
    if rest:
        for channel in range(3):
            total = np.int64(0)
            for j in range(whole * factor, span):
                total += sums[3 * j + channel]
            means[3 * whole + channel] = _mean(total, rows * rest, 0)
    return True


@machine_code
def _reduce_masked(
    pixels: Any,
    pixel_stride: int,
    mask: Any,
    mask_stride: int,
    left: int,
    right: int,
    top: int,
    bottom: int,
    factor: int,
    means: Any,
    means_valid: Any,
) -> None:
    """Write the box means of the valid pixels, and which boxes are at least half valid."""
    for x in range(-((left - right) // factor)):
        first, last = left + x * factor, min(left + (x + 1) * factor, right)
        red = green = blue = seen = np.int64(0)
        for y in range(top, bottom):
            for j in range(first, last):
                if mask[y * mask_stride + j]:
                    at = y * pixel_stride + 3 * j
                    red += pixels[at]
                    green += pixels[at + 1]
                    blue += pixels[at + 2]
                    seen += 1
        means_valid[x] = 2 * seen >= (bottom - top) * (last - first)
        count = max(seen, np.int64(1))
        means[3 * x] = _mean(red, count, 0)
        means[3 * x + 1] = _mean(green, count, 0)
        means[3 * x + 2] = _mean(blue, count, 0)


@machine_code
def _mean(total: int, count: int, reciprocal: int) -> int:
    """Return total / count rounded half up.

    By ``reciprocal`` = ceil(2^50 / 2n): exact while (2·total + n) · 2n < 2^50 (Granlund & Montgomery 1994),
    which holds for n up to 2^20 and bytes.
    """
    if reciprocal:
        return ((2 * total + count) * reciprocal) >> _RECIPROCAL_BITS
    return (2 * total + count) // (2 * count)


@machine_code
def _add_line(pixels: Any, sums: Any) -> None:
    """Add a line of bytes to its sums."""
    for i in range(pixels.size):
        sums[i] += pixels[i]


@machine_code
def _all_set(mask: Any) -> bool:
    """Return whether no byte is 0; without an early end, which would forbid vector code."""
    unset = 0
    for i in range(mask.size):
        unset |= mask[i] ^ 1
    return unset == 0


@machine_code
def _is_uniform(weights: Any) -> bool:
    """Return whether all weights are the same."""
    return bool((weights == weights[0]).all())
