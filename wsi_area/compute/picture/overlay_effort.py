"""compute: how much work it would be to check or unite outlines, estimated before it is begun.

What geometry libraries do with edges grows with the pairs of them that lie near each other, and with the points at
which they cross, not with their number: a star of 100 000 points has 2 500 000 000 near pairs, and two combs of 1000
teeth cross 4 000 000 times. Both are estimated from a sample of pairs on a grid, without bias: each pair belongs to
the one cell that holds the corner of what their boxes share.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_EDGES = 400_000  # looked at; of more a random part
_MOST_CELLS_PER_EDGE = 8
_SAMPLE = 300_000
_AT_ONCE = 5000  # geometries whose points are held at a time
_POLYGON = 3


@frozen_value
class Effort:
    """What there is to be compared."""

    near_pairs: float  # of edges whose boxes overlap
    crossings: float  # of edges


@frozen_value(eq=False)
class _Edges:
    """Edges and their boxes, float64 (n,) each."""

    x1: Floats
    y1: Floats
    x2: Floats
    y2: Floats

    @property
    def boxes(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return left, top, right and bottom end of each."""
        return (
            np.minimum(self.x1, self.x2),
            np.minimum(self.y1, self.y2),
            np.maximum(self.x1, self.x2),
            np.maximum(self.y1, self.y2),
        )


def overlay_effort(geometries: NDArray[np.object_]) -> Effort:
    """Return an estimate of the near pairs and the crossings among all edges of some geometries, valid or not.

    >>> cross = [shapely.LineString([(0, 0), (9, 9)]), shapely.LineString([(0, 9), (9, 0)])]
    >>> round(overlay_effort(np.array(cross, dtype=object)).crossings, 2)
    1.0
    """
    points = int(shapely.get_num_coordinates(geometries).sum())
    rng, kept = np.random.default_rng(0), min(1.0, _MOST_EDGES / max(1, points))
    found = [_edges_of(geometries[n : n + _AT_ONCE], kept, rng) for n in range(0, len(geometries), _AT_ONCE)]
    edges = _Edges(*(np.concatenate(column) for column in zip(*found, strict=True)))
    return _sampled(edges, 1 / kept**2, rng) if len(edges.x1) > 1 else Effort(0.0, 0.0)


def _edges_of(geometries: NDArray[np.object_], kept: float, rng: np.random.Generator) -> tuple[Floats, ...]:
    """Return the ends of the edges of some geometries, a random share of them: x1, y1, x2, y2."""
    lines = shapely.get_parts(geometries)
    rings, polygons = shapely.get_rings(lines), shapely.get_type_id(lines) == _POLYGON
    points, line = shapely.get_coordinates(np.concatenate([rings, lines[~polygons]]), return_index=True)
    start = np.flatnonzero(line[:-1] == line[1:])
    if kept < 1:
        start = start[rng.random(len(start)) < kept]
    return points[start, 0], points[start, 1], points[start + 1, 0], points[start + 1, 1]


def _sampled(edges: _Edges, factor: float, rng: np.random.Generator) -> Effort:
    boxes = edges.boxes
    side, (edge, cell) = _incidences(boxes)
    order = np.argsort(cell, kind="stable")
    edge, cell = edge[order], cell[order]
    first = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]])
    count = np.diff(np.r_[first, len(cell)]).astype(np.float64)
    pairs_up_to = np.cumsum(count * (count - 1) / 2)
    if pairs_up_to[-1] == 0:
        return Effort(0.0, 0.0)
    chosen = np.searchsorted(pairs_up_to, rng.random(_SAMPLE) * pairs_up_to[-1], "right")
    one = (rng.random(_SAMPLE) * count[chosen]).astype(np.int64)
    other = (rng.random(_SAMPLE) * (count[chosen] - 1)).astype(np.int64)
    other += other >= one
    a, b = edge[first[chosen] + one], edge[first[chosen] + other]
    left, top = np.maximum(boxes[0][a], boxes[0][b]), np.maximum(boxes[1][a], boxes[1][b])
    right, bottom = np.minimum(boxes[2][a], boxes[2][b]), np.minimum(boxes[3][a], boxes[3][b])
    near = (left <= right) & (top <= bottom) & (side.cell_of(left, top) == cell[first[chosen]])
    weight = factor * float(pairs_up_to[-1]) / _SAMPLE
    crossed = near & _cross(edges, a, b)
    return Effort(weight * float(near.sum()), weight * float(crossed.sum()))


@frozen_value
class _Grid:
    """A square grid of cells over all edges."""

    x0: float
    y0: float
    cell_w: float
    cell_h: float
    side: int

    def columns(self, x: Floats) -> Ints:
        return np.clip(((x - self.x0) / self.cell_w).astype(np.int64), 0, self.side - 1)

    def rows(self, y: Floats) -> Ints:
        return np.clip(((y - self.y0) / self.cell_h).astype(np.int64), 0, self.side - 1)

    def cell_of(self, x: Floats, y: Floats) -> Ints:
        return self.rows(y) * self.side + self.columns(x)


def _incidences(boxes: tuple[Floats, Floats, Floats, Floats]) -> tuple[_Grid, tuple[Ints, Ints]]:
    """Return a grid as fine as memory allows, and which edges' boxes meet which of its cells."""
    x0, y0 = float(boxes[0].min()), float(boxes[1].min())
    width, height = float(boxes[2].max()) - x0 or 1.0, float(boxes[3].max()) - y0 or 1.0
    edges = len(boxes[0])
    side = int(np.sqrt(edges)) + 1
    while True:
        grid = _Grid(x0, y0, width / side, height / side, side)
        c0, r0, c1, r1 = grid.columns(boxes[0]), grid.rows(boxes[1]), grid.columns(boxes[2]), grid.rows(boxes[3])
        across, cells = c1 - c0 + 1, (c1 - c0 + 1) * (r1 - r0 + 1)
        if side == 1 or int(cells.sum()) <= _MOST_CELLS_PER_EDGE * edges:
            break
        side //= 2
    edge = np.repeat(np.arange(edges), cells)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(cells) - cells, cells)
    cell = (r0[edge] + nth // across[edge]) * side + c0[edge] + nth % across[edge]
    return grid, (edge, cell)


def _cross(edges: _Edges, a: Ints, b: Ints) -> NDArray[np.bool_]:
    """Return the pairs of edges that cross, other than at an end of one of them."""

    def sides(one: Ints, other: Ints) -> Floats:
        dx, dy = edges.x2[one] - edges.x1[one], edges.y2[one] - edges.y1[one]
        start = dx * (edges.y1[other] - edges.y1[one]) - dy * (edges.x1[other] - edges.x1[one])
        end = dx * (edges.y2[other] - edges.y1[one]) - dy * (edges.x2[other] - edges.x1[one])
        return np.asarray(np.sign(start) * np.sign(end))

    return np.asarray((sides(a, b) < 0) & (sides(b, a) < 0))
