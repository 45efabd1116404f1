"""reports: one slide as its page shows it; pure, but for the pictures that it is given."""

from dataclasses import replace
from typing import Any

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_foci import FociOnRecord
from wsi_area.model.record.slide_origin import CalibrationOnRecord, TileError
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.reports.areas_table import AreasTable, areas_table, foci_rows
from wsi_area.reports.budget_view import BudgetView, budget_view
from wsi_area.reports.margins import MarginsView, margins_view
from wsi_area.reports.measurement_facts import measurement_facts, sensitivity_lines
from wsi_area.reports.picture.focus_marks import LISTED_FOCI
from wsi_area.reports.picture.slide_picture import LegendEntry, SlidePicture, tile_legend
from wsi_area.reports.plots.histogram import Histogram, histograms
from wsi_area.results.amended import latest_amended
from wsi_area.results.budget.budget_text import area_with_error, budget_of_shown, half_text
from wsi_area.results.certificate import not_assessed
from wsi_area.results.layout import SlideLayout
from wsi_area.results.tables.certificate_text import Lines, certificate_lines
from wsi_area.results.tables.estimate_text import estimate_text
from wsi_area.results.tables.light_text import doubt_text
from wsi_area.results.tables.quantity import grouped, mm2_text
from wsi_area.results.tables.ratio_text import ShownRatio, shown_ratios
from wsi_area.results.tables.region_text import RegionsView, regions_view
from wsi_area.results.tables.shown_areas import class_area, total_areas

STATUS_TEXT = {
    "complete": "complete",
    "estimated": "estimated",
    "incomplete": "incomplete",
    "needs_calibration": "needs a pixel size",
    "failed": "failed",
}
STATUS_SIGN = {"complete": "✓", "estimated": "≈", "incomplete": "!", "needs_calibration": "?", "failed": "✕"}
_DOUBT = "quality of the areas"
_SCALE_ALONE = "of the pixel size alone"
SEVERITY_SIGN = {"refusal": "✕", "warning": "▲", "info": "i"}


@frozen_value
class Finding:
    """A finding with its sign."""

    code: str
    severity: str
    sign: str
    message: str
    remedy: str


@frozen_value
class Candidate:
    """A claim about the pixel size."""

    source: str
    rung: str
    size_x: str
    size_y: str
    quality: str
    note: str
    is_chosen: bool


