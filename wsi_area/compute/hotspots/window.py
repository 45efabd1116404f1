"""compute: a window of a stated area as a set of work pixels: those whose centres lie inside."""

from math import isqrt, pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bands.band_rule import reach_px
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp

Ints = NDArray[np.int64]
Shape = Literal["round", "square"]

_UM_PER_MM = 1000.0


@frozen_value(eq=False)
class Window:
    """The pixels of a window round its centre, row by row: columns ``[first, stop)`` from the centre's."""

    area_mm2: float  # as stated
    shape: Shape
    first_row_px: int  # from the centre's
    first_px: Ints  # (rows,)
    stop_px: Ints  # (rows,)

    @property
    def rows_px(self) -> int:
        """Return the number of its rows."""
        return len(self.first_px)

    @property
    def n_work_px(self) -> int:
        """Return the number of its work pixels."""
        return int((self.stop_px - self.first_px).sum())


def hpf_area_mm2(fields: float, field_number_mm: float, objective: float) -> float:
    """Return the area of a number of high-power fields: ``n · π · (field number / objective / 2)²``.

    >>> round(hpf_area_mm2(10, 22, 40), 3)
    2.376
    """
    return fields * pi * (field_number_mm / objective / 2) ** 2


def radius_um(area_mm2: float) -> float:
    """Return the radius of a round window."""
    return _UM_PER_MM * sqrt(area_mm2 / pi)


def window_of(area_mm2: float, shape: Shape, work_mpp: Mpp) -> Window:
    """Return the pixels of a window: those with centres in a disc, or the columns and rows nearest to a square.

    Parameters
    ----------
    area_mm2 : float
    shape : ``"round"`` or ``"square"``
    work_mpp : Mpp
        µm per work pixel.
    """
    if shape == "round":
        reach = reach_px(radius_um(area_mm2), work_mpp)
        half = np.concatenate([reach[:0:-1], reach])
        return Window(area_mm2, shape, 1 - len(reach), -half, half + 1)
    side_um = _UM_PER_MM * sqrt(area_mm2)
    columns, rows = max(1, round(side_um / work_mpp.x)), max(1, round(side_um / work_mpp.y))
    return Window(area_mm2, shape, -(rows // 2), np.full(rows, -(columns // 2)), np.full(rows, columns - columns // 2))


def centres_px(size_px: int, step_px: int) -> Ints:
    """Return the centres of windows along one axis, in work pixels: each step once, from the middle of the first.

    >>> centres_px(10, 4).tolist()
    [2, 6]
    """
    return np.arange(step_px // 2, max(size_px, step_px // 2 + 1), step_px, dtype=np.int64)


def grid_step_px(step_um: float, work_mpp_um: float, size_px: int, most: int) -> int:
    """Return the step of the grid along one axis in work px: the nearest to the wish, with at most so many centres."""
    return max(1, round(step_um / work_mpp_um), -(-size_px // most))


MOST_CENTRES = isqrt(1 << 22)
"""Centres along an axis: what is kept of all of them stays below 100 MB for a window."""
