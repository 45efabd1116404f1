"""compute: the compiled half of lanes: in each of them one JPEG of many is read beside others that are alike."""

from typing import Any

from wsi_area.compute.jpeg.compiled_codes import is_same_table
from wsi_area.compute.jpeg.compiled_heads import (
    ACROSS,
    COMPONENTS,
    DOWN,
    HEIGHT,
    INTERVAL,
    NOWHERE,
    OF_COMPONENT,
    WIDTH,
    read_head,
)
from wsi_area.compute.jpeg.compiled_walk import write_words
from wsi_area.compute.machine_code import native_part

ALIKE = 3
"""In a layout from here: components, blocks across and down, restart interval: alike in all that go together."""
TILE = 0
"""In a lane's notes: its tile, or -1."""
BIT, PASSED, LAST = 0, 1, 2
"""In a lane's state."""
_DC, _AC = 2, 3


@native_part
def forget(shared: Any, notes: Any) -> None:
    """Make the shared head and all lanes as if nothing had been read."""
    for i in range(shared.size):
        shared[i] = NOWHERE
    shared[COMPONENTS] = shared[INTERVAL] = 0
    for lane in range(len(notes)):
        notes[lane, TILE] = NOWHERE


@native_part
def are_idle(notes: Any) -> Any:
    """Return True if no lane has a tile."""
    idle = True
    for lane in range(len(notes)):
        idle = idle and notes[lane, TILE] < 0
    return idle


@native_part
def coded_from(data: Any, first: int, end: int, width: int, height: int, shared: Any, head: Any) -> Any:
    """Return the first coded byte of a tile whose head is as usual, and note the head; or -1."""
    for i in range(head.size):
        head[i] = shared[i]
    if shared[COMPONENTS] > 0:  # it says all that is to be said
        return first if end >= first + 4 and head[WIDTH] == width and head[HEIGHT] == height else NOWHERE
    if end < first + 4 or data[first] != 0xFF or data[first + 1] != 0xD8:
        return NOWHERE
    at = read_head(data, first + 2, end, head)
    if at == end or head[WIDTH] != width or head[HEIGHT] != height:
        return NOWHERE
    return at


@native_part
def is_alike(data: Any, head: Any, layout: Any, kept: Any) -> Any:
    """Return True if a head has the layout and the code tables that are there already."""
    same = layout[ALIKE] == head[COMPONENTS] and layout[ALIKE + 1] == head[ACROSS]
    same = same and layout[ALIKE + 2] == head[DOWN] and layout[ALIKE + 3] == head[INTERVAL]
    for table in range(4 if head[COMPONENTS] == 3 else 2):
        same = same and is_same_table(data, table_at(head, table), kept[table])
    return same


@native_part
def note_alike(head: Any, layout: Any) -> None:
    """Note in a layout what is alike in all that go together."""
    layout[ALIKE], layout[ALIKE + 1] = head[COMPONENTS], head[ACROSS]
    layout[ALIKE + 2], layout[ALIKE + 3] = head[DOWN], head[INTERVAL]


@native_part
def table_at(head: Any, table: int) -> Any:
    """Return the place of the code table for DC or AC, of the first component or of the others."""
    return head[head[OF_COMPONENT + 4 * (table // 2) + (_AC if table % 2 else _DC)]]


@native_part
def write_intervals(data: Any, at: int, end: int, intervals: int, is_part: Any, words: Any, n: int, places: Any) -> Any:
    """Write the words of all restart intervals from the ``n``-th on; False unless each, and the picture, ends well.

    ``places`` takes the first word of each, and how many bits it has. What is part of a JPEG ends with any restart
    marker, as well.
    """
    for interval in range(intervals):
        at, first, n, bits = write_words(data, at, end, words, n)
        places[2 * interval], places[2 * interval + 1] = first, bits
        wanted = 0xD0 + interval % 8 if interval + 1 < intervals else 0xD9
        if at + 2 > end or (data[at + 1] != wanted and not (is_part and data[at + 1] & 0xF8 == 0xD0)):
            return False
        at += 2
    return end - at <= 1  # a byte that makes the length even
