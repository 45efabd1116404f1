"""compute: the compiled half of walking through the coded blocks of JPEGs, of five at once: none waits for memory.

The coded bytes of a picture become words of 64 bits, without stuffing; each restart interval begins a word. A block
has two slots, in which it is left what was looked at: for DC, and last for AC; behind the blocks of an interval stand
two where the walk halts. What was passed is one number, of which an entry is added to: bits, coefficients, slots.
"""

from typing import Any

import numpy as np

from wsi_area.compute.jpeg.compiled_codes import (
    BITS_PASSED,
    COEFFICIENTS,
    DIFFERENCE_AT,
    DOUBT,
    ENTRIES,
    ENTRY,
    LOOK_BITS,
    LOOKS,
    SLOT,
    one_symbol,
)
from wsi_area.compute.machine_code import native_part, native_piece

TOGETHER = 5
"""Pictures that are walked through at once: with more, what is known of each no longer stays in registers."""
HALT, IDLE = 4, 5
"""In place of the number of a table: DC and AC of the first component are 0 and 1, those of the others 2 and 3.

The entries of both say that nothing is passed; who idles does not keep the other from walking.
"""
LONG = 1 << 15
"""Added to what is left of DC that was longer than a look: then the rest is the difference itself, in 12 bits."""
LOST, WAITING = 1, 2
"""Slots from the last: where a picture without a way on halts, and where one that is none idles."""
_SLOT_AT = 13
_DIFFERENCE = (1 << 12) - 1
_HALTS = HALT * ENTRIES
_LOWEST = 0x0101010101010101
_HIGHEST = 0x8080808080808080


@native_part
def write_words(data: Any, at: int, end: int, words: Any, n: int) -> Any:
    """Write the words of an interval from the ``n``-th on.

    Return the place of the marker behind it, or ``end``; its first word, the one behind its last, and how many bits.
    """
    first, word, held = n, np.uint64(0), np.uint64(0)
    here, behind, one = np.uint64(at), np.uint64(end), np.uint64(1)
    while here < behind:
        if here + np.uint64(8) <= behind:
            some = _eight_bytes(data, here)
            marks = ((some & ~np.uint64(_HIGHEST)) + np.uint64(_LOWEST)) & some & np.uint64(_HIGHEST)
            if marks == 0:  # none is FF
                words[np.uint64(n)] = word | (some >> held)
                word = (some << one) << (np.uint64(63) - held)
                n += 1
                here += np.uint64(8)
                continue
            taken = _bytes_to_first(marks)
            if here + taken < behind and data[here + taken] == 0:
                empty = np.uint64(64) - np.uint64(8) * taken
                some = (some >> empty) << empty
                begun = word | (some >> held)
                words[np.uint64(n)] = begun
                is_full = held >= empty
                word = (some << one) << (np.uint64(63) - held) if is_full else begun
                held = (held - empty) & np.uint64(63)
                n += 1 if is_full else 0
                here += taken + one
                continue
        for _ in range(8):
            if here >= behind:
                break
            byte = np.uint64(data[here])
            if byte == 0xFF:
                if here + one >= behind or data[here + one] != 0:
                    words[np.uint64(n)] = word
                    return np.int64(here), first, n + 1, 64 * (n - first) + np.int64(held)
                here += one
            here += one
            word |= byte << (np.uint64(56) - held)
            held += np.uint64(8)
            if held == 64:
                words[np.uint64(n)] = word
                word, held = np.uint64(0), np.uint64(0)
                n += 1
    words[np.uint64(n)] = word
    return end, first, n + 1, 64 * (n - first) + np.int64(held)


@native_piece
def _bytes_to_first(marks: Any) -> Any:
    """Return how many bytes of a word there are up to the first with its highest bit set, with it; one is."""
    marks |= marks >> np.uint64(8)
    marks |= marks >> np.uint64(16)
    marks |= marks >> np.uint64(32)
    return np.uint64(9) - (((marks >> np.uint64(7)) * np.uint64(_LOWEST)) >> np.uint64(56))


@native_part
def _eight_bytes(data: Any, at: Any) -> Any:
    """Return eight bytes as one word, the first of them highest; the compiler makes one load of it."""
    return (
        (np.uint64(data[at]) << np.uint64(56))
        | (np.uint64(data[at + np.uint64(1)]) << np.uint64(48))
        | (np.uint64(data[at + np.uint64(2)]) << np.uint64(40))
        | (np.uint64(data[at + np.uint64(3)]) << np.uint64(32))
        | (np.uint64(data[at + np.uint64(4)]) << np.uint64(24))
        | (np.uint64(data[at + np.uint64(5)]) << np.uint64(16))
        | (np.uint64(data[at + np.uint64(6)]) << np.uint64(8))
        | np.uint64(data[at + np.uint64(7)])
    )


@native_part
def write_slots(mcus: int, together: int, first_blocks: int, mcu_blocks: int, slots: Any) -> None:
    """Write where the entries of each slot begin, of so many MCUs, and behind each restart interval two that halt."""
    slot = 0
    for mcu in range(mcus):
        for block in range(mcu_blocks):
            table = 0 if block < first_blocks else 2
            slots[slot], slots[slot + 1] = table * ENTRIES, (table + 1) * ENTRIES
            slot += 2
        if (mcu + 1) % together == 0 or mcu + 1 == mcus:
            slots[slot], slots[slot + 1] = _HALTS, _HALTS
            slot += 2


