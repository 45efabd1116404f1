"""cli: `wsi-area plan`."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from wsi_area.cli.options.slide_options import Asked, asked, slide_options
from wsi_area.cli.output.console import PlainConsole, fits, report_console
from wsi_area.cli.output.findings_text import print_failures, print_findings, told_findings
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.wrapping import say, say_document
from wsi_area.compute.quantity_text import number_text
from wsi_area.errors import MissingMppError
from wsi_area.inputs.drawings import refuse_mismatch
from wsi_area.inputs.slide_settings import changed_keys, settings_of, told_settings
from wsi_area.inputs.stage_in import wherever_it_is_read
from wsi_area.run.context import task_memory_limit_bytes
from wsi_area.run.estimate.coarse_look import coarse_work_mpp
from wsi_area.run.passes.tissue_layer import layer_input, layer_settings, reason_of_layer
from wsi_area.run.prepare import PreparedSlide, PrepareFailure, PrepareTask, prepare_slide
from wsi_area.run.preview import Preview, preview
from wsi_area.run.run_document import EXIT_CALIBRATION, EXIT_FAILED, EXIT_OK
from wsi_area.settings.parts_signal import parts_signal
from wsi_area.storage.processes import usable_cores


@click.command("plan")
@slide_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool, **options: Any) -> None:
    """Say what a run over SLIDES would do, and stop: tiles, pixels to decode, memory, disk, core-seconds.

    \b
    wsi-area plan slides/*.svs --config he_tissue
    wsi-area plan slides/ --config ihc_dab --set tiling.work_mpp=1 --json

    Core-seconds are a rough estimate. Exit codes: 0 every slide can be measured; 1 wrong options or settings; 2 a
    slide cannot be measured or is cut short; 3 a slide has no believable pixel size.
    """  # noqa: D301 (click reads the backspace)
    wanted = asked(**options)
    refuse_mismatch(wanted.settings, wanted.slides)
    outcomes = [_planned(wanted, n) for n in range(len(wanted.slides))]
    previews = [o for o in outcomes if isinstance(o, Preview)]
    failures = [o for o in outcomes if isinstance(o, PrepareFailure)]
    code = EXIT_FAILED if any(left.is_lost for left in wanted.slides.left_out) else _exit_code(previews, failures)
    if as_json:
        own = {"slide_settings": told_settings(wanted.slides)}
        left_out = [left.model_dump(mode="json") for left in wanted.slides.left_out]
        document = {**_document(previews, failures), **own, "left_out": left_out, "exit_code": code}
        say_document(document)
    else:
        _print(previews, failures)
        for p in previews:
            if p.is_estimate:
                print_lines(report_console(), _estimate_text(p))
        for slide in wanted.slides:
            if slide.own is not None:
                say(f"{slide.slide_id}: {changed_keys(slide.own)} ({slide.own.where})")
        for left in wanted.slides.left_out:
            print_lines(report_console(), left.line)
    sys.exit(code)


def _estimate_text(p: Preview) -> str:
    """Return the words on how a slide would be estimated: its pixels above are the most that may be read."""
    look = "no coarse level helps, so two spots are drawn in each of some cells"
    if p.coarse_work_mpp_um is not None:
        look = f"all of it is looked at with {number_text(float(f'{p.coarse_work_mpp_um:.3g}'))} µm per pixel first"
    return (
        f"{p.plan.slide.slide_id}: an estimate; its tiles are spots of which some are drawn, the pixels above are the "
        f"most that is read; {look}"
    )


def _exit_code(previews: Sequence[Preview], failures: Sequence[PrepareFailure]) -> int:
    """Return the exit code that a run would have: only a missing pixel size is 3."""
    short = any(f.code == "FILE_CUT_SHORT" for p in previews for f in p.findings)
    if short or any(not _needs_calibration(f) for f in failures):
        return EXIT_FAILED
    return EXIT_CALIBRATION if failures or any(p.calibration.chosen is None for p in previews) else EXIT_OK


def _needs_calibration(failure: PrepareFailure) -> bool:
    return failure.error == MissingMppError.__name__


def _planned(wanted: Asked, number: int) -> Preview | PrepareFailure:
    slide, run = wanted.slides[number], wanted.settings.run
    limit = task_memory_limit_bytes(run.memory_limit_mb, run.workers or usable_cores())
    with wherever_it_is_read(slide.path, wanted.settings) as copy:
        settings = settings_of(wanted.settings, slide)
        outcome = prepare_slide(PrepareTask(slide, settings, limit, copy))
        if not isinstance(outcome, PreparedSlide):
            return outcome
        has_signal = parts_signal(settings, outcome.fitted, outcome.regions) is not None
        of_layer = layer_settings(outcome, settings)
        if settings.estimate.is_asked:
            return replace(preview(outcome), coarse_work_mpp_um=coarse_work_mpp(outcome, settings), is_estimate=True)
        if of_layer is None:
            return preview(outcome, has_signal=has_signal)
        tissue = prepare_slide(PrepareTask(layer_input(slide, settings.tissue), of_layer, limit, copy))
        if not isinstance(tissue, PreparedSlide):
            return replace(tissue, message=reason_of_layer(tissue.message))
        return preview(outcome, preview(tissue), has_signal=has_signal)


def _class_maps(previews: Sequence[Preview]) -> list[Preview]:
    """Return every class map that would be made: of each slide, and of its tissue layer."""
    return [made for p in previews for made in (p, p.tissue) if made is not None]


def _document(previews: Sequence[Preview], failures: Sequence[PrepareFailure]) -> dict[str, Any]:
    made = _class_maps(previews)
    return {
        "slides": [_facts(p) for p in previews],
        "failed": [
            {
                "slide_id": f.slide_id,
                "status": "needs_calibration" if _needs_calibration(f) else "failed",
                "error": f.error,
                "message": f.message,
            }
            for f in failures
        ],
        "total": {
            "tiles": sum(p.plan.tile_count for p in made),
            "level_px_to_decode": sum(p.level_px_to_decode for p in made),
            "estimated_core_s": sum(p.estimated_core_s for p in made),
            "estimated_disk_bytes": sum(p.estimated_disk_bytes for p in made),
            "projected_bytes_per_task": max((p.plan.projected_bytes_per_task for p in made), default=0),
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
        "findings": [f.code for f in p.findings],
        "is_estimate": p.is_estimate,
        "coarse_work_mpp_um": p.coarse_work_mpp_um,
        "tissue_layer": None if p.tissue is None else _facts(p.tissue),
    }


_HEADINGS = (
    "size px", "work µm/px", "level ÷ factor", "tiles", "skipped", "batches", "Mpx to read", "MiB/task", "MiB disk",
    "~core s", "lane",
)  # fmt: skip


def _print(previews: Sequence[Preview], failures: Sequence[PrepareFailure]) -> None:
    console = report_console()
    rows = [row for p in previews for row in _rows(p)]
    if rows:
        wide = _table(rows)
        if fits(console, wide):
            console.print(wide)
        else:
            _print_narrow(console, rows)
    waiting = [(f.slide_id, f.message) for f in failures if _needs_calibration(f)]
    lost = [(f.slide_id, f.message) for f in failures if not _needs_calibration(f)]
    print_failures(console, "NEEDS A PIXEL SIZE", waiting, "bold yellow")
    print_failures(console, "CANNOT BE MEASURED", lost)
    print_findings(console, told_findings(finding for p in previews for finding in p.findings))
    total = _document(previews, failures)["total"]
    disk = _about(total["estimated_disk_bytes"] / 2**20)
    print_lines(
        console,
        f"\nin all: {total['tiles']} tiles, {total['level_px_to_decode'] / 1e6:.1f} Mpx to read, "
        f"{_about(total['estimated_core_s'])} core-seconds and {disk} MiB of disk",
    )


def _about(number: float) -> str:
    """Return an estimate to two digits: more would be a promise, and a little is not nothing.

    >>> _about(0.0312), _about(4321.0), _about(0.0)
    ('about 0.031', 'about 4 300', '0')
    """
    return f"about {number_text(float(f'{number:.2g}'))}" if number else "0"


def _table(rows: Sequence[tuple[str, Sequence[str]]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide", overflow="fold", min_width=12)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == "lane" else "right", no_wrap=True)
    for name, cells in rows:
        table.add_row(Text(name), *(Text(cell) for cell in cells))
    return table


def _print_narrow(console: PlainConsole, rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Print each slide's name on a line of its own, whole so that it can be copied, and below it what is planned."""
    for name, cells in rows:
        size, work, level, tiles, skipped, batches, mpx, task, disk, core_s, lane = cells
        at = work if work == "px only" else f"{work} µm/px"
        print_lines(console, name, style="bold")
        print_lines(console, f"{size} px; level ÷ factor {level}, {at}; lane {lane}", indent="  ")
        print_lines(
            console,
            f"{tiles} tile{'s' * (tiles != '1')}, {skipped} skipped, {batches} batch{'es' * (batches != '1')}; "
            f"{mpx} Mpx to read, about {core_s} core\u00a0s; {task}\u00a0MiB\u00a0a\u00a0task, "
            f"{disk}\u00a0MiB\u00a0of\u00a0disk",
            indent="  ",
        )


def _rows(p: Preview) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is planned for a slide, and below it for its tissue layer."""
    yield p.plan.slide.slide_id, _cells(p)
    if p.tissue is not None:
        yield f"{p.plan.slide.slide_id}, its tissue", _cells(p.tissue)


def _cells(p: Preview) -> tuple[str, ...]:
    plan = p.plan
    size = plan.slide.size_l0_px
    work = "px only" if plan.work_mpp is None else f"{max(plan.work_mpp.x, plan.work_mpp.y):.4g}"
    return (
        f"{size.width_px} × {size.height_px}", work, f"{plan.level} ÷ {plan.reduce_factor}",
        f"{plan.tile_count}", f"{len(plan.skipped)}", f"{p.batches}", f"{p.level_px_to_decode / 1e6:.1f}",
        f"{plan.projected_bytes_per_task / 2**20:.0f}", f"{p.estimated_disk_bytes / 2**20:.1f}",
        number_text(float(f"{p.estimated_core_s:.2g}")), p.lane,
    )  # fmt: skip
