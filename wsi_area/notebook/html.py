"""notebook: runs, slides, pixel sizes and comparisons as HTML for a notebook; every text is escaped."""

import base64
import io
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from PIL import Image

from wsi_area.audit.difference import RunDifference
from wsi_area.compute.kept_templates import page_environment
from wsi_area.compute.picture.scale_bar import scale_bar
from wsi_area.compute.quantity_text import pair_text
from wsi_area.errors import ResultError
from wsi_area.model.calibration import Calibration
from wsi_area.model.finding import QaFinding
from wsi_area.model.pixels import RgbArray
from wsi_area.model.record.slide_areas import COVERAGE_95
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.notebook.overlay import slide_picture
from wsi_area.reports.review_view import VerdictLine, review_view
from wsi_area.results.budget.budget_text import budget_sentence, headline_budget, tissue_budget, total_with_error
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.tables.adjusted_text import adjusted_lines
from wsi_area.results.tables.certificate_text import Lines
from wsi_area.results.tables.light_text import doubt_text
from wsi_area.results.tables.picture_text import picture_text
from wsi_area.results.tables.quantity import NONE, grouped, share_text
from wsi_area.results.tables.ratio_text import shown_ratios
from wsi_area.results.tables.region_text import regions_view
from wsi_area.results.tables.shown_areas import ShownArea, class_area, total_areas, u_mm2
from wsi_area.results.tables.tissue_name import headline_name, tissue_name

_TEMPLATES = Path(__file__).with_name("templates")
_MOST_ROWS = 100  # a notebook cell is no place for more; the tables hold all of them
_PICTURE_PX = 420  # the longer side
_STATUS_SIGN = {"complete": "✓", "estimated": "≈", "incomplete": "!", "needs_calibration": "?", "failed": "✗"}


def run_html(run: OpenedRun) -> str:
    """Return a run as a table of its slides, and what needs a look below it."""
    planned, ended = run.run_record.slides_planned, run.run_record.ended_slides
    rows: list[dict[str, str]] = []
    findings: list[QaFinding] = []
    counted: list[CountedSlide] = []
    review = review_view(run.layout, run.run_record)
    for slide_id in planned[:_MOST_ROWS]:
        slide = run.get(slide_id)
        counted += [slide.counted] if slide is not None and slide.is_counted else []
        verdict = "" if review is None else _verdict_text(review.by_slide.get(slide_id))
        rows.append({**_run_row(slide_id, slide, ended.get(slide_id)), "verdict": verdict})
        findings += _to_look_at(slide)
    return _rendered(
        "run.html",
        root=str(run.layout.root),
        version=run.run_record.wsi_area_version,
        state=run.run_record.state,
        rows=rows,
        headline=headline_name(counted) or "tumour",
        tissue=tissue_name(counted),
        is_reviewed=review is not None,
        review_faults=() if review is None else review.faults,
        more=len(planned) - len(rows),
        subjects=len({case.subject for case in run.run_record.known_cases.values()}),
        findings=findings[:_MOST_ROWS],
        more_findings=max(0, len(findings) - _MOST_ROWS),
    )


def slide_html(slide: OpenedSlide) -> str:
    """Return a slide: its picture with and without classes, pixel size, areas and findings."""
    counted = slide.counted if slide.is_counted else None
    return _rendered(
        "slide.html",
        slide_id=slide.slide_id,
        status=slide.status,
        sign=_STATUS_SIGN.get(slide.status, ""),
        reason=slide.result.reason,
        mpp=None if counted is None else _mpp_badge(counted),
        areas=() if counted is None else _area_rows(counted),
        adjusted=() if counted is None else adjusted_lines(counted),
        tissue=None if counted is None else tissue_name([counted]),
        ratios=() if counted is None else shown_ratios(counted),
        regions=None if counted is None else regions_view(counted),
        findings=() if counted is None else counted.findings,
        measured_of_file="" if counted is None else picture_text(counted.pictures),
        coverage=COVERAGE_95,
        budget=""
        if counted is None or (found := headline_budget(counted)) is None
        else budget_sentence(counted, found),
        **(_pictures(slide) if counted is not None else {"pictures": (), "bar": None, "note": ""}),
    )


def calibration_html(slide_id: str, decision: Calibration, relative_u_area: float | None) -> str:
    """Return a pixel-size decision with every claim it was made from."""
    return _rendered(
        "calibration.html",
        slide_id=slide_id,
        decision=decision,
        pair_text=pair_text,
        u_area="" if relative_u_area is None else share_text(COVERAGE_95 * relative_u_area, 1),
    )


def certificate_html(slide_id: str, lines: Lines) -> str:
    """Return a certificate, heading by heading."""
    return _rendered("certificate.html", slide_id=slide_id, lines=lines)


