"""cli: `wsi-area run`."""

import logging
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsi_area.cli.options.refusal import EXIT_INTERRUPTED, refuse
from wsi_area.cli.options.run_place import RunPlace
from wsi_area.cli.options.slide_options import (
    Asked,
    asked,
    defaults_text,
    fail_fast_option,
    said_of_slides,
    slide_options,
    title_option,
)
from wsi_area.cli.output.printer import print_lines, printer
from wsi_area.cli.output.results_table import print_results
from wsi_area.cli.output.wrapping import say_beside, say_document
from wsi_area.errors import WsiAreaError
from wsi_area.measuring.progress import shown_progress
from wsi_area.results.layout import RunLayout
from wsi_area.run.array.division import WHOLE, ArrayTask, parse_array_task, task_of_array
from wsi_area.run.ending import ending_lines
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import EXIT_FAILED
from wsi_area.storage.place import Place, reached_by

if TYPE_CHECKING:  # loaded where corrections are given
    from wsi_area.run.amending.after_run import GivenCorrections, LaidCorrections
    from wsi_area.run.array.array_plan import ArrayPlan  # and where the slides are shared among tasks
    from wsi_area.run.array.submitted_plan import SubmittedPlan
    from wsi_area.run.array.task_run import TaskOutcome

_LOG = logging.getLogger(__name__)


@click.command(
    "run",
    epilog="Run the same command again after an interruption: it goes on where it stopped. "
    "Further slides with the same settings join the folder; other settings are refused unless --force is given.",
)
@slide_options
@fail_fast_option
@title_option
@click.option("--out", type=RunPlace(), required=True, help="Where results go: a folder, or s3://bucket/prefix.")
@click.option("--force", is_flag=True, help="Measure afresh what was made from something else.")
@click.option(
    "--corrections", "corrections", multiple=True, metavar="FILE", type=click.Path(path_type=Path, exists=True),
    help="Corrections to lay over a slide once it is measured, as wsi-area amend does; a folder: all in it.",
)  # fmt: skip
@click.option(
    "--shard",
    "shard_text",
    metavar="I/N",
    help="Measure the I-th of N parts of the slides, counted from 1, then wsi-area merge. In a SLURM job array this is "
    f"known; '{WHOLE}': every slide there too.",
)
@click.option(
    "--report/--no-report",
    default=True,
    show_default=True,
    help="Write report.html at the end, and beside each slide the picture for it.",
)
@click.option(
    "--plan", "plan_name", metavar="NAME",
    help="With --shard, as wsi-area submit writes it: go by that plan in --out, and list no slides again.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON document.")
