"""cli: `wsi-area demo`."""

import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from wsi_area.cli.options.run_place import RunPlace
from wsi_area.cli.output.console import report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.results_table import print_results
from wsi_area.cli.output.wrapping import say, say_document
from wsi_area.demo.measured import DEMO_SETTINGS, DemoOutcome, measure_demo
from wsi_area.measuring.progress import shown_progress
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.report import write_report

EXIT_VERIFICATION = 4


@click.command("demo")
@click.option(
    "--out", type=RunPlace(only_on_disk="the demonstration makes its slides there"), default=Path("demo-out"),
    show_default=True, help="Folder for the slide and its results.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(1), help="How many threads; default: all cores.")
@click.option("--force", is_flag=True, help="Measure again even where the result is there already.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(out: Path, workers: int | None, force: bool, as_json: bool) -> None:
    """Build an 8 000 × 8 000 px slide from real stained pixels, in islands whose area is known; measure it; compare.

    \b
    wsi-area demo
    wsi-area demo --out demo-out --force --json

    Exit codes: 0 what was measured is the truth within its tolerance; 4 it is not; else as of wsi-area run.
    """  # noqa: D301 (click reads the backspace)
    settings = DEMO_SETTINGS
    if workers is not None:
        settings = settings.model_copy(update={"run": settings.run.model_copy(update={"workers": workers})})
    if not as_json:
        say(f"building {out / 'demo.svs'} …", err=True)
    with shown_progress(1) as listener:
        demo = measure_demo(out, settings, force=force, listener=listener)
    if not demo.outcome.interrupted:
        write_report(out / "run")
    if as_json:
        say_document(_document(demo, out))
    else:
        _print(demo, out)
    sys.exit(demo.outcome.exit_code or (0 if demo.passed else EXIT_VERIFICATION))


def _document(demo: DemoOutcome, out: Path) -> dict[str, object]:
    lines = [
        {**asdict(line), "relative_error": line.relative_error, "ok": line.within_tolerance} for line in demo.lines
    ]
    share = demo.burden
    burden = share and {**asdict(share), "relative_error": share.relative_error, "ok": share.within_tolerance}
    return {
        "passed": demo.passed,
        "comparison": lines,
        "burden": burden,
        "out": str(out),
        "slides": demo.outcome.documents,
    }


def _written(demo: DemoOutcome, out: Path) -> dict[str, object]:
    return {"out": str(out), "slides": demo.outcome.documents}


def _print(demo: DemoOutcome, out: Path) -> None:
    console = report_console()
    print_results(demo.outcome.slides, out / "run", seal=demo.outcome.seal)
    if not demo.lines:
        return
    table = Table(title="\nHeld against the truth", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("area")
    for heading in ("true mm²", "measured mm²", "error", "allowed"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for line in demo.lines:
        table.add_row(
            line.name, f"{line.true_mm2:.5f}", f"{line.measured_mm2:.5f}", f"{line.relative_error:+.3%}",
            f"±{line.tolerance_relative:.1%}", Text("✓", "green") if line.within_tolerance else Text("✗", "red"),
        )  # fmt: skip
    if (burden := demo.burden) is not None:
        table.add_row(
            "burden: tumour in tissue, of the tissue", f"{burden.true_pct:.3f} %", f"{burden.measured_pct:.3f} %",
            f"{burden.relative_error:+.3%}", f"±{burden.tolerance_relative:.1%}",
            Text("✓", "green") if burden.within_tolerance else Text("✗", "red"),
        )  # fmt: skip
    console.print(table)
    (record,) = demo.outcome.slides
    assert isinstance(record, CountedSlide), "lines are there of a complete slide only"
    counts = record.counts
    print_lines(
        console,
        f"\nThe account: {' + '.join(str(n) for n in counts.n_px_by_class)} px in classes"
        f" + {counts.n_px_unscanned} unscanned + {counts.n_px_unreadable} unreadable"
        f" = {counts.n_px_accounted} = {record.width_px} × {record.height_px} px.",
    )
    print_lines(
        console,
        f"\nNext: open {out / 'run' / 'report.html'} in a browser; the whole document is "
        f"{out / 'run' / 'slides' / 'demo' / 'result.json'}. Your own slides:\n"
        "  wsi-area check SLIDES…\n"
        "  wsi-area run SLIDES… --config he_tissue --out out/",
    )
