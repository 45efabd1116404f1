"""cli: `wsi-area change`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from wsi_area.audit.class_change import ClassChange
from wsi_area.audit.pairing import change_between
from wsi_area.audit.run_change import RunChange
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.console import fits, report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.wrapping import say_document
from wsi_area.results.corrections.amended_run import open_amended
from wsi_area.results.opened_run import open_run
from wsi_area.results.tables.quantity import NONE, area_text
from wsi_area.run.run_document import EXIT_CALIBRATION, EXIT_FAILED, EXIT_OK
from wsi_area.storage.place import Place

_SAYS = (
    "± is the 95 % interval of pixel size and counting. It knows nothing of how well the rule finds the feature, nor "
    "of the distance and tilt of the camera, nor of the light."
)


@click.command("change")
@click.argument("before", type=RunPlace(exists=True))
@click.argument("after", type=RunPlace(exists=True), required=False)
@click.option("--pairs", type=click.Path(path_type=Path, dir_okay=False), help="CSV subject,before,after: slide ids.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Of one run with all dates: subject and date of its slides, where it was measured without.",
)
@click.option("--same-scale", is_flag=True, help="One calibration serves both dates: same camera, same distance.")
@click.option("--despite-settings", is_flag=True, help="Compare even what was measured by different rules.")
@click.option("--amended", is_flag=True, help="Take the newest amended version of each slide, where it has one.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write every row as CSV.")
@click.option("--force", is_flag=True, help="Replace that file.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    before: Place,
    after: Place | None,
    *,
    pairs: Path | None,
    manifest: Path | None,
    same_scale: bool,
    despite_settings: bool,
    amended: bool,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Say what the same subjects gained or lost in mm² between two dates.

    \b
    wsi-area change march/ june/                          # two runs; images named alike are one subject
    wsi-area change march/ june/ --pairs pairs.csv        # subject,before,after
    wsi-area change visits/                               # one run; columns subject and date in its manifest

    One slide measured twice is another matter: `wsi-area diff`.

    Exit codes: 0 all compared; 1 wrong options, or different rules; 2 some could not be compared; 3 some need a pixel
    size.
    """  # noqa: D301 (click reads the backspace)
    if out is not None and out.exists() and not force:
        raise click.UsageError(f"{out} is there already; choose another --out, or give --force")
    opened = open_amended if amended else open_run
    found = change_between(
        opened(before),
        None if after is None else opened(after),
        pairs=pairs,
        manifest=manifest,
        same_scale=same_scale,
        despite_settings=despite_settings,
    )
    if out is not None:
        found.write_csv(out)
    code = _code(found)
    if as_json:
        document = {"exit_code": code, **found.document()}
        say_document(document, allow_nan=False)
    else:
        _print(found)
    sys.exit(code)


def _code(found: RunChange) -> int:
    if any(not missing.needs_calibration for missing in found.missing):
        return EXIT_FAILED
    return EXIT_CALIBRATION if found.missing else EXIT_OK


def _print(found: RunChange) -> None:
    console = report_console()
    shown = [row for row in found.rows if _is_shown(row, found.rows)]
    if shown:
        table = _wide(shown)
        console.print(table if fits(console, table) else _narrow(shown))
    for text in dict.fromkeys(f"{row.subject}: {row.remarks}" for row in shown if row.remarks):
        print_lines(console, text)
    for missing in found.missing:
        print_lines(console, f"{missing.subject}: not compared: {missing.reason}", style="yellow")
    scale = (
        "One calibration for both dates, as --same-scale says: its error scales the change, and leaves the %."
        if found.same_scale
        else "The pixel sizes of the two dates are taken as two calibrations, whose errors are independent."
    )
    print_lines(console, f"\n{_SAYS} {scale}")


def _wide(shown: Sequence[ClassChange]) -> Table:
    with_dates = any(row.before_date for row in shown)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("subject", *(("dates",) if with_dates else ()), "class"):
        table.add_column(heading, overflow="fold")
    for heading in ("before mm²", "after mm²", "change mm² (± 95 %)", "change % (± 95 %)"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("beyond ±?", no_wrap=True)
    for row in shown:
        dates = [_dates(row)] if with_dates else []
        table.add_row(Text(row.subject), *dates, Text(_class_name(row)), *_numbers(row), _beyond(row))
    return table


def _narrow(shown: Sequence[ClassChange]) -> Table:
    """Return columns of two lines each, which 80 characters hold."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("subject\nclass", overflow="fold", min_width=12)
    for heading in ("before mm²\nafter mm²", "change mm²\n% (± 95 %)"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("beyond\n±?", no_wrap=True)
    for row in shown:
        before, after, change, percent = _numbers(row)
        facts = [row.subject, *([_dates(row)] if row.before_date else []), _class_name(row)]
        table.add_row(Text("\n".join(facts)), f"{before}\n{after}", f"{change}\n{percent}", _beyond(row))
    return table


def _dates(row: ClassChange) -> str:
    return f"{row.before_date} → {row.after_date}"


def _class_name(row: ClassChange) -> str:
    """Return the name of a class as it was given, and of the tumour in all as every other page has it."""
    return "tumour" if row.kind != "class" and row.class_name == "tumor" else row.class_name


def _numbers(row: ClassChange) -> tuple[str, str, str, str]:
    """Return both areas, their change and what share that is, each with its ±."""
    percent = NONE if row.change_pct is None else _signed(row.change_pct, row.change_u_pct)
    return (
        area_text(row.before_area_mm2, row.before_area_u_mm2),
        area_text(row.after_area_mm2, row.after_area_u_mm2),
        _signed(row.change_mm2, row.change_u_mm2),
        percent,
    )


def _beyond(row: ClassChange) -> str:
    return "–" if row.exceeds_ci95 is None else "yes" if row.exceeds_ci95 else "no"


def _is_shown(row: ClassChange, rows: tuple[ClassChange, ...]) -> bool:
    """Return True if a row is worth a line: every class but the background, and totals of more than one class."""
    if row.kind == "class":
        return not row.is_background
    classes = [r for r in rows if r.kind == "class" and r.before_slide_id == row.before_slide_id]
    flags = {"tumor": "is_tumor", "positive": "is_positive"}
    return sum(bool(getattr(r, flags.get(row.class_name, "is_tissue"))) for r in classes) > 1


def _signed(value: float, u: float | None) -> str:
    text = area_text(value, u)
    return f"+{text}" if value > 0 else text.replace("-", "−", 1)
