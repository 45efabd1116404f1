"""exports: the compiled half of packed outlines: polygons as text and, beside it, as a block of deflate (RFC 1951).

Text and bits are put together in words of 64 bits.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``outline_texts``, which gives the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part

END, FIRST_RING, OUTER_RING, INNER_RING, OPEN, COMMA, CLOSE, CLOSE_COMMA = range(8)
"""Marks: the end of a block; what stands before the first ring, a ring round a region and one round a hole; signs."""
_FIRST_TEXT, _OUTER_TEXT, _INNER_TEXT = 0x5B5B, 0x5B5B0A2C5D, 0x5B2C  # "[[", "],\n[[", ",["; the first byte lowest
_OPEN, _COMMA, _CLOSE_COMMA, _CLOSE_CLOSE = 0x5B, 0x2C, 0x2C5D, 0x5D5D


@native_part
def _put(words: Any, at: int, word: int, used: int, value: int, bits: int) -> Any:
    """Write some bits, at most 56, behind those of a word that are used; return where the next ones go."""
    word |= value << used
    words[at] = word
    end = used + bits
    rest = value >> 1 >> (63 - used)  # chosen without a jump, which nobody could foretell
    return at + (end >> 6), rest if end >= 64 else word, end & 63


@native_part
def _number(digits: Any, number: int) -> Any:
    """Return a number below a million as text and as bits, and how many digits it has."""
    thousands = number // 1000
    rest = number - 1000 * thousands
    if thousands == 0:
        return digits[rest, 2], digits[rest, 3], digits[rest, 4]
    n = digits[thousands, 4]
    return digits[thousands, 2] | digits[rest, 0] << 8 * n, digits[thousands, 3] | digits[rest, 1] << 4 * n, n + 3


@native_part
def _alike(one: int, other: int) -> int:
    """Return how many digits at the begin of two numbers are the same, at most five."""
    d = one ^ other
    return (
        int((d & 0xFF) == 0) + int((d & 0xFFFF) == 0) + int((d & 0xFFFFFF) == 0) + int((d & 0xFFFFFFFF) == 0)
        + int((d & 0xFFFFFFFFFF) == 0)
    )  # fmt: skip


@native_part
def _again(lengths: Any, distances: Any, length: int, distance: int) -> Any:
    """Return the bits that repeat what stands before, and how many they are."""
    n = lengths[length, 1]
    return lengths[length, 0] | distances[distance, 0] << n, n + distances[distance, 1]


@native_part
def _with_digits(value: int, n: int, bits: int, first: int, count: int) -> Any:
    """Return bits with those of a number's digits behind them, from one of them on."""
    return value | bits >> 4 * first << n, n + 4 * (count - first)


def pack_polygons(
    points_at: Any, points: int, ends_at: Any, is_outer_at: Any, rings: int, chosen_at: Any, chosen: int,
    has_begun: int, begin_at: Any, begins: int, marks_at: Any, lengths_at: Any, longest: int, distances_at: Any,
    farthest: int, digits_at: Any, text_at: Any, words: int, packed_at: Any, packed_words: int, sizes_at: Any,
) -> None:  # fmt: skip
    """Write some rings as the coordinates of polygons, none of them closed, as text and as a block.

    A point is held against the one before it in its ring: digits that differ are written, and what is the same
    before, between and behind them is repeated from there, if both points have as many digits.

    At these addresses lie: ``points`` int32 (n, 2), of all rings, from 0 to 999 999, and ``ends`` int64 (rings,);
    ``is_outer`` bool (rings,): these begin a polygon, and the others go on with the one before; ``chosen`` int64, the
    rings to write, ascending; ``begin``, ``marks``, ``lengths``, ``distances`` and ``digits``, the code as
    ``OutlineCode`` has it. ``has_begun``: whether a polygon stands before, which the first ends. Written: ``text`` and
    ``packed`` int64, long enough; ``sizes`` int64 (2,), the bytes of both.
    """
    _pack_polygons(
        carray(points_at, (points, 2)), carray(ends_at, rings), carray(is_outer_at, rings), carray(chosen_at, chosen),
        has_begun, carray(begin_at, (begins, 2)), carray(marks_at, (8, 2)), carray(lengths_at, (longest, 2)),
        carray(distances_at, (farthest, 2)), carray(digits_at, (1000, 5)), carray(text_at, words),
        carray(packed_at, packed_words), carray(sizes_at, 2),
    )  # fmt: skip


