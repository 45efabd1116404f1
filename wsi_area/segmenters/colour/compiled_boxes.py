"""segmenters: the compiled half of the kernels' first step: level pixels into the means of boxes.

Part of the machine code of ``compiled.classify_patches``, which is made anew where this file changes. Nothing here
checks a bound.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from wsi_area.compute.machine_code import native_part

_LARGEST_QUICK_FACTOR = 257  # rows of bytes that surely fit into 16 bits; larger boxes are added one by one
_RECIPROCAL_BITS = 50


def _unrolled_part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function written out at each call, so that a constant argument is known when it is compiled."""
    compiled: Callable[..., Any] = njit(nogil=True, inline="always", error_model="numpy")(function)
    return compiled


@native_part
def lowest(samples: Any) -> Any:
    """Return the smallest byte."""
    least = np.uint8(255)
    for i in range(samples.size):
        least = min(least, samples[i])
    return least


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
    """Return True if no byte is 0; without an early end, which would forbid vector code."""
    return bool(lowest(mask) != 0)


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
    pixels: Any, stride: int, left: int, right: int, top: int, bottom: int, factor: int, sums: Any, samples: Any
) -> None:
    """Write the box means of a piece of one output row in which every pixel is valid."""
    span = right - left
    for i in range(span * 3):
        sums[i] = 0
    for y in range(top, bottom):
        at = y * stride + 3 * left
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
    stride: int,
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
            for j in range(first, last):
                if not mask.size or mask[y * width + j]:
                    at = y * stride + 3 * j
                    red += pixels[at]
                    green += pixels[at + 1]
                    blue += pixels[at + 2]
                    seen += 1
        samples_valid[x] = 2 * seen >= (bottom - top) * (last - first)
        count = max(seen, np.int64(1))
        samples[3 * x] = _mean(red, count)
        samples[3 * x + 1] = _mean(green, count)
        samples[3 * x + 2] = _mean(blue, count)


@native_part
def reduce_row(
    pixels: Any, stride: int, mask: Any, height: int, width: int, factor: int, row: int, start: int, length: int,
    sums: Any, samples: Any, samples_valid: Any,
) -> bool:  # fmt: skip
    """Write the box means of a piece of one output row; return whether every pixel under it is valid.

    The rows of ``pixels`` lie ``stride`` bytes apart, those of ``mask`` the width.
    """
    left, right = start * factor, min((start + length) * factor, width)
    top, bottom = row * factor, min((row + 1) * factor, height)
    is_whole = True
    if mask.size:
        for y in range(top, bottom):
            is_whole = is_whole and _all_set(mask[y * width + left : y * width + right])
    if is_whole and factor <= _LARGEST_QUICK_FACTOR:
        _reduce_whole(pixels, stride, left, right, top, bottom, factor, sums, samples)
    else:
        _reduce_one_by_one(pixels, stride, mask, width, left, right, top, bottom, factor, samples, samples_valid)
    return is_whole
