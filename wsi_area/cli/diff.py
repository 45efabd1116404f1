"""cli: `wsi-area diff`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from wsi_area.cli.results_table import report_console
from wsi_area.results.difference import RunDifference, compare_runs
from wsi_area.run.pipeline import EXIT_OK, EXIT_VERIFICATION


@click.command("diff")
@click.argument("first", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("second", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Relative difference up to which two numbers are the same, e.g. 0.01.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(first: Path, second: Path, tolerance: float, as_json: bool) -> None:
    """Compare two runs slide by slide, and say which settings differ.

    \b
    wsi-area diff out-monday/ out-tuesday/ --tolerance 0.001

    Exit code 0 if every slide says the same within the tolerance, 4 if any does not.
    """  # noqa: D301 (click reads the backspace)
    difference = compare_runs(first, second, tolerance)
    code = EXIT_OK if difference.is_same else EXIT_VERIFICATION
    if as_json:
        click.echo(json.dumps({"exit_code": code, **asdict(difference)}, indent=2, ensure_ascii=False))
    else:
        _print(difference, tolerance)
    sys.exit(code)


def _print(difference: RunDifference, tolerance: float) -> None:
    console = report_console()
    for setting in difference.settings:
        console.print(f"setting {setting.key}: {setting.first!r} → {setting.second!r}", markup=False, soft_wrap=True)
    for slide in difference.slides:
        apart = "" if slide.relative is None else f" ({slide.relative:.3%} apart)"
        console.print(
            f"{slide.slide_id}, {slide.what}: {slide.first} → {slide.second}{apart}", markup=False, soft_wrap=True
        )
    slides = {d.slide_id for d in difference.slides}
    limit = "exactly" if tolerance == 0 else f"within {tolerance:g}"
    told = f"{len(slides)} differ" if slides else f"all say the same, {limit}"
    console.print(f"{difference.compared} slides in both: {told}")
