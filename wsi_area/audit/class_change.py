"""audit: what one class of one subject gained or lost between two dates: a row of the table of changes."""

from collections.abc import Iterable
from dataclasses import fields

from wsi_area.audit.dated_areas import NamedArea
from wsi_area.compute.judge.area_change import area_change
from wsi_area.compute.judge.bearing import warnings_of_area
from wsi_area.frozen_value import frozen_value
from wsi_area.model.finding import QaFinding
from wsi_area.results.opened_slide import OpenedSlide

NO_VERDICT = "no interval holds the error that a warning is about, so there is no verdict"


@frozen_value
class DatedClass:
    """A class of a slide that was taken on a day, and what it measures there."""

    slide: OpenedSlide
    date: str | None  # ISO 8601
    area: NamedArea


@frozen_value
class ClassChange:
    """What one class of one subject gained or lost; one row of the table."""

    subject: str
    kind: str  # class, or total: all classes that are tumour, positive, or tissue
    class_name: str
    is_tissue: bool
    is_tumor: bool
    is_positive: bool
    is_background: bool
    before_date: str | None
    after_date: str | None
    before_slide_id: str
    after_slide_id: str
    before_n_px: int
    after_n_px: int
    before_mpp_x_um: float | None
    before_mpp_y_um: float | None
    after_mpp_x_um: float | None
    after_mpp_y_um: float | None
    before_area_mm2: float
    before_area_u_mm2: float
    after_area_mm2: float
    after_area_u_mm2: float
    change_mm2: float
    change_u_mm2: float
    change_ci95_low_mm2: float
    change_ci95_high_mm2: float
    change_pct: float | None
    change_u_pct: float | None
    exceeds_ci95: bool | None  # None where a warning of either day speaks against the area: no interval holds that
    before_mean_signal: float | None
    after_mean_signal: float | None
    remarks: str | None


CHANGE_COLUMNS = tuple(field.name for field in fields(ClassChange))


def class_change(
    subject: str, before: DatedClass, after: DatedClass, same_scale: bool, remarks: str | None
) -> ClassChange:
    """Return the change of a class."""
    old, new = before.area, after.area
    change = area_change(old.area, new.area, same_scale=same_scale)
    doubts = {when: _doubts(dated) for when, dated in (("before", before), ("after", after))}
    is_doubtful = any(doubts.values())
    said = [
        f"{when}: {text}"
        for when, dated in (("before", before), ("after", after))
        for text in _told(dated, doubts[when])
    ]
    verdict = NO_VERDICT if is_doubtful and "no verdict" not in (remarks or "") else None
    told = "; ".join(text for text in (remarks, *said, verdict) if text) or None
    scale_before, scale_after = (dated.slide.counted.calibration for dated in (before, after))
    return ClassChange(
        subject=subject,
        kind=old.kind,
        class_name=old.name,
        is_tissue=old.is_tissue,
        is_tumor=old.is_tumor,
        is_positive=old.is_positive,
        is_background=old.is_background,
        before_date=before.date,
        after_date=after.date,
        before_slide_id=before.slide.slide_id,
        after_slide_id=after.slide.slide_id,
        before_n_px=old.n_px,
        after_n_px=new.n_px,
        before_mpp_x_um=scale_before.mpp_x_um,
        before_mpp_y_um=scale_before.mpp_y_um,
        after_mpp_x_um=scale_after.mpp_x_um,
        after_mpp_y_um=scale_after.mpp_y_um,
        before_area_mm2=old.area.area_mm2,
        before_area_u_mm2=old.area.u_mm2,
        after_area_mm2=new.area.area_mm2,
        after_area_u_mm2=new.area.u_mm2,
        change_mm2=change.change_mm2,
        change_u_mm2=change.u_mm2,
        change_ci95_low_mm2=change.change_mm2 - change.half_width_mm2,
        change_ci95_high_mm2=change.change_mm2 + change.half_width_mm2,
        change_pct=None if change.fraction is None else 100 * change.fraction,
        change_u_pct=None if change.u_fraction is None else 100 * change.u_fraction,
        exceeds_ci95=None if is_doubtful else change.exceeds_ci95,
        before_mean_signal=old.mean_signal,
        after_mean_signal=new.mean_signal,
        remarks=told,
    )


def _doubts(dated: DatedClass) -> tuple[QaFinding, ...]:
    """Return the warnings of a slide that speak against an area of it."""
    area, slide = dated.area, dated.slide.counted
    is_of_tissue = area.kind == "total" and area.name == "tissue"
    by_threshold = is_of_tissue or not (area.is_positive or area.is_tumor)
    return warnings_of_area(slide.findings, is_tissue=is_of_tissue, by_threshold=by_threshold)


def _told(dated: DatedClass, doubts: Iterable[QaFinding]) -> list[str]:
    """Return warnings as text, without those of the light, which the grade of that has told."""
    grade = dated.slide.counted.light_grade
    of_light = () if grade is None or grade.grade != "C" else grade.because
    return [f"{finding.code}, {finding.message}" for finding in doubts if finding.code not in of_light]
