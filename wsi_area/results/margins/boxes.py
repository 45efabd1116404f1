"""results: a slide's class map cut into boxes of a size of their own, and what each has of bands and of windows."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bands.band_counts import band_counts
from wsi_area.compute.bands.band_rule import BandRule
from wsi_area.compute.hotspots.window import Window
from wsi_area.compute.hotspots.window_sums import BoxSums, window_sums
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region, Size
from wsi_area.results.class_map.layered_map import LayeredMap

Ints = NDArray[np.int64]
SIDE_PX = 3072
"""Side of a box in work pixels, at least; with the farthest edge round it, it is what one task holds in memory."""


@frozen_value(eq=False)
class WindowGrid:
    """The windows to be added up: their centres on the work grid, and the pixels of each area's window."""

    ys_px: Ints
    xs_px: Ints
    windows: tuple[Window, ...]


@frozen_value(eq=False)
class Wanted:
    """What is to be counted of a slide: its bands, its windows, or both, from one reading of its class map."""

    borders: tuple[tuple[int, ...], ...] = ()  # the class ids inside each border
    rule: BandRule | None = None  # None: no bands
    positive_ids: tuple[int, ...] = ()
    grid: WindowGrid | None = None  # None: no windows

    @property
    def side_px(self) -> int:
        """Return the side of a box, work px: a border farther off than that would be read more often than once."""
        return SIDE_PX if self.rule is None else max(SIDE_PX, *self.rule.halo_px)


@frozen_value(eq=False)
class BoxMargins:
    """What one box has of what was wanted."""

    bands: Ints | None  # level-0 px of tissue, then their signal in whole steps × px, int64 (2, borders, bands, 256)
    windows: BoxSums | None


def boxes_of(shape: tuple[int, int], side_px: int = SIDE_PX) -> Iterator[Region]:
    """Yield the boxes of a class map (h, w), row by row; whatever their side, they add up to the same."""
    height, width = shape
    for y in range(0, height, side_px):
        for x in range(0, width, side_px):
            yield Region(x, y, min(side_px, width - x), min(side_px, height - y))


def margins_of_box(layered: LayeredMap, box: Region, wanted: Wanted) -> BoxMargins | None:
    """Return the counts of the bands and the windows in a box; None where it has no tissue.

    Raises
    ------
    ResultError
        If the class map or the tissue layer cannot be read.
    """
    height, width = layered.shape
    halo = 0 if wanted.rule is None else max(wanted.rule.halo_px)
    around = box.grown(halo, Size(width, height))
    inner = Region(box.x_px - around.x_px, box.y_px - around.y_px, box.width_px, box.height_px)
    window = layered.classes(_rows(around), _cols(around))
    core = window[_rows(inner), _cols(inner)]
    tissue = layered.tissue_l0_px(_rows(box), _cols(box), core)
    if not tissue.any():
        return None
    rule, grid, bands = wanted.rule, wanted.grid, None
    if rule is not None:
        signal = layered.signal(_rows(box), _cols(box))
        found = [band_counts(window, inner, tissue, border, rule, signal) for border in wanted.borders]
        bands = np.stack([np.stack(of_kind) for of_kind in zip(*found, strict=True)])
    return BoxMargins(
        bands,
        None
        if grid is None
        else window_sums(core, tissue, wanted.positive_ids, box, grid.ys_px, grid.xs_px, grid.windows),
    )


def _rows(box: Region) -> slice:
    return slice(box.y_px, box.bottom_px)


def _cols(box: Region) -> slice:
    return slice(box.x_px, box.right_px)
