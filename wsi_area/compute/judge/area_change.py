"""compute: how much an area changed between two dates, and how sure that is; pure."""

import math

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.judge.outline_area import count_u_px
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray


@frozen_value
class DatedArea:
    """An area at one date, with the two things that make it uncertain."""

    area_mm2: float
    relative_u_scale: float  # u(A)/A from the pixel size
    u_count_mm2: float  # standard uncertainty of counting it on a grid

    @property
    def u_scale_mm2(self) -> float:
        """Return the standard uncertainty from the pixel size."""
        return self.relative_u_scale * self.area_mm2

    @property
    def u_mm2(self) -> float:
        """Return the standard uncertainty from both.

        >>> DatedArea(100.0, 0.03, 4.0).u_mm2
        5.0
        """
        return math.hypot(self.u_scale_mm2, self.u_count_mm2)


@frozen_value
class AreaChange:
    """What an area gained or lost."""

    change_mm2: float
    u_mm2: float
    fraction: float | None  # of the area before; None where that was 0
    u_fraction: float | None

    @property
    def half_width_mm2(self) -> float:
        """Return half the width of the 95 % interval."""
        from wsi_area.compute.judge.agreement import Z_95

        return Z_95 * self.u_mm2

    @property
    def exceeds_ci95(self) -> bool:
        """Return True if the change is larger than its 95 % interval reaches: 0 lies outside of it.

        >>> AreaChange(-3.0, 1.5, None, None).exceeds_ci95, AreaChange(-3.0, 1.6, None, None).exceeds_ci95
        (True, False)
        """
        return abs(self.change_mm2) > self.half_width_mm2


def area_change(before: DatedArea, after: DatedArea, *, same_scale: bool) -> AreaChange:
    """Return after − before, with its standard uncertainty.

    By the GUM (JCGM 100:2008, 5.2.2, equation 16), with the correlation ρ of the two errors of scale:
    ``u² = u₁² + u₂² − 2ρ u₁ u₂`` for the scale, to which the two counts, which know nothing of each other, add their
    squares. ρ is 0 for two calibrations (the worst that can be, short of errors that oppose each other) and 1 where one
    calibration serves both dates. A common error of scale does not cancel then: it scales the change by as much as it
    scales either area. It cancels from the quotient after / before, hence from ``fraction``.

    Parameters
    ----------
    before, after
        The two areas.
    same_scale : bool
        Whether one calibration serves both.

    >>> before, after = DatedArea(100.0, 0.01, 0.0), DatedArea(80.0, 0.01, 0.0)
    >>> round(area_change(before, after, same_scale=True).u_mm2, 6)
    0.2
    >>> round(area_change(before, after, same_scale=False).u_mm2, 6)
    1.280625
    """
    u_mm2 = math.hypot(
        _together(before.u_scale_mm2, after.u_scale_mm2, same_scale), before.u_count_mm2, after.u_count_mm2
    )
    change_mm2 = after.area_mm2 - before.area_mm2
    if not before.area_mm2:
        return AreaChange(change_mm2, u_mm2, None, None)
    quotient = after.area_mm2 / before.area_mm2
    u_fraction = math.hypot(
        quotient * _together(before.relative_u_scale, after.relative_u_scale, same_scale),
        quotient * before.u_count_mm2 / before.area_mm2,
        after.u_count_mm2 / before.area_mm2,
    )
    return AreaChange(change_mm2, u_mm2, quotient - 1, u_fraction)


def _together(one: float, other: float, same_scale: bool) -> float:
    """Return the uncertainty of a difference of two errors of scale: wholly correlated, or not at all."""
    return abs(other - one) if same_scale else math.hypot(one, other)


def crack_count(inside: MaskArray) -> int:
    """Return the number of edges between a pixel inside, bool (h, w), and one outside.

    The rim of the picture is no edge: nobody knows what goes on behind it.

    >>> crack_count(np.array([[False, False, False], [False, True, False], [False, False, False]]))
    4
    """
    rows: NDArray[np.bool_] = inside[1:] != inside[:-1]
    columns: NDArray[np.bool_] = inside[:, 1:] != inside[:, :-1]
    return int(np.count_nonzero(rows)) + int(np.count_nonzero(columns))


def u_count_of_cracks_mm2(cracks: int, pixel_area_mm2: float) -> float:
    """Return the standard uncertainty of a count from where the grid happened to lie on the thing counted.

    A boundary without a preferred direction crosses 4/π times as many edges as it is pixels long (Cauchy and Crofton);
    what a boundary of that length adds, see `wsi_area.compute.judge.outline_area.count_u_px`.

    >>> round(u_count_of_cracks_mm2(1000, 1e-6), 9)
    8.407e-06
    """
    return count_u_px(math.pi / 4 * cracks) * pixel_area_mm2
