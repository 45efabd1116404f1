"""compute: the compiled half of bands: rows to the nearest pixel of a set, and what lies within reach of it.

Called through ``band_counts``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

from wsi_area.compute.machine_code import machine_code

_NONE = 65535  # rows to a pixel of the set where its column has none near enough


@machine_code
def rows_to_nearest(window: Any, is_of_set: Any, first: int, near: Any, last: Any) -> None:
    """Write how many rows each pixel is from the nearest one of the set in its column.

    ``window`` uint8 (h, w) of codes, ``is_of_set`` uint8 (256,), ``near`` uint16 (rows, w) of the rows from ``first``
    on, ``last`` int64 (w,) for its own use.
    """
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


@machine_code
def count_within_reach(
    near: Any, reach: Any, band: Any, core: Any, is_counted: Any, tissue: Any, first: int, edge_of: Any, counts: Any
) -> None:
    """Add the level-0 pixels of each core pixel to its band and code: int64 (bands, 256).

    ``near`` uint16 (rows, w), ``reach`` int64 (edges, rows), ``band`` int64 (edges,), ``core`` uint8 (rows, core w)
    from column ``first`` on, ``is_counted`` uint8 (256,), ``tissue`` uint32 of the core's shape, ``edge_of`` int64 (w,)
    for its own use.
    """
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
