"""compute: the compiled half of runs: rows of a class map cut into runs of one code, painted again, tallied.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``run_lengths``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part


def count_runs(class_map_at: Any, height: int, width: int, row_starts_at: Any) -> None:
    """Write where the runs of each row begin in the list of all runs, int64 (h + 1,); of a uint8 (h, w)."""
    class_map, row_starts = carray(class_map_at, (height, width)), carray(row_starts_at, height + 1)
    row_starts[0] = 0
    for y in range(height):
        row_starts[y + 1] = row_starts[y] + _changes(class_map, y) + 1


@native_part
def _changes(class_map: Any, y: int) -> int:
    """Return the number of times that the code changes along a row."""
    n = 0
    for x in range(1, class_map.shape[1]):
        n += class_map[y, x] != class_map[y, x - 1]
    return n


def fill_runs(class_map_at: Any, height: int, width: int, runs: int, starts_at: Any, codes_at: Any) -> None:
    """Write the first column of each run, int32 (n,), and its code, uint8 (n,)."""
    class_map = carray(class_map_at, (height, width))
    starts, codes = carray(starts_at, runs), carray(codes_at, runs)
    i = 0
    for y in range(height):
        code = class_map[y, 0]
        starts[i] = 0
        codes[i] = code
        i += 1
        for x in range(1, width):
            if class_map[y, x] != code:
                code = class_map[y, x]
                starts[i] = x
                codes[i] = code
                i += 1


@native_part
def _end(starts: Any, i: int, row_end: int, width: int) -> int:
    """Return the column after a run."""
    return int(starts[i + 1]) if i + 1 < row_end else int(width)


def paint_runs(
    row_starts_at: Any, height: int, starts_at: Any, codes_at: Any, runs: int, width: int, class_map_at: Any
) -> None:
    """Write the class map that the runs were taken from, uint8 (h, w)."""
    row_starts, starts, codes = carray(row_starts_at, height + 1), carray(starts_at, runs), carray(codes_at, runs)
    class_map = carray(class_map_at, (height, width))
    for y in range(height):
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            for x in range(starts[i], _end(starts, i, row_end, width)):
                class_map[y, x] = codes[i]


def tally_runs(
    row_starts_at: Any, height: int, starts_at: Any, codes_at: Any, runs: int, width: int, tile_px: int,
    x_edges_at: Any, y_edges_at: Any, tile_rows: int, tile_columns: int, counts_at: Any,
) -> None:  # fmt: skip
    """Add each run's level-0 pixels to its code, tile by tile: int64 (tile rows, tile columns, 256)."""
    row_starts, starts, codes = carray(row_starts_at, height + 1), carray(starts_at, runs), carray(codes_at, runs)
    x_edges, y_edges = carray(x_edges_at, width + 1), carray(y_edges_at, height + 1)
    counts = carray(counts_at, (tile_rows, tile_columns, 256))
    for y in range(height):
        height_px = y_edges[y + 1] - y_edges[y]
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            x, end = int(starts[i]), _end(starts, i, row_end, width)
            while x < end:
                col = x // tile_px
                stop = min(end, (col + 1) * tile_px)
                counts[y // tile_px, col, codes[i]] += (x_edges[stop] - x_edges[x]) * height_px
                x = stop
