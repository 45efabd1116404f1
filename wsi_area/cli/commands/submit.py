"""cli: `wsi-area submit`."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from wsi_area.cli.options.run_place import RunPlace
from wsi_area.cli.options.slide_options import (
    asked,
    fail_fast_option,
    lists_of,
    said_of_slides,
    slide_options,
    title_option,
)
from wsi_area.cli.output.wrapping import say
from wsi_area.errors import SettingsError
from wsi_area.inputs.drawings import refuse_mismatch
from wsi_area.results.layout import RunLayout
from wsi_area.run.array.array_plan import array_plan, divided_slides, useful_tasks
from wsi_area.run.array.best_tasks import best_tasks
from wsi_area.run.array.submitted_plan import SubmittedPlan, refuse_what_tasks_would, write_submitted
from wsi_area.run.array.task_run import refuse_slurm_executor
from wsi_area.run.executors.sbatch import ArrayJob, submission_script, submit

_NEEDS_DISK = "SLURM logs into --out; give a folder, or send wsi-area run --shard by a script of your own"
_OWN = {"out", "jobs", "dry_run", "as_json", "report", "slides", "workers", "force"}


@click.command("submit")
@slide_options
@fail_fast_option
@title_option
@click.option("--out", type=RunPlace(only_on_disk=_NEEDS_DISK), required=True, help="Where results go.")
@click.option("--jobs", type=click.IntRange(1), help="How many jobs share the slides; default: [cluster] jobs.")
@click.option("--force", is_flag=True, help="Measure afresh what was made from something else.")
@click.option("--report/--no-report", default=True, show_default=True, help="Write report.html after the merge.")
@click.option("--dry-run", is_flag=True, help="Print the shell script that would do it; nothing is sent or written.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the job ids, or with --dry-run the script, as one JSON document."
)
@click.pass_context
def command(
    context: click.Context, /, out: Path, jobs: int | None, force: bool, report: bool, dry_run: bool, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Measure SLIDES on a SLURM cluster: a job array whose tasks share them, and a job that merges.

    \b
    wsi-area submit 'slides/*.svs' --config slurm --out out/ --dry-run
    wsi-area submit 'slides/*.svs' --config slurm --out out/

    What one job gets stands in the settings, section [cluster]. The plan, which job has which slide, is made here and
    written into --out; the jobs go by it, and look at no slide but their own. Where there are fewer slides than jobs,
    or one dwarfs the others, its batches are divided among jobs (run.piece_mib).

    Exit codes: 0 sent, or printed; 1 wrong options or settings, or SLURM took no job.
    """  # noqa: D301 (click reads the backspace)
    if "-" in options["slides"]:
        raise SettingsError("a job has no standard input to read slides from; write them into a file, give @list.txt")
    wanted = asked(**options)
    refuse_mismatch(wanted.settings, wanted.slides)
    refuse_slurm_executor(wanted.settings)
    cluster = wanted.settings.cluster
    most, workers = jobs or cluster.jobs, options["workers"] or cluster.cores
    shards, memory = useful_tasks(wanted.slides, wanted.settings, most), _memory(wanted.settings)
    on_a_node = {"workers": workers, "assignments": (*options["assignments"], *memory)}
    settings = asked(**(options | on_a_node), collected=wanted.slides).settings
    plan = SubmittedPlan.of(
        array_plan(wanted.slides, settings, shards, forced=force),
        wanted.slides,
        lists_of(options),
        said_of_slides(options),
    )
    refuse_what_tasks_would(RunLayout(out), plan.plan, settings)
    job = ArrayJob(
        cluster,
        _program(),
        (*_typed(context), f"--workers={workers}", *(f"--set={one}" for one in memory), f"--plan={plan.name}",
         *(["--force"] if force else []), *([] if report else ["--no-report"]), "--", *options["slides"]),
        out,
        Path.cwd(),
        shards,
        report,
        divided=divided_slides(wanted.slides, wanted.settings, most),
    )  # fmt: skip
    if dry_run:
        script = submission_script(job)
        document = {"shards": job.shards, "slides": len(wanted.slides), "script": script}
        say(json.dumps(document, indent=2, ensure_ascii=False) + "\n" if as_json else script, nl=False)
        return
    (out / "logs").mkdir(parents=True, exist_ok=True)
    write_submitted(RunLayout(out), plan)
    sent, best = submit(job), best_tasks(plan.plan.file_bytes)
    if as_json:
        ids = {"array_job": sent.array_job, "merge_job": sent.merge_job}
        say(json.dumps({**ids, "shards": job.shards, "best_shards": best.tasks, "plan": plan.name}))
        return
    divided = f", {job.divided} of them divided" if job.divided else ""
    say(
        f"array job {sent.array_job} ({job.shards} shards, {len(wanted.slides)} slides{divided}), then merge job "
        f"{sent.merge_job}; look with squeue, read {out / 'logs'}; results will be in {out}\n{best.text}"
    )


def _typed(context: click.Context) -> list[str]:
    """Return the options that were typed, as `wsi-area run` takes them."""
    words: list[str] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        if name in _OWN or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value, option = context.params[name], max(parameter.opts, key=len)
        if getattr(parameter, "is_flag", False):
            words += [option] if value else []
        else:
            words += [f"{option}={item}" for item in (value if parameter.multiple else [value])]
    return words


def _memory(settings: Any) -> list[str]:
    """Return the memory that a tile may use, unless the settings say it: a node may not tell a job its own share."""
    if settings.run.memory_limit_mb is not None:
        return []
    return [f"run.memory_limit_mb={int(0.7 * settings.cluster.memory_mib / settings.cluster.cores)}"]


def _program() -> tuple[str, ...]:
    """Return the words that start this very installation, on any node that sees it."""
    beside = Path(sys.executable).parent / "wsi-area"
    if beside.is_file():
        return (str(beside),)
    found = shutil.which("wsi-area")
    return (found,) if found else (sys.executable, "-c", "from wsi_area.cli.main import main; main()")
