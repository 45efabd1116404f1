"""cli: `wsi-area merge`."""

import sys

import click

from wsi_area.cli.commands.run import write_report_of
from wsi_area.cli.options.refusal import refuse
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.results_table import print_results
from wsi_area.cli.output.wrapping import say_beside, say_document
from wsi_area.errors import IncompleteResultError, StaleResultError
from wsi_area.run.array.merge import merge_run
from wsi_area.run.run_document import EXIT_FAILED
from wsi_area.storage.place import Place


@click.command("merge")
@click.argument("run", type=RunPlace())
@click.option(
    "--workers", type=click.IntRange(1), help="Threads that put slides together which tasks shared; default: all cores."
)
@click.option("--report/--no-report", default=True, show_default=True, help="Write report.html at the end.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON document.")
def command(run: Place, workers: int | None, report: bool, as_json: bool) -> None:
    """Make one run of the shards that a job array measured into the folder RUN; again, as often as you like.

    \b
    wsi-area run slides/ --out out/ --shard 1/2    # on one machine
    wsi-area run slides/ --out out/ --shard 2/2    # on another
    wsi-area merge out/

    A slide that several shards measured together gets its result here; where batches of it are missing, it is named
    with the commands that measure them.

    Exit codes as of `wsi-area run`; 2 too where shards are missing or were made from something else, which are named
    and nothing is written.
    """  # noqa: D301 (click reads the backspace)
    try:
        merged = merge_run(run, workers=workers or 0, for_report=report)
    except (IncompleteResultError, StaleResultError) as error:
        refuse(str(error), EXIT_FAILED)
    if report:
        write_report_of(run)
    if as_json:
        document = {
            "exit_code": merged.exit_code, "out": str(run), "shards": merged.tasks,
            "unfinished_shards": list(merged.unfinished), "slides": merged.run.documents, "seal": merged.run.seal,
        }  # fmt: skip
        say_document(document)
    else:
        print_results(merged.run.slides, run, seal=merged.run.seal)
        for index in merged.unfinished:
            again = f"--shard {index}/{merged.tasks}"
            say_beside(f"shard {index} did not finish: run the same command with {again}, then merge again")
    sys.exit(merged.exit_code)
