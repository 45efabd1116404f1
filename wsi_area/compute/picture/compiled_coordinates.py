"""compute: the compiled half of reading outlines out of JSON: the coordinates of polygons, without a list for a point.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``coordinates``: nothing here checks a bound, and the text ends on a byte 0, which ends all.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part

_QUOTE, _BACKSLASH, _COMMA, _COLON, _OPEN, _CLOSE = 34, 92, 44, 58, 91, 93
_MINUS, _PLUS, _POINT, _ZERO, _NINE, _LARGE_E, _SMALL_E = 45, 43, 46, 48, 57, 69, 101
_KEY = (99, 111, 111, 114, 100, 105, 110, 97, 116, 101, 115, 34)  # coordinates"
_EXACT = 1 << 53  # whole numbers up to this are exact
_EXACT_POWER = 22  # powers of 10 up to this are exact
_LONGEST = 300  # characters of a number
_AT, _VALUES, _RINGS, _POLYGONS, _HARD = 0, 1, 2, 3, 4  # what ``now`` holds: a place in the text, and what was written


def take_coordinates(
    text_at: Any, length: int, least: int, values_at: Any, most_values: int, rings_at: Any, polygons_at: Any,
    most_rings: int, hard_at: Any, most_hard: int, taken_at: Any, most_taken: int, now_at: Any,
) -> None:  # fmt: skip
    """Write the coordinates of all polygons of a text, of so many bytes ``least`` each.

    At these addresses lie: uint8 (length,), the text; for what is found, with room for all there can be: double, x and
    y in turn; int64, the points up to the end of each ring; int64, the rings up to the end of each polygon; int64
    (n, 3), numbers to be read by somebody else: which value, and where it begins and ends; int64 (n, 5), what was
    taken: where it begins and ends, how deep its numbers lie, and the rings and polygons up to its end. Last int64
    (6,), all 0: the place in the text, and how many values, rings, polygons, hard numbers and things taken there are.
    """
    text, now, taken = carray(text_at, length), carray(now_at, 6), carray(taken_at, (most_taken, 5))
    values, rings, polygons = (
        carray(values_at, most_values),
        carray(rings_at, most_rings),
        carray(polygons_at, most_rings),
    )
    hard = carray(hard_at, (most_hard, 3))
    at, count = 0, 0
    while at < length:
        if text[at] != _QUOTE or (at > 0 and text[at - 1] == _BACKSLASH) or not _is_key(text, at + 1):
            at += 1
            continue
        at = _past_space(text, at + 1 + len(_KEY))
        if text[at] != _COLON:
            continue
        at = _past_space(text, at + 1)
        if text[at] != _OPEN:
            continue
        before_values, before_rings, before_polygons, before_hard = (
            now[_VALUES],
            now[_RINGS],
            now[_POLYGONS],
            now[_HARD],
        )
        now[_AT] = at
        depth = _take(text, now, values, rings, polygons, hard)
        if depth and now[_AT] - at >= least:
            taken[count, 0], taken[count, 1], taken[count, 2] = at, now[_AT], depth
            taken[count, 3], taken[count, 4] = now[_RINGS], now[_POLYGONS]
            count += 1
            at = now[_AT]
        else:
            now[_VALUES], now[_RINGS], now[_POLYGONS], now[_HARD] = (
                before_values,
                before_rings,
                before_polygons,
                before_hard,
            )
            at += 1
    now[5] = count


@native_part
def _is_key(text: Any, at: int) -> bool:
    for i in range(len(_KEY)):  # noqa: SIM110 (a kernel)
        if text[at + i] != _KEY[i]:  # a text that ends has a 0 here
            return False
    return True


@native_part
def _past_space(text: Any, at: int) -> int:
    while text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9:
        at += 1
    return at


@native_part
def _take(text: Any, now: Any, values: Any, rings: Any, polygons: Any, hard: Any) -> int:
    """Read one list of rings, or of polygons; return how deep its numbers lie, 0 where it is anything else."""
    depth, at = 0, now[_AT]
    while text[at] == _OPEN:
        depth += 1
        at = _past_space(text, at + 1)
    if depth != 3 and depth != 4:
        return 0
    level, numbers = depth, 0
    now[_AT] = at
    while True:
        begin = now[_AT]
        if not _number(text, now, values, hard, numbers < 2) or now[_AT] - begin > _LONGEST:
            return 0
        numbers += 1
        at = _past_space(text, now[_AT])
        if text[at] == _COMMA:
            now[_AT] = _past_space(text, at + 1)
            continue
        if text[at] != _CLOSE or numbers < 2:
            return 0
        level, numbers = depth - 1, 0
        at = _past_space(text, at + 1)
        while text[at] == _CLOSE:
            if level == depth - 1:
                rings[now[_RINGS]] = now[_VALUES] // 2
                now[_RINGS] += 1
            elif level == depth - 2:
                polygons[now[_POLYGONS]] = now[_RINGS]
                now[_POLYGONS] += 1
            level -= 1
            if level == 0:
                now[_AT] = at + 1
                return depth
            at = _past_space(text, at + 1)
        if text[at] != _COMMA:
            return 0
        at = _past_space(text, at + 1)
        while level < depth:
            if text[at] != _OPEN:
                return 0
            level += 1
            at = _past_space(text, at + 1)
        now[_AT] = at


@native_part
def _number(text: Any, now: Any, values: Any, hard: Any, is_kept: bool) -> bool:
    """Read a number as JSON spells it; one that simple arithmetic does not make exactly is left to somebody else."""
    begin = now[_AT]
    at = begin + 1 if text[begin] == _MINUS else begin
    whole, digits, scale = 0, 0, 0
    if not _ZERO <= text[at] <= _NINE or (text[at] == _ZERO and _ZERO <= text[at + 1] <= _NINE):
        return False
    while _ZERO <= text[at] <= _NINE:
        whole, digits = _with_digit(whole, digits, text[at])
        at += 1
    if text[at] == _POINT:
        at += 1
        if not _ZERO <= text[at] <= _NINE:
            return False
        while _ZERO <= text[at] <= _NINE:
            whole, digits = _with_digit(whole, digits, text[at])
            scale -= 1
            at += 1
    has_exponent = text[at] == _LARGE_E or text[at] == _SMALL_E
    if has_exponent:
        at += 1
        if text[at] == _MINUS or text[at] == _PLUS:
            at += 1
        if not _ZERO <= text[at] <= _NINE:
            return False
        while _ZERO <= text[at] <= _NINE:
            at += 1
    now[_AT] = at
    if not is_kept:
        return True
    if has_exponent or digits > 18 or whole > _EXACT or scale < -_EXACT_POWER:
        row = now[_HARD]
        hard[row, 0], hard[row, 1], hard[row, 2] = now[_VALUES], begin, at
        now[_HARD] += 1
    else:
        power = 1.0
        for _ in range(-scale):
            power *= 10.0
        is_negative = text[begin] == _MINUS and (whole > 0 or scale < 0)  # a whole -0 is 0, and -0.0 is not
        values[now[_VALUES]] = -(whole / power) if is_negative else whole / power
    now[_VALUES] += 1
    return True


@native_part
def _with_digit(whole: int, digits: int, sign: int) -> tuple[int, int]:
    """Return a number with one digit more, and how many digits it has without zeros before them."""
    if digits > 18:
        return whole, digits
    whole = whole * 10 + (sign - _ZERO) if digits < 18 else whole
    return whole, digits + 1 if whole or digits else 0
