"""run: what is known of each slide before a pixel is decoded; a bad file is a row, and the others go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from wsi_area.compute.calibration.calibrate import calibrate
from wsi_area.compute.calibration.level_ratios import usable_levels
from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.compute.cut.planning import Tiling, plan_slide
from wsi_area.compute.judge.pictures import picture_findings
from wsi_area.compute.judge.quality import work_mpp_findings
from wsi_area.compute.judge.refusal import refusal_findings
from wsi_area.errors import SlideError
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.calibration import Calibration
from wsi_area.model.finding import QaFinding
from wsi_area.model.picture import ANY_PICTURE, Picture, PictureChoice
from wsi_area.model.slide import SlideInfo
from wsi_area.run.run_document import EXIT_CALIBRATION, EXIT_FAILED, EXIT_OK
from wsi_area.slides import inspect, pictures_of

CheckStatus = Literal["calibrated", "needs_calibration", "incomplete", "failed"]


@dataclass(frozen=True, slots=True)
class SlideCheck:
    """One slide: what it is and what its pixels measure, or why it cannot be opened."""

    slide: SlideInput
    info: SlideInfo | None = None
    calibration: Calibration | None = None
    usable_levels: tuple[int, ...] = ()
    others: tuple[QaFinding, ...] = ()  # findings that are not about the pixel size
    error: str = ""
    listed: tuple[Picture, ...] = ()  # the pictures of a file that cannot be opened for want of a choice

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Return every picture of the file, also where none of them was taken."""
        return self.listed if self.info is None else self.info.pictures

    @property
    def findings(self) -> tuple[QaFinding, ...]:
        """Return everything that was noticed."""
        return (*(self.calibration.findings if self.calibration else ()), *self.others)

    @property
    def status(self) -> CheckStatus:
        """Return how far this slide can be taken; of one cut short, part is lost whatever its pixel size."""
        if self.calibration is None:
            return "failed"
        if any(finding.code == "FILE_CUT_SHORT" for finding in self.others):
            return "incomplete"
        return "needs_calibration" if self.calibration.chosen is None else "calibrated"


def check_slide(
    slide: SlideInput,
    policy: CalibrationPolicy,
    work_mpp_um: float | None = None,
    choice: PictureChoice = ANY_PICTURE,
) -> SlideCheck:
    """Return what one slide's header says, judged; a slide that cannot be opened is an answer too.

    Parameters
    ----------
    slide : SlideInput
    policy : CalibrationPolicy
        What a believable pixel size is.
    work_mpp_um : float or None
        The pixel size that a run would ask for, to say which slides were not scanned so finely.
    choice : PictureChoice
        Which picture of its file is meant.
    """
    try:
        info = inspect(slide.path, slide_id=slide.slide_id, choice=choice)
        others = [*picture_findings(info), *refusal_findings(info), *cut_short_findings(info)]
    except (SlideError, OSError) as error:
        return SlideCheck(slide, error=str(error), listed=pictures_of(slide.path))
    calibration = calibrate(info, override=slide.override, policy=policy)
    levels = usable_levels(info, policy)
    if calibration.mpp is not None and work_mpp_um is not None:
        others += work_mpp_findings(plan_slide(info, calibration.mpp, levels, Tiling(work_mpp_um)))
    return SlideCheck(slide, info, calibration, levels, tuple(others))


def cut_short_findings(info: SlideInfo) -> list[QaFinding]:
    """Return the finding that a file ends before its pixels do; a run would count those as unreadable."""
    from wsi_area.slides.header.cut_short import cut_short  # loads tifffile

    found = cut_short(info)
    if found is None:
        return []
    message = f"{found.file} ends before {found.what}; a run would count what is missing as unreadable"
    remedy = "the file was cut short while it was copied or written: copy it again and compare the sizes"
    return [QaFinding(info.slide_id, "FILE_CUT_SHORT", "warning", None, None, "", message, remedy)]


def exit_code(checks: Sequence[SlideCheck]) -> int:
    """Return 2 if any slide cannot be opened or is cut short, else 3 if any has no believable pixel size, else 0.

    >>> exit_code([])
    0
    """
    found = {check.status for check in checks}
    if found & {"failed", "incomplete"}:
        return EXIT_FAILED
    return EXIT_CALIBRATION if "needs_calibration" in found else EXIT_OK
