"""compute: the compiled half of counting edges: pixels of an area that have a neighbour beside it.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``boundary_edges``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part


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
    other; int64 (areas,), where those of each end; uint8, twice, as many as those columns or one row have pixels, for
    its own use; int64 (areas, 2), the answer.
    """
    ends, edges = carray(ends_at, (areas,)), carray(edges_at, (areas, 2))
    class_map, ids_of_all = carray(class_map_at, ((height - 1) * line_px + width,)), carray(ids_at, (ends[areas - 1],))
    rows, columns = -(-height // step), -(-width // step)
    codes, inside = carray(codes_at, (height * columns,)), carray(inside_at, (max(height * columns, width),))
    for y in range(height):
        for x in range(columns):
            codes[y * columns + x] = class_map[y * line_px + x * step]
    begin = 0
    for area in range(areas):
        ids = ids_of_all[begin : ends[area]]
        begin = ends[area]
        _mark(codes, ids, inside)
        edges[area, 1] = _differing(inside[columns : height * columns], inside[: (height - 1) * columns])
        across = np.int64(0)
        for row in range(rows):
            at = row * step * line_px
            _mark(class_map[at : at + width], ids, inside)
            across += _differing(inside[1:width], inside[: width - 1])
        edges[area, 0] = across


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
    """Return how many bytes, 0 or 1, differ from those of the same place; added up in 32 bits, for vector code."""
    count = np.uint32(0)
    for i in range(some.size):
        count = np.uint32(count + np.uint32(some[i] ^ others[i]))
    return np.int64(count)
