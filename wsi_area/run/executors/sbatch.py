"""run: the scripts of a SLURM job array and of the job that merges it, and handing them to sbatch.

What goes onto a command line is quoted by `shlex`; nothing of it reaches a ``#SBATCH`` line, which has other rules.
"""

import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.settings.cluster_settings import ClusterSettings

WARN_S = 120
"""Seconds before the end of the walltime at which SLURM says so: time to finish the tiles in hand and commit them."""

MAX_SCRIPT_BYTES = 1 << 20
"""SLURM takes scripts up to 4 MiB (``max_script_size``), and Linux command lines up to about 2."""

_MERGE_WALLTIME = "04:00:00"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+=,@:-]+")  # what a #SBATCH line takes as it is
_JOB_ID = re.compile(r"\d+")


@frozen_value
class ArrayJob:
    """What is to be submitted."""

    cluster: ClusterSettings
    program: tuple[str, ...]  # the words that start wsi-area on a node
    arguments: tuple[str, ...]  # of `wsi-area run`: options and slides, without --shard and --out
    out: Path
    folder: Path  # where relative paths start
    shards: int
    report: bool = True
    divided: int = 0  # slides of which several shards measure a part


@frozen_value
class Submitted:
    """The ids that SLURM gave."""

    array_job: str
    merge_job: str


def array_script(job: ArrayJob) -> str:
    """Return the script of the array: each task measures one shard, and may be run again by its number alone."""
    cluster = job.cluster
    measure = shlex.join([*job.program, "run", f"--out={job.out}"])
    lines = [
        *_directives(job, "wsi-area", cluster.walltime, cores=cluster.cores, memory=cluster.memory),
        f"#SBATCH --array=1-{job.shards}",
        f"#SBATCH --signal=B:USR1@{WARN_S}",
        "",
        "# To measure one shard again: sbatch --array=<number> with this script. What is committed is kept.",
        *([f"# Slides divided among the shards: {job.divided}; the merge puts them together."] if job.divided else []),
        "set -eu",
        "trap '' USR1  # until wsi-area itself listens to it",
        *_start(job),
        f'exec {measure} --shard="$SLURM_ARRAY_TASK_ID"/{job.shards} {shlex.join(job.arguments)}',
    ]
    return _script(lines)


def merge_script(job: ArrayJob) -> str:
    """Return the script of the job that makes one run of the shards, whatever became of them."""
    # it puts divided slides together, which takes cores; all else of a merge is tables
    cores = job.cluster.cores if job.divided else 1
    report = "--report" if job.report else "--no-report"
    arguments = [*job.program, "merge", f"--workers={cores}", report, "--", str(job.out)]
    memory = job.cluster.memory if job.divided else f"{max(2048, min(job.cluster.memory_mib, 8192))}M"
    lines = [
        *_directives(job, "wsi-area-merge", _MERGE_WALLTIME, cores=cores, memory=memory),
        "",
        "set -eu",
        *_start(job),
        f"exec {shlex.join(arguments)}",
    ]
    return _script(lines)


def _directives(job: ArrayJob, name: str, walltime: str, *, cores: int, memory: str) -> list[str]:
    asked = {
        "job-name": name,
        "nodes": 1,
        "ntasks": 1,
        "cpus-per-task": cores,
        "mem": memory,
        "time": walltime,
        "partition": job.cluster.queue,
        "account": job.cluster.account,
    }
    return ["#!/bin/bash", *(f"#SBATCH --{key}={value}" for key, value in asked.items() if value is not None)]


def _start(job: ArrayJob) -> list[str]:
    scratch = job.cluster.scratch
    lines = [f"cd -- {shlex.quote(str(job.folder))}"]
    if scratch is not None:
        lines += [f"mkdir -p -- {shlex.quote(scratch)}", f"export TMPDIR={shlex.quote(scratch)}"]
    return lines


def _script(lines: Sequence[str]) -> str:
    text = "\n".join([*lines, ""])
    if "\0" in text:
        raise SettingsError("a path or option holds a zero byte, which no command line can carry")
    if len(text.encode("utf-8", "surrogateescape")) > MAX_SCRIPT_BYTES:
        raise SettingsError(
            f"the script would be larger than {MAX_SCRIPT_BYTES >> 20} MiB; give the slides as @list.txt or as a "
            "quoted glob"
        )
    return text


def sbatch_options(job: ArrayJob, pattern: str) -> list[str]:
    """Return the path to which SLURM writes what a job prints: beside the run's logs, where SLURM takes it as it is."""
    return output_directive(job.folder / job.out / "logs", pattern)


def output_directive(folder: Path, pattern: str) -> list[str]:
    """Return the option of sbatch that has output written into a folder, where SLURM takes the path as it is."""
    folder = folder.absolute()
    return [f"--output={folder / pattern}"] if _PLAIN_PATH.fullmatch(str(folder)) else []


def array_command(job: ArrayJob) -> list[str]:
    """Return the call of sbatch that takes the array's script on its standard input."""
    return ["sbatch", "--parsable", *sbatch_options(job, "slurm-%A_%a.out")]


def merge_command(job: ArrayJob, array_job: str) -> list[str]:
    """Return the call of sbatch that takes the merge's script; it starts when every task has ended, however."""
    return ["sbatch", "--parsable", f"--dependency=afterany:{array_job}", *sbatch_options(job, "slurm-merge-%j.out")]


def submission_script(job: ArrayJob) -> str:
    """Return one shell script that does what `submit` does: ``wsi-area submit … --dry-run | bash``."""
    array, merge = array_script(job), merge_script(job)
    after = shlex.join(merge_command(job, "")[2:3])
    rest = shlex.join(merge_command(job, "")[3:])
    return "\n".join(
        [
            "#!/bin/bash",
            "set -eu",
            f"mkdir -p -- {shlex.quote(str(job.folder / job.out / 'logs'))}",
            f"array=$({shlex.join(array_command(job))} <<{_here(array)}",
            ")",
            f'sbatch --parsable {after}"${{array%%;*}}" {rest} <<{_here(merge)}',
            "",
        ]
    )


def _here(text: str) -> str:
    """Return a here-document, word for word, with an end that does not occur in it."""
    end = "END_OF_JOB"
    while end in text:
        end += "_"
    return f"'{end}'\n{text}{end}"


def submit(job: ArrayJob) -> Submitted:
    """Hand both scripts to SLURM, and return the ids of the two jobs.

    Raises
    ------
    SettingsError
        If there is no sbatch here, or it refuses.
    """
    array_job = _sbatch(array_command(job), array_script(job), job.folder)
    return Submitted(array_job, _sbatch(merge_command(job, array_job), merge_script(job), job.folder))


def _sbatch(command: Sequence[str], script: str, folder: Path) -> str:
    try:
        done = subprocess.run(  # no shell; the program is sbatch, the script goes in by stdin
            command, input=script.encode("utf-8", "surrogateescape"), capture_output=True, cwd=folder, check=False
        )
    except FileNotFoundError as error:
        raise SettingsError(
            "there is no sbatch on this machine; submit from a machine of the cluster, or take the script of --dry-run "
            "there"
        ) from error
    told = done.stdout.decode(errors="replace").strip()
    job_id = told.partition(";")[0]
    if done.returncode or not _JOB_ID.fullmatch(job_id):
        complaint = done.stderr.decode(errors="replace").strip() or told or "nothing was said"
        raise SettingsError(f"sbatch did not take the job (exit code {done.returncode}): {complaint}")
    return job_id
