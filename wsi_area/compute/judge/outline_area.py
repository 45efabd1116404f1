"""compute: the exact area of an outline beside the area of the pixels counted in it, and how far they may differ."""

import math

from wsi_area.compute.count.area import area_mm2
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp

VARIANCE_PER_BOUNDARY_PX = 0.09
"""Of the number of pixel centres inside an outline, per pixel of its boundary: 0.0728 for a smooth boundary without
a preferred direction (Kendall and Moran 1963, "Geometrical Probability"), up to 0.09 for drawn ones. That is the mean
over all angles: one shape at one angle was seen between 0.04 and 0.12, straight edges along the grid vary most."""


@frozen_value
class OutlineArea:
    """What an outline encloses, and the standard uncertainty of counting it in pixels."""

    area_mm2: float
    u_count_mm2: float


def count_u_px(boundary_px: float) -> float:
    """Return the standard uncertainty of a pixel count from where the grid happens to lie, in the same pixels.

    >>> round(count_u_px(10_000), 9)
    30.0
    """
    return math.sqrt(VARIANCE_PER_BOUNDARY_PX * boundary_px)


def outline_area(
    area_l0_px2: float, boundary_l0_px: float, mpp: Mpp, work_px_l0: tuple[float, float] = (1.0, 1.0)
) -> OutlineArea:
    """Return the area of an outline in mm², with the uncertainty of its count in work pixels.

    Parameters
    ----------
    area_l0_px2, boundary_l0_px
        Exact, of the outline.
    mpp
        Of level 0.
    work_px_l0 : (x, y)
        Level-0 px that a work pixel is wide and high.

    >>> outline_area(4_000_000.0, 8_000.0, Mpp(0.5, 0.5)).area_mm2
    1.0
    >>> round(outline_area(4_000_000.0, 8_000.0, Mpp(0.5, 0.5), (4.0, 4.0)).u_count_mm2, 9)
    5.3666e-05
    """
    work_px_l0_px2 = work_px_l0[0] * work_px_l0[1]
    u_l0_px2 = count_u_px(boundary_l0_px / math.sqrt(work_px_l0_px2)) * work_px_l0_px2
    return OutlineArea(area_mm2(area_l0_px2, mpp), area_mm2(u_l0_px2, mpp))
