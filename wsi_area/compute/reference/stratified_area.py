"""compute: the area that points drawn within strata say, with an interval that covers small samples; pure.

Every array may have leading axes: one answer for each of many samples at once, as a simulation of coverage needs.
"""

import numpy as np

from wsi_area.compute.reference.share_limits import Floats, Ints, share_limits
from wsi_area.frozen_value import frozen_value

Z_95 = 1.96


@frozen_value(eq=False)
class StratifiedArea:
    """What points say of one class; areas in the unit of the strata's sizes, float64 (...)."""

    area: Floats
    low_95: Floats
    high_95: Floats
    u_published: Floats  # standard error of Olofsson et al. 2014, eq. 10: 0 where all points agree


def stratified_area(hits: Ints, open_points: Ints, drawn: Ints, sizes: Floats, mapped: Floats) -> StratifiedArea:
    """Return the area of a class, ``Σ_h N_h k_h / n_h``, and its 95 % interval.

    The interval joins the exact limits of each stratum by the squares of their distances from the estimate (MOVER: Zou
    and Donner, Statistics in Medicine 27, 2008), so that it is neither symmetric nor ± 0 where all points agree. A
    point that nobody can tell counts as the class for the upper limit and not for the lower. A stratum without points
    adds what the map says of it to the estimate, and all of it to the interval.

    Parameters
    ----------
    hits : int64 (..., strata)
        Points of each stratum that are of the class.
    open_points : int64 (..., strata)
        Points of it that nobody can tell.
    drawn : int64 (..., strata)
        All points of it, those too.
    sizes : float64 (strata,)
        Area of each stratum.
    mapped : float64 (strata,)
        Share of it that the map gives the class: 1 or 0 where a stratum is of one mapped class.

    >>> one = stratified_area(np.array([45, 0]), np.array([0, 0]), np.array([50, 50]), np.array([100., 900.]),
    ...                       np.array([1., 0.]))
    >>> round(float(one.area), 1), round(float(one.low_95), 1), round(float(one.high_95), 1)
    (90.0, 78.2, 154.4)
    """
    told = drawn - open_points
    shares = np.where(told > 0, hits / np.maximum(told, 1), mapped)
    area = (sizes * shares).sum(-1)
    low_area, low, _ = _extreme(hits, drawn, sizes, mapped)
    high_area, _, high = _extreme(hits + open_points, drawn, sizes, mapped)
    variance = np.where(told > 1, shares * (1 - shares) / np.maximum(told - 1, 1), 0.0)
    u_published = np.sqrt((sizes**2 * variance).sum(-1))
    low_95, high_95 = np.maximum(low_area - low, 0), np.minimum(high_area + high, sizes.sum())
    return StratifiedArea(area, low_95, high_95, u_published)


def _extreme(hits: Ints, drawn: Ints, sizes: Floats, mapped: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the area if each point is told, and how far below and above it its 95 % limits lie."""
    shares = np.where(drawn > 0, hits / np.maximum(drawn, 1), mapped)
    low, high = share_limits(hits, drawn)
    below = np.sqrt(((sizes * (shares - np.minimum(low, shares))) ** 2).sum(-1))
    above = np.sqrt(((sizes * (np.maximum(high, shares) - shares)) ** 2).sum(-1))
    return (sizes * shares).sum(-1), below, above


def with_scale(sampled: StratifiedArea, relative_u_area: float) -> StratifiedArea:
    """Return an area with the error of the pixel size in its interval; it is one error for all strata and slides.

    >>> sampled = StratifiedArea(np.array(10.), np.array(7.), np.array(14.), np.array(1.))
    >>> float(with_scale(sampled, 4 / 19.6).low_95), round(float(with_scale(sampled, 3 / 19.6).high_95), 6)
    (5.0, 15.0)
    """
    scale = Z_95 * relative_u_area * sampled.area
    below, above = sampled.area - sampled.low_95, sampled.high_95 - sampled.area
    low, high = sampled.area - np.hypot(below, scale), sampled.area + np.hypot(above, scale)
    return StratifiedArea(sampled.area, np.maximum(low, 0), high, sampled.u_published)


def mean_of_readers(areas: list[StratifiedArea]) -> StratifiedArea:
    """Return the mean over readers of one sample: of the areas, and of each end of their intervals.

    Readers of the same points err together, at most fully so; then the mean of the ends is the end of the mean.
    """
    if len(areas) == 1:
        return areas[0]
    names = ("area", "low_95", "high_95", "u_published")
    return StratifiedArea(*(np.mean([getattr(area, name) for area in areas], axis=0) for name in names))
