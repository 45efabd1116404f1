"""compute: lengths and ratios that several rules need; pure."""

from wsi_area.model.calibration import Mpp
from wsi_area.model.slide import SlideInfo


def axis_ratio(one: float, other: float) -> float:
    """Return the ratio of the larger of two lengths to the smaller.

    >>> axis_ratio(0.25, 0.5)
    2.0
    """
    return max(one / other, other / one)


def extent_mm(info: SlideInfo, mpp: Mpp) -> tuple[float, float]:
    """Return width and height of the whole image in mm."""
    return info.size_l0_px.width_px * mpp.x / 1000, info.size_l0_px.height_px * mpp.y / 1000
