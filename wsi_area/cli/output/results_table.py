"""cli: the table that a run ends with."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from wsi_area.cli.output.console import fits, print_lines, report_console
from wsi_area.cli.output.findings_text import print_failures, print_findings, told_findings
from wsi_area.compute.quantity_text import area_unit, number_text, pair_text
from wsi_area.model.record.slide_areas import COVERAGE_95
from wsi_area.results.record import is_counted
from wsi_area.results.tables.quantity import area_text
from wsi_area.results.tables.tissue_name import tissue_name
from wsi_area.storage.place import Place

Record = Mapping[str, Any]

_STYLES = {"complete": "green", "incomplete": "yellow", "needs_calibration": "yellow", "failed": "red"}
_NONE = "–"


def print_results(records: Sequence[Record], out: Place, *, with_tables: bool = True) -> None:
    """Print one row for each slide, below it each thing that went wrong once, and where to look next.

    A shard has no tables of its own: they are made when all shards are merged.
    """
    console = report_console()
    if records:
        table = _wide(records)
        console.print(table if fits(console, table) else _narrow(records))
    for record in records:
        for outline in record.get("outlines", ()):
            print_lines(console, _outline_text(record, outline))
    for status in ("failed", "needs_calibration"):
        lost = [(r["slide_id"], r["reason"]) for r in records if r["status"] == status and not is_counted(r)]
        print_failures(console, status.upper().replace("_", " "), lost, f"bold {_STYLES[status]}")
    print_findings(console, told_findings(f for r in records for f in r.get("findings", ()) if f["severity"] != "info"))
    tables = f"Tables: {out / 'summary.csv'} (and .parquet, .xlsx); each slide" if with_tables else "Each slide"
    report = f"; to read: {out / 'report.html'}" if with_tables and (out / "report.html").exists() else ""
    print_lines(console, f"\n{tables} in full: {out / 'slides'}{report}")


def _areas(records: Sequence[Record]) -> tuple[tuple[str, str], ...]:
    """Return the totals that these slides have, as heading and key."""
    with_tumor = any(r.get("tumor", {}).get("n_px") is not None for r in records)
    tissue = tissue_name(records)
    return (*((("tumour", "tumor"),) if with_tumor else ()), *(((tissue, "tissue"),) if tissue else ()))


def _wide(records: Sequence[Record]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide", overflow="fold")
    table.add_column("status", no_wrap=True)
    areas = _areas(records)
    for heading in (*(f"{name} mm² (± 95 %)" for name, _ in areas), "slide mm²"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("µm/px from")
    for record in records:
        cells = [Text(_area_text(record, key)) for _, key in areas]
        size, source = _pixel_size(record)
        table.add_row(
            Text(record["slide_id"]),
            _status(record),
            *cells,
            Text(_slide_mm2(record)),
            Text(f"{size} {source}".strip()),
        )
    return table


def _narrow(records: Sequence[Record]) -> Table:
    """Return columns of two lines each, which 80 characters hold."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide\nstatus", overflow="fold", min_width=12)
    areas = _areas(records)
    for name, _ in areas:
        table.add_column(f"{name} mm²\n(± 95 %)", justify="right", no_wrap=True)
    table.add_column("slide mm²", justify="right", no_wrap=True)
    table.add_column("µm/px\nfrom", overflow="fold")
    for record in records:
        slide = Text(record["slide_id"]).append("\n").append_text(_status(record))
        cells = [Text(_area_text(record, key).replace(" ±", "\n±")) for _, key in areas]
        table.add_row(slide, *cells, Text(_slide_mm2(record)), Text("\n".join(_pixel_size(record))))
    return table


def _status(record: Record) -> Text:
    return Text(record["status"], style=_STYLES[record["status"]])


def _area_text(record: Record, key: str) -> str:
    if not is_counted(record):
        return _NONE
    return _with_error_bar(record[key]["area_mm2"], record["calibration"]["relative_u_area"])


def _slide_mm2(record: Record) -> str:
    pixel = record["calibration"]["pixel_area_mm2"] if is_counted(record) else None
    if pixel is None:
        return _NONE
    total_mm2 = record["counts"]["n_px_total"] * pixel
    factor, unit = area_unit(total_mm2)
    if factor != 1:
        return f"{number_text(float(f'{total_mm2 * factor:.4g}'))} {unit}"
    return f"{total_mm2:.{_decimals(total_mm2 / 100)}f}"


def _pixel_size(record: Record) -> tuple[str, str]:
    """Return the size of a pixel, and who says so."""
    if not is_counted(record):
        return _NONE, ""
    calibration = record["calibration"]
    if calibration["pixel_area_mm2"] is None:
        return "pixels only", ""
    return pair_text(calibration["mpp_x_um"], calibration["mpp_y_um"]), calibration["source"]


def _outline_text(record: Mapping[str, Any], outline: Mapping[str, Any]) -> str:
    """Return the exact area of a class's outlines beside what was counted in them."""
    (counted,) = (c for c in record["classes"] if c["name"] == outline["class"])
    decimals = _decimals(outline["u_count_mm2"])
    whole = " on the whole slide" if record.get("roi") else ""
    return (
        f"\n{record['slide_id']}: the outlines of {outline['class']} enclose {outline['area_mm2']:.{decimals}f} mm²"
        f"{whole}; "
        f"{counted['n_px']} px counted in them are {counted['area_mm2']:.{decimals}f} mm² "
        f"(counting in work pixels: ± {COVERAGE_95 * outline['u_count_mm2']:.{decimals}f})"
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
