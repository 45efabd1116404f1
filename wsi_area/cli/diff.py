"""cli: `wsi-area diff`."""

import json
import sys
from dataclasses import asdict

import click

from wsi_area.cli.console import print_lines, report_console
from wsi_area.cli.run_place import RunPlace
from wsi_area.cli.storage_options import storage_options
from wsi_area.results.difference import RunDifference, SlideDifference, compare_runs
from wsi_area.results.place import Place
from wsi_area.run.pipeline import EXIT_OK, EXIT_VERIFICATION


@click.command("diff")
@click.argument("first", type=RunPlace(exists=True))
@click.argument("second", type=RunPlace(exists=True))
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Relative difference up to which two numbers are the same, e.g. 0.01.",
)
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(first: Place, second: Place, tolerance: float, as_json: bool) -> None:
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
        print_lines(console, f"setting {setting.key}: {setting.first!r} → {setting.second!r}")
    alone = {slide.slide_id for slide in difference.slides if _is_alone(slide)}
    for slide in difference.slides:
        if _is_alone(slide):
            place, status = ("second", slide.second) if slide.first is None else ("first", slide.first)
            told = f"{slide.slide_id}: only in the {place} run ({status})"
        else:
            apart = "" if slide.relative is None else f" ({slide.relative:.3%} apart)"
            told = f"{slide.slide_id}, {slide.what}: {_shown(slide.first)} → {_shown(slide.second)}{apart}"
        print_lines(console, told)
    differing = len({slide.slide_id for slide in difference.slides} - alone)
    limit = "exactly" if tolerance == 0 else f"within {tolerance:g}"
    told = f"{differing} differ{'s' * (differing == 1)}" if differing else f"all say the same, {limit}"
    only = f"; {_slides(len(alone))} in one run only" if alone else ""
    print_lines(console, f"{_slides(difference.compared)} in both: {told}{only}")


def _is_alone(slide: SlideDifference) -> bool:
    """Return whether this says that only one of the runs has the slide."""
    return slide.what == "status" and None in (slide.first, slide.second)


def _slides(number: int) -> str:
    return f"{number} slide{'' if number == 1 else 's'}"


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
