"""cli: the table that a run ends with."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wsi_area.cli.output.findings_text import print_failures, print_findings, told_findings
from wsi_area.cli.output.printer import Printer, print_lines, printer
from wsi_area.cli.output.text_table import Column, Styled, TextTable
from wsi_area.compute.quantity_text import area_unit, number_text, pair_text
from wsi_area.model.record.budget.uncertainty_budget import UncertaintyBudget
from wsi_area.model.record.slide_areas import COVERAGE_95, OutlineOnRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.budget.budget_text import budget_sentence, headline_budget, tissue_budget
from wsi_area.results.tables.light_text import doubt_text
from wsi_area.results.tables.quantity import area_text
from wsi_area.results.tables.tissue_name import headline_mm2, headline_name, tissue_name
from wsi_area.storage.place import Place

_STYLES = {
    "complete": "green",
    "estimated": "green",
    "incomplete": "yellow",
    "needs_calibration": "yellow",
    "failed": "red",
}
_NONE = "–"
BUDGETS_SHOWN = 10
"""Slides whose errors are told in a line each; of more the tables say them."""


def print_results(slides: Sequence[EndedSlide], out: Place, *, with_tables: bool = True, seal: str = "") -> None:
    """Print one row for each slide, below it each thing that went wrong once, and where to look next.

    A shard has no tables of its own: they are made when all shards are merged.
    """
    console = printer()
    if slides:
        console.print_first_fitting(_wide(slides), _narrow(slides))
    counted = [slide for slide in slides if isinstance(slide, CountedSlide)]
    for slide in counted:
        for outline in slide.outlines:
            print_lines(console, _outline_text(slide, outline))
        if slide.estimate is not None:
            from wsi_area.results.tables.estimate_text import estimate_text

            print_lines(console, f"{slide.slide_id}: {estimate_text(slide)}")
    _print_budgets(console, counted)
    for status in ("failed", "needs_calibration"):
        lost = [(s.slide_id, s.reason) for s in slides if s.status == status and not isinstance(s, CountedSlide)]
        print_failures(console, status.upper().replace("_", " "), lost, f"bold {_STYLES[status]}")
    print_findings(console, told_findings(f for s in counted for f in s.findings if f.severity != "info"))
    tables = f"Tables: {out / 'summary.csv'} (and .parquet, .xlsx); each slide" if with_tables else "Each slide"
    report = f"; to read: {out / 'report.html'}" if with_tables and (out / "report.html").exists() else ""
    print_lines(console, f"\n{tables} in full: {out / 'slides'}{report}")
    if seal:
        print_lines(console, f"Seal: {seal}")


def _print_budgets(console: Printer, slides: Sequence[CountedSlide]) -> None:
    """Print what is known of the errors of each slide, in a line; of many slides, where it stands."""
    told = [(slide, budget) for slide in slides if (budget := headline_budget(slide)) is not None]
    if len(told) > BUDGETS_SHOWN:
        line = "All known errors of each area: the columns *_expanded_u_mm2 of the summary; row by row, budget.parquet"
        print_lines(console, f"\n{line}")
        return
    lines = [f"{slide.slide_id}: {budget_sentence(slide, budget)}" for slide, budget in told]
    if lines:
        print_lines(console, "\n" + "\n".join(lines))


class AreaOf(NamedTuple):
    """A total that slides have: its name, its mm² on a slide, and its budget there."""

    name: str
    mm2_of: Callable[[CountedSlide], float | None]
    budget_of: Callable[[CountedSlide], UncertaintyBudget | None]


def _areas(slides: Sequence[EndedSlide]) -> tuple[AreaOf, ...]:
    """Return the totals that these slides have."""
    name, tissue = headline_name(slides), tissue_name(slides)
    found = []
    if name:
        found.append(AreaOf(name, lambda slide: headline_mm2(slide, name), headline_budget))
    if tissue:
        found.append(AreaOf(tissue, lambda slide: slide.tissue.area_mm2, tissue_budget))
    return tuple(found)


def _wide(slides: Sequence[EndedSlide]) -> TextTable:
    areas = _areas(slides)
    columns = [Column("slide", folds=True), Column("status", is_whole=True)]
    for area in areas:
        columns.append(Column(f"{area.name} mm² (± expanded)", is_right=True, is_whole=True))
        columns.append(Column("± pixel size", is_right=True, is_whole=True))
    columns += [Column("slide mm²", is_right=True, is_whole=True), Column("µm/px from")]
    rows = []
    for record in slides:
        cells = [_plain(text) for area in areas for text in _area_texts(record, area)]
        size = _plain(" ".join(_pixel_size(record)).strip())
        rows.append((_plain(record.slide_id), _status(record), *cells, _plain(_slide_mm2(record)), size))
    return TextTable(tuple(columns), tuple(rows))


def _narrow(slides: Sequence[EndedSlide]) -> TextTable:
    """Return columns of two lines each, which 80 characters hold."""
    areas = _areas(slides)
    columns = [Column("slide\nstatus", folds=True, least=12)]
    columns += [Column(f"{area.name} mm²\n(± expanded)\n± pixel size", is_right=True, is_whole=True) for area in areas]
    columns += [Column("slide mm²", is_right=True, is_whole=True), Column("µm/px\nfrom", folds=True)]
    rows = []
    for record in slides:
        slide = Styled(((f"{record.slide_id}\n", ""), *_status(record).parts))
        cells = [_plain(_in_lines(*_area_texts(record, area))) for area in areas]
        rows.append((slide, *cells, _plain(_slide_mm2(record)), _plain("\n".join(_pixel_size(record)))))
    return TextTable(tuple(columns), tuple(rows))


def _plain(text: str) -> Styled:
    return Styled(((text, ""),))


def _status(record: EndedSlide) -> Styled:
    status = record.status, _STYLES[record.status]
    doubt = doubt_text(record) if isinstance(record, CountedSlide) else ""
    return Styled((status, (f"\n{doubt}", "yellow")) if doubt else (status,))


def _area_texts(record: EndedSlide, area: AreaOf) -> tuple[str, str]:
    """Return an area ± its expanded uncertainty, and ± of the pixel size alone; where it has no budget, no more."""
    if not isinstance(record, CountedSlide):
        return _NONE, ""
    mm2, relative = area.mm2_of(record), record.calibration.relative_u_area
    value, _, half = _with_error_bar(mm2, relative).partition(" ± ")
    alone, budget = f"± {half}" if half else "", area.budget_of(record)
    if budget is None or budget.is_corrected or not budget.area_mm2 or not budget.expanded_mm2:
        return value, alone
    return _with_error_bar(mm2, budget.expanded_mm2 / COVERAGE_95 / budget.area_mm2), alone


def _in_lines(whole: str, scale: str) -> str:
    """Return an area and its error bars, a line each."""
    return "\n".join(text for text in (whole.replace(" ±", "\n±"), scale) if text)


def _slide_mm2(record: EndedSlide) -> str:
    total_mm2 = record.total_area_mm2 if isinstance(record, CountedSlide) else None
    if total_mm2 is None:
        return _NONE
    factor, unit = area_unit(total_mm2)
    if factor != 1:
        return f"{number_text(float(f'{total_mm2 * factor:.4g}'))} {unit}"
    return f"{total_mm2:.{_decimals(total_mm2 / 100)}f}"


def _pixel_size(record: EndedSlide) -> tuple[str, str]:
    """Return the size of a pixel, and who says so."""
    if not isinstance(record, CountedSlide):
        return _NONE, ""
    mpp = record.mpp
    return ("pixels only", "") if mpp is None else (pair_text(mpp.x, mpp.y), record.calibration.source or "")


def _outline_text(record: CountedSlide, outline: OutlineOnRecord) -> str:
    """Return the exact area of a class's outlines beside what was counted in them."""
    (counted,) = (c for c in record.classes if c.name == outline.class_)
    decimals = _decimals(outline.u_count_mm2)
    whole = " on the whole slide" if record.roi else ""
    return (
        f"\n{record.slide_id}: the outlines of {outline.class_} enclose {outline.area_mm2:.{decimals}f} mm²"
        f"{whole}; "
        f"{counted.n_px} px counted in them are {counted.area_mm2 or 0.0:.{decimals}f} mm² "
        f"(counting in work pixels: ± {COVERAGE_95 * outline.u_count_mm2:.{decimals}f})"
    )


def _with_error_bar(area_mm2: float | None, relative_u: float | None) -> str:
    if area_mm2 is None or relative_u is None:
        return "–"
    if area_unit(area_mm2)[0] != 1:
        return area_text(area_mm2, relative_u * area_mm2)
    half_width_mm2 = COVERAGE_95 * relative_u * area_mm2
    decimals = _decimals(half_width_mm2)
    return f"{area_mm2:.{decimals}f} ± {half_width_mm2:.{decimals}f}"


def _decimals(uncertainty_mm2: float) -> int:
    """Return the number of decimals that show two digits of an uncertainty, and four at least."""
    return max(4, 1 - math.floor(math.log10(uncertainty_mm2))) if uncertainty_mm2 else 4
