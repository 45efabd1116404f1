"""cli: `wsi-area amend`."""

import sys
from pathlib import Path
from typing import Any

import click

from wsi_area.cli.options.refusal import EXIT_INTERRUPTED, INTERRUPTED, refuse
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.amended_text import (
    amended_lines,
    unchanged_document,
    unchanged_lines,
    version_document,
    versions_document,
    versions_lines,
)
from wsi_area.cli.output.wrapping import say, say_beside, say_document
from wsi_area.results.opened_run import open_run
from wsi_area.run.amending.amend import MEASURED, AmendOptions
from wsi_area.run.amending.in_run import amend_in_run
from wsi_area.storage.place import Place


class _Result(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.3 on
    """What a file corrects: ``measured``, or the number of an amended version."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "measured":
            return MEASURED
        if str(value).isdecimal() and int(value) > 0:
            return int(value)
        self.fail(f"{value!r} is neither measured nor the number of an amended version", param, ctx)


@click.command("amend")
@click.argument("run", type=RunPlace())
@click.argument("slide")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option(
    "--on", type=_Result(), metavar="measured|N",
    help="What a file without a base corrects: what was measured, or the amended version N.",
)  # fmt: skip
@click.option("--reviewer", default="", metavar="NAME", help="Who corrects, where the file does not say.")
@click.option(
    "--filter-drawn", is_flag=True, help="Let the filters by size act on what was drawn, too; else it stays as drawn."
)
@click.option("--workers", type=click.IntRange(0), default=0, help="Threads; 0, the default: one for each core.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    run: Place,
    slide: str,
    file: Path | None,
    *,
    on: int | None,
    reviewer: str,
    filter_drawn: bool,
    workers: int,
    as_json: bool,
) -> None:
    """Lay the corrections of FILE over a measured SLIDE of RUN, and count it anew as a version beside it.

    \b
    wsi-area amend out/ S1                                     # its versions, and the base that a file has to name
    wsi-area amend out/ S1 corrections.geojson
    wsi-area amend out/ S1 from_qupath.geojson --reviewer "A. Reader"
    wsi-area amend out/ S1 more.geojson --on 1

    FILE is GeoJSON in level-0 pixels: a list of drawings, each with its operation (add, erase, exclude, tissue,
    not_tissue, fill), or the outlines of classes as QuPath exports them, which take the place of those classes. What
    was measured is not touched. docs/corrections.md has the format.

    Exit codes: 0 the version is there, or no pixel would be another one; 1 there is no such run or slide; 2 the file
    cannot be laid over this slide.
    """  # noqa: D301 (click reads the backspace)
    if file is None:
        opened = open_run(run)
        if as_json:
            say_document({"exit_code": 0, **versions_document(opened, slide)})
        else:
            say("\n".join(versions_lines(opened, slide)))
        return
    outcome = amend_in_run(run, slide, file, AmendOptions(on, reviewer, filter_drawn), workers)
    if outcome is None:
        refuse(INTERRUPTED, EXIT_INTERRUPTED)
    opened, version = open_run(run), outcome.version
    if version is None and as_json:
        say_document({"exit_code": 0, **unchanged_document(opened, slide, outcome.listed)})
    elif version is None:
        say("\n".join(unchanged_lines(slide, outcome.listed)))
    elif as_json:
        say_document({"exit_code": 0, **version_document(opened, version, was_there=outcome.was_there)})
    else:
        say("\n".join(amended_lines(opened, version)))
    if version is not None and outcome.was_there:
        say_beside(f"{slide}: these corrections had been laid before, as version {version.number}")
    sys.exit(0)
