"""results: what the class map of a coarse look says of each spot, in level-0 pixels."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.results.class_map.sparse_class_map import tiles_of
from wsi_area.results.layout import SlideLayout

BESIDE = (UNSCANNED_CODE, OUTSIDE_ROI_CODE, UNREADABLE_CODE)
"""Codes that stand for no class; each has a column of its own after those of the classes."""


def spot_shares(coarse: SlideLayout, coarse_grid: WorkGrid, spots: WorkGrid, class_count: int) -> NDArray[np.float64]:
    """Return the share of each class, and of what has none, in each spot, float64 (rows, cols, classes + 3).

    A coarse pixel belongs to the spot that its centre lies in; one wide pixel may be all that a spot has.

    Parameters
    ----------
    coarse : SlideLayout
        Where the class map of the coarse look lies.
    coarse_grid, spots : WorkGrid
        Of that class map, and of the slide with its spots as tiles.
    class_count : int

    Raises
    ------
    ResultError
        If a part of the class map cannot be read.
    """
    column_of = np.zeros(256, np.int64)
    column_of[:class_count] = np.arange(class_count)
    column_of[list(BESIDE)] = class_count + np.arange(len(BESIDE))
    width = class_count + len(BESIDE)
    cols, rows = (
        _spots_under(c, s, spots.tile_px) for c, s in zip(coarse_grid.edges_l0_px, spots.edges_l0_px, strict=True)
    )
    found = np.zeros((*spots.shape, width), np.int64)
    for y, x, tile in tiles_of(coarse):
        row, col = rows[y : y + tile.shape[0]], cols[x : x + tile.shape[1]]
        side = int(col[-1] - col[0]) + 1
        place = ((row - row[0])[:, None] * side + (col - col[0])) * width + column_of[tile]
        high = int(row[-1] - row[0]) + 1
        counts = np.bincount(place.ravel(), minlength=high * side * width).reshape(high, side, width)
        found[row[0] : row[-1] + 1, col[0] : col[-1] + 1] += counts
    per_row, per_col = (np.bincount(n, minlength=size) for n, size in zip((rows, cols), spots.shape, strict=True))
    whole = per_row[:, None] * per_col
    found[..., 0] += whole - found.sum(axis=-1)  # what is not stored is background
    shares = found / np.maximum(whole, 1)[..., None]
    shares[whole == 0, 0] = 1.0
    return np.asarray(shares)


def _spots_under(coarse_edges: NDArray[np.int64], spot_edges: NDArray[np.int64], spot_px: int) -> NDArray[np.int64]:
    """Return the spot in which the centre of each coarse pixel of one axis lies, int64 (n,)."""
    edges = spot_edges[:-1:spot_px]
    return np.searchsorted(edges, (coarse_edges[:-1] + coarse_edges[1:]) / 2, side="right") - 1
