"""compute: the compiled half of counting edges: pixels of an area that have a neighbour beside it, 64 at a time.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``boundary_edges``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from wsi_area.compute.machine_code import native_part

_FEW_PLANES = 3  # of eight codes


def count_edges(
    planes_at: Any,
    plane_count: int,
    height: int,
    line_words: int,
    rows_at_once: int,
    across_at: Any,
    down_at: Any,
    ids_at: Any,
    ends_at: Any,
    areas: int,
    members_at: Any,
    edges_at: Any,
) -> None:
    """Write for each area its edges along some rows, and down some columns: the same of every ``rows_at_once`` rows.

    They stay in the nearest cache. At these addresses lie: uint64 (planes, height,
    line_words), little-endian, bit planes of a class map, the first code of a word in its lowest bit; uint64
    (rows_at_once, line_words), the pixels of those rows that have one to their right, and so the pixels of those
    columns; uint8, the ids of the classes of one area after the other; int64 (areas,), where those of each end; for
    its own use uint64 ((rows_at_once + 1) × line_words + 1,); int64 (areas, 2), the answer.
    """
    words = height * line_words
    planes, across = carray(planes_at, (plane_count * words,)), carray(across_at, (rows_at_once * line_words,))
    down = carray(down_at, (rows_at_once * line_words,))
    members = carray(members_at, ((rows_at_once + 1) * line_words + 1,))
    edges, ends = carray(edges_at, (areas, 2)), carray(ends_at, (areas,))
    ids = carray(ids_at, (ends[areas - 1],))
    for area in range(areas):
        edges[area, 0] = edges[area, 1] = 0
    for block in range(-(-height // rows_at_once)):
        first = block * rows_at_once * line_words
        own = min(rows_at_once * line_words, words - first)
        known = min(own + line_words, words - first)  # and the row below, if there is one
        begin = 0
        for area in range(areas):
            _clear(members)
            for k in range(begin, ends[area]):
                if ids[k] >> plane_count == 0:  # else no pixel has this code
                    _add_members(planes, words, first, plane_count, ids[k], members[:known])
            begin = ends[area]
            for i in range(known, own + line_words):  # none: as if it were the same
                members[i] = members[i - line_words]
            edges[area, 0] += _ends(members[:own], members[1:], across, True)
            edges[area, 1] += _ends(members[:own], members[line_words:], down, False)


@native_part
def _clear(numbers: Any) -> None:
    """Write 0 everywhere."""
    for i in range(numbers.size):
        numbers[i] = 0


@native_part
def _add_members(planes: Any, plane_words: int, first: int, plane_count: int, code: Any, members: Any) -> None:
    """Add the pixels of a code, from a word of each plane on, to the members of an area.

    Written out, for vectors: three planes, or eight; of one that comes twice comes what comes of it once.
    """
    words, last = members.size, plane_count - 1
    p0, f0 = _plane(planes, plane_words, first, words, 0), _flip(code, 0)
    p1, f1 = _plane(planes, plane_words, first, words, min(1, last)), _flip(code, min(1, last))
    p2, f2 = _plane(planes, plane_words, first, words, min(2, last)), _flip(code, min(2, last))
    if plane_count <= _FEW_PLANES:
        for i in range(words):
            members[i] |= (p0[i] ^ f0) & (p1[i] ^ f1) & (p2[i] ^ f2)
        return
    p3, f3 = _plane(planes, plane_words, first, words, 3), _flip(code, 3)
    p4, f4 = _plane(planes, plane_words, first, words, min(4, last)), _flip(code, min(4, last))
    p5, f5 = _plane(planes, plane_words, first, words, min(5, last)), _flip(code, min(5, last))
    p6, f6 = _plane(planes, plane_words, first, words, min(6, last)), _flip(code, min(6, last))
    p7, f7 = _plane(planes, plane_words, first, words, last), _flip(code, last)
    for i in range(words):
        of_few = (p0[i] ^ f0) & (p1[i] ^ f1) & (p2[i] ^ f2) & (p3[i] ^ f3)
        members[i] |= of_few & (p4[i] ^ f4) & (p5[i] ^ f5) & (p6[i] ^ f6) & (p7[i] ^ f7)


@native_part
def _plane(planes: Any, plane_words: int, first: int, words: int, k: int) -> Any:
    """Return some words of a plane."""
    return planes[k * plane_words + first : k * plane_words + first + words]


@native_part
def _flip(code: Any, bit: int) -> Any:
    """Return what makes ones of the bits in a plane that are as in a code."""
    return np.uint64(0) if (code >> bit) & 1 else ~np.uint64(0)


@native_part
def _ends(words: Any, others: Any, counted: Any, follow: bool) -> Any:
    """Return the number of pixels that differ from those in the other words, or, if they follow, from the next one."""
    count = np.uint64(0)
    if follow:
        for i in range(words.size):
            count += _ones((words[i] ^ (words[i] >> np.uint64(1) | others[i] << np.uint64(63))) & counted[i])
    else:
        for i in range(words.size):
            count += _ones((words[i] ^ others[i]) & counted[i])
    return np.int64(count)


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def _ones(typing: Any, word: Any) -> Any:
    """Return the number of bits of a word that are 1."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), emit
