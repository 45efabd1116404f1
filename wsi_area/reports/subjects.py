"""reports: what the slides of each subject add up to; pure."""

from dataclasses import dataclass

from wsi_area.compute.count.subject_totals import subject_totals
from wsi_area.model.record.subjects import SubjectTotal
from wsi_area.reports.documents import RunDocuments
from wsi_area.results.tables.quantity import area_text

_SPELLED = {"tumor": "tumour"}


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """One total of one subject, as it is printed."""

    subject: str
    slides: str
    name: str
    area: str  # mm² ± pixel size
    is_complete: bool
    remarks: str


def subject_rows(documents: RunDocuments) -> tuple[SubjectRow, ...]:
    """Return the totals of each subject of a run; none where no manifest says who is on the slides."""
    run = documents.run_record
    by_id = {slide.slide_id: slide for slide in documents.slides}
    planned = [by_id[name] for name in run.slides_planned if name in by_id]
    totals = subject_totals(planned, run.known_cases, run.twins)
    return tuple(_row(total) for total in totals if total.kind == "total")


def _row(total: SubjectTotal) -> SubjectRow:
    slides = str(total.n_slides)
    if total.n_slides_measured < total.n_slides:
        slides = f"{total.n_slides_measured} of {total.n_slides}"
    name = total.class_name or ""
    area = area_text(total.area_mm2, total.u_mm2)
    return SubjectRow(total.subject, slides, _SPELLED.get(name, name), area, total.is_complete, total.remarks or "")
