"""compute: the compiled half of a JPEG's samples: the inverse cosine transform, as libjpeg's accurate one rounds it.

It is that of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) in whole numbers, as in ``jidctint.c`` of libjpeg: the
same samples to the bit. Sixteen blocks are transformed side by side, so that nothing has to be turned.
"""

from typing import Any

import numpy as np

from wsi_area.compute.jpeg.compiled_values import BLOCKS_TOGETHER
from wsi_area.compute.machine_code import native_part, native_piece

_BITS, _FIRST_BITS = 13, 2
"""Of fractions: of the constants, and of what the first pass hands to the second."""
_FIRST_SHIFT, _SECOND_SHIFT = _BITS - _FIRST_BITS, _BITS + _FIRST_BITS + 3
_MIDDLE = 128
_F_0_298, _F_0_390, _F_0_541, _F_0_765, _F_0_899, _F_1_175 = 2446, 3196, 4433, 6270, 7373, 9633
_F_1_501, _F_1_847, _F_1_961, _F_2_053, _F_2_562, _F_3_072 = 12299, 15137, 16069, 16819, 20995, 25172
"""As ``jidctint.c`` names them."""
MOST_OF_BLOCK = 5000
"""Of the sizes of all coefficients of a block: up to it no sum of libjpeg's vectors of 16 bits runs over.

A first pass makes at most 4 · sqrt(2) times the sum of a column; 32 767 ÷ 5.66 is 5 789. A picture of 8 bits stays far
below, since the 64 of a block have a length of 1 024 together.
"""
_ROW = 8 * BLOCKS_TOGETHER


@native_part
def write_samples(values: Any, quanta: Any, between: Any, samples: Any, stride: int) -> Any:
    """Write the samples of 16 blocks beside each other; return the largest sum of sizes of coefficients of a block.

    ``values`` int16 begin with the coefficients, (64, 16), ``quanta`` int32 (64,) are their steps, both row by row.
    ``samples`` uint64 take eight samples in each; the rows lie ``stride`` apart. ``between`` int32 (65 * 16,) is for
    its own use.

    Indices begin at zero, in slices: what may be negative is not made a vector.
    """
    for b in range(BLOCKS_TOGETHER):
        between[8 * _ROW + b] = 0
    for column in range(8):
        for b in range(BLOCKS_TOGETHER):
            i = column * BLOCKS_TOGETHER + b
            a = (
                _times(values[i], quanta[column]),
                _times(values[i + _ROW], quanta[column + 8]),
                _times(values[i + 2 * _ROW], quanta[column + 16]),
                _times(values[i + 3 * _ROW], quanta[column + 24]),
                _times(values[i + 4 * _ROW], quanta[column + 32]),
                _times(values[i + 5 * _ROW], quanta[column + 40]),
                _times(values[i + 6 * _ROW], quanta[column + 48]),
                _times(values[i + 7 * _ROW], quanta[column + 56]),
            )
            size = _sum(_sum(_sum(_size(a[0]), _size(a[1])), _sum(_size(a[2]), _size(a[3]))),
                        _sum(_sum(_size(a[4]), _size(a[5])), _sum(_size(a[6]), _size(a[7]))))  # fmt: skip
            between[8 * _ROW + b] = _sum(between[8 * _ROW + b], size)
            out = _transformed(a)
            between[i] = _first(out[0])
            between[i + _ROW] = _first(out[1])
            between[i + 2 * _ROW] = _first(out[2])
            between[i + 3 * _ROW] = _first(out[3])
            between[i + 4 * _ROW] = _first(out[4])
            between[i + 5 * _ROW] = _first(out[5])
            between[i + 6 * _ROW] = _first(out[6])
            between[i + 7 * _ROW] = _first(out[7])
    for row in range(8):
        line = samples[row * stride :]
        for b in range(BLOCKS_TOGETHER):
            i = row * _ROW + b
            out = _transformed((
                between[i], between[i + BLOCKS_TOGETHER], between[i + 2 * BLOCKS_TOGETHER],
                between[i + 3 * BLOCKS_TOGETHER], between[i + 4 * BLOCKS_TOGETHER], between[i + 5 * BLOCKS_TOGETHER],
                between[i + 6 * BLOCKS_TOGETHER], between[i + 7 * BLOCKS_TOGETHER],
            ))  # fmt: skip
            line[b] = _four(out[0], out[1], out[2], out[3]) | (_four(out[4], out[5], out[6], out[7]) << np.uint64(32))
    most = np.int32(0)
    for b in range(BLOCKS_TOGETHER):
        most = max(most, between[8 * _ROW + b])
    return most


@native_piece
def _transformed(a: Any) -> Any:
    """Return eight numbers transformed, times ``1 << _BITS`` and sqrt(8)."""
    z = _times(_sum(a[2], a[6]), _F_0_541)
    t2, t3 = _sum(z, _times(a[6], -_F_1_847)), _sum(z, _times(a[2], _F_0_765))
    t0, t1 = np.int32(_sum(a[0], a[4]) << _BITS), np.int32(_less(a[0], a[4]) << _BITS)
    e0, e3, e1, e2 = _sum(t0, t3), _less(t0, t3), _sum(t1, t2), _less(t1, t2)
    z1, z2 = _times(_sum(a[7], a[1]), -_F_0_899), _times(_sum(a[5], a[3]), -_F_2_562)
    z3, z4 = _sum(a[7], a[3]), _sum(a[5], a[1])
    z5 = _times(_sum(z3, z4), _F_1_175)
    z3, z4 = _sum(_times(z3, -_F_1_961), z5), _sum(_times(z4, -_F_0_390), z5)
    o0 = _sum(_times(a[7], _F_0_298), _sum(z1, z3))
    o1 = _sum(_times(a[5], _F_2_053), _sum(z2, z4))
    o2 = _sum(_times(a[3], _F_3_072), _sum(z2, z3))
    o3 = _sum(_times(a[1], _F_1_501), _sum(z1, z4))
    return (
        _sum(e0, o3), _sum(e1, o2), _sum(e2, o1), _sum(e3, o0),
        _less(e3, o0), _less(e2, o1), _less(e1, o2), _less(e0, o3),
    )  # fmt: skip


@native_piece
def _times(a: Any, b: Any) -> Any:
    """Return a product of 32 bits: numba's own has 64, and vectors hold half as many of these."""
    return np.int32(np.int32(a) * np.int32(b))


@native_piece
def _size(a: Any) -> Any:
    return max(a, np.int32(-a))


@native_piece
def _sum(a: Any, b: Any) -> Any:
    return np.int32(np.int32(a) + np.int32(b))


@native_piece
def _less(a: Any, b: Any) -> Any:
    return np.int32(np.int32(a) - np.int32(b))


@native_piece
def _first(a: Any) -> Any:
    """Return what the first pass hands on."""
    return np.int32(_sum(a, 1 << (_FIRST_SHIFT - 1)) >> _FIRST_SHIFT)


@native_piece
def _sample(a: Any) -> Any:
    """Return a sample of what the second pass makes."""
    sample = np.int32(_sum(a, (_MIDDLE << _SECOND_SHIFT) + (1 << (_SECOND_SHIFT - 1))) >> _SECOND_SHIFT)
    return np.uint32(min(max(sample, np.int32(0)), np.int32(255)))


@native_piece
def _four(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return four samples, the first lowest."""
    low = _sample(a) | (_sample(b) << np.uint32(8))
    return np.uint64(np.uint32(low | (_sample(c) << np.uint32(16)) | (_sample(d) << np.uint32(24))))
