"""compute: the compiled half of counting edges: pixels of an area that have a neighbour beside it.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``boundary_edges``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from wsi_area.compute.machine_code import native_part

_USUAL_STEP = 8  # of tiles of 512 px
_WORD_BYTES = 8
_LOWEST_BITS = 0x0101010101010101


def count_edges(
    class_map_at: Any,
    height: int,
    width: int,
    line_px: int,
    step: int,
    ids_at: Any,
    marks_at: Any,
    id_count: int,
    areas: int,
    codes_at: Any,
    marked_at: Any,
    changes_at: Any,
    words_at: Any,
    edges_at: Any,
) -> None:
    """Write for each area its edges along every ``step``-th row, and down every ``step``-th column.

    An area is a bit. At these addresses lie: uint8 pixels, the lines ``line_px`` bytes apart; uint8 (id_count,), the
    ids of classes; uint8 (id_count,), the bits of the areas that each is of; for its own use, twice, as many bytes as
    the larger of those rows and columns has pixels, and so many again, rounded up to whole words, named as bytes and
    as words; int64 (areas, 2), the answer.
    """
    edges, ids, marks = carray(edges_at, (areas, 2)), carray(ids_at, (id_count,)), carray(marks_at, (id_count,))
    class_map = carray(class_map_at, ((height - 1) * line_px + width,))
    rows, columns = -(-height // step), -(-width // step)
    along_px, down_px = rows * width, height * columns
    most_px = max(along_px, down_px)
    words = -(-most_px // _WORD_BYTES)
    codes, marked = carray(codes_at, (most_px,)), carray(marked_at, (most_px,))
    changes, changed = carray(changes_at, (words * _WORD_BYTES,)), carray(words_at, (words,))

    for row in range(rows):
        _copy(class_map[row * step * line_px : row * step * line_px + width], codes[row * width : (row + 1) * width])
    _mark(codes[:along_px], ids, marks, marked)
    _note_changes(marked[1:along_px], marked[: along_px - 1], changes)
    for row in range(1, rows):  # the last pixel of a row is not beside the first of the next
        changes[row * width - 1] = 0
    for area in range(areas):
        edges[area, 0] = _count(changed, area)

    for y in range(height):
        _pick(class_map[y * line_px : y * line_px + width], step, codes[y * columns : (y + 1) * columns])
    _mark(codes[:down_px], ids, marks, marked)
    _note_changes(marked[columns:down_px], marked[: down_px - columns], changes)
    for area in range(areas):
        edges[area, 1] = _count(changed, area)


@native_part
def _copy(source: Any, target: Any) -> None:
    """Copy bytes."""
    for i in range(source.size):
        target[i] = source[i]


@native_part
def _pick(source: Any, step: Any, target: Any) -> None:
    """Copy every so many-th byte; a step that is known to the compiler makes vector code."""
    if step == _USUAL_STEP:
        for i in range(target.size):
            target[i] = source[_USUAL_STEP * i]
    else:
        for i in range(target.size):
            target[i] = source[step * i]


@native_part
def _mark(codes: Any, ids: Any, marks: Any, marked: Any) -> None:
    """Write for each code the bits of the areas that it is of."""
    for i in range(codes.size):
        marked[i] = 0
    for k in range(ids.size):
        wanted, mark = ids[k], marks[k]
        for i in range(codes.size):
            marked[i] |= mark if codes[i] == wanted else np.uint8(0)


@native_part
def _note_changes(some: Any, others: Any, changes: Any) -> None:
    """Write the bits in which bytes differ from those in their place, and 0 behind them."""
    for i in range(some.size):
        changes[i] = some[i] ^ others[i]
    for i in range(some.size, changes.size):
        changes[i] = 0


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def _ones(typing: Any, word: Any) -> Any:
    """Return the number of bits of a word that are 1."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), emit


@native_part
def _count(words: Any, bit: int) -> Any:
    """Return the number of bytes, eight of which are a word, that have a bit."""
    lowest, place, count = np.uint64(_LOWEST_BITS), np.uint64(bit), np.uint64(0)
    for i in range(words.size):
        count += _ones((words[i] >> place) & lowest)
    return np.int64(count)