def command(
    out: Place,
    force: bool,
    corrections: tuple[Path, ...],
    shard_text: str | None,
    plan_name: str | None,
    report: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure SLIDES (files, folders, quoted globs, @list.txt, - for stdin) into the folder, or bucket, --out.

    \b
    wsi-area run slides/*.svs --config he_tissue --out out/
    wsi-area run slide.svs --config ihc_dab --out out/ --set tiling.work_mpp=1
    wsi-area run slides/*.svs --config he_tissue --out out/ --corrections corrected/

    Exit codes: 0 every slide is complete; 1 wrong options or settings; 2 a slide failed or is incomplete, or
    corrections could not be laid; 3 a slide
    has no believable pixel size and is counted in pixels only; 130 interrupted.
    """  # noqa: D301 (click reads the backspace)
    shard = _shard(shard_text)
    if plan_name is not None and (shard is None or not isinstance(out, Path)):
        raise click.UsageError("--plan goes with --shard and a folder: it is what wsi-area submit wrote there")
    found = None if plan_name is None else _submitted(out, plan_name)
    wanted = asked(**options, collected=None if found is None else found.slides)
    if found is not None and shard is not None:
        from wsi_area.run.array.submitted_plan import refuse_stale

        refuse_stale(found, wanted.settings, shard, said=said_of_slides(options), forced=force)
    if corrections and wanted.settings.estimate.is_asked:
        raise click.UsageError(
            "--corrections need the class map of a whole slide, which an estimate has not: leave one of the two out"
        )
    if defaults := defaults_text(wanted, options["config"]):
        say_beside(defaults)
    out = reached_by(out, wanted.settings.storage.access)
    plan = None if shard is None else _plan_of(found, wanted, shard, force)
    slides = len(wanted.slides) if shard is None or plan is None else _slides_of(shard, plan)
    given = _given_corrections(corrections, [slide.slide_id for slide in wanted.slides], shard)
    with shown_progress(slides) as listener:
        wishes: dict[str, Any] = {"force": force, "listener": listener, "argv": sys.argv, "for_report": report}
        task = None if shard is None else _run_task(wanted, out, shard, wishes | {"plan": plan})
        outcome = run_slides(wanted.slides, wanted.settings, out, **wishes) if task is None else task
    laid = [] if outcome.interrupted else _laid(out, given, wanted.settings.run.workers)
    code = EXIT_FAILED if any(one.outcome is None for one in laid) else outcome.exit_code
    if report and shard is None and not outcome.interrupted:
        write_report_of(out)
    if as_json:
        document = {"exit_code": code, "out": str(out), "slides": outcome.documents}
        document |= {"seal": outcome.seal} if task is None else {"shard": str(shard), "parts": _parts(task)}
        say_document(document | ({"amended": _documents(laid)} if given else {}))
    else:
        if shard is None or outcome.planned:  # a shard may have parts of slides only
            print_results(outcome.all_slides, out, with_tables=shard is None, seal=outcome.seal)
            print_lines(printer(), "\n".join(ending_lines(outcome)))
        if shard is not None and task is not None:
            print_lines(printer(), "\n".join(_task_lines(shard, task, len(wanted.slides), out)))
        if outcome.interrupted:
            say_beside("interrupted: run the same command again to go on where it stopped")
        for line in _lines(laid):
            say_beside(line)
    sys.exit(code)


def _given_corrections(
    paths: tuple[Path, ...], slide_ids: list[str], shard: ArrayTask | None
) -> "list[GivenCorrections]":
    """Return the corrections that are laid once the slides are measured; nothing is loaded where there are none."""
    if paths and shard is not None:
        raise click.UsageError("--corrections need the whole run; merge the shards, then give each to wsi-area amend")
    if not paths:
        return []
    from wsi_area.run.amending.after_run import given_corrections

    return given_corrections(paths, slide_ids)


def _laid(out: Place, given: "list[GivenCorrections]", workers: int) -> "list[LaidCorrections]":
    if not given:
        return []
    from wsi_area.run.amending.after_run import lay_all

    return list(lay_all(out, given, workers))


def _documents(laid: "list[LaidCorrections]") -> list[dict[str, Any]]:
    from wsi_area.cli.output.amended_text import laid_document

    return [laid_document(one) for one in laid]


def _lines(laid: "list[LaidCorrections]") -> list[str]:
    if not laid:
        return []
    from wsi_area.cli.output.amended_text import laid_text

    return [laid_text(one) for one in laid]


def _run_task(wanted: Asked, out: Place, shard: ArrayTask, wishes: dict[str, Any]) -> "TaskOutcome":
    from wsi_area.run.array.task_run import run_task

    return run_task(wanted.slides, wanted.settings, out, shard, **wishes)


def _submitted(out: Place, name: str) -> "SubmittedPlan | None":
    """Return the plan that was submitted under a name; None where the task plans by itself."""
    from wsi_area.run.array.submitted_plan import read_submitted

    return read_submitted(RunLayout(out), name)


def _plan_of(found: "SubmittedPlan | None", wanted: Asked, task: ArrayTask, force: bool) -> "ArrayPlan":
    from wsi_area.run.array.array_plan import array_plan

    return found.plan if found else array_plan(wanted.slides, wanted.settings, task.count, forced=force)


def _slides_of(task: ArrayTask, plan: "ArrayPlan") -> int:
    """Return the number of slides that one task has, whole or in part."""
    return len(plan.slides_of(task.index)) + len(plan.shares_of(task.index))


def _parts(outcome: "TaskOutcome") -> list[dict[str, Any]]:
    return [share.on_record().model_dump(mode="json") for share in outcome.shares]


def _task_lines(task: ArrayTask, outcome: "TaskOutcome", slides: int, out: Place) -> list[str]:
    """Return the account of a task of a job array, and the command that makes a run of it."""
    lines = [
        f"{part['slide_id']}: a part of it, {part['own_batches']} of {part['batches_in_all']} batches, is "
        f"{part['status']}" + (f": {part['reason']}" if part["reason"] else "")
        for part in _parts(outcome)
    ]
    shared = outcome.shares_planned
    what = f"{outcome.planned} of {slides} slides" + (f" and parts of {shared} more" if shared else "")
    merge = f"wsi-area merge {shlex.quote(str(out))}"
    return [*lines, f"this was shard {task}: {what}; after the last: {merge}, which makes tables and report"]


def _shard(text: str | None) -> ArrayTask | None:
    """Return the part to measure: as asked, else as a SLURM job array has it; None for every slide."""
    if text is not None:
        return None if text == WHOLE else parse_array_task(text)
    shard = task_of_array(os.environ)
    if shard is not None:
        _LOG.warning("inside a SLURM job array: this task measures shard %s (--shard %s for all)", shard, WHOLE)
    return shard


def write_report_of(out: Place) -> None:
    """Write the report of a run; what is measured stands whether or not that works."""
    from wsi_area.reports.report import write_report

    try:
        write_report(out)
    except KeyboardInterrupt:
        refuse(
            "interrupted while the report was written; every result and table is there: run the same command again, "
            f"or wsi-area report {shlex.quote(str(out))}",
            EXIT_INTERRUPTED,
        )
    except WsiAreaError as error:
        _LOG.warning("the run is whole, its report is not: %s; mend that and call wsi-area report %s", error, out)
