"""model: connected objects of a slide: the foci of its tumour, and the sizes below which no object is believed."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import CLOSED, Count, Length, Name

FOCI_KEPT_MOST = 100_000
"""Foci kept one by one; of a slide with more, the largest. Number, area and extent are always of all of them."""

FOCUS_FIELDS = np.dtype(
    [
        ("object_id", np.int64),  # from 1, by area, the largest first; of equal ones the upper, then the left one
        ("area_px", np.int64),  # level-0 px
        ("filled_px", np.int64),  # with the holes it encloses, without the foci that lie in them
        ("centroid_x_l0_px", np.float64),
        ("centroid_y_l0_px", np.float64),
        ("x_l0_px", np.int64),  # its box
        ("y_l0_px", np.int64),
        ("width_l0_px", np.int64),
        ("height_l0_px", np.int64),
        ("max_feret_mm", np.float64),  # NaN where the slide has no pixel size
        ("touches_border", np.bool_),  # of the slide: it may go on beyond
        ("touches_unread", np.bool_),  # a tile that could not be read: likewise
    ]
)


@frozen_value
class SizeFilters:
    """Sizes below which an object takes the class around it, µm²; 0 leaves all as they are."""

    min_tissue_um2: float = 0.0
    max_hole_um2: float = 0.0
    min_focus_um2: float = 0.0

    @property
    def any(self) -> bool:
        """Return True if anything is to be filtered.

        >>> SizeFilters().any, SizeFilters(max_hole_um2=50.0).any
        (False, True)
        """
        return max(self.min_tissue_um2, self.max_hole_um2, self.min_focus_um2) > 0


@frozen_value
class SizeChange:
    """What one size filter changed on a slide."""

    __pydantic_config__: ClassVar = CLOSED

    name: Name  # "focus", "tissue" or "hole"
    limit_um2: Length
    objects: Count
    area_px: Count  # level-0 px


@frozen_value(eq=False)
class Foci:
    """The connected objects of one set of classes on one slide, merged over the seams of its tiles.

    Pixels join at sides and corners; what lies between joins at sides only. A hole is enclosed, and counts
    towards the filled area, where it reaches neither the slide's border nor a pixel of unknown class:
    unscanned, outside the region of interest, unreadable.
    """

    set_name: str
    count: int
    area_px: int  # level-0 px, net
    filled_px: int  # with every enclosed hole
    hole_count: int
    touching_border: int
    touching_unread: int
    max_feret_mm: float  # the largest of all; 0 where there is none, NaN where the slide has no pixel size
    listed: NDArray[np.void]  # (n,) of FOCUS_FIELDS, at most FOCI_KEPT_MOST
