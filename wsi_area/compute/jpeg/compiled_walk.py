"""compute: the compiled half of walking through the coded blocks of JPEGs, of two at once: neither waits for memory.

The coded bytes of a picture become words of 64 bits, without stuffing; each restart interval begins a word. A block
has two slots, in which its entries are left: the first of DC, and one of AC; behind the blocks of an interval stand two
where the walk halts.
"""

from typing import Any

import numpy as np

from wsi_area.compute.jpeg.compiled_codes import LOOK_BITS, one_symbol
from wsi_area.compute.machine_code import native_part, native_piece

HALT, IDLE = 4, 5
"""In place of the number of a table: DC and AC of the first component are 0 and 1, those of the others 2 and 3.

The entries of both say that nothing is passed; who idles does not keep the other from walking.
"""
LOST, WAITING = 1, 2
"""Slots from the last: where a picture without a way on halts, and where one that is none idles."""
_OWED = 0x0101010101010101
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
            if (~some - np.uint64(_OWED)) & some & np.uint64(_HIGHEST) == 0:  # none is FF
                words[np.uint64(n)] = word | (some >> held)
                word = (some << one) << (np.uint64(63) - held) if held > 0 else np.uint64(0)
                n += 1
                here += np.uint64(8)
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
    """Write the table of each slot, of so many MCUs, and two slots that halt behind each restart interval."""
    slot = 0
    for mcu in range(mcus):
        for block in range(mcu_blocks):
            table = 0 if block < first_blocks else 2
            slots[slot], slots[slot + 1] = table, table + 1
            slot += 2
        if (mcu + 1) % together == 0 or mcu + 1 == mcus:
            slots[slot], slots[slot + 1] = HALT, HALT
            slot += 2


@native_piece
def _look(words: Any, bit: Any) -> Any:
    """Return the 64 bits from some bit on."""
    word, shift = bit >> np.uint64(6), bit & np.uint64(63)
    return (words[word] << shift) | ((words[word + np.uint64(1)] >> np.uint64(1)) >> (np.uint64(63) - shift))


@native_piece
def _step(
    words: Any, look: Any, bit: Any, passed: Any, slot: Any, entries: Any, slots: Any, kept: Any, firsts: Any, left: Any
) -> Any:
    """Take what one entry says; return the bits ahead, and the bit, the coefficients and the slot that are next."""
    entry = entries[np.uint64(slots[slot]), look >> np.uint64(64 - LOOK_BITS)]
    now = passed + (np.uint64(entry >> 8) & np.uint64(255))
    if now & np.uint64(64):
        table = slots[slot]
        entry = one_symbol(_look(words, bit), np.int64(passed), kept[table], firsts[table])
        if entry == 0:
            return look, bit, np.uint64(0), np.uint64(slots.size - LOST)
        now = passed + (np.uint64(entry >> 8) & np.uint64(255))
        bit += np.uint64(entry) & np.uint64(63)
        look = _look(words, bit)
    else:
        bit += np.uint64(entry) & np.uint64(63)
        look <<= np.uint64(entry) & np.uint64(63)
    left[slot] = entry
    passed = now & ((now >> np.uint64(7)) - np.uint64(1))
    return look, bit, passed, slot + ((np.uint64(entry) >> np.uint64(6)) & np.uint64(3))


@native_part
def walk(
    states: Any, words_a: Any, words_b: Any, left_a: Any, left_b: Any, entries: Any, slots: Any, kept: Any, firsts: Any
) -> None:
    """Walk through two pictures until either halts, or has come to the end of its bits.

    Each has a state (bit, coefficients passed, slot, and its last bit), words, and what is left of its blocks. The
    other one goes on from where it is. Two entries take 44 bits at most, so that a look lasts for three.
    """
    bit_a, passed_a, slot_a, last_a = states[0, 0], states[0, 1], states[0, 2], states[0, 3]
    bit_b, passed_b, slot_b, last_b = states[1, 0], states[1, 1], states[1, 2], states[1, 3]
    while slots[slot_a] != HALT and slots[slot_b] != HALT and bit_a <= last_a and bit_b <= last_b:
        look_a, look_b = _look(words_a, bit_a), _look(words_b, bit_b)
        for _ in range(3):
            look_a, bit_a, passed_a, slot_a = _step(
                words_a, look_a, bit_a, passed_a, slot_a, entries, slots, kept, firsts, left_a
            )
            look_b, bit_b, passed_b, slot_b = _step(
                words_b, look_b, bit_b, passed_b, slot_b, entries, slots, kept, firsts, left_b
            )
    states[0, 0], states[0, 1], states[0, 2] = bit_a, passed_a, slot_a
    states[1, 0], states[1, 1], states[1, 2] = bit_b, passed_b, slot_b
