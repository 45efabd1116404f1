"""compute: the compiled half of bit planes: eight codes become a byte of each plane.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``wsi_area.compute.bit_planes``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_LOWEST_BITS = 0x0101010101010101
_BITS = 8


def write_planes(words_at: Any, count: int, planes_at: Any, present_at: Any) -> None:
    """Write the bit planes of codes, eight of which are a word, and which bits any of them has.

    At these addresses lie: uint64 (count,), little-endian; uint8 (8, count), the planes, each with its first code in
    the lowest bit of its first byte; uint64 (1,), the words laid over one another.
    """
    words, planes, present = carray(words_at, (count,)), carray(planes_at, (_BITS * count,)), carray(present_at, (1,))
    present[0] = _laid_over(words)
    for bit in range(_BITS):
        plane = planes[bit * count : (bit + 1) * count]
        if present[0] & (np.uint64(_LOWEST_BITS) << np.uint64(bit)):
            _write_plane(words, np.uint64(bit), plane)
        else:
            _clear(plane)


@native_part
def _laid_over(words: Any) -> Any:
    """Return which bits any word has."""
    some = np.uint64(0)
    for i in range(words.size):
        some |= words[i]
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
def _clear(plane: Any) -> None:
    """Write a plane of a bit that no code has."""
    for i in range(plane.size):
        plane[i] = 0
