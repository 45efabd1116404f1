"""compute: the compiled half of reading a JPEG's head (ITU T.81, annex B): what is usual is understood, the rest not.

Nothing is copied: of each table, its place among the bytes is noted. Nothing is read beyond the end that is given.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import native_part

NOWHERE = -1
COMPONENTS, ACROSS, DOWN, INTERVAL, WIDTH, HEIGHT = 0, 1, 2, 3, 4, 5
"""In a head: how many components; blocks of the first in an MCU; MCUs of a restart interval, 0 for all; pixels."""
QUANTA = 6
"""In a head from here: the places of four quantisation tables."""
CODES = 10
"""In a head from here: the places of four code tables for DC, then of four for AC."""
OF_COMPONENT = 18
"""In a head from here, for each of three components: its name, quantisation table, table for DC, table for AC."""
HEAD_SIZE = 30
_START_OF_FRAME, _CODE_TABLES, _START_OF_SCAN, _QUANTA, _INTERVAL, _COMMENT = 0xC0, 0xC4, 0xDA, 0xDB, 0xDD, 0xFE
_APPLICATIONS = 0xE0, 0xEF
_MOST_DC_BITS = 15
"""A table with a longer difference is none to libjpeg."""


@native_part
def read_head(data: Any, at: Any, end: int, head: Any) -> Any:
    """Fill in a head; return the place of the first coded byte, ``end`` where there is no scan, -1 if it is unusual.

    ``at`` is behind the marker with which a JPEG begins; ``head`` keeps what it has where nothing else is said.
    Application markers are passed over where nothing has been said before them: the slide says what colours are.
    """
    is_known: Any = True
    said: Any = False
    while at + 4 <= end:
        marker = np.int64(data[at + 1])
        behind = at + 2 + np.int64(data[at + 2]) * 256 + np.int64(data[at + 3])
        if data[at] != 0xFF or behind < at + 4 or behind > end:
            return NOWHERE
        if marker == _QUANTA:
            is_known = _note_quanta(data, at + 4, behind, head)
        elif marker == _CODE_TABLES:
            is_known = _note_codes(data, at + 4, behind, head)
        elif marker == _START_OF_FRAME:
            is_known = head[COMPONENTS] == 0 and _note_frame(data, at + 4, behind, head)
        elif marker == _INTERVAL:
            is_known = behind == at + 6
            if is_known:
                head[INTERVAL] = (np.int64(data[at + 4]) << 8) + np.int64(data[at + 5])
        elif marker == _START_OF_SCAN:
            return behind if _note_scan(data, at + 4, behind, head) else NOWHERE
        else:
            is_known = marker == _COMMENT or (not said and _APPLICATIONS[0] <= marker <= _APPLICATIONS[1])
        if not is_known:
            return NOWHERE
        said = said or not _APPLICATIONS[0] <= marker <= _APPLICATIONS[1]
        at = behind
    return end if at == end else NOWHERE


@native_part
def _note_quanta(data: Any, at: int, behind: int, head: Any) -> Any:
    """Note the places of quantisation tables of 8 bits."""
    while at + 65 <= behind:
        if data[at] > 3:
            return False
        head[QUANTA + np.int64(data[at])] = at + 1
        at += 65
    return at == behind


@native_part
def _note_codes(data: Any, at: Any, behind: int, head: Any) -> Any:
    """Note the places of code tables, whose codes have room in 1 to 16 bits; all ones are none, as libjpeg has it."""
    while at + 17 <= behind:
        kind, name = np.int64(data[at]) >> 4, np.int64(data[at]) & 15
        codes, room = np.int64(0), np.int64(1)
        for length in range(16):
            room = 2 * room - np.int64(data[at + 1 + length])
            codes += np.int64(data[at + 1 + length])
            if room <= 0:
                return False
        if kind > 1 or name > 3 or codes > 256 or at + 17 + codes > behind:
            return False
        for place in range(at + 17, at + 17 + codes):
            if kind == 0 and data[place] > _MOST_DC_BITS:
                return False
        head[CODES + 4 * kind + name] = at + 1
        at += 17 + codes
    return at == behind


@native_part
def _note_frame(data: Any, at: int, behind: int, head: Any) -> Any:
    """Note the size of a picture of 8 bits, and its one or three components; all but the first are 1 × 1 in an MCU."""
    if behind < at + 6 or data[at] != 8:
        return False
    count = np.int64(data[at + 5])
    if (count != 1 and count != 3) or behind != at + 6 + 3 * count:
        return False
    head[HEIGHT] = (np.int64(data[at + 1]) << 8) + np.int64(data[at + 2])
    head[WIDTH] = (np.int64(data[at + 3]) << 8) + np.int64(data[at + 4])
    head[COMPONENTS] = count
    for i in range(count):
        name, sampling, quanta = data[at + 6 + 3 * i], np.int64(data[at + 7 + 3 * i]), np.int64(data[at + 8 + 3 * i])
        across, down = sampling >> 4, sampling & 15
        if quanta > 3 or across < 1 or across > 2 or down < 1 or down > 2 or (i > 0 and sampling != 0x11):
            return False
        if i == 0:  # one component alone is not interleaved: its MCU is a block, whatever is said
            head[ACROSS], head[DOWN] = (across, down) if count == 3 else (1, 1)
        head[OF_COMPONENT + 4 * i] = name
        head[OF_COMPONENT + 4 * i + 1] = quanta
    return head[WIDTH] > 0 and head[HEIGHT] > 0


@native_part
def _note_scan(data: Any, at: int, behind: int, head: Any) -> Any:
    """Note the tables of each component of the one scan; False if it has not all of them, or not all coefficients."""
    count = head[COMPONENTS]
    if count == 0 or behind != at + 4 + 2 * count or data[at] != count:
        return False
    last = behind - 3
    if data[last] != 0 or data[last + 1] != 63 or data[last + 2] != 0:
        return False
    for i in range(count):
        tables = np.int64(data[at + 2 + 2 * i])
        of = OF_COMPONENT + 4 * i
        if data[at + 1 + 2 * i] != head[of] or tables >> 4 > 3 or tables & 15 > 3:
            return False
        head[of + 2], head[of + 3] = CODES + (tables >> 4), CODES + 4 + (tables & 15)
        if head[QUANTA + head[of + 1]] < 0 or head[head[of + 2]] < 0 or head[head[of + 3]] < 0:
            return False
    second, third = OF_COMPONENT + 4, OF_COMPONENT + 8
    return count == 1 or (head[second + 2] == head[third + 2] and head[second + 3] == head[third + 3])