@frozen_value
class SlideView:
    """What the page of a slide shows; a failed one has no more than its reason."""

    anchor: str
    slide_id: str
    path: str
    status: str
    status_text: str
    status_sign: str
    reason: str
    findings: tuple[Finding, ...]
    headline: tuple[tuple[str, str], ...] = ()
    amended: tuple[tuple[str, str], ...] = ()  # the same numbers with a person's corrections
    amended_fault: str = ""  # why those cannot be shown
    amended_name: str = ""  # what the version is called
    picture: SlidePicture | None = None
    amended_picture: SlidePicture | None = None  # of that version
    tile_legend: tuple[LegendEntry, ...] = ()
    areas: AreasTable | None = None
    budget: BudgetView | None = None
    calibration: str = ""
    candidates: tuple[Candidate, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    sensitivity: tuple[str, ...] = ()
    foci: tuple[tuple[Any, ...], ...] = ()
    foci_text: str = ""
    ratios: tuple[ShownRatio, ...] = ()
    regions: RegionsView | None = None
    margins: MarginsView | None = None
    certificate: Lines = ()
    not_assessed: tuple[str, ...] = ()  # where there is no certificate, which says it
    facts: tuple[tuple[str, str], ...] = ()
    tile_errors: tuple[str, ...] = ()

    @property
    def on_paper(self) -> "SlideView":
        """Return the same with its pictures made for paper."""
        if self.picture is None:
            return self
        corrected = None if self.amended_picture is None else self.amended_picture.on_paper
        return replace(self, picture=self.picture.on_paper, amended_picture=corrected)

    @property
    def amended_anchor(self) -> str:
        """Return the address of the picture of the amended version."""
        return f"{self.anchor}-amended"

    @property
    def newest_picture(self) -> tuple[SlidePicture | None, str]:
        """Return the picture of the newest result, and its address."""
        corrected = self.amended_picture
        return (self.picture, self.anchor) if corrected is None else (corrected, self.amended_anchor)


def anchor_of(place: int) -> str:
    """Return the address of a slide's page inside the file; nothing of a slide's own name is in it."""
    return f"slide-{place}"


def findings_of(slide: EndedSlide) -> tuple[Finding, ...]:
    """Return the findings of a slide, the worst first."""
    order = list(SEVERITY_SIGN)
    findings = slide.findings if isinstance(slide, CountedSlide) else ()
    found = sorted(findings, key=lambda f: order.index(f.severity))
    return tuple(Finding(f.code, f.severity, SEVERITY_SIGN[f.severity], f.message, f.remedy) for f in found)


def slide_view(
    place: int,
    record: EndedSlide,
    picture: SlidePicture | None,
    layout: SlideLayout | None = None,
    amended_picture: SlidePicture | None = None,
) -> SlideView:
    """Return the page of one slide.

    Parameters
    ----------
    place : int
        Of the slide in the report, from 1.
    record : EndedSlide
        Its result.
    picture : SlidePicture or None
        None for a slide that failed.
    layout : SlideLayout or None
        Where its other pictures lie.
    amended_picture : SlidePicture or None
        Of its newest amended version, where the report shows what was measured.
    """
    status = record.status
    head = SlideView(
        anchor=anchor_of(place),
        slide_id=record.slide_id,
        path=record.path,
        status=status,
        status_text=STATUS_TEXT[status],
        status_sign=STATUS_SIGN[status],
        # where it was counted, its findings say why there are no mm²
        reason="" if status == "needs_calibration" and isinstance(record, CountedSlide) else record.reason,
        findings=findings_of(record),
    )
    if not isinstance(record, CountedSlide):
        return head
    facts = record.segmenter.facts
    name, amended, amended_fault = ("", (), "") if layout is None else _amended(layout)
    return replace(
        head,
        reason="; ".join(text for text in (head.reason, estimate_text(record)) if text),
        headline=_headline(record),
        amended=amended,
        amended_fault=amended_fault,
        amended_name=name,
        picture=picture,
        amended_picture=amended_picture,
        tile_legend=()
        if picture is None or picture.tile_facts is None
        else tile_legend(picture.tile_facts, is_estimate=record.is_estimate),
        areas=areas_table(record),
        budget=budget_view(record),
        calibration=_calibration_text(record.calibration),
        candidates=_candidates(record.calibration),
        histograms=histograms(facts),
        sensitivity=sensitivity_lines(record),
        foci=foci_rows(record, LISTED_FOCI),
        ratios=shown_ratios(record),
        regions=regions_view(record),
        margins=margins_view(record, layout),
        foci_text="" if record.foci is None else _foci_text(record.foci),
        certificate=() if record.certificate is None else certificate_lines(record.certificate),
        not_assessed=() if record.certificate is not None else _not_assessed(record),
        facts=measurement_facts(record),
        tile_errors=tuple(_tile_error(e) for e in record.tile_errors),
    )


def _headline(record: CountedSlide) -> tuple[tuple[str, str], ...]:
    totals = [total for total in total_areas(record) if total.kind != "envelope"]
    if not totals and record.mpp is not None:  # every class stands for itself
        totals = [class_area(record, c) for c in record.classes if c.id]
    lines = [(total.name, area_with_error(record, total, with_terms=True)) for total in totals]
    if totals and totals[0].u_mm2 and budget_of_shown(record, totals[0]) is not None:
        lines.insert(1, (_SCALE_ALONE, f"± {half_text(totals[0].area_mm2, totals[0].u_mm2)}"))
    if record.mpp is not None and {total.kind for total in totals} == {"headline", "tissue"}:
        lines.append((f"{totals[0].name} in tissue", totals[0].share))
    if doubt := doubt_text(record):
        lines.append((_DOUBT, f"{doubt}"))
    return tuple(lines)


def _amended(layout: SlideLayout) -> tuple[str, tuple[tuple[str, str], ...], str]:
    """Return the name of a slide's newest amended version, its numbers, and why there are none though it has one."""
    try:
        found = latest_amended(layout)
    except ResultError as error:
        return "", (), str(error)
    if found is None:
        return "", (), ""
    what = f"amended ({found.number}{', its base is gone' if found.is_base_gone else ''})"
    shown = [(name, text) for name, text in _headline(found.result) if name not in (_DOUBT, _SCALE_ALONE)]
    return what, tuple((f"{name}, {what}", text) for name, text in shown), ""


def _calibration_text(calibration: CalibrationOnRecord) -> str:
    if calibration.mpp_x_um is not None:
        return calibration.reason
    unbelieved = "No claim about the pixel size can be believed"
    claims = unbelieved if calibration.candidates else "The file says nothing of a pixel size"
    return f"{claims}, so there are pixels and no mm²; the finding above says what to do ({calibration.reason})."


def _candidates(calibration: CalibrationOnRecord) -> tuple[Candidate, ...]:
    chosen = (calibration.source, calibration.mpp_x_um, calibration.mpp_y_um)
    found: list[Candidate] = []
    for c in calibration.candidates:
        is_it = (c.source, c.mpp_x_um, c.mpp_y_um) == chosen and not any(f.is_chosen for f in found)
        size = (grouped(c.mpp_x_um), grouped(c.mpp_y_um))
        found.append(Candidate(c.source, c.rung, *size, c.quality, c.note, is_it))
    return tuple(found)


def _foci_text(foci: FociOnRecord) -> str:
    parts = [f"{grouped(foci.count)} {'focus' if foci.count == 1 else 'foci'}"]
    for number, text, unit in (
        (foci.largest_focus_mm2, "largest", "mm²"),
        (foci.largest_extent_mm, "largest extent", "mm"),
        (foci.net_area_mm2, "net", "mm²"),
        (foci.filled_area_mm2, "with holes filled", "mm²"),
    ):
        if number is not None:
            parts.append(f"{text} {mm2_text(number)} {unit}")
    if foci.touching_border:
        parts.append(f"{grouped(foci.touching_border)} cut by the border of the scan")
    if foci.touching_unread:
        parts.append(f"{grouped(foci.touching_unread)} next to what could not be read")
    more = f" The {LISTED_FOCI} largest are listed." if len(foci.listed) > LISTED_FOCI else ""
    return f"{', '.join(parts)}.{more}"


def _not_assessed(record: CountedSlide) -> tuple[str, ...]:
    error_bar = "The ± beside an area is of the pixel size alone; what the segmentation gets wrong is not in it."
    return (*not_assessed(c.name for c in record.classes if c.is_excluded), error_bar)


def _tile_error(error: TileError) -> str:
    return f"row {error.row} col {error.col} message {error.message}"
