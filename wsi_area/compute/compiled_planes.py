"""compute: the compiled half of bit planes: eight codes become a byte of each plane, and codes again.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``wsi_area.compute.plane_frames``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_LOWEST_BITS = 0x0101010101010101
_BITS = 8


def write_planes(words_at: Any, count: int, planes_at: Any, present_at: Any) -> None:
    """Write the bit planes of codes, eight of which are a word, up to the highest bit that any has; say how many.

    At these addresses lie: uint64 (count,), little-endian; uint8 (8, count), the planes, each with its first code in
    the lowest bit of its first byte; int64 (1,), the number of planes that were written: the others would be 0.
    """
    words, planes, present = carray(words_at, (count,)), carray(planes_at, (_BITS * count,)), carray(present_at, (1,))
    some, written = _laid_over(words), 0
    for bit in range(_BITS):
        if some & (np.uint64(_LOWEST_BITS) << np.uint64(bit)):
            written = bit + 1
    for bit in range(written):
        plane = planes[bit * count : (bit + 1) * count]
        if some & (np.uint64(_LOWEST_BITS) << np.uint64(bit)):
            _write_plane(words, np.uint64(bit), plane)
        else:
            _clear(plane)
    present[0] = written


def write_codes(planes_at: Any, count: int, words_at: Any) -> None:
    """Write the codes of which these are the bit planes; addresses and layout are those of ``write_planes``."""
    words, planes = carray(words_at, (count,)), carray(planes_at, (_BITS * count,))
    _clear(words)
    for bit in range(_BITS):
        plane = planes[bit * count : (bit + 1) * count]
        if _laid_over(plane):
            _add_plane(plane, np.uint64(bit), words)


@native_part
def _laid_over(numbers: Any) -> Any:
    """Return the bits that any of the numbers has."""
    some = numbers.dtype.type(0)
    for i in range(numbers.size):
        some |= numbers[i]
    return some


@native_part
def _write_plane(words: Any, bit: Any, plane: Any) -> None:
    """Write one bit of each code; the bits of a word are drawn together in three steps."""
    for i in range(words.size):
        drawn = (words[i] >> bit) & np.uint64(_LOWEST_BITS)
        drawn |= drawn >> np.uint64(7)
        drawn |= drawn >> np.uint64(14)
        drawn |= drawn >> np.uint64(28)
        plane[i] = drawn & np.uint64(255)


@native_part
def _add_plane(plane: Any, bit: Any, words: Any) -> None:
    """Add one bit to each code; the bits of a byte are drawn apart in three steps."""
    for i in range(plane.size):
        drawn = np.uint64(plane[i])
        drawn = (drawn | drawn << np.uint64(28)) & np.uint64(0x0000000F0000000F)
        drawn = (drawn | drawn << np.uint64(14)) & np.uint64(0x0003000300030003)
        drawn = (drawn | drawn << np.uint64(7)) & np.uint64(_LOWEST_BITS)
        words[i] |= drawn << bit


@native_part
def _clear(numbers: Any) -> None:
    """Write 0 everywhere."""
    for i in range(numbers.size):
        numbers[i] = 0
