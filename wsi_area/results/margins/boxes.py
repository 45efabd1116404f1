"""results: a slide's class map cut into boxes of a size of their own, and what each has of bands and of windows."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bands.band_counts import band_counts
from wsi_area.compute.bands.band_rule import BandRule
from wsi_area.compute.hotspots.window import Window
from wsi_area.compute.hotspots.window_sums import WindowSums, window_sums
from wsi_area.model.geometry import Region, Size
from wsi_area.results.class_map.layered_map import LayeredMap

Ints = NDArray[np.int64]
SIDE_PX = 3072
"""Side of a box in work pixels, at least; with the farthest edge round it, it is what one task holds in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowGrid:
    """The windows to be added up: their centres on the work grid, and the pixels of each area's window."""

    ys_px: Ints
    xs_px: Ints
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BoxSums:
    """What one box has: of the whole slide, and of each area's windows."""

    tissue_px: int
    positive_px: int
    windows: tuple[WindowSums, ...]


def boxes_of(shape: tuple[int, int], side_px: int = SIDE_PX) -> Iterator[Region]:
    """Yield the boxes of a class map (h, w), row by row; whatever their side, they add up to the same."""
    height, width = shape
    for y in range(0, height, side_px):
        for x in range(0, width, side_px):
            yield Region(x, y, min(side_px, width - x), min(side_px, height - y))


def bands_of_box(layered: LayeredMap, box: Region, borders: Sequence[Collection[int]], rule: BandRule) -> Ints | None:
    """Return the level-0 px of tissue in a box by border, band and code, int64 (borders, bands, 256); None for none.

    Raises
    ------
    ResultError
        If the class map or the tissue layer cannot be read.
    """
    height, width = layered.shape
    core = layered.classes(_rows(box), _cols(box))
    tissue = layered.tissue_l0_px(_rows(box), _cols(box), core)
    if not tissue.any():
        return None
    halo_rows, halo_cols = rule.halo_px
    around = box.grown(max(halo_rows, halo_cols), Size(width, height))
    window = layered.classes(_rows(around), _cols(around))
    inner = Region(box.x_px - around.x_px, box.y_px - around.y_px, box.width_px, box.height_px)
    return np.stack([band_counts(window, inner, tissue, ids, rule) for ids in borders])


def windows_of_box(layered: LayeredMap, box: Region, positive_ids: Collection[int], grid: WindowGrid) -> BoxSums | None:
    """Return what a box adds to every window of a grid; None where it has no tissue.

    Raises
    ------
    ResultError
        If the class map or the tissue layer cannot be read.
    """
    core = layered.classes(_rows(box), _cols(box))
    tissue = layered.tissue_l0_px(_rows(box), _cols(box), core)
    if not tissue.any():
        return None
    by_code = np.zeros(256, np.bool_)
    by_code[list(positive_ids)] = True
    is_positive = by_code[core]
    return BoxSums(
        int(tissue.sum(dtype=np.int64)),
        int(np.multiply(tissue, is_positive).sum(dtype=np.int64)),
        window_sums(tissue, is_positive, box, grid.ys_px, grid.xs_px, grid.windows),
    )


def _rows(box: Region) -> slice:
    return slice(box.y_px, box.bottom_px)


def _cols(box: Region) -> slice:
    return slice(box.x_px, box.right_px)
