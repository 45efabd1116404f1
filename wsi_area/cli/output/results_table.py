"""cli: the table that a run ends with."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wsi_area.cli.output.console import fits, print_lines, report_console
from wsi_area.cli.output.findings_text import print_failures, print_findings, told_findings
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
    console = report_console()
    if slides:
        table = _wide(slides)
        console.print(table if fits(console, table) else _narrow(slides))
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


def _print_budgets(console: Console, slides: Sequence[CountedSlide]) -> None:
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


def _wide(slides: Sequence[EndedSlide]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide", overflow="fold")
    table.add_column("status", no_wrap=True)
    areas = _areas(slides)
    for area in areas:
        table.add_column(f"{area.name} mm² (± expanded)", justify="right", no_wrap=True)
        table.add_column("± pixel size", justify="right", no_wrap=True)
    table.add_column("slide mm²", justify="right", no_wrap=True)
    table.add_column("µm/px from")
    for record in slides:
        cells = [Text(text) for area in areas for text in _area_texts(record, area)]
        size, source = _pixel_size(record)
        table.add_row(
            Text(record.slide_id),
            _status(record),
            *cells,
            Text(_slide_mm2(record)),
            Text(f"{size} {source}".strip()),
        )
    return table


def _narrow(slides: Sequence[EndedSlide]) -> Table:
    """Return columns of two lines each, which 80 characters hold."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide\nstatus", overflow="fold", min_width=12)
    areas = _areas(slides)
    for area in areas:
        table.add_column(f"{area.name} mm²\n(± expanded)\n± pixel size", justify="right", no_wrap=True)
    table.add_column("slide mm²", justify="right", no_wrap=True)
    table.add_column("µm/px\nfrom", overflow="fold")
    for record in slides:
        slide = Text(record.slide_id).append("\n").append_text(_status(record))
        cells = [Text(_in_lines(*_area_texts(record, area))) for area in areas]
        table.add_row(slide, *cells, Text(_slide_mm2(record)), Text("\n".join(_pixel_size(record))))
    return table


def _status(record: EndedSlide) -> Text:
    status = Text(record.status, style=_STYLES[record.status])
    doubt = doubt_text(record) if isinstance(record, CountedSlide) else ""
    return status.append(f"\n{doubt}", style="yellow") if doubt else status


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