@native_piece
def look_at(words: Any, bit: Any) -> Any:
    """Return the 64 bits from some bit on."""
    word, shift = bit >> np.uint64(6), bit & np.uint64(63)
    return (words[word] << shift) | ((words[word + np.uint64(1)] >> np.uint64(1)) >> (np.uint64(63) - shift))


@native_piece
def _step(words: Any, look: Any, bit: Any, passed: Any, tables: Any, left: Any, lane: Any) -> Any:
    """Take what one entry says; return the bits ahead, the bit where they were looked up, and what is passed since."""
    entries, slots, kept, firsts = tables
    slot, index = passed >> np.uint64(_SLOT_AT), look >> np.uint64(64 - LOOK_BITS)
    left[lane, slot] = index
    entry = np.uint64(entries[np.uint64(slots[slot]) + index])
    now = passed + entry
    if now & np.uint64(DOUBT):
        bit += passed & np.uint64(BITS_PASSED)
        passed -= passed & np.uint64(BITS_PASSED)
        table = slots[slot] >> LOOK_BITS
        symbol = one_symbol(
            look_at(words, bit),
            np.int64((passed & np.uint64(COEFFICIENTS)) >> np.uint64(6)),
            kept[table],
            firsts[table],
        )
        if symbol == 0:
            return look, bit, np.uint64(len(slots) - LOST) << np.uint64(_SLOT_AT)
        left[lane, slot] = LONG | ((symbol >> DIFFERENCE_AT) & _DIFFERENCE)
        bit += np.uint64(symbol & BITS_PASSED)
        now = passed + np.uint64(symbol & (ENTRY - BITS_PASSED))
        look = look_at(words, bit)
    else:
        look <<= entry & np.uint64(BITS_PASSED)
    return look, bit, now if now & np.uint64(SLOT) else now & ~np.uint64(COEFFICIENTS)


@native_piece
def caught_up(bit: Any, passed: Any) -> Any:
    """Return the bit that is next, and what is passed but for bits."""
    some = passed & np.uint64(BITS_PASSED)
    return bit + some, passed - some


@native_part
def walk(states: Any, words: Any, left: Any, entries: Any, slots: Any, kept: Any, firsts: Any) -> None:
    """Walk through five pictures until one halts, or has come to the end of its bits.

    Each has a state (bit, what is passed, its last bit), and a row of what is left of its blocks; they share
    ``words``. The others go on from where they are. As many looks as are taken at once pass 60 bits at most: one load
    has them.
    """
    tables = entries, slots, kept, firsts
    bit_a, passed_a, last_a = states[0, 0], states[0, 1], states[0, 2]
    bit_b, passed_b, last_b = states[1, 0], states[1, 1], states[1, 2]
    bit_c, passed_c, last_c = states[2, 0], states[2, 1], states[2, 2]
    bit_d, passed_d, last_d = states[3, 0], states[3, 1], states[3, 2]
    bit_e, passed_e, last_e = states[4, 0], states[4, 1], states[4, 2]
    at = np.uint64(_SLOT_AT)
    while True:
        bit_a, passed_a = caught_up(bit_a, passed_a)
        bit_b, passed_b = caught_up(bit_b, passed_b)
        bit_c, passed_c = caught_up(bit_c, passed_c)
        bit_d, passed_d = caught_up(bit_d, passed_d)
        bit_e, passed_e = caught_up(bit_e, passed_e)
        if bit_a > last_a or bit_b > last_b:
            break
        if bit_c > last_c or bit_d > last_d:
            break
        if bit_e > last_e:
            break
        if slots[passed_a >> at] == _HALTS or slots[passed_b >> at] == _HALTS:
            break
        if slots[passed_c >> at] == _HALTS or slots[passed_d >> at] == _HALTS:
            break
        if slots[passed_e >> at] == _HALTS:
            break
        look_a, look_b = look_at(words, bit_a), look_at(words, bit_b)
        look_c, look_d = look_at(words, bit_c), look_at(words, bit_d)
        look_e = look_at(words, bit_e)
        for _ in range(LOOKS):
            look_a, bit_a, passed_a = _step(words, look_a, bit_a, passed_a, tables, left, 0)
            look_b, bit_b, passed_b = _step(words, look_b, bit_b, passed_b, tables, left, 1)
            look_c, bit_c, passed_c = _step(words, look_c, bit_c, passed_c, tables, left, 2)
            look_d, bit_d, passed_d = _step(words, look_d, bit_d, passed_d, tables, left, 3)
            look_e, bit_e, passed_e = _step(words, look_e, bit_e, passed_e, tables, left, 4)
    states[0, 0], states[0, 1] = bit_a, passed_a
    states[1, 0], states[1, 1] = bit_b, passed_b
    states[2, 0], states[2, 1] = bit_c, passed_c
    states[3, 0], states[3, 1] = bit_d, passed_d
    states[4, 0], states[4, 1] = bit_e, passed_e
