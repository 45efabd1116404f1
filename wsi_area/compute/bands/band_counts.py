"""compute: the level-0 pixels of tissue in each band round a class, of one box of a class map."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bands.band_rule import BandRule, Side
from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.model.classes import MAX_CLASS_ID
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap

CODES = 256
_STRIP = 64  # rows; it stands in compiled_bands too
_NOT_REACHED = -(1 << 30)
_ARGUMENTS = (
    "uint8* int64 int64 int64 int64 uint32* int64 int64 uint8* int32* int64 int64 int32* int64 int64 int64* int32* "
    "int64 int32* int32* uint8* int64* int64 int32* int64 int64*"
)
_FROZEN = ("wsi_area.compute.bands.compiled_reach",)  # what is compiled in besides its own file
NATIVE = (Native("wsi_area.compute.bands.compiled_bands", "count_bands", _ARGUMENTS, _FROZEN),)


def band_counts(
    window: ClassMap,
    core: Region,
    tissue_l0_px: NDArray[np.uint32],
    border_ids: Collection[int],
    rule: BandRule,
    signal: NDArray[np.int32] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the level-0 pixels of tissue by band and class code, and their signal, both int64 (bands, 256).

    Both are those of the core of a window. Each pixel's signal counts as often as it has level-0 pixels of tissue; 0
    without a signal.

    A pixel that no class was given to (not scanned, outside the region of interest, unreadable) is nothing at all: it
    is counted in no band, and no border lies there.

    Parameters
    ----------
    window : uint8 (h, w)
        Of the class map: the core, and `BandRule.halo_px` round it as far as the slide goes.
    core : Region
        What is counted, in pixels of the window.
    tissue_l0_px : uint32, the core's shape
        Level-0 pixels of tissue under each of its pixels.
    border_ids : collection of int
        Class codes that lie inside the border.
    rule : BandRule
    signal : int32, the core's shape, or None
        In whole steps; None where none is known.
    """
    counts, sums = np.zeros((2, len(rule.bands) + 2, CODES), np.int64)
    side_of = np.zeros(CODES, np.uint8)
    side_of[: MAX_CLASS_ID + 1] = 2
    side_of[list(border_ids)] = 1
    outer, inner = _table(rule.outside), _table(rule.inside)
    halo_rows, halo_columns = rule.halo_px
    top, left = max(0, core.y_px - halo_rows), max(0, core.x_px - halo_columns)
    part = np.ascontiguousarray(window[top : core.bottom_px + halo_rows, left : core.right_px + halo_columns])
    tissue = np.ascontiguousarray(tissue_l0_px, np.uint32)
    of_pixel = None if signal is None else np.ascontiguousarray(signal, np.int32)
    band = np.concatenate([rule.outside.band, rule.inside.band])
    strips, width = -(-core.height_px // _STRIP), part.shape[1]
    begins, below, along = (np.empty((n, width), np.int32) for n in (2 * strips, 2 * _STRIP, 11))
    states = np.empty((_STRIP, width), np.uint8)
    count_bands = native_function(*NATIVE[0])
    count_bands(
        address_of(part), *part.shape, core.y_px - top, core.x_px - left, address_of(tissue), *tissue.shape,
        address_of(side_of), address_of(outer), *_edges_and_rows(outer), address_of(inner), *_edges_and_rows(inner),
        address_of(band), address_of(begins), strips, address_of(below), address_of(along), address_of(states),
        address_of(counts), len(rule.bands), 0 if of_pixel is None else address_of(of_pixel),
        int(of_pixel is not None), address_of(sums),
    )  # fmt: skip
    return counts[:-2], sums[:-2]


def _table(side: Side) -> NDArray[np.int32]:
    """Return a side as it is asked for, int32 (edges + 1, rows + 1).

    How many columns each edge reaches by the rows to the border, a row more than any does; and last the nearest edge
    that so many rows are within, or how many edges there are.
    """
    edges, rows = side.reach_px.shape
    table = np.full((edges + 1, rows + 1), _NOT_REACHED, np.int32)
    table[:edges, :rows] = np.where(side.reach_px >= 0, side.reach_px, _NOT_REACHED)
    table[edges] = edges - (table[:edges] >= 0).sum(axis=0)
    return table


def _edges_and_rows(table: NDArray[np.int32]) -> tuple[int, int]:
    return table.shape[0] - 1, table.shape[1] - 1
