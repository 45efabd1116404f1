"""compute: the compiled half of eighths: the mean colours of the blocks of many JPEGs, added up in boxes.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``Eighths``, which makes room for the largest picture: nothing here checks that it is enough.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.jpeg.compiled_codes import (
    ENTRIES,
    SLOT,
    find_firsts,
    keep_table,
    write_entries,
    write_symbols,
)
from wsi_area.compute.jpeg.compiled_colours import add_colours, write_planes
from wsi_area.compute.jpeg.compiled_heads import (
    ACROSS,
    COMPONENTS,
    DOWN,
    HEIGHT,
    INTERVAL,
    NOWHERE,
    WIDTH,
    read_head,
)
from wsi_area.compute.jpeg.compiled_lanes import (
    BIT,
    LAST,
    PASSED,
    TILE,
    are_idle,
    coded_from,
    forget,
    is_alike,
    note_alike,
    table_at,
    write_intervals,
)
from wsi_area.compute.jpeg.compiled_walk import HALT, IDLE, LOST, TOGETHER, WAITING, walk, write_slots
from wsi_area.compute.machine_code import native_part

_SHARED, _LAYOUT, _FIRSTS = TOGETHER, TOGETHER + 1, TOGETHER + 2
"""Rows of facts: each lane's head, the shared one, the layout, and the first codes of four tables."""
_ACROSS, _DOWN, _INTERVALS = 0, 1, 2
"""In a layout: MCUs across and down, and restart intervals."""
_INTERVAL, _WORDS = 1, 2
"""In a lane's notes: its restart interval; from here on, first word and bits of each of them."""


def add_eighths(
    data_at: Any, head_bytes: int, width: int, height: int, is_ycbcr: int, tiles_at: Any, count: int, done_at: Any,
    factor: int, sums_at: Any, rows: int, columns: int, words_at: Any, lane_words: int, left_at: Any, slots_at: Any,
    most_slots: int, notes_at: Any, lane_notes: int, states_at: Any, facts_at: Any, entries_at: Any,
    differences_at: Any, kept_at: Any, added_at: Any, planes_at: Any, line_at: Any,
) -> None:  # fmt: skip
    """Add the colours of the blocks of those tiles that are understood to their boxes; note which they are.

    At these addresses lie: ``data`` uint8, the head that all share and the tiles; ``tiles`` int64 (count, 6), of each
    the first byte and the one behind the last, column and row of its first block, how many columns and rows count;
    ``done`` uint8 (count,); ``sums`` uint32 (rows, columns, 3), of boxes of ``factor`` blocks a side. For its own use
    ``words`` uint64 (TOGETHER * lane_words,), ``left`` uint16 (TOGETHER, most_slots), ``notes`` int64 (TOGETHER,
    lane_notes), ``states`` uint64 (TOGETHER, 3), ``added`` int32 (3, blocks), ``planes`` uint8 (3, blocks), ``line``
    int32 (3, blocks). What was made of code tables is kept from call to call, and has to be zero at first: ``slots``
    uint16 (most_slots,), ``facts`` int64 (TOGETHER + 6, 36), ``entries`` uint16 (8, ENTRIES), ``differences`` int16
    (2, ENTRIES), ``kept`` uint8 (4, 272).
    """
    tiles, done = carray(tiles_at, (count, 6)), carray(done_at, (count,))
    sums, blocks = carray(sums_at, (rows, columns, 3)), (most_slots - 2) // 8
    planes, added, line = carray(planes_at, (3, blocks)), carray(added_at, (3, blocks)), carray(line_at, (3, blocks))
    words, left = carray(words_at, (TOGETHER * lane_words,)), carray(left_at, (TOGETHER, most_slots))
    notes, states = carray(notes_at, (TOGETHER, lane_notes)), carray(states_at, (TOGETHER, 3))
    facts = carray(facts_at, (TOGETHER + 6, 36))
    entries, differences = carray(entries_at, (8, ENTRIES)), carray(differences_at, (2, ENTRIES))
    all_entries, slots, kept = (
        carray(entries_at, (8 * ENTRIES,)),
        carray(slots_at, (most_slots,)),
        carray(kept_at, (4, 272)),
    )
    last = head_bytes
    for tile in range(count):
        last = max(last, tiles[tile, 1])
    data = carray(data_at, (last,))
    forget(facts[_SHARED], notes)
    slots[slots.size - LOST], slots[slots.size - WAITING] = HALT * ENTRIES, IDLE * ENTRIES
    if read_head(data, 2, head_bytes, facts[_SHARED]) != head_bytes:
        return
    layout, firsts = facts[_LAYOUT], facts[_FIRSTS:]
    begun = 0
    while True:
        for lane in range(TOGETHER):
            if notes[lane, TILE] < 0:
                begun = _begin_next(
                    data, tiles, begun, lane, width, height, facts, notes, states[lane], words, lane_words, slots,
                    entries, differences, kept,
                )  # fmt: skip
        if are_idle(notes):
            break
        walk(states, words, left, all_entries, slots, kept, firsts)
        for lane in range(TOGETHER):
            tile = notes[lane, TILE]
            if _is_through(states[lane], notes[lane], layout[_INTERVALS], slots) and write_planes(
                data, facts[lane], left[lane], layout[_ACROSS], layout[_DOWN], differences, added, planes
            ):
                add_colours(planes, facts[lane], layout[_ACROSS], tiles[tile], is_ycbcr, factor, line, sums)
                done[tile] = 1


