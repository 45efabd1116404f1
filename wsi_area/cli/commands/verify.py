"""cli: `wsi-area verify`."""

import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from wsi_area.audit.verify import Disagreement, verify_run
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.console import report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.wrapping import say_document
from wsi_area.model.record.run_seal import SealedLater
from wsi_area.run.run_document import EXIT_OK, EXIT_VERIFICATION
from wsi_area.storage.place import Place

_UNFINISHED = (
    "the run did not come to its end, and its tables are not written: run the same command again; what was measured is "
    "kept"
)
_TABLES = (
    "tables, report or run.json are not what the slides' own documents make, or not what was written: one was changed, "
    "or is old. Run the same command again (after shards: wsi-area merge), which writes them anew from the documents; "
    "nothing is measured again"
)
_MADE_ANEW = frozenset(
    {
        "run.json", "seal.json", "summary.csv", "summary.parquet", "areas.parquet", "flags.csv", "failed.csv",
        "summary.xlsx", "report.html", "report.pdf", "budget.parquet",
    }
)  # fmt: skip
"""Files that a run writes anew from the documents of its slides."""
_RECORD = (
    "a slide's document cannot be read: run the same command again, which makes it anew from the ledger; where that "
    "does not help, measure the slide again with wsi-area run … --force"
)
_SLIDE_FILE = (
    "a slide file is not the one that was measured: bring that one back, or measure this one: wsi-area run … --force"
)
_REVIEW = (
    "the review is not what was written: find out who changed it, and put its files back from a copy of the run; what "
    "cannot be had again is decided again. The numbers of the slides are no part of this"
)
_AMENDED = (
    "an amended version is not what was written, or something else lies beside it: take out what is no part of one; of "
    "a version that was changed keep corrections.geojson elsewhere, remove its folder, and lay them again with "
    "wsi-area amend. What was measured is no part of this"
)
_DAMAGED = (
    "what contradicts its own record was changed or damaged since, and none of it is to be used: find out by whom or "
    "what, then measure those slides again with wsi-area run … --force"
)


@click.command("verify")
@click.argument("run", type=RunPlace(exists=True))
@click.option("--no-slides", is_flag=True, help="Do not look at the slide files themselves.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
    help="Cores that share the slides, and the class map of a single one.",
)  # fmt: skip
@click.option("--seal", metavar="SEAL", help="The seal on a report, or how it begins: is this the run it came from?")
@click.option("--head", "heads", multiple=True, metavar="HEAD", help="A head on a signed report: is its chain whole?")
@click.option("--events", type=RunPlace(), help="Folder of its review, where that does not lie in the run.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    run: Place, no_slides: bool, workers: int, seal: str | None, heads: tuple[str, ...], events: Place | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Count the class maps of RUN again, and hold all that people read of it against ledgers, documents and seal.

    \b
    wsi-area verify out/
    wsi-area verify out/ --workers 8 --seal 04c46b2bc852

    Tables, workbook and pictures of classes are made again and compared; every file is held against the digest of
    when it was written. Exit code 0 if everything agrees, 4 if anything does not; each disagreement names the slide,
    the file and the place in it. Nothing is changed.
    """  # noqa: D301 (click reads the backspace)
    verified = verify_run(run, with_slides=not no_slides, workers=workers, seal=seal, heads=heads, events=events)
    code = EXIT_VERIFICATION if verified.disagreements else EXIT_OK
    if as_json:
        document = {"exit_code": code, **asdict(verified)}
        document["later"] = [added.model_dump(mode="json") for added in verified.later]
        say_document(document)
        sys.exit(code)
    console = report_console()
    for fault in verified.disagreements:
        print_lines(console, f"{fault.slide_id or run}, {fault.what}: {fault.message}")
    found = len(verified.disagreements)
    told = _counted(found, "disagreement") if found else "everything agrees"
    slides, tiles = _counted(verified.slides, "slide"), _counted(verified.tiles, "tile")
    print_lines(console, f"{slides}, {tiles} counted again: {told}")
    if verified.seal is not None:
        print_lines(console, f"seal {verified.seal}")
    for line in _added_later(verified.later):
        print_lines(console, line)
    for line in verified.not_held:
        print_lines(console, line)
    for remedy in _remedies(verified.disagreements):
        print_lines(console, f"→ {remedy}")
    sys.exit(code)


def _added_later(links: Sequence[SealedLater]) -> list[str]:
    """Return a line for what was added last under each name, with the number of those before it."""
    newest = {added.name: added for added in links}
    names = [added.name for added in links]
    before = {name: names.count(name) - 1 for name in newest}
    return [
        f"added later: {name}, {_counted(len(added.files), 'file')}, seal {added.seal}"
        + (f" ({_counted(before[name], 'seal')} before it in seal.json)" if before[name] else "")
        for name, added in newest.items()
    ]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _remedies(faults: Sequence[Disagreement]) -> list[str]:
    """Return the remedy for each cause, one line a cause; an unfinished run has no tables that could be wrong."""
    what = {fault.what for fault in faults}
    unfinished = "run" in what
    review = {name for name in what - _MADE_ANEW if name.startswith("review")}
    amended = {name for name in what if name.startswith("amended")}
    damaged = what - {"run", "status", "record", "slide file", *_MADE_ANEW, *review, *amended}
    found = [_UNFINISHED] if unfinished else []
    if not unfinished and what & {"status", *_MADE_ANEW}:
        found.append(_TABLES)
    if "record" in what:
        found.append(_RECORD)
    if "slide file" in what:
        found.append(_SLIDE_FILE)
    if review:
        found.append(_REVIEW)
    if amended:
        found.append(_AMENDED)
    return [*found, _DAMAGED] if damaged else found
