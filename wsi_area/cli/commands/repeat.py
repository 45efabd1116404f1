"""cli: `wsi-area repeat`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from wsi_area.audit.repeats.study import repeat_study
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.console import report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.wrapping import say, say_document
from wsi_area.errors import SettingsError
from wsi_area.model.uncertainty.repeat_study import By, Estimated, RepeatedArea, RepeatStudy
from wsi_area.results.documents import document_of
from wsi_area.results.opened_run import open_run
from wsi_area.results.seal.sealed_run import add_to_seal
from wsi_area.results.uncertainty.repeat_file import REPEAT_NAME, read_repeat, write_repeat
from wsi_area.run.run_document import EXIT_FAILED, EXIT_OK
from wsi_area.storage.place import Place

_SAYS = (
    "Areas are compared by their logarithms, so that every number is a share of the area. CV: coefficient of variation "
    "of one measurement, on any occasion or were the occasions alike. Limits of agreement: 95 % of subjects lie "
    "between. In brackets 95 % intervals: few subjects, or two occasions that differ, make them wide."
)
_MOST_LEFT_OUT = 20
_LEAST_SHOWN, _WHOLE = 1e-6, 100


@click.command("repeat")
@click.argument("runs", nargs=-1, required=True, type=RunPlace(exists=True))
@click.option(
    "--by",
    type=click.Choice(["slide", "subject", "block"]),
    help="Slides that are one thing: of one id (default of several runs), subject (of one run), or block.",
)
@click.option("--despite-settings", is_flag=True, help="Compare even what was measured by different rules.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: repeat.json in the first RUN.")
@click.option("--force", is_flag=True, help="Replace a file that says something else.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    runs: tuple[Place, ...], *, by: By | None, despite_settings: bool, out: Path | None, force: bool, as_json: bool
) -> None:
    """Say how far measurements of the same subjects lie apart: rescans, scanners, readers, days.

    \b
    wsi-area repeat out/ --by subject                 # one run; each subject has several slides
    wsi-area repeat scanner_a/ scanner_b/             # runs of the same slides: each run is one occasion
    wsi-area repeat miller/ okafor/ --out readers.json

    Writes repeat.json: a calibration under a seal of its own, with every area that it was found from. Another run
    takes it as the term of a second scan: wsi-area run … --set uncertainty.rescan=repeat.json

    Exit codes: 0 all compared; 1 wrong options, different rules, or too few subjects; 2 some were left out.
    """  # noqa: D301 (click reads the backspace)
    opened = [open_run(run) for run in runs]
    study = repeat_study(opened, by, despite_settings=despite_settings)
    place: Place = opened[0].layout.root / REPEAT_NAME if out is None else out
    _require_free(place, study, force)
    write_repeat(place, study)
    if out is None:
        add_to_seal(opened[0].layout, "repeat", [place])
    code = EXIT_FAILED if study.left_out else EXIT_OK
    if as_json:
        say_document({"exit_code": code, "file": str(place), **document_of(study)}, allow_nan=False)
    else:
        _print(study)
        say(str(place))
    sys.exit(code)


def _require_free(place: Place, study: RepeatStudy, force: bool) -> None:
    if force or not place.exists():
        return
    if read_repeat(place).seal != study.seal:
        raise SettingsError(f"{place} holds another study, which runs may name; choose another --out, or give --force")


def _print(study: RepeatStudy) -> None:
    console = report_console()
    shown = [area for area in study.areas if area.kind == "class" or not _is_one_class(area, study)]
    console.print(_spreads(shown))
    console.print()
    console.print(_pairs(shown))
    for note in study.notes:
        print_lines(console, note)
    for left in study.left_out[:_MOST_LEFT_OUT]:
        about = f"{left.subject}, {left.name}" if left.name else left.subject
        print_lines(console, f"{about}: left out: {left.reason}", style="yellow")
    if (more := len(study.left_out) - _MOST_LEFT_OUT) > 0:
        print_lines(console, f"{more} more left out; see the file", style="yellow")
    print_lines(console, f"\n{_SAYS}")


def _is_one_class(total: RepeatedArea, study: RepeatStudy) -> bool:
    """Return True if a total has the numbers of a class, since it has no other."""
    return any(area.kind == "class" and area.icc == total.icc and area.pairs == total.pairs for area in study.areas)


def _name(area: RepeatedArea) -> str:
    return f"all {area.name}" if area.kind == "total" else area.name


def _spreads(shown: Sequence[RepeatedArea]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", overflow="fold")
    for heading in ("subjects ×\noccasions", "CV %\n(95 %)", "CV % on\none occasion", "ICC(2,1)\n(95 %)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for area in shown:
        table.add_row(
            Text(_name(area)), f"{area.subjects} × {area.occasions}", _told(area.variation_pct),
            _told(area.repeatability_pct), _told(area.icc),
        )  # fmt: skip
    return table


def _pairs(shown: Sequence[RepeatedArea]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("class", "second ÷ first"):
        table.add_column(heading, overflow="fold")
    for heading in ("bias\n(95 %)", "lower limit\n(95 %)", "upper limit\n(95 %)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for area in shown:
        for pair in area.pairs:
            cells = [_told(e) for e in (pair.bias_ratio, pair.lower_limit_ratio, pair.upper_limit_ratio)]
            table.add_row(Text(_name(area)), Text(f"{pair.second} ÷ {pair.first}"), *cells)
    return table


def _told(found: Estimated) -> str:
    return f"{_number(found.value)}\n({_number(found.ci95_low)} to {_number(found.ci95_high)})"


def _number(value: float) -> str:
    """Return three digits of a number, as whole ones where it is large; 0 for what rounding leaves."""
    return "0" if abs(value) < _LEAST_SHOWN else f"{value:.3g}" if abs(value) < _WHOLE else f"{value:.0f}"
