"""compute: the compiled half of the decoder: the pixels of many JPEGs, as libjpeg shows them.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``decoder``, which makes room for the largest picture: nothing here checks that it is enough.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.jpeg.compiled_codes import ENTRIES, SLOT, find_firsts, keep_table, write_symbols
from wsi_area.compute.jpeg.compiled_heads import (
    ACROSS,
    COMPONENTS,
    DOWN,
    HEIGHT,
    INTERVAL,
    NOWHERE,
    OF_COMPONENT,
    QUANTA,
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
from wsi_area.compute.jpeg.compiled_rgb import LEAST_CHROMA
from wsi_area.compute.jpeg.compiled_strips import (
    GROUPS,
    INTERVAL_STRIPS,
    MCUS_ACROSS,
    MCUS_DOWN,
    PLANE,
    STRIDE,
    STRIP,
    block_at,
    transform,
    write_rows,
)
from wsi_area.compute.jpeg.compiled_values import (
    BLOCKS_TOGETHER,
    HALTED,
    IDLES,
    LANES,
    TABLES,
    walk_values,
    write_valued,
)
from wsi_area.compute.jpeg.compiled_walk import LOST, WAITING
from wsi_area.compute.machine_code import native_part

_SHARED, _LAYOUT, _FIRSTS = LANES, LANES + 1, LANES + 2
"""Rows of facts: each lane's head, the shared one, the layout, and the first codes of four tables."""
_WORDS = 5
"""In a lane's notes from here: first word and bits of each restart interval."""
_SLOT_AT = 13
_GOES_ON, _STRIP_ENDS, _PICTURE_ENDS, _FAILED = 0, 1, 2, 3
"""How far a lane is: strips are rows of MCUs."""


def write_pictures(
    data_at: Any, head_bytes: int, width: int, height: int, is_ycbcr: int, spans_at: Any, count: int, done_at: Any,
    rgb_at: Any, words_at: Any, lane_words: int, values_at: Any, lane_values: int, offsets_at: Any, bases_at: Any,
    most_slots: int, notes_at: Any, lane_notes: int, states_at: Any, facts_at: Any, symbols_at: Any, entries_at: Any,
    kept_at: Any, quanta_at: Any, places_at: Any, between_at: Any, samples_at: Any, bytes_at: Any, lane_samples: int,
    pairs_at: Any, pair_bytes_at: Any, line: int,
) -> None:  # fmt: skip
    """Write the pixels of those JPEGs that are understood; note which they are. The pixels of others are lost.

    At these addresses lie: ``data`` uint8, the head that all share and the JPEGs; ``spans`` int64 (count, 2), of each
    the first byte and the one behind the last; ``done`` uint8 (count,); ``rgb`` uint8 (count, height, width, 3). For
    its own use ``words`` uint64 (LANES * lane_words,), ``notes`` int64 (LANES, lane_notes), ``states`` uint64 (LANES,
    3), ``quanta`` int32 (LANES, 3, 64), ``between`` int32 (65 * 16,), ``samples`` uint64 (LANES * lane_samples,), which
    are ``bytes`` as well, ``pairs`` uint16 (3, line), which are ``pair_bytes``, ``symbols`` uint16 (ENTRIES,).
    ``values`` int16 (LANES * lane_values,) are zero at first and at last. ``places`` uint16 (128,) says where the
    coefficient of a number lies. What was made of code tables is kept from call to call, and has to be zero at first:
    ``offsets`` uint16 and ``bases`` uint32 (most_slots,), ``facts`` int64 (LANES + 6, 36), ``entries`` uint32 (TABLES,
    ENTRIES), ``kept`` uint8 (4, 272).
    """
    spans, done = carray(spans_at, (count, 2)), carray(done_at, (count,))
    rgb = carray(rgb_at, (count * height * width * 3,))
    words, values = carray(words_at, (LANES * lane_words,)), carray(values_at, (LANES * lane_values,))
    notes, states = carray(notes_at, (LANES, lane_notes)), carray(states_at, (LANES, 3))
    facts = carray(facts_at, (LANES + 6, 36))
    offsets, bases = carray(offsets_at, (most_slots,)), carray(bases_at, (most_slots,))
    symbols, kept = carray(symbols_at, (ENTRIES,)), carray(kept_at, (4, 272))
    entries, all_entries = carray(entries_at, (TABLES, ENTRIES)), carray(entries_at, (TABLES * ENTRIES,))
    quanta, places = carray(quanta_at, (LANES, 3, 64)), carray(places_at, (128,))
    between, samples = carray(between_at, (65 * BLOCKS_TOGETHER,)), carray(samples_at, (LANES * lane_samples,))
    sample_bytes = carray(bytes_at, (LANES * lane_samples * 8,))
    pairs, pair_bytes = carray(pairs_at, (3, line)), carray(pair_bytes_at, (3, 2 * line))
    last = head_bytes
    for tile in range(count):
        last = max(last, spans[tile, 1])
    data = carray(data_at, (last,))
    layout, firsts = facts[_LAYOUT], facts[_FIRSTS:]
    forget(facts[_SHARED], notes)
    if read_head(data, 2, head_bytes, facts[_SHARED]) != head_bytes:
        return
    begun = 0
    while True:
        for lane in range(LANES):
            if notes[lane, TILE] < 0:
                begun = _begin_next(
                    data, spans, begun, lane, width, height, facts, notes, states[lane], words, lane_words,
                    offsets, bases, symbols, entries, kept, places, quanta[lane],
                )  # fmt: skip
        if are_idle(notes):
            break
        walk_values(states, words, values, lane_values, all_entries, offsets, bases, places, kept, firsts)
        for lane in range(LANES):
            step = _strip_step(states[lane], notes[lane], layout, offsets)
            if step == _GOES_ON:
                continue
            ours = values[lane * lane_values : (lane + 1) * lane_values]
            at, tile = lane * lane_samples, notes[lane, TILE]
            if step == _FAILED or not transform(
                ours, facts[lane], layout, notes[lane], quanta[lane], between, samples[at : at + lane_samples]
            ):
                notes[lane, TILE] = NOWHERE
            else:
                write_rows(
                    sample_bytes[8 * at : 8 * (at + lane_samples)], facts[lane], layout, notes[lane, STRIP], is_ycbcr,
                    pairs, pair_bytes, rgb[tile * height * width * 3 :],
                )  # fmt: skip
                if step == _STRIP_ENDS:
                    _next_strip(states[lane], notes[lane], layout)
                else:
                    done[tile], notes[lane, TILE] = 1, NOWHERE
            ours[:] = 0


