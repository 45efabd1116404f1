"""cli: `wsi-area verify`."""

import json
import sys
from dataclasses import asdict

import click

from wsi_area.cli.run_place import RunPlace
from wsi_area.cli.storage_options import storage_options
from wsi_area.results.place import Place
from wsi_area.run.pipeline import EXIT_OK, EXIT_VERIFICATION
from wsi_area.run.verify import verify_run


@click.command("verify")
@click.argument("run", type=RunPlace(exists=True))
@click.option("--no-slides", is_flag=True, help="Do not look at the slide files themselves.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run: Place, no_slides: bool, as_json: bool) -> None:
    """Count the class maps of RUN again, and hold ledgers, documents and tables against each other.

    \b
    wsi-area verify out/

    Exit code 0 if everything agrees, 4 if anything does not; each disagreement names the slide and the tile.
    Nothing is changed.
    """  # noqa: D301 (click reads the backspace)
    verified = verify_run(run, with_slides=not no_slides)
    code = EXIT_VERIFICATION if verified.disagreements else EXIT_OK
    if as_json:
        click.echo(json.dumps({"exit_code": code, **asdict(verified)}, indent=2, ensure_ascii=False))
        sys.exit(code)
    for fault in verified.disagreements:
        click.echo(f"{fault.slide_id or run}, {fault.what}: {fault.message}")
    found = len(verified.disagreements)
    told = f"{found} disagreement{'' if found == 1 else 's'}" if found else "everything agrees"
    click.echo(f"{verified.slides} slides, {verified.tiles} tiles counted again: {told}")
    if found:
        click.echo(
            "→ what contradicts its own record was changed or damaged since, and none of it is to be used: find out by "
            "whom or what, then measure those slides again with wsi-area run … --force"
        )
    sys.exit(code)
