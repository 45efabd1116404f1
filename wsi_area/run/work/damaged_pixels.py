"""run: which work pixels are lost where some of a slide cannot be decoded."""

from collections.abc import Iterable

import numpy as np

from wsi_area.model.geometry import Region
from wsi_area.model.pixels import MaskArray
from wsi_area.slides import DamagedPart


def damaged_work_px(
    damaged: Iterable[DamagedPart], region_level_px: Region, factor: int, shape: tuple[int, int]
) -> MaskArray:
    """Return bool of a shape, True where any level pixel under a work pixel is damaged.

    A work pixel is measured from all of its pixels or not at all, so that what is counted on a damaged slide is what
    would be counted on a whole one.

    Parameters
    ----------
    damaged
        Parts of the region that could not be decoded.
    region_level_px
        The region that the shape stands for; it begins where a work pixel does.
    factor
        Level pixels that a work pixel spans each way.
    shape
        Rows and columns of work pixels.

    >>> from wsi_area.model.geometry import Region
    >>> damaged_work_px([DamagedPart(Region(13, 0, 2, 2), "torn")], Region(10, 0, 9, 6), 3, (2, 3)).tolist()
    [[False, True, False], [False, False, False]]
    """
    lost = np.zeros(shape, np.bool_)
    for part in damaged:
        at = part.region_level_px
        left, top = (at.x_px - region_level_px.x_px) // factor, (at.y_px - region_level_px.y_px) // factor
        right = -((region_level_px.x_px - at.right_px) // factor)
        bottom = -((region_level_px.y_px - at.bottom_px) // factor)
        lost[top:bottom, left:right] = True
    return lost


def spread(work_px: MaskArray, factor: int, shape: tuple[int, int]) -> MaskArray:
    """Return a mask of work pixels as one of level pixels, of a shape that need not be a multiple of the factor."""
    return work_px.repeat(factor, 0).repeat(factor, 1)[: shape[0], : shape[1]]
