"""cli: `wsi-area verify`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from wsi_area.audit.verify import Disagreement, verify_run
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.console import print_lines, report_console
from wsi_area.run.run_document import EXIT_OK, EXIT_VERIFICATION
from wsi_area.storage.place import Place

_UNFINISHED = (
    "the run did not come to its end, and its tables are not written: run the same command again; what was measured is "
    "kept"
)
_TABLES = (
    "tables or run.json differ from the slides' own documents: one was changed, or is old. Run the same command again "
    "(after shards: wsi-area merge), which writes the tables anew from the documents; nothing is measured again"
)
_RECORD = (
    "a slide's document cannot be read: run the same command again, which makes it anew from the ledger; where that "
    "does not help, measure the slide again with wsi-area run … --force"
)
_SLIDE_FILE = (
    "a slide file is not the one that was measured: bring that one back, or measure this one: wsi-area run … --force"
)
_DAMAGED = (
    "what contradicts its own record was changed or damaged since, and none of it is to be used: find out by whom or "
    "what, then measure those slides again with wsi-area run … --force"
)


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
    console = report_console()
    for fault in verified.disagreements:
        print_lines(console, f"{fault.slide_id or run}, {fault.what}: {fault.message}")
    found = len(verified.disagreements)
    told = _counted(found, "disagreement") if found else "everything agrees"
    slides, tiles = _counted(verified.slides, "slide"), _counted(verified.tiles, "tile")
    print_lines(console, f"{slides}, {tiles} counted again: {told}")
    for remedy in _remedies(verified.disagreements):
        print_lines(console, f"→ {remedy}")
    sys.exit(code)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _remedies(faults: Sequence[Disagreement]) -> list[str]:
    """Return the remedy for each cause, one line a cause; an unfinished run has no tables that could be wrong."""
    what = {fault.what for fault in faults}
    unfinished = "run" in what
    damaged = what - {"run", "run.json", "summary.csv", "status", "record", "slide file"}
    found = [_UNFINISHED] if unfinished else []
    if not unfinished and what & {"run.json", "summary.csv", "status"}:
        found.append(_TABLES)
    if "record" in what:
        found.append(_RECORD)
    if "slide file" in what:
        found.append(_SLIDE_FILE)
    return [*found, _DAMAGED] if damaged else found
