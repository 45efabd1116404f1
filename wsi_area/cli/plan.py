"""cli: `wsi-area plan`."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from wsi_area.cli.results_table import report_console
from wsi_area.cli.slide_options import Asked, asked, slide_options
from wsi_area.run.executors import usable_cores
from wsi_area.run.memory import task_memory_limit_bytes
from wsi_area.run.pipeline import EXIT_CALIBRATION, EXIT_FAILED, EXIT_OK
from wsi_area.run.prepare import PreparedSlide, PrepareFailure, PrepareTask, prepare_slide
from wsi_area.run.preview import Preview, preview


@click.command("plan")
@slide_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool, **options: Any) -> None:
    """Say what a run over SLIDES would do, and stop: tiles, pixels to decode, memory, disk, core-seconds.

    \b
    wsi-area plan slides/*.svs --config configs/he_tissue.toml
    """  # noqa: D301 (click reads the backspace)
    wanted = asked(**options)
    outcomes = [_planned(wanted, n) for n in range(len(wanted.slides))]
    previews = [o for o in outcomes if isinstance(o, Preview)]
    failures = [o for o in outcomes if isinstance(o, PrepareFailure)]
    if as_json:
        click.echo(json.dumps(_document(previews, failures), indent=2, ensure_ascii=False))
    else:
        _print(previews, failures)
    if failures:
        sys.exit(EXIT_FAILED)
    sys.exit(EXIT_CALIBRATION if any(p.calibration.chosen is None for p in previews) else EXIT_OK)


def _planned(wanted: Asked, number: int) -> Preview | PrepareFailure:
    slide, run = wanted.slides[number], wanted.settings.run
    limit = task_memory_limit_bytes(run.memory_limit_mb, run.workers or usable_cores())
    outcome = prepare_slide(PrepareTask(slide, wanted.settings, limit))
    return preview(outcome) if isinstance(outcome, PreparedSlide) else outcome


def _document(previews: Sequence[Preview], failures: Sequence[PrepareFailure]) -> dict[str, Any]:
    return {
        "slides": [_facts(p) for p in previews],
        "failed": [{"slide_id": f.slide_id, "error": f.error, "message": f.message} for f in failures],
        "total": {
            "tiles": sum(p.plan.tile_count for p in previews),
            "level_px_to_decode": sum(p.level_px_to_decode for p in previews),
            "estimated_core_s": sum(p.estimated_core_s for p in previews),
            "estimated_disk_bytes": sum(p.estimated_disk_bytes for p in previews),
            "projected_bytes_per_task": max((p.plan.projected_bytes_per_task for p in previews), default=0),
        },
    }


def _facts(p: Preview) -> dict[str, Any]:
    plan = p.plan
    return {
        "slide_id": plan.slide.slide_id,
        "n_px_total": plan.pixel_count_l0,
        "level": plan.level,
        "reduce_factor": plan.reduce_factor,
        "work_mpp_x_um": None if plan.work_mpp is None else plan.work_mpp.x,
        "work_mpp_y_um": None if plan.work_mpp is None else plan.work_mpp.y,
        "tile_px": plan.tile_px,
        "tiles": plan.tile_count,
        "tiles_skipped": len(plan.skipped),
        "batches": p.batches,
        "level_px_to_decode": p.level_px_to_decode,
        "projected_bytes_per_task": plan.projected_bytes_per_task,
        "estimated_disk_bytes": p.estimated_disk_bytes,
        "estimated_core_s": p.estimated_core_s,
        "reader": p.lane,
        "reader_reason": p.lane_reason,
        "mpp_source": None if p.calibration.chosen is None else p.calibration.chosen.source,
        "findings": [f.code for f in p.calibration.findings],
    }


def _print(previews: Sequence[Preview], failures: Sequence[PrepareFailure]) -> None:
    console = report_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide", overflow="fold")
    headings = (
        "size px",
        "work µm/px",
        "level ÷ factor",
        "tiles",
        "skipped",
        "batches",
        "Mpx to read",
        "MiB/task",
        "MiB disk",
        "~core s",
    )
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_column("lane")
    for p in previews:
        plan = p.plan
        size = plan.slide.size_l0_px
        work = "px only" if plan.work_mpp is None else f"{max(plan.work_mpp.x, plan.work_mpp.y):.4g}"
        cells = [
            plan.slide.slide_id, f"{size.width_px} × {size.height_px}", work, f"{plan.level} ÷ {plan.reduce_factor}",
            f"{plan.tile_count}", f"{len(plan.skipped)}", f"{p.batches}", f"{p.level_px_to_decode / 1e6:.1f}",
            f"{plan.projected_bytes_per_task / 2**20:.0f}", f"{p.estimated_disk_bytes / 2**20:.1f}",
            f"{p.estimated_core_s:.1f}", p.lane,
        ]  # fmt: skip
        table.add_row(*(Text(c) for c in cells))
    console.print(table)
    for p in previews:
        for finding in p.calibration.findings:
            text = f"{finding.slide_id} {finding.code}: {finding.message}"
            console.print(text + (f" → {finding.remedy}" if finding.remedy else ""), markup=False, soft_wrap=True)
    for failure in failures:
        console.print(f"{failure.slide_id}: {failure.message}", style="red", markup=False, soft_wrap=True)
    total = _document(previews, failures)["total"]
    console.print(
        f"\nin all: {total['tiles']} tiles, {total['level_px_to_decode'] / 1e6:.1f} Mpx to read, about "
        f"{total['estimated_core_s']:.0f} core-seconds and {total['estimated_disk_bytes'] / 2**20:.0f} MiB of disk"
    )
