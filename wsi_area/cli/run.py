"""cli: `wsi-area run`."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import click

from wsi_area.cli.progress import shown_progress
from wsi_area.cli.results_table import print_results
from wsi_area.cli.slide_options import asked, slide_options
from wsi_area.errors import WsiAreaError
from wsi_area.run.pipeline import run_slides

_LOG = logging.getLogger(__name__)


@click.command(
    "run",
    epilog="Run the same command again after an interruption: it goes on where it stopped. "
    "Further slides with the same settings join the folder; other settings are refused unless --force is given.",
)
@slide_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where results go.")
@click.option("--force", is_flag=True, help="Measure afresh what was made from something else.")
@click.option("--report/--no-report", default=True, show_default=True, help="Write report.html at the end.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON document.")
def command(out: Path, force: bool, report: bool, as_json: bool, **options: Any) -> None:
    """Measure SLIDES (files, folders, quoted globs, @list.txt, - for stdin) into the folder --out.

    \b
    wsi-area run slides/*.svs --config configs/he_tissue.toml --out out/
    wsi-area run slide.svs --config configs/ihc_dab.toml --out out/ --set tiling.work_mpp=1
    """  # noqa: D301 (click reads the backspace)
    wanted = asked(**options)
    with shown_progress(len(wanted.slides)) as listener:
        outcome = run_slides(wanted.slides, wanted.settings, out, force=force, listener=listener, argv=sys.argv)
    if report and not outcome.interrupted:
        _write_report(out)
    if as_json:
        document = {"exit_code": outcome.exit_code, "out": str(out), "slides": list(outcome.records)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print_results(outcome.records, out)
        if outcome.interrupted:
            click.echo("interrupted: run the same command again to go on where it stopped", err=True)
    sys.exit(outcome.exit_code)


def _write_report(out: Path) -> None:
    """Write the report of a run; what is measured stands whether or not that works."""
    from wsi_area.reports.report import write_report

    try:
        write_report(out)
    except WsiAreaError as error:
        _LOG.warning("the run is whole, its report is not: %s; mend that and call wsi-area report %s", error, out)
