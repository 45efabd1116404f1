"""compute: the compiled half of a JPEG's coefficients: four pictures are walked through at once, each value written.

As ``compiled_walk``, whose words it reads, but each look takes one coefficient, since its value is wanted. Of the next
``LOOK_BITS`` bits an entry says what is passed, as ``compiled_codes`` has it, and above it the value. An end of block
that lies within the same bits is passed with it. Where an entry says nothing, its picture stays where it is until the
others have come to the end of their bits: nothing branches on the way.
"""

from typing import Any

import numpy as np

from wsi_area.compute.jpeg.compiled_codes import (
    BITS_PASSED,
    COEFFICIENT,
    COEFFICIENTS,
    DOUBT,
    ENTRIES,
    ENTRY,
    LOOK_BITS,
    PLACES,
    SLOT,
    signed,
)
from wsi_area.compute.jpeg.compiled_walk import LOST, caught_up, look_at
from wsi_area.compute.machine_code import native_part, native_piece

VALUE_AT = 16
"""Where the value stands in an entry."""
IDLES, HALTED, TABLES = 4, 8, 9
"""In place of the number of a table, where a picture idles or halts: nothing is passed; and how many numbers there are,
those between unused, so that one bit tells who halts."""
LANES = 4
"""Pictures that are walked through at once."""
BLOCKS_TOGETHER = 16
"""Blocks whose coefficients lie beside each other: as many as the longest vector of a processor has numbers of 32 bits.
"""
GROUP_SIZE = 64 * BLOCKS_TOGETHER
"""Of the coefficients of such blocks. Before all groups there is as much room as one coefficient of each takes, for
values that are none."""
_LOOKS = 5
"""For each load of 64 bits."""
_SLOT_AT, _COEFFICIENT_AT = 13, 6
"""In what is passed; and by how much its coefficients are more than their place among those of 16 blocks."""
_MOST_DC_BITS, _MOST_AC_BITS = 11, 10
"""Of a value, where samples have 8 bits (ITU T.81, tables F.1 and F.2)."""
_SIXTEEN_ZEROS = 0xF0
_LENGTH_AT = 8


@native_part
def write_valued(symbols: Any, is_dc: Any, entries: Any) -> None:
    """Write the entries of a table whose symbols are known: of each next ``LOOK_BITS`` bits one coefficient."""
    for look in range(ENTRIES):
        known = np.int64(symbols[look])
        length, run, bits = known >> _LENGTH_AT, (known >> 4) & 15, known & 15
        passed = length + bits
        if length == 0 or passed > LOOK_BITS or not _is_symbol(known & 255, is_dc):
            entries[look] = DOUBT
            continue
        value = signed((look >> (LOOK_BITS - passed)) & ((1 << bits) - 1), bits)
        if is_dc:
            entries[look] = (passed + SLOT + COEFFICIENT) | ((value & ENTRY) << VALUE_AT)
        elif known & 255 == 0:
            entries[look] = passed + SLOT + COEFFICIENT
        else:
            entry = passed + (run + 1) * COEFFICIENT
            behind = np.int64(symbols[(look << passed) & (ENTRIES - 1)])
            if behind & 255 == 0 and 0 < behind >> _LENGTH_AT <= LOOK_BITS - passed:
                entry += (behind >> _LENGTH_AT) + SLOT
            entries[look] = entry | ((value & ENTRY) << VALUE_AT)


@native_part
def _is_symbol(symbol: Any, is_dc: Any) -> Any:
    """Return True if a symbol may stand for a coefficient of a picture whose samples have 8 bits."""
    if is_dc:
        return symbol <= _MOST_DC_BITS
    return symbol & 15 <= _MOST_AC_BITS and (symbol & 15 > 0 or symbol == 0 or symbol == _SIXTEEN_ZEROS)


