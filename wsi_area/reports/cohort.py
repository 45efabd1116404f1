"""reports: all slides of a run at a glance: totals, the table, the spread of each number; pure."""

from collections.abc import Callable, Sequence
from functools import partial

from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.quantity_text import pair_text
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import QUALITIES
from wsi_area.model.record.left_out import LeftOut
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.model.uncertainty.reference_score import TotalName
from wsi_area.reports.attention import Trouble, Warned, troubles, warned, warned_text
from wsi_area.reports.documents import STATUS_ORDER
from wsi_area.reports.plots.strip_plot import StripPlot, Value, strip_plot
from wsi_area.reports.slide_view import STATUS_SIGN, STATUS_TEXT, Finding, anchor_of, findings_of
from wsi_area.reports.totals import Total, totals
from wsi_area.results.budget.budget_text import total_with_error
from wsi_area.results.tables.quantity import NONE, grouped, mm2_text, share_text
from wsi_area.results.tables.tissue_name import headline_mm2, headline_name, tissue_name


@frozen_value
class Cell:
    """A number of the table: as it is read, and as it is sorted."""

    text: str
    sort: str  # empty: unknown, sorted last


@frozen_value
class SlideRow:
    """One slide in the table."""

    anchor: str
    slide_id: str
    status: str
    status_text: str
    status_sign: str
    status_rank: int
    cells: tuple[Cell, ...]
    findings: tuple[Finding, ...]


@frozen_value
class Cohort:
    """The first pages of a report."""

    totals: tuple[Total, ...]
    troubles: tuple[Trouble, ...]
    warned: tuple[Warned, ...]
    warned_text: str  # how many of the slides that were summed carry a warning; empty: none
    headings: tuple[str, ...]  # of the numbers of a row
    rows: tuple[SlideRow, ...]
    statuses: tuple[tuple[str, str, int], ...]  # those that occur, with their text and number
    codes: tuple[tuple[str, int], ...]  # findings that occur, in how many slides
    plots: tuple[StripPlot, ...]
    left_out: tuple[LeftOut, ...] = ()  # what lay where slides were looked for and is no row
    left_out_count: int = 0  # files and folders


def cohort(records: Sequence[EndedSlide], left_out: Sequence[LeftOut] = ()) -> Cohort:
    """Return the overview of a run from its slides' documents, in their order."""
    columns = _columns(records)
    codes: dict[str, int] = {}
    for record in records:
        for code in dict.fromkeys(f.code for f in findings_of(record)):
            codes[code] = codes.get(code, 0) + 1
    return Cohort(
        totals(records),
        troubles(records),
        warned(records),
        warned_text(records),
        tuple(heading for heading, _ in columns),
        tuple(_row(place, record, columns) for place, record in enumerate(records, 1)),
        tuple((s, STATUS_TEXT[s], n) for s in STATUS_ORDER if (n := sum(r.status == s for r in records))),
        tuple(sorted(codes.items())),
        _plots(records),
        tuple(left_out),
        sum(left.count for left in left_out),
    )


def _columns(records: Sequence[EndedSlide]) -> list[tuple[str, Callable[[CountedSlide], Cell]]]:
    name, tissue = headline_name(records), tissue_name(records)
    roi = any(isinstance(r, CountedSlide) and r.roi for r in records)
    has_points = any(isinstance(r, CountedSlide) and r.adjusted is not None for r in records)
    return [
        *([(f"{name} mm²", partial(_headline_cell, name=name))] if name else []),
        *([(f"{name} adjusted mm² (95 %)", partial(_adjusted_cell, name=name))] if name and has_points else []),
        *([(f"{name} in tissue", partial(_fraction_cell, name=name))] if name and tissue else []),
        *([(f"{tissue} mm²", _tissue_cell)] if tissue else []),
        *([(f"{tissue} adjusted mm² (95 %)", partial(_adjusted_cell, name="tissue"))] if tissue and has_points else []),
        *([("region mm²", _region_cell)] if roi else []),
        ("slide mm²", _slide_cell),
        ("µm/px", _mpp_cell),
        ("quality", _quality_cell),
        ("threshold", _threshold_cell),
    ]


_UNKNOWN = Cell(NONE, "")


def _cell(text: str, value: float | None) -> Cell:
    return _UNKNOWN if value is None else Cell(text, repr(float(value)))


def _headline_cell(record: CountedSlide, name: str) -> Cell:
    headline = record.headline
    budgets = record.budgets
    budget = None if budgets is None else budgets.tumor if headline is record.tumor else budgets.positive
    text = total_with_error(headline.area_mm2, headline.area_u_mm2, budget)
    return _cell(text, headline_mm2(record, name))


