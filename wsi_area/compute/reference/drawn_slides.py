"""compute: the area in all slides of a run that some of them say, drawn at random, each with points of its own; pure.

Every array may have leading axes: one answer for each of many draws at once, as a simulation of coverage needs.
"""

import numpy as np

from wsi_area.compute.reference.share_limits import TAIL, Floats
from wsi_area.frozen_value import frozen_value

MIN_SLIDES = 3
MIN_SHARE = 0.5
"""Least effective number of slides, as a share of those drawn, at which their spread says something of the others.
Where one slide of ten has nearly all of a class, another one may be among those that were not drawn."""


@frozen_value(eq=False)
class AreaOfAll:
    """What some slides say of all: float64 (...), in mm²; the interval is all that can be where nobody knows."""

    area: Floats
    low_95: Floats
    high_95: Floats
    u: Floats  # standard error, from leaving out each slide in turn
    is_known: np.ndarray  # bool (...): False where the slides are too unequal to say anything of the others


def area_of_all(adjusted: Floats, mapped: Floats, drawn_mm2: Floats, mapped_in_all: float, all_mm2: float) -> AreaOfAll:
    """Return the area of a class in all slides: what is mapped in all, times adjusted over mapped area of those drawn.

    The interval leaves each slide out in turn (jackknife; Efron 1982), on the scale of the logarithm. Student's t has
    one degree less than the effective number of slides, ``(Σ a)² / Σ a²`` (Kish 1965), of the mapped or of the adjusted
    areas, whichever is less. What points leave open on each slide is in the spread of the slides. That a large part of
    all slides was drawn makes it no narrower.

    Parameters
    ----------
    adjusted, mapped : float64 (..., slides)
        Of each slide that was drawn; at least 3.
    drawn_mm2 : float64 (...)
        Whole area of the slides that were drawn.
    mapped_in_all : float
        Mapped area of the class in all slides.
    all_mm2 : float
        Area of all slides: no class can have more.

    >>> found = area_of_all(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]), np.array(30.0), 20.0, 100.0)
    >>> round(float(found.area), 9), round(float(found.low_95), 9), round(float(found.high_95), 9)
    (40.0, 40.0, 40.0)
    """
    # imported here: scipy.special takes longer to load than most commands take
    from scipy.special import stdtrit

    count = adjusted.shape[-1]
    y, x = adjusted.sum(axis=-1), mapped.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = np.log((y[..., None] - adjusted) / (x[..., None] - mapped))
        u_log = np.sqrt((count - 1) / count * ((without - without.mean(-1, keepdims=True)) ** 2).sum(-1))
        effective = np.minimum(x**2 / (mapped**2).sum(-1), y**2 / (adjusted**2).sum(-1))
        ratio = mapped_in_all * y / x
        # an area of which a hair is left without one slide has no spread that means anything
        known = np.isfinite(u_log) & np.isfinite(ratio) & (effective >= max(MIN_SLIDES - 1, MIN_SHARE * count))
        reach = np.exp(np.minimum(stdtrit(np.maximum(1.0, effective - 1), 1 - TAIL) * u_log, 700.0))
        low, high = ratio / reach, ratio * reach
    expanded = np.clip(mapped_in_all + (y - x) * all_mm2 / drawn_mm2, 0.0, all_mm2)
    return AreaOfAll(
        np.where(known, np.minimum(ratio, all_mm2), expanded),
        np.where(known, low, 0.0),
        np.where(known, np.minimum(high, all_mm2), all_mm2),
        np.where(known, ratio * u_log, all_mm2),
        np.asarray(known),
    )
