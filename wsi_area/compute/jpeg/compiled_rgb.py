"""compute: the compiled half of a JPEG's pixels: chroma for each pixel, and RGB, as libjpeg makes them.

Where chroma is stored for two pixels, libjpeg lets it change linearly between them ("fancy upsampling",
``jdsample.c``).
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import native_part, native_piece

LEAST_CHROMA = 3
"""Samples in a row from which libjpeg lets chroma change linearly."""
_RED_OF_CR, _GREEN_OF_CB, _GREEN_OF_CR, _BLUE_OF_CB = 91881, -22554, -46802, 116130
"""JFIF's matrix in 1/65536, as libjpeg rounds it."""
_HALF, _BITS, _MIDDLE = 1 << 15, 16, 128


@native_part
def widen(samples: Any, n: int, pairs: Any) -> None:
    """Write two pixels, in one uint16, for each of ``n`` samples of a row."""
    pairs[0] = _pair(samples[0], _quarter(samples[0], samples[1], 2))
    for i in range(1, n - 1):
        pairs[i] = _pair(_quarter(samples[i], samples[i - 1], 1), _quarter(samples[i], samples[i + 1], 2))
    pairs[n - 1] = _pair(_quarter(samples[n - 1], samples[n - 2], 1), samples[n - 1])


@native_part
def widen_between(near: Any, far: Any, n: int, sums: Any, pairs: Any) -> None:
    """Write two pixels, in one uint16, for each of ``n`` samples of a row, a quarter of which is the row beyond it."""
    for i in range(n):
        sums[i] = np.uint16(np.uint16(3) * np.uint16(near[i]) + np.uint16(far[i]))
    pairs[0] = _pair(_sixteenth(sums[0], sums[0], 8), _sixteenth(sums[0], sums[1], 7))
    for i in range(1, n - 1):
        pairs[i] = _pair(_sixteenth(sums[i], sums[i - 1], 8), _sixteenth(sums[i], sums[i + 1], 7))
    pairs[n - 1] = _pair(_sixteenth(sums[n - 1], sums[n - 2], 8), _sixteenth(sums[n - 1], sums[n - 1], 7))


@native_piece
def _quarter(near: Any, far: Any, rounding: int) -> Any:
    """Return three parts of one and one of the other."""
    return np.uint16(np.uint16(np.uint16(np.uint16(near) * np.uint16(3)) + far + rounding) >> 2)


@native_piece
def _sixteenth(near: Any, far: Any, rounding: int) -> Any:
    """Return three parts of one and one of the other, which are fourfold."""
    return np.uint16(np.uint16(np.uint16(np.uint16(near) * np.uint16(3)) + far + rounding) >> 4)


@native_piece
def _pair(first: Any, second: Any) -> Any:
    return np.uint16(first | np.uint16(second << 8))


@native_part
def write_rgb(luma: Any, blue: Any, red: Any, n: int, rgb: Any) -> None:
    """Write a row of ``n`` pixels of YCbCr as RGB."""
    for i in range(n):
        y, cb, cr = np.int32(luma[i]), _sum(blue[i], -_MIDDLE), _sum(red[i], -_MIDDLE)
        rgb[3 * i] = _cut(_sum(y, _rounded(_times(cr, _RED_OF_CR))))
        rgb[3 * i + 1] = _cut(_sum(y, _rounded(_sum(_times(cb, _GREEN_OF_CB), _times(cr, _GREEN_OF_CR)))))
        rgb[3 * i + 2] = _cut(_sum(y, _rounded(_times(cb, _BLUE_OF_CB))))


@native_part
def join_rgb(first: Any, second: Any, third: Any, n: int, rgb: Any) -> None:
    """Write a row of ``n`` pixels of RGB."""
    for i in range(n):
        rgb[3 * i] = first[i]
        rgb[3 * i + 1] = second[i]
        rgb[3 * i + 2] = third[i]


@native_piece
def _times(a: Any, b: Any) -> Any:
    """Return a product of 32 bits: numba's own has 64, and vectors hold half as many of these."""
    return np.int32(np.int32(a) * np.int32(b))


@native_piece
def _sum(a: Any, b: Any) -> Any:
    return np.int32(np.int32(a) + np.int32(b))


@native_piece
def _rounded(a: Any) -> Any:
    return np.int32(_sum(a, _HALF) >> _BITS)


@native_piece
def _cut(sample: Any) -> Any:
    """Return a sample within 0 to 255."""
    return np.uint8(min(max(np.int32(sample), np.int32(0)), np.int32(255)))
