"""compute: a region of interest on the grid of a plan: which tiles lie outside it, which pixels inside."""

from dataclasses import replace
from itertools import product

import numpy as np
import shapely

from wsi_area.compute.cut.grid import place_at, work_edges_l0_px
from wsi_area.compute.cut.planning import fingerprinted
from wsi_area.compute.cut.rasterise import inside_at, mask_codes_at
from wsi_area.model.drawn import RegionOfInterest
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import MaskArray, TilePlace
from wsi_area.model.plan import SlidePlan

_WORK_PX_AT_ONCE = 1 << 22


def limit_to_roi(plan: SlidePlan, roi: RegionOfInterest) -> SlidePlan:
    """Return the plan with the tiles marked that lie wholly outside a region of interest: they are not read."""
    outside = _outside_outline(plan, roi.wkb_l0_px) if roi.wkb_l0_px is not None else _outside_mask(plan, roi)
    return fingerprinted(replace(plan, roi_sha256=roi.sha256, outside_roi=outside))


def inside_roi(roi: RegionOfInterest, place: TilePlace) -> MaskArray:
    """Return bool (h, w), True where the centre of a work pixel lies inside; the same for any cut into tiles."""
    if roi.wkb_l0_px is not None:
        return inside_at(roi.wkb_l0_px, place.x_centres_l0_px, place.y_centres_l0_px)
    if roi.mask is None:
        raise ValueError("a region of interest has either an outline or a mask")
    return np.asarray(mask_codes_at(roi.mask, place.x_centres_l0_px, place.y_centres_l0_px) != 0)


def _outside_outline(plan: SlidePlan, wkb: bytes) -> frozenset[int]:
    """Return the tiles whose box does not meet the outline: no pixel centre in them can be inside."""
    columns, rows = work_edges_l0_px(plan)
    x, y = columns[[*range(0, len(columns) - 1, plan.tile_px), -1]], rows[[*range(0, len(rows) - 1, plan.tile_px), -1]]
    boxes = shapely.box(x[None, :-1], y[:-1, None], x[None, 1:], y[1:, None])
    outline = shapely.from_wkb(wkb)
    shapely.prepare(outline)
    return frozenset(int(n) for n in np.flatnonzero(shapely.disjoint(outline, boxes).ravel()))


def _outside_mask(plan: SlidePlan, roi: RegionOfInterest) -> frozenset[int]:
    """Return the tiles without a pixel inside; some tiles of a row are looked at at a time, whatever its length."""
    found: list[int] = []
    size, side, at_once = plan.work_size_px, plan.tile_px, max(1, _WORK_PX_AT_ONCE // plan.tile_px**2)
    for row, first in product(range(plan.grid_rows), range(0, plan.grid_cols, at_once)):
        top, left = row * side, first * side
        box = Region(left, top, min(at_once * side, size.width_px - left), min(side, size.height_px - top))
        columns_inside = np.asarray(inside_roi(roi, place_at(plan, box)).any(axis=0))
        for col in range(first, min(first + at_once, plan.grid_cols)):
            if not columns_inside[(col - first) * side : (col - first + 1) * side].any():
                found.append(row * plan.grid_cols + col)
    return frozenset(found)
