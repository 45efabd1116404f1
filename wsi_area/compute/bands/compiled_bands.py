"""compute: the compiled half of bands: rows to the nearest pixel of a set, and what lies within reach of it.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``band_counts``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part

_NONE = 65535  # rows to a pixel of the set where its column has none near enough


def rows_to_nearest(
    window_at: Any, height: int, width: int, is_of_set_at: Any, first: int, near_at: Any, rows: int, last_at: Any
) -> None:
    """Write how many rows each pixel is from the nearest one of the set in its column.

    At these addresses lie, contiguous: ``window`` uint8 (h, w) of codes, ``is_of_set`` uint8 (256,), ``near`` uint16
    (rows, w) of the rows from ``first`` on, ``last`` int64 (w,) for its own use.
    """
    _rows_to_nearest(
        carray(window_at, (height, width)),
        carray(is_of_set_at, 256),
        first,
        carray(near_at, (rows, width)),
        carray(last_at, width),
    )


@native_part
def _rows_to_nearest(window: Any, is_of_set: Any, first: int, near: Any, last: Any) -> None:
    height, width = window.shape
    rows = near.shape[0]
    for x in range(width):
        last[x] = -_NONE - height
    for y in range(first + rows):
        row = window[y]
        for x in range(width):
            if is_of_set[row[x]]:
                last[x] = y
        if y >= first:
            for x in range(width):
                near[y - first, x] = min(y - last[x], _NONE)
    for x in range(width):
        last[x] = 2 * height + _NONE
    for y in range(height - 1, first - 1, -1):
        row = window[y]
        for x in range(width):
            if is_of_set[row[x]]:
                last[x] = y
        if y < first + rows:
            for x in range(width):
                near[y - first, x] = min(near[y - first, x], last[x] - y)


def count_within_reach(
    near_at: Any, height: int, width: int, reach_at: Any, edges: int, reach_rows: int, band_at: Any, core_at: Any,
    core_width: int, is_counted_at: Any, tissue_at: Any, first: int, edge_of_at: Any, counts_at: Any, bands: int,
) -> None:  # fmt: skip
    """Add the level-0 pixels of each core pixel to its band and code: int64 (bands, 256).

    At these addresses lie, contiguous: ``near`` uint16 (rows, w), ``reach`` int64 (edges, rows), ``band`` int64
    (edges,), ``core`` uint8 (rows, core w) from column ``first`` on, ``is_counted`` uint8 (256,), ``tissue`` uint32 of
    the core's shape, ``edge_of`` int64 (w,) for its own use.
    """
    _count_within_reach(
        carray(near_at, (height, width)),
        carray(reach_at, (edges, reach_rows)),
        carray(band_at, edges),
        carray(core_at, (height, core_width)),
        carray(is_counted_at, 256),
        carray(tissue_at, (height, core_width)),
        first,
        carray(edge_of_at, width),
        carray(counts_at, (bands, 256)),
    )


@native_part
def _count_within_reach(
    near: Any, reach: Any, band: Any, core: Any, is_counted: Any, tissue: Any, first: int, edge_of: Any, counts: Any
) -> None:
    height, width = near.shape
    core_width = core.shape[1]
    edges, reach_rows = reach.shape
    for y in range(height):
        is_wanted = False
        for x in range(core_width):
            if tissue[y, x] > 0 and is_counted[core[y, x]]:
                is_wanted = True
                break
        if not is_wanted:
            continue
        row = near[y]
        is_within = False
        for x in range(width):
            if row[x] < reach_rows:
                is_within = True
                break
        if not is_within:
            continue
        for x in range(width):
            edge_of[x] = edges
        for k in range(edges - 1, -1, -1):  # what an edge reaches, one farther out does
            far = -1
            for x in range(width):
                rows = row[x]
                if rows < reach_rows and reach[k, rows] >= 0:
                    far = max(far, x + reach[k, rows])
                if x <= far:
                    edge_of[x] = k
            far = width
            for x in range(width - 1, -1, -1):
                rows = row[x]
                if rows < reach_rows and reach[k, rows] >= 0:
                    far = min(far, x - reach[k, rows])
                if x >= far:
                    edge_of[x] = k
        for x in range(core_width):
            k = edge_of[first + x]
            code = core[y, x]
            if k < edges and band[k] >= 0 and is_counted[code]:
                counts[band[k], code] += tissue[y, x]