def _fraction_cell(record: CountedSlide, name: str) -> Cell:
    pct = record.headline.pct_tissue
    return _cell(NONE if pct is None else share_text(pct, 100), _fraction(record, name))


def _tissue_cell(record: CountedSlide) -> Cell:
    area, rel = record.tissue.area_mm2, record.calibration.relative_u_area
    budget = None if record.budgets is None else record.budgets.tissue
    return _cell(total_with_error(area, None if area is None or rel is None else area * rel, budget), area)


_ADJUSTED: dict[str, TotalName] = {"tumour": "tumor", "positive": "positive", "tissue": "tissue"}


def _adjusted_cell(record: CountedSlide, name: str) -> Cell:
    """Return the adjusted area by reference points, with its interval; of another headline than the table's, nothing.

    The interval holds what the map gets wrong; it may end at 0.
    """
    area = None if record.adjusted is None else record.adjusted.total(_ADJUSTED[name])
    if area is None:
        return _UNKNOWN
    low, high = mm2_text(area.ci95_low_mm2), mm2_text(area.ci95_high_mm2)
    return _cell(f"{mm2_text(area.adjusted_mm2)} ({low} to {high})", area.adjusted_mm2)


def _region_cell(record: CountedSlide) -> Cell:
    """Return the counts inside the region of interest."""
    mpp, counts = record.mpp, record.counts
    inside_px = counts.n_px_total - counts.n_px_outside_roi
    region_mm2 = area_mm2(inside_px, mpp) if record.roi and mpp is not None else None
    return _cell(mm2_text(region_mm2), region_mm2)


def _slide_cell(record: CountedSlide) -> Cell:
    mpp = record.mpp
    total_mm2 = None if mpp is None else area_mm2(record.counts.n_px_total, mpp)
    return _cell(mm2_text(total_mm2), total_mm2)


def _mpp_cell(record: CountedSlide) -> Cell:
    mpp = record.mpp
    if mpp is None:
        return _UNKNOWN
    return _cell(pair_text(float(f"{mpp.x:.4g}"), float(f"{mpp.y:.4g}")), max(mpp.x, mpp.y))


def _quality_cell(record: CountedSlide) -> Cell:
    quality = record.area_quality
    return _UNKNOWN if quality is None else Cell(quality, str(QUALITIES.index(quality)))


def _threshold_cell(record: CountedSlide) -> Cell:
    threshold = _threshold(record)
    return _UNKNOWN if threshold is None else _cell(grouped(threshold), threshold)


def _row(place: int, record: EndedSlide, columns: Sequence[tuple[str, Callable[[CountedSlide], Cell]]]) -> SlideRow:
    status = record.status
    cells = tuple(cell_of(record) if isinstance(record, CountedSlide) else _UNKNOWN for _, cell_of in columns)
    return SlideRow(
        anchor_of(place),
        record.slide_id,
        status,
        STATUS_TEXT[status],
        STATUS_SIGN[status],
        STATUS_ORDER.index(status),
        cells,
        findings_of(record),
    )


def _fraction(record: CountedSlide, name: str) -> float | None:
    return record.headline.fraction_of_tissue if record.headline.title == name else None


def _threshold(record: CountedSlide) -> float | None:
    threshold = record.segmenter.threshold
    return float(threshold) if isinstance(threshold, int | float) else None


def _plots(records: Sequence[EndedSlide]) -> tuple[StripPlot, ...]:
    def values(number_of: Callable[[CountedSlide], float | None], is_area: bool) -> list[Value]:
        found = []
        for place, record in enumerate(records, 1):
            number = number_of(record) if isinstance(record, CountedSlide) else None
            if number is not None:
                is_bound = is_area and isinstance(record, CountedSlide) and record.is_lower_bound
                found.append(Value(record.slide_id, anchor_of(place), number, is_bound))
        return found

    def largest_mpp(record: CountedSlide) -> float | None:
        return None if record.mpp is None else max(record.mpp.x, record.mpp.y)

    name, tissue = headline_name(records) or "tumour", tissue_name(records)
    wanted = (
        strip_plot(name.capitalize(), "mm²", values(partial(headline_mm2, name=name), True)),
        strip_plot(tissue.capitalize(), "mm²", values(lambda r: r.tissue.area_mm2, True)) if tissue else None,
        strip_plot(f"{name.capitalize()} in tissue", "%", values(partial(_percent_of_tissue, name=name), True))
        if tissue
        else None,
        strip_plot("Pixel size", "µm/px", values(largest_mpp, False)),
        strip_plot("Threshold", "grey levels", values(_threshold, False)),
    )
    return tuple(plot for plot in wanted if plot is not None and len(plot.dots) > 1)  # one slide has no spread


def _percent_of_tissue(record: CountedSlide, name: str) -> float | None:
    return record.headline.pct_tissue if record.headline.title == name else None
