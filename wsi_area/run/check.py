"""run: what is known of each slide before a pixel is decoded; a bad file is a row, and the others go on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from wsi_area.compute.calibration.calibrate import calibrate
from wsi_area.compute.calibration.level_ratios import usable_levels
from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.compute.calibration.uncertainty import relative_u_area
from wsi_area.compute.cut.planning import Tiling, plan_slide
from wsi_area.compute.judge.pictures import picture_findings
from wsi_area.compute.judge.quality import work_mpp_findings
from wsi_area.compute.judge.refusal import refusal_findings
from wsi_area.errors import MissingMppError, SlideError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.calibration import Calibration
from wsi_area.model.finding import QaFinding
from wsi_area.model.picture import ANY_PICTURE, Picture, PictureChoice
from wsi_area.model.slide import SlideInfo
from wsi_area.run.run_document import EXIT_CALIBRATION, EXIT_FAILED, EXIT_OK
from wsi_area.slides import inspect, pictures_of

if TYPE_CHECKING:
    from wsi_area.model.record.slide_certificate import Certificate, CertifiedLight
    from wsi_area.settings.run_settings import RunSettings

CheckStatus = Literal["calibrated", "needs_calibration", "incomplete", "failed"]


@frozen_value
class SeenLight:
    """What the overview of a slide shows to the segmenter of a run."""

    light: "CertifiedLight"
    excluded: tuple[str, ...]  # artefacts that are classes of the run


@frozen_value
class SlideCheck:
    """One slide: what it is and what its pixels measure, or why it cannot be opened."""

    slide: SlideInput
    info: SlideInfo | None = None
    calibration: Calibration | None = None
    usable_levels: tuple[int, ...] = ()
    others: tuple[QaFinding, ...] = ()  # findings that are not about the pixel size
    error: str = ""
    listed: tuple[Picture, ...] = ()  # the pictures of a file that cannot be opened for want of a choice
    seen: SeenLight | None = None  # None where nothing was decoded

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
        """Return the stage that this slide can be taken to; of one cut short, part is lost whatever its pixel size."""
        if self.calibration is None or self.error:
            return "failed"
        if any(finding.code == "FILE_CUT_SHORT" for finding in self.others):
            return "incomplete"
        return "needs_calibration" if self.calibration.chosen is None else "calibrated"


def check_slide(
    slide: SlideInput,
    policy: CalibrationPolicy,
    work_mpp_um: float | None = None,
    choice: PictureChoice = ANY_PICTURE,
    looking: "RunSettings | None" = None,
) -> SlideCheck:
    """Return the judgement on one slide's header; a slide that cannot be opened is an answer too.

    Parameters
    ----------
    slide : SlideInput
    policy : CalibrationPolicy
        What a believable pixel size is.
    work_mpp_um : float or None
        The pixel size that a run would ask for, to say which slides were not scanned so finely.
    choice : PictureChoice
        Which picture of its file is meant.
    looking : RunSettings or None
        The settings of a run, to decode the overview as it would and see the light; None decodes nothing.
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
    seen, obstacle = (None, "") if looking is None else _looked_at(slide, looking)
    return SlideCheck(slide, info, calibration, levels, tuple(others), obstacle, seen=seen)


def _looked_at(slide: SlideInput, settings: "RunSettings") -> tuple[SeenLight | None, str]:
    """Return the light of a slide as a run would see it before its tiles, or None and why it cannot be measured."""
    # imported here: what decodes and fits takes a second to load
    from wsi_area.results.certificate import certified_light
    from wsi_area.results.record import light_on_record
    from wsi_area.run.context import task_memory_limit_bytes
    from wsi_area.run.prepare import PrepareFailure, PrepareTask, prepare_slide

    memory_bytes = task_memory_limit_bytes(settings.run.memory_limit_mb, 1)
    prepared = prepare_slide(PrepareTask(slide, settings, memory_bytes))
    if isinstance(prepared, PrepareFailure):
        # that it has no pixel size is said already
        return None, "" if prepared.error == MissingMppError.__name__ else prepared.message
    light = certified_light(light_on_record(prepared.light), prepared.fitted.facts, None)
    classes = prepared.fitted.scheme.classes
    return SeenLight(light, tuple(c.name for c in classes if c.is_excluded)), ""


def certificate_before_count(check: SlideCheck) -> "Certificate | None":
    """Return the certificate of a slide before its pixels are counted; None where it cannot be opened."""
    # the documents of a result take time to load, and plain check shows none
    from wsi_area.model.record.slide_pictures import pictures_on_record
    from wsi_area.results.certificate import NOT_LOOKED_AT, certificate
    from wsi_area.results.record import calibration_on_record
    from wsi_area.slides.header.cut_short import completeness

    info, calibration = check.info, check.calibration
    if info is None or calibration is None:
        return None
    chosen = calibration.chosen
    u_area = None if chosen is None else relative_u_area(chosen)
    return certificate(
        info.content_digest,
        pictures_on_record(info),
        calibration_on_record(calibration, u_area),
        NOT_LOOKED_AT if check.seen is None else check.seen.light,
        completeness(info),
        check.findings,
        () if check.seen is None else check.seen.excluded,
    )


def cut_short_findings(info: SlideInfo) -> list[QaFinding]:
    """Return the finding that some of a slide is in no file; a run would count it as unreadable."""
    from wsi_area.slides.header.cut_short import cut_short  # loads tifffile

    found = cut_short(info)
    if found is None:
        return []
    message = f"{found.file} {found.said}; a run would count what is missing as unreadable"
    return [QaFinding(info.slide_id, "FILE_CUT_SHORT", "warning", None, None, "", message, found.remedy)]


def exit_code(checks: Sequence[SlideCheck]) -> int:
    """Return 2 if any slide cannot be opened or is cut short, else 3 if any has no believable pixel size, else 0.

    >>> exit_code([])
    0
    """
    found = {check.status for check in checks}
    if found & {"failed", "incomplete"}:
        return EXIT_FAILED
    return EXIT_CALIBRATION if "needs_calibration" in found else EXIT_OK
