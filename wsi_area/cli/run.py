"""cli: `wsi-area run`."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from wsi_area.cli.progress import shown_progress
from wsi_area.cli.results_table import print_results
from wsi_area.cli.slide_options import asked, slide_options
from wsi_area.run.pipeline import run_slides


@click.command(
    "run",
    epilog="Run the same command again after an interruption: it goes on where it stopped. "
    "Further slides with the same settings join the folder; other settings are refused unless --force is given.",
)
@slide_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where results go.")
@click.option("--force", is_flag=True, help="Measure afresh what was made from something else.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON document.")
def command(out: Path, force: bool, as_json: bool, **options: Any) -> None:
    """Measure SLIDES (files, folders, quoted globs, @list.txt, - for stdin) into the folder --out.

    \b
    wsi-area run slides/*.svs --config configs/he_tissue.toml --out out/
    wsi-area run slide.svs --config configs/ihc_dab.toml --out out/ --set tiling.work_mpp=1
    """  # noqa: D301 (click reads the backspace)
    wanted = asked(**options)
    with shown_progress(len(wanted.slides)) as listener:
        outcome = run_slides(wanted.slides, wanted.settings, out, force=force, listener=listener, argv=sys.argv)
    if as_json:
        document = {"exit_code": outcome.exit_code, "out": str(out), "slides": list(outcome.records)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print_results(outcome.records, out)
        if outcome.interrupted:
            click.echo("interrupted: run the same command again to go on where it stopped", err=True)
    sys.exit(outcome.exit_code)
