"""cli: the table that a run ends with."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wsi_area.compute.quantity_text import pair_text
from wsi_area.results.record import COVERAGE_95, is_counted

_PIPED_WIDTH = 4096  # a pipe has no edge: nothing is wrapped, so that grep and cut see whole lines
_STYLES = {"complete": "green", "incomplete": "yellow", "needs_calibration": "yellow", "failed": "red"}


def report_console() -> Console:
    """Return the console that tables go to: as wide as its terminal, or as a table needs."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def print_results(records: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Print one row for each slide, what went wrong below it, and where to look next."""
    console = report_console()
    with_tumor = any(r.get("tumor", {}).get("n_px") is not None for r in records)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide", overflow="fold")
    table.add_column("status", no_wrap=True)
    for heading in (["tumour mm² (± 95 %)"] if with_tumor else []) + ["tissue mm² (± 95 %)", "slide mm²"]:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("µm/px from")
    for record in records:
        table.add_row(*_cells(record, with_tumor))
    if records:
        console.print(table)
    for record in records:
        _print_notes(console, record)
    console.print(
        f"\nTables: {out / 'summary.csv'} (and .parquet); each slide in full: {out / 'slides'}"
        + (f"; to read: {out / 'report.html'}" if (out / "report.html").exists() else ""),
        soft_wrap=True,
    )


def _cells(record: Mapping[str, Any], with_tumor: bool) -> list[Text]:
    status = record["status"]
    cells = [Text(record["slide_id"]), Text(status, style=_STYLES[status])]
    if not is_counted(record):
        return [*cells, *[Text("–") for _ in range(3 + with_tumor)]]
    calibration = record["calibration"]
    pixel, rel = calibration["pixel_area_mm2"], calibration["relative_u_area"]
    areas = [record[name]["area_mm2"] for name in (("tumor", "tissue") if with_tumor else ("tissue",))]
    if pixel is None:
        total, origin = "–", "pixels only"
    else:
        total_mm2 = record["counts"]["n_px_total"] * pixel
        total = f"{total_mm2:.{_decimals(total_mm2 / 100)}f}"
        origin = f"{pair_text(calibration['mpp_x_um'], calibration['mpp_y_um'])} {calibration['source']}"
    return [*cells, *[Text(_with_error_bar(a, rel)) for a in areas], Text(total), Text(origin)]


def _outline_text(record: Mapping[str, Any], outline: Mapping[str, Any]) -> str:
    """Return the exact area of a class's outlines beside what was counted in them."""
    (counted,) = (c for c in record["classes"] if c["name"] == outline["class"])
    decimals = _decimals(outline["u_count_mm2"])
    return (
        f"\n{record['slide_id']}: the outlines of {outline['class']} enclose {outline['area_mm2']:.{decimals}f} mm²; "
        f"{counted['n_px']} px counted in them are {counted['area_mm2']:.{decimals}f} mm² "
        f"(counting in work pixels: ± {COVERAGE_95 * outline['u_count_mm2']:.{decimals}f})"
    )


def _with_error_bar(area_mm2: float | None, relative_u: float | None) -> str:
    if area_mm2 is None or relative_u is None:
        return "–"
    half_width_mm2 = COVERAGE_95 * relative_u * area_mm2
    decimals = _decimals(half_width_mm2)
    return f"{area_mm2:.{decimals}f} ± {half_width_mm2:.{decimals}f}"


def _decimals(uncertainty_mm2: float) -> int:
    """Return how many decimals show two digits of an uncertainty, and four at least."""
    return max(4, 1 - math.floor(math.log10(uncertainty_mm2))) if uncertainty_mm2 else 4


def _print_notes(console: Console, record: Mapping[str, Any]) -> None:
    slide_id, status = record["slide_id"], record["status"]
    if not is_counted(record):
        reason = record["reason"].removeprefix(f"{slide_id}: ")
        console.print(f"\n{slide_id}: {reason}", style=_STYLES[status], markup=False, soft_wrap=True)
    for outline in record.get("outlines", ()):
        console.print(_outline_text(record, outline), markup=False, soft_wrap=True)
    for finding in record.get("findings", ()):
        if finding["severity"] == "info":
            continue
        console.print(f"\n{slide_id} {finding['code']}: {finding['message']}", markup=False, soft_wrap=True)
        if finding["remedy"]:
            console.print(f"  → {finding['remedy']}", markup=False, soft_wrap=True)
