"""compute: the level-0 pixels of tissue in each band round a class, of one box of a class map."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bands.band_rule import BandRule, Side
from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.model.classes import MAX_CLASS_ID
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap

CODES = 256
_COMPILED = "wsi_area.compute.bands.compiled_bands"
_ARGUMENTS = {
    "rows_to_nearest": "uint8* int64 int64 uint8* int64 uint16* int64 int64*",
    "count_within_reach": (
        "uint16* int64 int64 int64* int64 int64 int64* uint8* int64 uint8* uint32* int64 int64* int64* int64"
    ),
}


def band_counts(
    window: ClassMap,
    core: Region,
    tissue_l0_px: NDArray[np.uint32],
    border_ids: Collection[int],
    rule: BandRule,
) -> NDArray[np.int64]:
    """Return the level-0 pixels of tissue by band and class code, int64 (bands, 256), of the core of a window.

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
    """
    counts = np.zeros((len(rule.bands), CODES), np.int64)
    inside, outside = np.zeros(CODES, np.uint8), np.zeros(CODES, np.uint8)
    outside[: MAX_CLASS_ID + 1] = 1
    inside[list(border_ids)] = 1
    outside[list(border_ids)] = 0
    for side, from_set, counted in ((rule.outside, inside, outside), (rule.inside, outside, inside)):
        if side.rows_px:
            _count_side(window, core, tissue_l0_px, side, from_set, counted, counts)
    return counts


def _count_side(
    window: ClassMap,
    core: Region,
    tissue_l0_px: NDArray[np.uint32],
    side: Side,
    from_set: NDArray[np.uint8],
    counted: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> None:
    """Add what lies on one side of the border to the counts."""
    top, left = max(0, core.y_px - side.rows_px), max(0, core.x_px - side.columns_px)
    part = np.ascontiguousarray(window[top : core.bottom_px + side.rows_px, left : core.right_px + side.columns_px])
    held = np.ascontiguousarray(window[core.y_px : core.bottom_px, core.x_px : core.right_px])
    if not (counted[held] & (tissue_l0_px > 0)).any():
        return
    near = np.empty((core.height_px, part.shape[1]), np.uint16)
    scratch = np.empty(part.shape[1], np.int64)
    rows_to_nearest = native_function(_COMPILED, "rows_to_nearest", _ARGUMENTS["rows_to_nearest"])
    rows_to_nearest(
        address_of(part), *part.shape, address_of(from_set), core.y_px - top, address_of(near), len(near),
        address_of(scratch),
    )  # fmt: skip
    tissue, reach = np.ascontiguousarray(tissue_l0_px, np.uint32), np.ascontiguousarray(side.reach_px, np.int64)
    count = native_function(_COMPILED, "count_within_reach", _ARGUMENTS["count_within_reach"])
    count(
        address_of(near), *near.shape, address_of(reach), *reach.shape, address_of(side.band), address_of(held),
        held.shape[1], address_of(counted), address_of(tissue), core.x_px - left, address_of(scratch),
        address_of(counts), len(counts),
    )  # fmt: skip
