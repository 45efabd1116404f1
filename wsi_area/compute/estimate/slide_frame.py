"""compute: the spots of one slide as a frame to draw from, and what an estimate of it is of."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.estimate.frame import Floats, Ints, SpotFrame, random_numbers
from wsi_area.compute.estimate.strata import BARE, kinds_of
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID, TissueClass

Flags = NDArray[np.bool_]


@frozen_value
class Quantity:
    """A class, or all that is tumour, positive or tissue."""

    kind: Literal["class", "total"]
    name: str
    class_ids: tuple[int, ...]


def quantities_of(classes: Sequence[TissueClass]) -> tuple[Quantity, ...]:
    """Return the quantities that are estimated of a slide: its totals, then its classes."""
    totals = {
        "tumor": tuple(c.class_id for c in classes if c.is_tumor),
        "positive": tuple(c.class_id for c in classes if c.is_positive),
        "tissue": tuple(c.class_id for c in classes if c.is_tissue),
    }
    return (
        *(Quantity("total", name, ids) for name, ids in totals.items() if ids),
        *(Quantity("class", c.name, (c.class_id,)) for c in classes),
    )


def aim_of(quantities: Sequence[Quantity]) -> Quantity:
    """Return the quantity that has to be as exact as was asked: the tumour, else what is positive, else the tissue.

    Where there is none of them it is the first class that is not background.
    """
    return next((q for q in quantities if q.kind == "total" or q.class_ids != (BACKGROUND_ID,)), quantities[0])


def slide_frame(
    live: Flags, bare: Flags, areas_px: Ints, shares: Floats | None, aim: Quantity, seed: int, bare_miss: float
) -> SpotFrame:
    """Return the spots of a slide that may be drawn, by kind; without a coarse look they are bare, or not.

    Parameters
    ----------
    live : bool (rows, cols)
        Which spots may be drawn: those that are not outside the region of interest.
    bare : bool (rows, cols)
        Those that the overview shows as bare glass.
    areas_px : int64 (rows, cols)
        The level-0 pixels that each owns.
    shares : float64 (rows, cols, k) or None
        The share of each class in each spot by a coarse look; None where there was none.
    aim : Quantity
        What has to be exact.
    seed : int
    bare_miss : float
        Share of a spot that the overview may show as bare glass and is none, even if no spot drawn shows it.
    """
    place, area = np.argwhere(live), areas_px[live].astype(np.float64)
    if shares is None:
        known, kinds = area[:, None], np.zeros(len(place), np.int64)
    else:
        wanted = np.zeros(shares.shape[2], np.bool_)
        wanted[list(aim.class_ids)] = True
        known, kinds = shares[live] * area[:, None], kinds_of(shares, wanted)[live]
    kinds = np.where(bare[live], BARE, kinds)
    if shares is None and bare.any():  # a class of its own to the regression: what it holds is not what tissue holds
        known = np.concatenate([known * ~bare[live][:, None], known * bare[live][:, None]], axis=1)
    return SpotFrame(place, random_numbers(seed, place), area, known, kinds, kinds, bare_miss)
