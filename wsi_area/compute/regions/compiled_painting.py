"""compute: the compiled half of painting regions: a code under runs of pixels.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``painted``: nothing here checks a bound.
"""

from typing import Any

from numba import carray


def paint_spans(
    picture_at: Any, height: int, width: int, left: int, regions_at: Any, rows_at: Any, starts_at: Any, ends_at: Any,
    n: int, code_of_region_at: Any, regions: int,
) -> None:  # fmt: skip
    """Write the code of each run's region under it, in the order of the runs.

    At these addresses lie: uint8 (height, width), the picture; int32 (n,) each, region, row, first column and the one
    behind the last of each run, of which the picture begins with the column ``left``; uint8, the code of each region.
    """
    picture = carray(picture_at, (height, width))
    region_of, rows, starts, ends = (
        carray(regions_at, n),
        carray(rows_at, n),
        carray(starts_at, n),
        carray(ends_at, n),
    )
    code_of_region = carray(code_of_region_at, regions)
    for i in range(n):
        code, row = code_of_region[region_of[i]], picture[rows[i]]
        for x in range(max(starts[i] - left, 0), min(ends[i] - left, width)):
            row[x] = code