@native_part
def _pack_polygons(
    points: Any, ends: Any, is_outer: Any, chosen: Any, has_begun: int, begin: Any, marks: Any, lengths: Any,
    distances: Any, digits: Any, text: Any, packed: Any, sizes: Any,
) -> None:  # fmt: skip
    t_at, t_word, t_used, at, word, used = 0, 0, 0, 0, 0, 0
    for i in range(len(begin)):
        at, word, used = _put(packed, at, word, used, begin[i, 0], begin[i, 1])
    for ring in chosen:
        if not is_outer[ring]:
            mark, before, before_bits = INNER_RING, _INNER_TEXT, 16
        elif has_begun != 0:
            mark, before, before_bits = OUTER_RING, _OUTER_TEXT, 40
        else:
            mark, before, before_bits = FIRST_RING, _FIRST_TEXT, 16
        has_begun = 1
        t_at, t_word, t_used = _put(text, t_at, t_word, t_used, before, before_bits)
        at, word, used = _put(packed, at, word, used, marks[mark, 0], marks[mark, 1])
        first, last = ends[ring - 1] if ring else 0, ends[ring]
        old_x, old_y, x_text, y_text, x_bits, y_bits, x_n, y_n = -1, -1, 0, 0, 0, 0, 0, 0
        same = 0  # bytes that are to be repeated
        for i in range(first, last + 1):
            corner = i if i < last else first  # the first of a ring is its last again
            x, y = int(points[corner, 0]), int(points[corner, 1])
            old_x_text, old_x_n, old_y_text, old_y_n = x_text, x_n, y_text, y_n
            if x != old_x:
                x_text, x_bits, x_n = _number(digits, x)
            if y != old_y:
                y_text, y_bits, y_n = _number(digits, y)
            t_at, t_word, t_used = _put(text, t_at, t_word, t_used, _OPEN | x_text << 8, 8 + 8 * x_n)
            t_at, t_word, t_used = _put(text, t_at, t_word, t_used, _COMMA | y_text << 8, 8 + 8 * y_n)
            t_at, t_word, t_used = _put(text, t_at, t_word, t_used, _CLOSE_COMMA if i < last else _CLOSE_CLOSE, 16)
            more, more_n = 0, 0
            if (x_n != old_x_n) | (y_n != old_y_n):
                value, n = 0, 0
                if same == 2:
                    value, n = marks[CLOSE_COMMA, 0], marks[CLOSE_COMMA, 1]
                elif same:
                    value, n = _again(lengths, distances, same, old_x_n + old_y_n + 4)
                value, n = _with_digits(value | marks[OPEN, 0] << n, n + marks[OPEN, 1], x_bits, 0, x_n)
                more, more_n = _with_digits(marks[COMMA, 0], marks[COMMA, 1], y_bits, 0, y_n)
                same = 2
                if i == first:  # other signs stand before it
                    more, more_n = more | marks[CLOSE_COMMA, 0] << more_n, more_n + marks[CLOSE_COMMA, 1]
                    same = 0
            elif x == old_x:
                alike = min(_alike(y_text, old_y_text), y_n - 1)
                value, n = _again(lengths, distances, same + 2 + x_n + alike, x_n + y_n + 4)
                value, n = _with_digits(value, n, y_bits, alike, y_n)
                same = 2
            else:
                alike, value, n = _alike(x_text, old_x_text), marks[OPEN, 0], marks[OPEN, 1]
                if same + 1 + alike >= 3:
                    value, n = _again(lengths, distances, same + 1 + alike, x_n + y_n + 4)
                else:
                    alike = 0
                value, n = _with_digits(value, n, x_bits, alike, x_n)
                same = y_n + 3
                if y != old_y:
                    more, more_n = _with_digits(marks[COMMA, 0], marks[COMMA, 1], y_bits, 0, y_n)
                    same = 2
            at, word, used = _put(packed, at, word, used, value, n)
            if more_n:
                at, word, used = _put(packed, at, word, used, more, more_n)
            old_x, old_y = x, y
        # two brackets end a ring, of which the second stands where a comma would be repeated
        value, n = marks[CLOSE, 0], marks[CLOSE, 1]
        if same > 3:
            value, n = _again(lengths, distances, same - 1, x_n + y_n + 4)
        at, word, used = _put(packed, at, word, used, value | marks[CLOSE, 0] << n, n + marks[CLOSE, 1])
    at, word, used = _put(packed, at, word, used, marks[END, 0], marks[END, 1])
    at, word, used = _put(packed, at, word, used, 0, -used % 8)
    at, word, used = _put(packed, at, word, used, 0xFFFF0000, 32)
    text[t_at], packed[at] = t_word, word  # of which some bits are used
    sizes[0], sizes[1] = 8 * t_at + t_used // 8, 8 * at + used // 8