@native_part
def _strip_step(state: Any, notes: Any, layout: Any, offsets: Any) -> Any:
    """Return how far a lane is; an interval whose last bits are not used up was not understood."""
    slot = np.int64(state[PASSED]) >> _SLOT_AT
    over = np.int64(state[LAST]) - np.int64(state[BIT])
    if notes[TILE] < 0:
        return _GOES_ON
    if over < 0 or slot == offsets.size - LOST:
        return _FAILED
    if not offsets[slot] & np.uint16(HALTED * ENTRIES):
        return _GOES_ON
    strip = notes[STRIP] + 1
    if over >= 8 and (strip % layout[INTERVAL_STRIPS] == 0 or strip == layout[MCUS_DOWN]):
        return _FAILED
    return _PICTURE_ENDS if strip == layout[MCUS_DOWN] else _STRIP_ENDS


@native_part
def _next_strip(state: Any, notes: Any, layout: Any) -> None:
    """Stand at the begin of the next row of MCUs."""
    strip = notes[STRIP] + 1
    notes[STRIP] = strip
    state[PASSED] = 0
    if strip % layout[INTERVAL_STRIPS] == 0:
        _turn(state, notes, strip // layout[INTERVAL_STRIPS])


@native_part
def _turn(state: Any, notes: Any, interval: int) -> None:
    """Stand at the begin of a restart interval."""
    first, bits = notes[_WORDS + 2 * interval], notes[_WORDS + 2 * interval + 1]
    state[BIT], state[PASSED], state[LAST] = 64 * first, 0, 64 * first + bits


@native_part
def _begin_next(
    data: Any, spans: Any, begun: int, lane: int, width: int, height: int, facts: Any, notes: Any, state: Any,
    words: Any, lane_words: int, offsets: Any, bases: Any, symbols: Any, entries: Any, kept: Any, places: Any,
    quanta: Any,
) -> Any:  # fmt: skip
    """Begin the next picture that is understood, in a free lane; return how many are begun.

    What is not like those of the other lanes has to wait for them.
    """
    head, layout = facts[lane], facts[_LAYOUT]
    while begun < len(spans):
        end = spans[begun, 1]
        at = coded_from(data, spans[begun, 0], end, width, height, facts[_SHARED], head)
        if at >= 0 and _is_usual(head):
            if not is_alike(data, head, layout, kept):
                if not are_idle(notes):
                    break
                _renew(data, head, layout, offsets, bases, symbols, entries, kept, facts[_FIRSTS:])
            intervals = -(-layout[MCUS_DOWN] // layout[INTERVAL_STRIPS])
            is_part = facts[_SHARED, COMPONENTS] > 0
            if write_intervals(data, at, end, intervals, is_part, words, lane * lane_words, notes[lane, _WORDS:]):
                notes[lane, TILE], notes[lane, STRIP] = begun, 0
                _turn(state, notes[lane], 0)
                for i in range(3):
                    first = head[QUANTA + head[OF_COMPONENT + 4 * i + 1]]
                    for k in range(64):
                        quanta[i, places[k + 1] // BLOCKS_TOGETHER - 1] = data[first + k]
                return begun + 1
        begun += 1
    state[BIT], state[PASSED], state[LAST] = 0, SLOT * (offsets.size - WAITING), 0
    return begun


@native_part
def _is_usual(head: Any) -> Any:
    """Return True if pixels can be made of a picture: of three components, restarted at rows of MCUs alone."""
    across, down = head[ACROSS], head[DOWN]
    mcus = -(-head[WIDTH] // (8 * across))
    is_known = head[COMPONENTS] == 3 and (down == 1 or across == 2)
    return is_known and (across == 1 or head[WIDTH] >= 2 * LEAST_CHROMA) and head[INTERVAL] % mcus == 0


@native_part
def _renew(
    data: Any, head: Any, layout: Any, offsets: Any, bases: Any, symbols: Any, entries: Any, kept: Any, firsts: Any
) -> None:
    """Make layout and tables anew, for pictures with such a head."""
    across, down = head[ACROSS], head[DOWN]
    layout[MCUS_ACROSS], layout[MCUS_DOWN] = -(-head[WIDTH] // (8 * across)), -(-head[HEIGHT] // (8 * down))
    note_alike(head, layout)
    layout[INTERVAL_STRIPS] = head[INTERVAL] // layout[MCUS_ACROSS] if head[INTERVAL] > 0 else layout[MCUS_DOWN]
    group, plane = np.int64(0), np.int64(0)
    for i in range(3):
        blocks, rows = (layout[MCUS_ACROSS] * across, down) if i == 0 else (layout[MCUS_ACROSS], 1)
        layout[GROUPS + i], layout[PLANE + i] = group, plane
        layout[STRIDE + i] = -(-blocks // BLOCKS_TOGETHER)
        group += rows * layout[STRIDE + i]
        plane += 2 * 8 * rows * layout[STRIDE + i] * BLOCKS_TOGETHER
    layout[GROUPS + 3] = group
    _write_slots(layout, across, down, offsets, bases)
    for table in range(4):
        keep_table(data, table_at(head, table), kept[table])
        find_firsts(kept[table], firsts[table])
        write_symbols(kept[table], symbols)
        write_valued(symbols, table % 2 == 0, entries[table])


@native_part
def _write_slots(layout: Any, across: int, down: int, offsets: Any, bases: Any) -> None:
    """Write of each slot of a row of MCUs where its entries begin, and what is before the coefficients of its block."""
    slot = 0
    for mcu in range(layout[MCUS_ACROSS]):
        for i in range(3):
            wide, high = (across, down) if i == 0 else (1, 1)
            for v in range(high):
                for h in range(wide):
                    at, table = block_at(layout, i, mcu * wide + h, v) - BLOCKS_TOGETHER, 0 if i == 0 else 2
                    bases[slot] = bases[slot + 1] = at
                    offsets[slot], offsets[slot + 1] = table * ENTRIES, (table + 1) * ENTRIES
                    slot += 2
    bases[slot] = bases[bases.size - LOST] = bases[bases.size - WAITING] = 0
    offsets[slot] = offsets[offsets.size - LOST] = HALTED * ENTRIES
    offsets[offsets.size - WAITING] = IDLES * ENTRIES
