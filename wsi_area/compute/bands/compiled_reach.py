"""compute: how far the edges of bands reach along a row of a window, from the pixels nearest to it in each column.

Part of the machine code of ``compiled_bands.count_bands``, which is made anew where this file changes. Nothing here
checks a bound.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import native_part

FAR = 1 << 29  # rows: farther than any
_CHUNK = 64  # columns that are looked over at once


@native_part
def rows_at_once(reach: Any) -> int:
    """Return the rows from the border within which its own column puts a pixel within the first edge."""
    edges, rows = len(reach) - 1, 0
    if edges == 0:
        return FAR + FAR  # nobody asks
    while reach[edges, rows] == 0:
        rows += 1
    return rows


@native_part
def band_at(near: int, along: int, at_once: int, reach: Any, band: Any, of_side: int) -> int:
    """Return the band of a pixel by the rows to the border in its own column, and the edge that its row tells."""
    edges, none = len(reach) - 1, reach.shape[1] - 1
    k = 0
    if near >= at_once:
        k = min(reach[edges, min(near, none)], along)
    return band[of_side + k] if k < edges else -1


@native_part
def look_along(
    near: Any, edge_of: Any, to_right: Any, to_left: Any, first: int, end: int, reach: Any
) -> None:  # fmt: skip
    """Write the nearest edge that each pixel of a part of a row is within by another column: its number, or how many.

    A pixel reaches to the right only if the next one there is farther from the border, and to the left likewise.
    """
    edges, none = len(reach) - 1, reach.shape[1] - 1
    most = reach[edges - 1, 0]
    begin, stop = max(0, first - most), min(len(near), end + most)
    for x in range(first, end):
        edge_of[x] = edges
    nearest = none
    for x in range(begin, stop):
        nearest = min(nearest, near[x])
    if nearest >= none:
        return
    rights, lefts = 0, 0
    for chunk in range(begin, stop - 1, _CHUNK):
        last, changes = min(chunk + _CHUNK, stop - 1), np.int32(0)
        for x in range(chunk, last):
            changes |= near[x] ^ near[x + 1]
        if changes == 0:
            continue
        for x in range(chunk, min(last, end - 1)):
            to_right[rights] = x
            rights += (near[x] < near[x + 1]) & (near[x] < none)
        for x in range(max(chunk, first), last):
            to_left[lefts] = x + 1
            lefts += (near[x + 1] < near[x]) & (near[x + 1] < none)
    for k in range(edges - 1, -1, -1):  # what an edge reaches, one farther out does
        begin, far = first, first - 1  # what is reached without a gap
        for i in range(rights):
            x = to_right[i]
            reached = x + reach[k, near[x]]
            if reached < x:
                continue
            if x > far + 1:
                for at in range(begin, far + 1):
                    edge_of[at] = k
                begin = x
            far = max(far, reached)
        for at in range(begin, min(far + 1, end)):
            edge_of[at] = k
        begin, far = end - 1, end
        for i in range(lefts - 1, -1, -1):
            x = to_left[i]
            reached = x - reach[k, near[x]]
            if reached > x:
                continue
            if x < far - 1:
                for at in range(far, begin + 1):
                    edge_of[at] = k
                begin = x
            far = min(far, reached)
        for at in range(max(far, first), begin + 1):
            edge_of[at] = k
