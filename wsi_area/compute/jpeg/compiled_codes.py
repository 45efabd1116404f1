"""compute: the compiled half of a JPEG's codes: tables that pass over several symbols with one look.

An entry says, of the next ``LOOK_BITS`` bits, how many bits may be passed (bits 0 to 5), how many coefficients (6 to
12), and how many slots (13 on), so that it can be added to what was passed before. An entry without bits has 64
coefficients: there is no such code, or it is longer, or its value does not lie within these bits. By how much DC
differs stands in a table of its own, by the same bits: it is not needed on the way.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import native_part

LOOK_BITS = 12
ENTRIES = 1 << LOOK_BITS
LOOKS, MOST_BITS = 4, 15
"""Looks for each load of 64 bits, and how many bits each passes at most: what it stands for may lie beyond a look."""
PLACES = 18
BITS_PASSED, COEFFICIENT, SLOT = 63, 1 << 6, 1 << 13
"""In an entry: the bits that are passed, one coefficient, and one slot."""
COEFFICIENTS, DOUBT = 127 * COEFFICIENT, 64 * COEFFICIENT
"""All coefficients of an entry, and those of one that says nothing; so many in a block are in doubt as well."""
DIFFERENCE_AT, ENTRY = 16, (1 << 16) - 1
"""Of one symbol alone: where the difference of DC stands, above its entry."""
_LAST = 63
_MOST_VALUE_BITS = 10
"""Of a coefficient of 8-bit samples; more would leave less to look at than the loop needs."""
_ZEROS_ALONE = 15
"""The run of zeros that may stand without a coefficient behind it."""


@native_part
def is_same_table(data: Any, at: int, kept: Any) -> Any:
    """Return True if a code table is the one that is kept."""
    same = True
    for i in range(_table_bytes(data, at)):
        same = same and kept[i] == data[at + i]
    return same


@native_part
def keep_table(data: Any, at: int, kept: Any) -> None:
    """Keep a code table."""
    for i in range(_table_bytes(data, at)):
        kept[i] = data[at + i]


@native_part
def _table_bytes(data: Any, at: int) -> Any:
    """Return the length of a code table: how many codes of each length, then their symbols."""
    size = np.int64(16)
    for length in range(16):
        size += np.int64(data[at + length])
    return size


@native_part
def find_firsts(table: Any, firsts: Any) -> None:
    """Write for each length the first code of it, and the place of its symbol (``PLACES`` on)."""
    code, place = np.int64(0), np.int64(16)
    for length in range(1, 17):
        firsts[length], firsts[PLACES + length] = code, place
        place += np.int64(table[length - 1])
        code = (code + np.int64(table[length - 1])) << 1
    firsts[PLACES + 17] = place


@native_part
def write_symbols(table: Any, symbols: Any) -> None:
    """Write for the next bits the first symbol and the length of its code (bits 8 on); 0 where it is longer."""
    for i in range(ENTRIES):
        symbols[i] = 0
    code, place = 0, 16
    for length in range(1, LOOK_BITS + 1):
        free = LOOK_BITS - length
        for _ in range(np.int64(table[length - 1])):
            for i in range(code << free, (code + 1) << free):
                symbols[i] = (length << 8) | np.int64(table[place])
            code += 1
            place += 1
        code <<= 1


@native_part
def write_entries(dc_symbols: Any, ac_symbols: Any, dc: Any, ac: Any, differences: Any) -> None:
    """Write the entries for bits that begin with a DC coefficient, and with an AC coefficient; how much DC differs."""
    for look in range(ENTRIES):
        length, bits = np.int64(dc_symbols[look]) >> 8, np.int64(dc_symbols[look]) & 255
        if length == 0 or length + bits > LOOK_BITS:
            dc[look], differences[look] = DOUBT, 0
        else:
            value = (look >> (LOOK_BITS - length - bits)) & ((1 << bits) - 1)
            dc[look], differences[look] = _entry(ac_symbols, look, length + bits, 1), signed(value, bits)
        ac[look] = _entry(ac_symbols, look, 0, 0)


@native_part
def signed(value: Any, bits: Any) -> Any:
    """Return the number that a coefficient's bits stand for (T.81, F.2.2.1)."""
    return value - (1 << bits) + 1 if bits > 0 and value < (1 << (bits - 1)) else value


@native_part
def _entry(ac_symbols: Any, look: int, passed: Any, coefficients: Any) -> Any:
    """Return an entry: what follows some bits that are passed already, as far as it is known."""
    slots, ends = coefficients, 0
    while passed < LOOK_BITS and ends == 0:
        known = np.int64(ac_symbols[(look << passed) & (ENTRIES - 1)])
        length, run, bits = known >> 8, (known >> 4) & 15, known & 15
        if length == 0 or length > LOOK_BITS - passed or passed + length + bits > MOST_BITS:
            break
        if (bits == 0 and 0 < run < _ZEROS_ALONE) or (known & 255 != 0 and coefficients + run >= _LAST):
            break
        if known & 255 == 0:
            ends = 1
        else:
            coefficients += run + 1
        passed += length + bits
    if passed == 0:
        return DOUBT
    return passed + (slots + ends) * SLOT + coefficients * COEFFICIENT


@native_part
def one_symbol(word: Any, coefficients: int, table: Any, firsts: Any) -> Any:
    """Return the entry of one symbol alone, of any length, and above it by how much DC differs.

    It is 0 if there is none, or it leads out of the block.

    ``coefficients`` is how many of the block are passed: none where that of DC is next.
    """
    for length in range(1, 17):
        code = np.int64(word >> np.uint64(64 - length))
        place = firsts[PLACES + length] + code - firsts[length]
        if code >= firsts[length] and place < firsts[PLACES + length + 1]:
            symbol = np.int64(table[place])
            run, bits = symbol >> 4, symbol & 15
            if coefficients == 0:
                if symbol > _MOST_VALUE_BITS + 1:
                    return 0
                value = np.int64((word << np.uint64(length)) >> np.uint64(64 - bits)) if bits > 0 else 0
                return (length + bits) + SLOT + COEFFICIENT + (signed(value, bits) << DIFFERENCE_AT)
            if symbol == 0:
                return length + SLOT
            behind = coefficients + run + 1
            if (bits == 0 and run < _ZEROS_ALONE) or behind > 64:
                return 0
            if behind == 64:
                return (length + bits) + SLOT
            return (length + bits) + (run + 1) * COEFFICIENT
    return 0