@native_part
def one_value(word: Any, coefficients: Any, table: Any, firsts: Any) -> Any:
    """Return the entry of one symbol alone, of any length; 0 if there is none, or it leads out of the block.

    ``coefficients`` is how many of the block are passed: none where that of DC is next.
    """
    length, symbol = np.int64(0), np.int64(0)
    for n in range(1, 17):
        code = np.int64(word >> np.uint64(64 - n))
        place = firsts[PLACES + n] + code - firsts[n]
        if code >= firsts[n] and place < firsts[PLACES + n + 1]:
            length, symbol = np.int64(n), np.int64(table[place])
            break
    is_dc = coefficients == 0
    if length == 0 or not _is_symbol(symbol, is_dc):
        return np.int64(0)
    run, bits = symbol >> 4, symbol & 15
    value = signed(np.int64((word << np.uint64(length)) >> np.uint64(64 - bits)), bits) if bits > 0 else 0
    if is_dc:
        return (length + bits + SLOT + COEFFICIENT) | ((value & ENTRY) << VALUE_AT)
    if symbol == 0:
        return np.int64(length + SLOT + COEFFICIENT)
    behind = coefficients + run + 1
    if behind > 64:
        return np.int64(0)
    return (length + bits + (run + 1) * COEFFICIENT + (SLOT if behind == 64 else 0)) | ((value & ENTRY) << VALUE_AT)


@native_piece
def _step(words: Any, look: Any, bit: Any, passed: Any, tables: Any, values: Any, from_place: Any) -> Any:
    """Write one coefficient; return the bits ahead, the bit where they were looked up, and what is passed since."""
    entries, offsets, bases, places, kept, firsts = tables
    slot = passed >> np.uint64(_SLOT_AT)
    entry = np.uint64(entries[np.uint64(offsets[slot]) + (look >> np.uint64(64 - LOOK_BITS))])
    now = passed + (entry & np.uint64(ENTRY))
    if now & np.uint64(DOUBT):
        bit, passed = _step_slowly(words, bit, passed, values, from_place, offsets, bases, places, kept, firsts)
        return look_at(words, bit), bit, passed
    place = np.uint64(places[now >> np.uint64(_COEFFICIENT_AT) & np.uint64(127)])
    values[from_place + np.uint64(bases[slot]) + place] = np.int16(np.uint16(entry >> np.uint64(VALUE_AT)))
    return (
        look << (entry & np.uint64(BITS_PASSED)),
        bit,
        now if now & np.uint64(SLOT) else now & ~np.uint64(COEFFICIENTS),
    )


@native_part
def _step_slowly(
    words: Any,
    bit: Any,
    passed: Any,
    values: Any,
    from_place: Any,
    offsets: Any,
    bases: Any,
    places: Any,
    kept: Any,
    firsts: Any,
) -> Any:
    """Write one coefficient of any code; return the bit behind it, and what is passed since.

    Where there is none, there is no way on.
    """
    bit += passed & np.uint64(BITS_PASSED)
    passed -= passed & np.uint64(BITS_PASSED)
    slot = passed >> np.uint64(_SLOT_AT)
    table = np.int64(offsets[slot]) >> LOOK_BITS
    coefficients = (np.int64(passed) & COEFFICIENTS) >> _COEFFICIENT_AT
    entry = one_value(look_at(words, bit), coefficients, kept[table], firsts[table])
    if entry == 0:
        return bit, np.uint64(len(offsets) - LOST) << np.uint64(_SLOT_AT)
    place = np.uint64(places[coefficients + ((entry & COEFFICIENTS) >> _COEFFICIENT_AT)])
    values[from_place + np.uint64(bases[slot]) + place] = np.int16(np.uint16(entry >> VALUE_AT))
    now = passed + np.uint64(entry & (ENTRY - BITS_PASSED))
    return bit + np.uint64(entry & BITS_PASSED), now if now & np.uint64(SLOT) else now & ~np.uint64(COEFFICIENTS)


@native_part
def walk_values(
    states: Any, words: Any, values: Any, lane_values: int, entries: Any, offsets: Any, bases: Any, places: Any,
    kept: Any, firsts: Any,
) -> None:  # fmt: skip
    """Walk through four pictures until one halts, or has come to the end of its bits.

    Each has a state (bit, what is passed, its last bit), and ``lane_values`` coefficients of ``values``. Of one that
    idles nothing has to be looked up.
    """
    tables = entries, offsets, bases, places, kept, firsts
    first, second, walking = 0, 0, 0
    for lane in range(LANES):
        if offsets[states[lane, 1] >> np.uint64(_SLOT_AT)] != IDLES * ENTRIES:
            first, second = (lane if walking == 0 else first), lane
            walking += 1
    if walking == 1:
        _walk_one(states[first], words, values, np.uint64(first * lane_values), tables)
    elif walking == 2:
        _walk_two(states[first], states[second], words, values, first * lane_values, second * lane_values, tables)
    else:
        _walk_four(states, words, values, lane_values, tables)