@native_part
def _begin_next(
    data: Any, tiles: Any, begun: int, lane: int, width: int, height: int, facts: Any, notes: Any, state: Any,
    words: Any, lane_words: int, slots: Any, entries: Any, differences: Any, kept: Any,
) -> Any:  # fmt: skip
    """Begin the next tile that is understood, in a free lane; return how many tiles are begun.

    What is not like those of the other lanes has to wait for them.
    """
    head, layout = facts[lane], facts[_LAYOUT]
    while begun < len(tiles):
        end = tiles[begun, 1]
        at = coded_from(data, tiles[begun, 0], end, width, height, facts[_SHARED], head)
        if at >= 0:
            if not is_alike(data, head, layout, kept):
                if not are_idle(notes):
                    break
                _renew(data, head, layout, slots, entries, differences, kept, facts[_FIRSTS:])
            if write_intervals(
                data, at, end, layout[_INTERVALS], False, words, lane * lane_words, notes[lane, _WORDS:]
            ):
                notes[lane, TILE] = begun
                _turn(state, notes[lane], 0, 0)
                return begun + 1
        begun += 1
    state[BIT], state[PASSED], state[LAST] = 0, SLOT * (slots.size - WAITING), 0
    return begun


@native_part
def _renew(
    data: Any, head: Any, layout: Any, slots: Any, entries: Any, differences: Any, kept: Any, firsts: Any
) -> None:
    """Make layout and tables anew, for pictures with such a head."""
    across, down = head[ACROSS], head[DOWN]
    layout[_ACROSS], layout[_DOWN] = -(-head[WIDTH] // (8 * across)), -(-head[HEIGHT] // (8 * down))
    note_alike(head, layout)
    mcus = layout[_ACROSS] * layout[_DOWN]
    together = head[INTERVAL] if head[INTERVAL] > 0 else mcus
    layout[_INTERVALS] = -(-mcus // together)
    write_slots(mcus, together, across * down, across * down + head[COMPONENTS] - 1, slots)
    for table in range(4 if head[COMPONENTS] == 3 else 2):
        keep_table(data, table_at(head, table), kept[table])
        find_firsts(kept[table], firsts[table])
        write_symbols(kept[table], entries[6 + table % 2])
        if table % 2:
            write_entries(entries[6], entries[7], entries[table - 1], entries[table], differences[table // 2])


@native_part
def _turn(state: Any, notes: Any, interval: int, slot: int) -> None:
    """Stand at the begin of a restart interval."""
    first, bits = notes[_WORDS + 2 * interval], notes[_WORDS + 2 * interval + 1]
    notes[_INTERVAL] = interval
    state[BIT], state[PASSED], state[LAST] = 64 * first, SLOT * slot, 64 * first + bits


@native_part
def _is_through(state: Any, notes: Any, intervals: int, slots: Any) -> Any:
    """Return True if all of a lane's tile was walked through; what went wrong is given up, the next interval begun."""
    slot, over = np.int64(state[PASSED]) // SLOT, np.int64(state[LAST]) - np.int64(state[BIT])
    if notes[TILE] < 0 or (slots[slot] != HALT * ENTRIES and over >= 0):
        return False
    is_whole = slot != slots.size - LOST and 0 <= over < 8
    if is_whole and notes[_INTERVAL] + 1 < intervals:
        _turn(state, notes, notes[_INTERVAL] + 1, slot + 2)
        return False
    notes[TILE] = NOWHERE
    return is_whole
