"""compute: the compiled half of runs: rows of a class map cut into runs of one code, painted again, tallied.

Called through ``run_lengths``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from wsi_area.compute.machine_code import machine_code, machine_part


@machine_code
def count_runs(class_map: Any, row_starts: Any) -> None:
    """Write where the runs of each row begin in the list of all runs, int64 (h + 1,)."""
    height, width = class_map.shape
    total = 0
    row_starts[0] = 0
    for y in range(height):
        row = class_map[y]
        n = 1
        for x in range(1, width):
            n += int(row[x] != row[x - 1])
        total += n
        row_starts[y + 1] = total


@machine_code
def fill_runs(class_map: Any, starts: Any, codes: Any) -> None:
    """Write the first column of each run, and its code."""
    height, width = class_map.shape
    i = 0
    for y in range(height):
        row = class_map[y]
        code = row[0]
        starts[i] = 0
        codes[i] = code
        i += 1
        for x in range(1, width):
            if row[x] != code:
                code = row[x]
                starts[i] = x
                codes[i] = code
                i += 1


@machine_part
def _end(starts: Any, i: int, row_end: int, width: int) -> int:
    """Return the column after a run."""
    return int(starts[i + 1]) if i + 1 < row_end else int(width)


@machine_code
def paint_runs(row_starts: Any, starts: Any, codes: Any, class_map: Any) -> None:
    """Write the class map that the runs were taken from."""
    height, width = class_map.shape
    for y in range(height):
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            class_map[y, starts[i] : _end(starts, i, row_end, width)] = codes[i]


@machine_code
def tally_runs(
    row_starts: Any, starts: Any, codes: Any, width: int, tile_px: int, x_edges: Any, y_edges: Any, counts: Any
) -> None:
    """Add each run's level-0 pixels to its code, tile by tile: int64 (tile rows, tile columns, 256)."""
    for y in range(len(row_starts) - 1):
        height_px = y_edges[y + 1] - y_edges[y]
        row_end = row_starts[y + 1]
        for i in range(row_starts[y], row_end):
            x, end = int(starts[i]), _end(starts, i, row_end, width)
            while x < end:
                col = x // tile_px
                stop = min(end, (col + 1) * tile_px)
                counts[y // tile_px, col, codes[i]] += (x_edges[stop] - x_edges[x]) * height_px
                x = stop
