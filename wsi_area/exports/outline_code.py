"""exports: the Huffman code (RFC 1951) in which the text of outlines is packed, and the tables that packing looks up.

The text is ``[x,y],[x,y],…``, and mostly differs from the point before in some digits of one number. So it is packed as
digits of four bits each, and as repetitions of what stands one point before. The code is one for all outlines.
"""

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value

BELOW = 10**6
"""What coordinates must lie below: text of a number and the bracket before it are one word."""
_END, _LENGTHS, _CODES, _DISTANCES = 256, 257, 270, 8  # of symbols: the end, the first length, how many there are
_CODE_BITS = {
    **dict.fromkeys(b"0123456789", 4), **dict.fromkeys(b"[],", 5), ord("\n"): 7, _END: 11,
    257: 9, 258: 6, 259: 5, 260: 4, 261: 5, 262: 9, 263: 6, 264: 9, 265: 10, 266: 6, 267: 4, 268: 5, 269: 11,
}  # fmt: skip
"""Bits of each symbol, by what is frequent in outlines of stains: a byte, the end, a length from 257 on."""
_DISTANCE_BITS = {4: 3, 5: 3, 6: 1, 7: 2}
_LENGTHS_FROM = (
    (257, 3, 0), (258, 4, 0), (259, 5, 0), (260, 6, 0), (261, 7, 0), (262, 8, 0), (263, 9, 0), (264, 10, 0),
    (265, 11, 1), (266, 13, 1), (267, 15, 1), (268, 17, 1), (269, 19, 2),
)  # fmt: skip
_DISTANCES_FROM = ((4, 5, 1), (5, 7, 1), (6, 9, 2), (7, 13, 2))
"""Symbols, the first length or distance of each, and how many bits follow that say which."""


@frozen_value(eq=False)
class OutlineCode:
    """What packing looks up: bits, the first one lowest, and how many they are; int64."""

    begin: NDArray[np.int64]  # (n, 2), one after the other: what begins a block and says which code it is in
    marks: NDArray[np.int64]  # (8, 2), rows as ``packing_kernels`` has them
    lengths: NDArray[np.int64]  # (23, 2), by the length of a repetition
    distances: NDArray[np.int64]  # (17, 2), by its distance
    digits: NDArray[np.int64]  # (1000, 5): text and bits of three digits; of those without zeros before, and how many


def _code(bits: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Return the canonical code of symbols of some bits each."""
    found, code, before = {}, 0, 0
    for symbol, length in sorted(bits.items(), key=lambda item: (item[1], item[0])):
        code <<= length - before
        found[symbol] = (_turned(code, length), length)
        code, before = code + 1, length
    return found


def _turned(code: int, length: int) -> int:
    """Return a code with its first bit lowest."""
    return int(f"{code:0{length}b}"[::-1], 2)


def _together(*parts: tuple[int, int]) -> tuple[int, int]:
    """Return bits one after the other."""
    bits, count = 0, 0
    for value, length in parts:
        bits, count = bits | value << count, count + length
    return bits, count


def _with_rest(
    code: dict[int, tuple[int, int]], symbols: tuple[tuple[int, int, int], ...], most: int
) -> NDArray[np.int64]:
    """Return the bits of each length or distance, int64 (most + 1, 2)."""
    found = np.zeros((most + 1, 2), np.int64)
    for symbol, first, more in symbols:
        for rest in range(min(1 << more, most + 1 - first)):
            found[first + rest] = _together(code[symbol], (rest, more))
    return found


def _beginning() -> NDArray[np.int64]:
    """Return the bits that begin a block with a code of its own: they say how many bits each symbol has."""
    lengths = [_CODE_BITS.get(i, 0) for i in range(_CODES)] + [_DISTANCE_BITS.get(i, 0) for i in range(_DISTANCES)]
    kind, counts = (0b100, 3), [(_CODES - _LENGTHS, 5), (_DISTANCES - 1, 5), (15, 4)]
    of_lengths = [(0, 3)] * 3 + [(4, 3)] * 16  # the lengths 0 to 15 are written in four bits each; nothing else is
    return np.array([kind, *counts, *of_lengths, *((_turned(length, 4), 4) for length in lengths)], np.int64)


def _digits(code: dict[int, tuple[int, int]]) -> NDArray[np.int64]:
    found = np.zeros((1000, 5), np.int64)
    for number in range(1000):
        for column, text in ((0, f"{number:03}".encode()), (2, f"{number}".encode())):
            found[number, column] = int.from_bytes(text, "little")
            found[number, column + 1] = _together(*(code[digit] for digit in text))[0]
        found[number, 4] = len(str(number))
    return found


def _made() -> OutlineCode:
    code, distance = _code(_CODE_BITS), _code(_DISTANCE_BITS)
    end = _together(code[_END], (0, 3))  # behind it stands a block of no bytes, which begins on a whole one
    marks = [
        end,
        *(_together(*(code[byte] for byte in text)) for text in (b"[[", b"],\n[[", b",[", b"[", b",", b"]", b"],")),
    ]
    lengths, distances = _with_rest(code, _LENGTHS_FROM, 22), _with_rest(distance, _DISTANCES_FROM, 16)
    return OutlineCode(_beginning(), np.array(marks, np.int64), lengths, distances, _digits(code))


OUTLINE_CODE = _made()
