"""model: the result for one slide, in mm² where its pixel size is known."""

from typing import Literal

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Calibration
from wsi_area.model.classes import TissueClass
from wsi_area.model.counts import ClassCounts

Status = Literal["complete", "estimated", "incomplete", "needs_calibration", "failed"]
"""Every planned slide ends with exactly one of these."""

FINAL: frozenset[Status] = frozenset({"complete", "estimated"})
"""Those of slides of which all that was asked was done."""


@frozen_value
class ClassArea:
    """One class of one slide."""

    tissue_class: TissueClass
    n_px: int  # level-0 pixels
    area_mm2: float | None  # None in pixels-only results, and where nothing could be read
    u_mm2: float | None  # standard uncertainty from the pixel size
    mean_signal: float | None  # over the pixels of this class; None where none is measured, or it has no pixel


@frozen_value
class SlideBurden:
    """Tumour burden of one slide with its denominators.

    Every mm² is None where there is no pixel size, and where nothing of the slide could be read; of what is unread
    there is an area all the same.
    """

    slide_id: str
    status: Status
    counts: ClassCounts
    classes: tuple[ClassArea, ...]
    tumor_px: int | None  # None where no class of the scheme is tumour, or nothing could be read
    tissue_px: int
    analyzed_px: int  # scanned, inside the region of interest and readable
    tumor_area_mm2: float | None
    tumor_area_u_mm2: float | None
    tissue_area_mm2: float | None
    analyzed_area_mm2: float | None
    unread_area_mm2: float | None
    tumor_fraction: float | None  # of the tissue
    relative_u_area: float | None  # u(A)/A of the pixel size alone
    calibration: Calibration
    fingerprint: str  # of the slide
    was_read: bool = True  # False where nothing of it could be
