"""compute: the compiled half of regions: what lies under runs of pixels, and which runs hang together.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``under_spans``: nothing here checks a bound. What lies at an address is contiguous;
``spans`` is int32 (4, n): region, row, first column and the one behind the last of each run.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part


def tally_spans(
    class_map_at: Any, height: int, width: int, group_of_at: Any, in_focus_at: Any, x_edges_at: Any, y_edges_at: Any,
    spans_at: Any, n: int, counts_at: Any, regions: int, groups: int, runs_at: Any,
) -> None:  # fmt: skip
    """Add the level-0 pixels under each run to the group of their code; write how many runs of foci there are."""
    spans = carray(spans_at, (4, n))
    carray(runs_at, 1)[0] = _tally_spans(
        carray(class_map_at, (height, width)),
        carray(group_of_at, 256),
        carray(in_focus_at, 256),
        carray(x_edges_at, width + 1),
        carray(y_edges_at, height + 1),
        spans[0],
        spans[1],
        spans[2],
        spans[3],
        carray(counts_at, (regions, groups)),
    )


@native_part
def _tally_spans(
    class_map: Any, group_of: Any, in_focus: Any, x_edges: Any, y_edges: Any,
    regions: Any, rows: Any, starts: Any, ends: Any, counts: Any,
) -> int:  # fmt: skip
    runs = 0
    for i in range(len(regions)):
        y, of_region = rows[i], counts[regions[i]]
        height = y_edges[y + 1] - y_edges[y]
        x = starts[i]
        inside = False
        while x < ends[i]:
            code = class_map[y, x]
            begin = x
            while x < ends[i] and class_map[y, x] == code:
                x += 1
            of_region[group_of[code]] += (x_edges[x] - x_edges[begin]) * height
            if in_focus[code] and not inside:
                runs += 1
            inside = in_focus[code] != 0
    return runs


def tally_tissue(
    class_map_at: Any, height: int, width: int, group_of_at: Any, tissue_at: Any, spans_at: Any, n: int, sums_at: Any,
    regions: int, groups: int,
) -> None:  # fmt: skip
    """Add the level-0 pixels of tissue under each run to the group of the code that they have."""
    spans = carray(spans_at, (4, n))
    _tally_tissue(
        carray(class_map_at, (height, width)),
        carray(group_of_at, 256),
        carray(tissue_at, (height, width)),
        spans[0],
        spans[1],
        spans[2],
        spans[3],
        carray(sums_at, (regions, groups)),
    )


@native_part
def _tally_tissue(
    class_map: Any, group_of: Any, tissue: Any, regions: Any, rows: Any, starts: Any, ends: Any, sums: Any
) -> None:
    for i in range(len(regions)):
        y, of_region = rows[i], sums[regions[i]]
        for x in range(starts[i], ends[i]):
            of_region[group_of[class_map[y, x]]] += int(tissue[y, x])


def sum_signal(
    class_map_at: Any, height: int, width: int, group_of_at: Any, signal_at: Any, x_edges_at: Any, y_edges_at: Any,
    spans_at: Any, n: int, sums_at: Any, regions: int, groups: int,
) -> None:  # fmt: skip
    """Add the signal under each run to the group of the code: that of a pixel as often as it has level-0 pixels."""
    spans = carray(spans_at, (4, n))
    _sum_signal(
        carray(class_map_at, (height, width)),
        carray(group_of_at, 256),
        carray(signal_at, (height, width)),
        carray(x_edges_at, width + 1),
        carray(y_edges_at, height + 1),
        spans[0],
        spans[1],
        spans[2],
        spans[3],
        carray(sums_at, (regions, groups)),
    )


@native_part
def _sum_signal(
    class_map: Any, group_of: Any, signal: Any, x_edges: Any, y_edges: Any,
    regions: Any, rows: Any, starts: Any, ends: Any, sums: Any,
) -> None:  # fmt: skip
    for i in range(len(regions)):
        y, of_region = rows[i], sums[regions[i]]
        height = y_edges[y + 1] - y_edges[y]
        for x in range(starts[i], ends[i]):
            of_region[group_of[class_map[y, x]]] += int(signal[y, x]) * (x_edges[x + 1] - x_edges[x]) * height


def focus_runs(
    class_map_at: Any, height: int, width: int, in_focus_at: Any, spans_at: Any, n: int, found_at: Any, runs: int
) -> None:
    """Write region, row, first column and the one behind the last of each run of foci into the rows of ``found``."""
    spans = carray(spans_at, (4, n))
    _focus_runs(
        carray(class_map_at, (height, width)),
        carray(in_focus_at, 256),
        spans[0],
        spans[1],
        spans[2],
        spans[3],
        carray(found_at, (runs, 4)),
    )


@native_part
def _focus_runs(
    class_map: Any, in_focus: Any, regions: Any, rows: Any, starts: Any, ends: Any, found: Any
) -> None:  # fmt: skip
    n = 0
    for i in range(len(regions)):
        y = rows[i]
        x = starts[i]
        while x < ends[i]:
            if not in_focus[class_map[y, x]]:
                x += 1
                continue
            found[n, 0], found[n, 1], found[n, 2] = regions[i], y, x
            while x < ends[i] and in_focus[class_map[y, x]]:
                x += 1
            found[n, 3] = x
            n += 1


@native_part
def _root(parents: Any, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@native_part
def _join(parents: Any, i: int, j: int) -> None:
    a, b = _root(parents, i), _root(parents, j)
    if a < b:
        parents[b] = a
    elif b < a:
        parents[a] = b


def join_focus_runs(found_at: Any, runs: int, parts_at: Any, count_at: Any) -> None:
    """Write the part of each run of foci, numbered from 0, and how many. Pixels join at sides and corners.

    ``found`` int64 (runs, 4) is ordered by region, row and column; runs of two regions never join.
    """
    carray(count_at, 1)[0] = _join_focus_runs(carray(found_at, (runs, 4)), carray(parts_at, runs))


@native_part
def _join_focus_runs(found: Any, parts: Any) -> int:
    n = len(parts)
    for i in range(n):
        parts[i] = i
    above, line = 0, 0  # where the line before this one begins, and this one
    for j in range(n):
        if j > 0 and (found[j, 0] != found[j - 1, 0] or found[j, 1] != found[j - 1, 1]):
            above, line = line, j
            if found[above, 0] != found[j, 0] or found[above, 1] + 1 != found[j, 1]:
                above = j  # there is nothing right above
        if j > line and found[j, 2] == found[j - 1, 3]:
            _join(parts, j - 1, j)
        while above < line and found[above, 3] < found[j, 2]:
            above += 1
        k = above
        while k < line and found[k, 2] <= found[j, 3]:
            _join(parts, k, j)
            k += 1
    for i in range(n):  # a root is the first of its runs
        parts[i] = _root(parts, i)
    count = 0
    for i in range(n):
        if parts[i] == i:
            count += 1
            parts[i] = -count
        else:
            parts[i] = parts[parts[i]]
    for i in range(n):
        parts[i] = -parts[i] - 1
    return count
