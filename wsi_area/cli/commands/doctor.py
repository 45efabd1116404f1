"""cli: `wsi-area doctor`."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from wsi_area.cli.doctoring.checks import (
    Check,
    dependency_checks,
    kernel_checks,
    machine_checks,
    reading_checks,
    slide_checks,
)
from wsi_area.cli.output.console import report_console
from wsi_area.cli.output.wrapping import say_document
from wsi_area.version import __version__

EXIT_OK, EXIT_FAULT = 0, 1
_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red"), "absent": ("–", "dim")}


@click.command("doctor")
@click.argument("slide", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where a run would go; default: here.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(slide: str | None, out: Path, as_json: bool) -> None:
    """Say whether this installation can measure: versions, readers, codecs, memory, disk; with SLIDE, that slide too.

    \b
    wsi-area doctor
    wsi-area doctor slide.svs --out /data/out
    wsi-area doctor --json > doctor.json      # what to send with a question

    A small slide is made and read through both lanes, and the compiled kernels are held against plain numpy. Nothing is
    sent anywhere.

    Exit codes: 0 it can measure; 1 something that it needs is missing or wrong.
    """  # noqa: D301 (click reads the backspace)
    checks = list(_looked_at(slide, out))
    faults = [check for check in checks if check.verdict == "fault"]
    code = EXIT_FAULT if faults else EXIT_OK
    if as_json:
        document = {"exit_code": code, "wsi_area_version": __version__, "checks": [asdict(check) for check in checks]}
        say_document(document)
    else:
        _print(checks)
    sys.exit(code)


def _looked_at(slide: str | None, out: Path) -> Iterator[Check]:
    yield from machine_checks(out)
    missing = []
    for check in dependency_checks():
        missing += [check.name] if check.verdict == "fault" else []
        yield check
    try:
        yield from reading_checks()
        yield from kernel_checks()
        if slide is not None:
            yield from slide_checks(slide)
    except ImportError as error:
        if not missing:
            raise  # not for want of a package: a fault of ours
        yield Check("reading", "trials", "fault", f"not tried: {error}", f"install {', '.join(missing)} first")


def _print(checks: Sequence[Check]) -> None:
    console = report_console()
    console.print(f"wsi-area {__version__}", style="bold")
    for part in dict.fromkeys(check.part for check in checks):
        console.print(f"\n{part}", style="bold")
        table = Table(box=None, show_header=False, pad_edge=False)
        for check in checks:
            if check.part == part:
                sign, style = _SIGNS[check.verdict]
                told = check.found + (f" → {check.remedy}" if check.remedy else "")
                table.add_row(Text(sign, style), Text(check.name), Text(told))
        console.print(table)
    counts = {verdict: sum(check.verdict == verdict for check in checks) for verdict in ("fault", "warning")}
    told = ", ".join(f"{n} {verdict}{'' if n == 1 else 's'}" for verdict, n in counts.items() if n)
    console.print(f"\n{told or 'all good: this installation can measure'}")