@native_part
def _walk_four(states: Any, words: Any, values: Any, lane_values: int, tables: Any) -> None:
    """Walk through four pictures, some of which may idle."""
    offsets = tables[1]
    bit_a, passed_a, last_a = states[0, 0], states[0, 1], states[0, 2]
    bit_b, passed_b, last_b = states[1, 0], states[1, 1], states[1, 2]
    bit_c, passed_c, last_c = states[2, 0], states[2, 1], states[2, 2]
    bit_d, passed_d, last_d = states[3, 0], states[3, 1], states[3, 2]
    from_a, from_b = np.uint64(0), np.uint64(lane_values)
    from_c, from_d = np.uint64(2 * lane_values), np.uint64(3 * lane_values)
    at = np.uint64(_SLOT_AT)
    while True:
        bit_a, passed_a = caught_up(bit_a, passed_a)
        bit_b, passed_b = caught_up(bit_b, passed_b)
        bit_c, passed_c = caught_up(bit_c, passed_c)
        bit_d, passed_d = caught_up(bit_d, passed_d)
        over = (last_a - bit_a) | (last_b - bit_b) | (last_c - bit_c) | (last_d - bit_d)
        halts = offsets[passed_a >> at] | offsets[passed_b >> at] | offsets[passed_c >> at] | offsets[passed_d >> at]
        if halts & np.uint16(HALTED * ENTRIES) or over >> np.uint64(63):
            break
        look_a, look_b = look_at(words, bit_a), look_at(words, bit_b)
        look_c, look_d = look_at(words, bit_c), look_at(words, bit_d)
        for _ in range(_LOOKS):
            look_a, bit_a, passed_a = _step(words, look_a, bit_a, passed_a, tables, values, from_a)
            look_b, bit_b, passed_b = _step(words, look_b, bit_b, passed_b, tables, values, from_b)
            look_c, bit_c, passed_c = _step(words, look_c, bit_c, passed_c, tables, values, from_c)
            look_d, bit_d, passed_d = _step(words, look_d, bit_d, passed_d, tables, values, from_d)
    states[0, 0], states[0, 1] = bit_a, passed_a
    states[1, 0], states[1, 1] = bit_b, passed_b
    states[2, 0], states[2, 1] = bit_c, passed_c
    states[3, 0], states[3, 1] = bit_d, passed_d


@native_part
def _walk_two(first: Any, second: Any, words: Any, values: Any, first_at: int, second_at: int, tables: Any) -> None:
    """Walk through two pictures."""
    offsets = tables[1]
    bit_a, passed_a, last_a = first[0], first[1], first[2]
    bit_b, passed_b, last_b = second[0], second[1], second[2]
    at, from_a, from_b = np.uint64(_SLOT_AT), np.uint64(first_at), np.uint64(second_at)
    while True:
        bit_a, passed_a = caught_up(bit_a, passed_a)
        bit_b, passed_b = caught_up(bit_b, passed_b)
        over = (last_a - bit_a) | (last_b - bit_b)
        halts = offsets[passed_a >> at] | offsets[passed_b >> at]
        if halts & np.uint16(HALTED * ENTRIES) or over >> np.uint64(63):
            break
        look_a, look_b = look_at(words, bit_a), look_at(words, bit_b)
        for _ in range(_LOOKS):
            look_a, bit_a, passed_a = _step(words, look_a, bit_a, passed_a, tables, values, from_a)
            look_b, bit_b, passed_b = _step(words, look_b, bit_b, passed_b, tables, values, from_b)
    first[0], first[1] = bit_a, passed_a
    second[0], second[1] = bit_b, passed_b


@native_part
def _walk_one(state: Any, words: Any, values: Any, from_place: Any, tables: Any) -> None:
    """Walk through one picture."""
    offsets = tables[1]
    bit, passed, last = state[0], state[1], state[2]
    while True:
        bit, passed = caught_up(bit, passed)
        if offsets[passed >> np.uint64(_SLOT_AT)] & np.uint16(HALTED * ENTRIES) or bit > last:
            break
        look = look_at(words, bit)
        for _ in range(_LOOKS):
            look, bit, passed = _step(words, look, bit, passed, tables, values, from_place)
    state[0], state[1] = bit, passed
