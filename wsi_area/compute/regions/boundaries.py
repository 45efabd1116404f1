"""compute: the boundaries of many regions as edges, and the runs of pixels that lie inside each; exact, by one rule.

The rule is that of `compute.cut.rasterise`: the centre of a pixel decides. Here the regions come all at once, and what
comes back are runs along the rows of a box, not a picture for each region.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.compute.cut.rasterise import first_column, mask_codes_at
from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn_mask import DrawnMask

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_AT_ONCE = 5000  # regions whose points are held a few times over while their edges are made
_CROSSINGS_AT_ONCE = 1 << 20
_MASK_PX_AT_ONCE = 1 << 22


@frozen_value(eq=False)
class Edges:
    """The boundaries of regions as edges that run downwards (y grows); those of a region lie one after the other."""

    ends: Floats  # (4, n): x1, y1, x2, y2, level-0 px
    regions: NDArray[np.int32]  # (n,), the region of each edge, ascending


@frozen_value(eq=False)
class Spans:
    """Runs of pixels of a box that lie inside regions, ordered by region, row and column."""

    regions: NDArray[np.int32]
    rows: NDArray[np.int32]  # of the box
    starts: NDArray[np.int32]  # the first column of the box that is inside …
    ends: NDArray[np.int32]  # … and the first behind it that is not


@frozen_value(eq=False)
class Boundaries:
    """The boundaries of the regions of a slide."""

    edges: Edges
    first: Ints  # (regions + 1,): region i owns the edges [first[i], first[i + 1])
    bounds: Floats  # (regions, 4): x0, y0, x1, y1; not a number for a region without an outline

    def near(self, x_centres_l0_px: Floats, y_centres_l0_px: Floats) -> Edges:
        """Return the edges that decide which of some pixel centres lie inside: none to the right, above or below."""
        x0, x1, y0, y1 = x_centres_l0_px[0], x_centres_l0_px[-1], y_centres_l0_px[0], y_centres_l0_px[-1]
        box = self.bounds
        met = np.flatnonzero((box[:, 0] <= x1) & (box[:, 2] >= x0) & (box[:, 1] <= y1) & (box[:, 3] >= y0))
        counts = self.first[met + 1] - self.first[met]
        at = np.repeat(self.first[met] - np.cumsum(counts) + counts, counts) + np.arange(int(counts.sum()))
        ends = self.edges.ends[:, at]
        decides = (ends[1] <= y1) & (ends[3] > y0) & (np.minimum(ends[0], ends[2]) <= x1)
        return Edges(ends[:, decides], self.edges.regions[at[decides]])


def boundaries_of(outlines: Sequence[bytes | None]) -> Boundaries:
    """Return the boundaries of regions, each a valid Polygon or MultiPolygon as well-known binary, level-0 px.

    >>> boundaries_of([shapely.box(1, 1, 3, 3).wkb, None]).first.tolist()
    [0, 2, 2]
    """
    bounds = np.full((len(outlines), 4), np.nan)
    ends, regions = [np.empty((4, 0))], [np.empty(0, np.int32)]
    for start in range(0, len(outlines), _AT_ONCE):
        few = [(n, wkb) for n, wkb in enumerate(outlines[start : start + _AT_ONCE], start) if wkb is not None]
        if few:
            numbers = np.array([n for n, _ in few], np.int32)
            geometries = shapely.from_wkb([wkb for _, wkb in few])
            bounds[numbers] = shapely.bounds(geometries).reshape(-1, 4)
            downward, of = _downward(geometries)
            ends.append(downward)
            regions.append(numbers[of])
    edges = Edges(np.hstack(ends), np.concatenate(regions))
    counts = np.bincount(edges.regions, minlength=len(outlines))
    return Boundaries(edges, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), bounds)


def _downward(geometries: NDArray[np.object_]) -> tuple[Floats, NDArray[np.intp]]:
    """Return the edges of geometries that are not level, float64 (4, n), and the geometry that each belongs to."""
    parts, geometry_of_part = shapely.get_parts(geometries, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    start = np.flatnonzero(ring_of_point[:-1] == ring_of_point[1:])  # rings are closed: no edge joins two of them
    a, b, of = points[start], points[start + 1], geometry_of_part[part_of_ring[ring_of_point[start]]]
    slanted = a[:, 1] != b[:, 1]  # a ray along a level edge does not cross it
    a, b, of = a[slanted], b[slanted], of[slanted]
    up = (a[:, 1] > b[:, 1])[:, None]
    return np.hstack([np.where(up, b, a), np.where(up, a, b)]).T, of


def spans_in(edges: Edges, x_centres_l0_px: Floats, y_centres_l0_px: Floats) -> Iterator[Spans]:
    """Yield the runs of pixels inside regions, some whole regions at a time.

    Parameters
    ----------
    edges
        As `Boundaries.near` gives them for these centres.
    x_centres_l0_px, y_centres_l0_px : float64 (w,), (h,)
        Ascending, level-0 px.

    >>> x = np.arange(4) + 0.5
    >>> spans = next(spans_in(boundaries_of([shapely.box(1, 1, 3, 3).wkb]).near(x, x), x, x))
    >>> spans.rows.tolist(), spans.starts.tolist(), spans.ends.tolist()
    ([1, 2], [1, 1], [3, 3])
    """
    x, y = x_centres_l0_px, y_centres_l0_px
    _, y1, _, y2 = edges.ends
    top, bottom = np.searchsorted(y, y1, "left"), np.searchsorted(y, y2, "left")  # rows with y1 <= y < y2
    crossed = np.cumsum(bottom - top)
    last_of_region = np.flatnonzero(np.diff(edges.regions, append=-1))
    begin = 0
    while begin < len(top):
        done = crossed[begin - 1] if begin else 0
        fitting = last_of_region[crossed[last_of_region] <= done + _CROSSINGS_AT_ONCE]
        stop = int(fitting[-1] if len(fitting) and fitting[-1] >= begin else _next(last_of_region, begin)) + 1
        few = slice(begin, stop)
        yield _spans_of(edges.ends[:, few], edges.regions[few], (top[few], bottom[few]), x, y)
        begin = stop


def _next(last_of_region: NDArray[np.intp], begin: int) -> int:
    return int(last_of_region[np.searchsorted(last_of_region, begin)])


def _spans_of(
    ends: Floats, regions: NDArray[np.int32], rows: tuple[NDArray[np.intp], NDArray[np.intp]], x: Floats, y: Floats
) -> Spans:
    """Return the runs between the crossings of each row of each region: inside from an odd one to the next."""
    top, bottom = rows
    count = bottom - top
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + top[edge]
    x1, y1, x2, y2 = ends
    column = first_column(x, y[row], x1[edge], y1[edge], x2[edge], y2[edge])
    line = regions[edge].astype(np.int64) * len(y) + row
    order = np.lexsort((column, line))
    line, column = line[order], column[order]
    begins = np.flatnonzero(np.diff(line, prepend=-1))
    nth = np.arange(len(line)) - np.repeat(begins, np.diff(begins, append=len(line)))
    opening = np.flatnonzero(nth % 2 == 0)
    closed = np.append(line[1:] == line[:-1], False)[opening]  # else the edge that closes it lies beyond the box
    end = np.where(closed, np.append(column[1:], 0)[opening], len(x))
    kept = column[opening] < end
    region, row = np.divmod(line[opening[kept]], len(y))
    return Spans(*(a.astype(np.int32) for a in (region, row, column[opening[kept]], end[kept])))


def mask_spans(
    mask: DrawnMask, region_of_code: NDArray[np.int32], x_centres_l0_px: Floats, y_centres_l0_px: Floats
) -> Iterator[Spans]:
    """Yield the runs of pixels with a code that is a region, some rows at a time; not ordered by region.

    Parameters
    ----------
    region_of_code : int32 (256,)
        The region of each code, below 0 for none.
    """
    width, at_once = len(x_centres_l0_px), max(1, _MASK_PX_AT_ONCE // len(x_centres_l0_px))
    for top in range(0, len(y_centres_l0_px), at_once):
        codes = mask_codes_at(mask, x_centres_l0_px, y_centres_l0_px[top : top + at_once])
        changes = np.flatnonzero(np.diff(codes.ravel()))
        borders = np.arange(0, codes.size + 1, width)
        edges = np.union1d(changes + 1, borders)
        starts, ends = edges[:-1], edges[1:]
        region = region_of_code[codes.ravel()[starts]]
        kept = region >= 0
        row, column = np.divmod(starts[kept], width)
        length = (ends - starts)[kept]
        yield Spans(*(a.astype(np.int32) for a in (region[kept], row + top, column, column + length)))


def ordered(pieces: Sequence[Spans]) -> Spans:
    """Return runs in the order that `Spans` promises."""
    regions, rows, starts, ends = (
        np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("regions", "rows", "starts", "ends")
    )
    order = np.lexsort((starts, rows, regions))
    return Spans(regions[order], rows[order], starts[order], ends[order])
