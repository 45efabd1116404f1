"""compute: the compiled half of counting edges: pixels of an area that have a neighbour beside it.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``boundary_edges``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_USUAL_STEP = 8  # of tiles of 512 px


def count_edges(
    class_map_at: Any,
    height: int,
    width: int,
    line_px: int,
    step: int,
    ids_at: Any,
    ends_at: Any,
    areas: int,
    codes_at: Any,
    inside_at: Any,
    edges_at: Any,
) -> None:
    """Write for each area its edges along every ``step``-th row, and down every ``step``-th column.

    At these addresses lie: uint8 pixels, the lines ``line_px`` bytes apart; uint8, the class ids of one area after the
    other; int64 (areas,), where those of each end; uint8, as many as those rows and columns have pixels, and as
    many as the larger of the two has, for its own use; int64 (areas, 2), the answer.
    """
    ends, edges = carray(ends_at, (areas,)), carray(edges_at, (areas, 2))
    class_map, ids_of_all = carray(class_map_at, ((height - 1) * line_px + width,)), carray(ids_at, (ends[areas - 1],))
    rows, columns = -(-height // step), -(-width // step)
    along = carray(codes_at, (rows * width + height * columns,))
    down, inside = along[rows * width :], carray(inside_at, (max(rows * width, height * columns),))
    for row in range(rows):
        _copy(class_map[row * step * line_px : row * step * line_px + width], along[row * width : (row + 1) * width])
    for y in range(height):
        _pick(class_map[y * line_px : y * line_px + width], step, down[y * columns : (y + 1) * columns])
    begin = 0
    for area in range(areas):
        ids = ids_of_all[begin : ends[area]]
        begin = ends[area]
        _mark(down, ids, inside)
        edges[area, 1] = _differing(inside[columns : height * columns], inside[: (height - 1) * columns])
        _mark(along[: rows * width], ids, inside)
        across = _differing(inside[1 : rows * width], inside[: rows * width - 1])
        for row in range(1, rows):  # the last pixel of a row is not beside the first of the next
            across -= inside[row * width] ^ inside[row * width - 1]
        edges[area, 0] = across


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
def _mark(codes: Any, ids: Any, inside: Any) -> None:
    """Write 1 where a code is one of an area's ids, else 0."""
    wanted = ids[0]
    for i in range(codes.size):
        inside[i] = np.uint8(codes[i] == wanted)
    for k in range(1, ids.size):
        wanted = ids[k]
        for i in range(codes.size):
            inside[i] |= np.uint8(codes[i] == wanted)


@native_part
def _differing(some: Any, others: Any) -> Any:
    """Return the number of bytes, 0 or 1, that differ from those in their place; in 32 bits, for vector code."""
    count = np.uint32(0)
    for i in range(some.size):
        count = np.uint32(count + np.uint32(some[i] ^ others[i]))
    return np.int64(count)
