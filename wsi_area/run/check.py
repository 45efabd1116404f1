"""run: what is known of each slide before a pixel is decoded; a bad file is a row, and the others go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from wsi_area.compute.calibration import CalibrationPolicy, calibrate, usable_levels
from wsi_area.errors import SlideError
from wsi_area.model.calibration import Calibration
from wsi_area.model.slide import SlideInfo
from wsi_area.run.inputs import SlideInput
from wsi_area.slides import inspect

CheckStatus = Literal["calibrated", "needs_calibration", "failed"]


@dataclass(frozen=True, slots=True)
class SlideCheck:
    """One slide: what it is and what its pixels measure, or why it cannot be opened."""

    slide: SlideInput
    info: SlideInfo | None = None
    calibration: Calibration | None = None
    usable_levels: tuple[int, ...] = ()
    error: str = ""

    @property
    def status(self) -> CheckStatus:
        """Return how far this slide can be taken."""
        if self.calibration is None:
            return "failed"
        return "needs_calibration" if self.calibration.chosen is None else "calibrated"


def check_slide(slide: SlideInput, policy: CalibrationPolicy) -> SlideCheck:
    """Return what one slide's header says, judged; a slide that cannot be opened is an answer too."""
    try:
        info = inspect(slide.path, slide_id=slide.slide_id)
    except (SlideError, OSError) as error:
        return SlideCheck(slide, error=str(error))
    calibration = calibrate(info, override=slide.override, policy=policy)
    return SlideCheck(slide, info, calibration, usable_levels(info, policy))


def exit_code(checks: Sequence[SlideCheck]) -> int:
    """Return 2 if any slide cannot be opened, else 3 if any has no believable pixel size, else 0.

    >>> exit_code([])
    0
    """
    found = {check.status for check in checks}
    return 2 if "failed" in found else 3 if "needs_calibration" in found else 0