def comparison_html(first: str, second: str, difference: RunDifference) -> str:
    """Return the differences of two runs, as tables."""
    return _rendered(
        "comparison.html",
        first=first,
        second=second,
        difference=difference,
        shown=difference.slides[:_MOST_ROWS],
        more=max(0, len(difference.slides) - _MOST_ROWS),
        value=_value,
    )


def _run_row(slide_id: str, slide: OpenedSlide | None, ended: EndedSlide | None) -> dict[str, str]:
    result = ended if slide is None else slide.result
    status = "not reached" if result is None else result.status
    row = {"slide_id": slide_id, "status": status, "sign": _STATUS_SIGN.get(status, "…")}
    if not isinstance(result, CountedSlide):
        return {**row, "headline": NONE, "tissue": NONE, "mpp": NONE, "reason": "" if result is None else result.reason}
    headline, tissue = result.headline, result.tissue
    return {
        **row,
        "headline": total_with_error(headline.area_mm2, headline.area_u_mm2, headline_budget(result)),
        "tissue": total_with_error(tissue.area_mm2, u_mm2(result, tissue.area_mm2), tissue_budget(result)),
        "mpp": _mpp_badge(result),
        "reason": result.reason,
    }


def _verdict_text(verdict: VerdictLine | None) -> str:
    if verdict is None:  # what was decided cannot be read
        return NONE
    by = f" ({verdict.by})" if verdict.by else ""
    amended = f"; amended {verdict.amended} mm²" if verdict.amended else ""
    return f"{verdict.text}{by}{amended}"


def _to_look_at(slide: OpenedSlide | None) -> list[QaFinding]:
    found = slide.counted.findings if slide is not None and slide.is_counted else ()
    return [finding for finding in found if finding.severity != "info"]


def _mpp_badge(slide: CountedSlide) -> str:
    calibration = slide.calibration
    if slide.mpp is None:
        return "pixels only"
    doubt = f"; {doubt_text(slide)}" if doubt_text(slide) else ""
    return (
        f"{pair_text(slide.mpp.x, slide.mpp.y)} µm/px from {calibration.source}, quality {calibration.quality}{doubt}"
    )


def _area_rows(slide: CountedSlide) -> list[dict[str, str]]:
    rows = []
    for c in slide.classes:
        name = c.name + (" (excluded)" if c.is_excluded else "")
        rows.append(_area_row(name, class_area(slide, c), "#" + bytes(c.color_rgb).hex()))
    for total in total_areas(slide):
        rows.append(_area_row(total.name if total.kind == "envelope" else f"all {total.name}", total))
    return rows


def _area_row(name: str, area: ShownArea, colour: str = "") -> dict[str, str]:
    share = "" if area.share == NONE else area.share
    return {"name": name, "colour": colour, "n_px": area.px_text, "area": area.area_text, "share": share}


def _pictures(slide: OpenedSlide) -> dict[str, Any]:
    """Return the picture and the picture with classes, as data addresses, with their bar; or why there is none."""
    try:
        picture = slide_picture(slide)
    except ResultError as error:  # the numbers are still worth showing
        return {"pictures": (), "bar": None, "note": str(error)}
    height, width = picture.codes.shape
    scale = min(1.0, _PICTURE_PX / max(height, width))
    shown = max(1, round(width * scale)), max(1, round(height * scale * _pixel_ratio(slide)))
    names = "as it was scanned", "with its classes"
    pictures = [
        {"address": _jpeg_address(rgb, shown), "text": f"{slide.slide_id} {name}"}
        for name, rgb in zip(names, (picture.thumbnail.rgb, picture.flat()), strict=True)
    ]
    bar = None if slide.mpp is None else scale_bar(picture.thumbnail.frame.reach_l0_px[0], slide.mpp)
    bar_px = 0 if bar is None else round(bar.share * shown[0])
    return {"pictures": pictures, "bar": None if bar is None else {"text": bar.text, "px": bar_px}, "note": ""}


def _pixel_ratio(slide: OpenedSlide) -> float:
    return 1.0 if slide.mpp is None else slide.mpp.y / slide.mpp.x


def _jpeg_address(rgb: RgbArray, size_px: tuple[int, int]) -> str:
    file = io.BytesIO()
    Image.fromarray(rgb).resize(size_px, Image.Resampling.BOX, reducing_gap=None).save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _value(value: Any) -> str:
    if value is None:
        return NONE
    return grouped(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _rendered(name: str, **values: Any) -> str:
    return _environment().get_template(name).render(**values)


@cache
def _environment() -> Environment:
    return page_environment(_TEMPLATES, __name__)
