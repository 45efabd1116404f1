"""run: the work done by dask workers in SLURM jobs, asked for as they are needed and replaced when they are lost.

Between nodes everything is encrypted, with certificates made for this run: whoever can speak to a dask scheduler can
run code as the user who started it.
"""

import copy
import logging
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from wsi_area.errors import MissingExtraError, SettingsError
from wsi_area.run.executors.distributed import DistributedExecutor
from wsi_area.run.executors.sbatch import output_directive
from wsi_area.run.executors.slurm_keeper import Keeper
from wsi_area.settings.cluster_settings import ClusterSettings

JOB_NAME = "wsi-area-worker"
_SUBMIT = " (wsi-area submit needs nothing)"
_SECRETS = ".tls-"

END_EARLY_S, STAGGER_S = 120, 60
"""Seconds before its walltime at which a job gives its tasks back, and by how much jobs differ in that."""

DEATH_TIMEOUT_S = 60
"""Seconds after which a job ends that cannot reach the coordinator: it was killed, or the job started too late."""

ADAPT_S, LOOKS_BEFORE_LEAVING = 2, 30
"""Seconds between two decisions on how many jobs there should be, and decisions in a row that let one go."""

TARGET_DURATION = "1s"
"""Work in the scheduler that asks for one more worker. What waits there is bounded, so that little must be enough."""


class SlurmJobs:
    """dask-jobqueue's cluster, and who looks after its jobs."""

    slides_at_once = None

    def __init__(self, asked: ClusterSettings, worker_retries: int, out: Path) -> None:
        import dask

        _refuse_without_slurm()
        self.planned_workers = asked.jobs * asked.cores
        self.task_memory_bytes = (asked.memory_mib << 20) // asked.cores
        self._logs = out / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        dask.config.set({"distributed.scheduler.allowed-failures": worker_retries})
        for left in out.glob(f"{_SECRETS}*"):  # by a run that was killed; nobody else writes here now
            shutil.rmtree(left, ignore_errors=True)
        self._secrets = Path(tempfile.mkdtemp(prefix=_SECRETS, dir=out.absolute()))  # 0700, on the shared file system
        try:
            self.security = _made_security(self._secrets)
            self.cluster = _started_cluster(asked, self.security, self._logs)
        except BaseException:
            shutil.rmtree(self._secrets, ignore_errors=True)
            raise
        self._keeper = Keeper(self.cluster)
        self._keeper.start()

    def may_return(self, alone_s: float) -> bool:
        """Return True if jobs may still start; a queue may take its time."""
        return self._keeper.may_still_start

    def no_worker(self) -> str:
        """Return the words where no job comes to work."""
        return (
            f"{self._keeper.failed_in_a_row} SLURM jobs in a row ended before they had done anything; read "
            f"{self._logs}/slurm-worker-*.out (is this installation, and --out, seen by the nodes?), then run again"
        )

    def close(self) -> None:
        """End the jobs, and take the certificates away."""
        self._keeper.stop()
        try:
            self.cluster.close()
        finally:
            shutil.rmtree(self._secrets, ignore_errors=True)


def slurm_executor(asked: ClusterSettings, worker_retries: int, out: Path) -> DistributedExecutor:
    """Return an executor of dask workers in SLURM jobs; it does not wait for the first.

    Raises
    ------
    SettingsError
        If there is no SLURM here, or it refuses such jobs.
    """
    try:
        import dask_jobqueue  # noqa: F401
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError.of("run.executor=slurm", "slurm", error, _SUBMIT) from error
    jobs = SlurmJobs(asked, worker_retries, out)
    return DistributedExecutor(Client(jobs.cluster, set_as_default=False), jobs, out / "logs")


def _refuse_without_slurm() -> None:
    for program in ("sbatch", "squeue", "scancel"):
        if shutil.which(program) is None:
            raise SettingsError(
                f"run.executor=slurm: there is no {program} on this machine; start the run on one that submits jobs"
            )


def _made_security(folder: Path) -> Any:
    """Return certificates for this run alone, as files that the nodes can read and nobody else."""
    from distributed import Security

    try:
        made = Security.temporary()
    except ImportError as error:
        raise MissingExtraError.of("run.executor=slurm", "slurm", error, _SUBMIT) from error
    cert, key = folder / "cert.pem", folder / "key.pem"
    for path, content in ((cert, made.tls_ca_file), (key, made.tls_scheduler_key)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)
    roles = {f"tls_{role}_{kind}": str(path) for role in ("client", "scheduler", "worker")
             for kind, path in (("cert", cert), ("key", key))}  # fmt: skip
    return Security(require_encryption=True, tls_ca_file=str(cert), **roles)


def _started_cluster(asked: ClusterSettings, security: Any, logs: Path) -> Any:
    """Return a cluster with its first jobs submitted.

    Raises
    ------
    SettingsError
        If sbatch refuses them, or the scheduler cannot be started.
    """
    cluster_class = _cluster_class()
    try:
        cluster = cluster_class(
            security=security,
            silence_logs=logging.ERROR,
            name="wsi-area",
            scheduler_options={"dashboard_address": "127.0.0.1:0"},
            **job_options(asked, logs),
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingsError(f"the dask scheduler for SLURM jobs could not be started: {error}") from error
    try:
        cluster.scale(jobs=max(1, asked.min_jobs))
        cluster.sync(_submitted, cluster)
    except (OSError, RuntimeError, ValueError) as error:
        cluster.close()
        raise SettingsError(f"sbatch did not take a job: {str(error).strip()}") from error
    cluster.adapt(
        minimum_jobs=max(1, asked.min_jobs),
        maximum_jobs=asked.jobs,
        interval=f"{ADAPT_S}s",
        wait_count=LOOKS_BEFORE_LEAVING,
        target_duration=TARGET_DURATION,
        worker_key=job_of_worker if asked.cores > 1 else None,
    )
    return cluster


async def _submitted(cluster: Any) -> None:
    await cluster


def job_options(asked: ClusterSettings, logs: Path) -> dict[str, Any]:
    """Return the resources of one job, in dask-jobqueue's words; one process for each core, as on one machine."""
    extra = ["--no-dashboard", "--preload", "wsi_area.run.work.worker_setup"]
    if asked.walltime_s > 2 * (END_EARLY_S + STAGGER_S):
        extra += ["--lifetime", f"{asked.walltime_s - END_EARLY_S - STAGGER_S}s", "--lifetime-stagger", f"{STAGGER_S}s"]
    prologue = []
    if asked.scratch is not None:
        prologue = [f"mkdir -p -- {shlex.quote(asked.scratch)}", f"export TMPDIR={shlex.quote(asked.scratch)}"]
    return {
        "cores": asked.cores,
        "processes": asked.cores,
        "memory": f"{asked.memory_mib}MiB",
        "job_mem": asked.memory,
        "walltime": asked.walltime,
        "queue": asked.queue,
        "account": asked.account,
        "interface": asked.interface,
        "local_directory": None if asked.scratch is None else shlex.quote(asked.scratch),
        "python": shlex.quote(sys.executable),
        "job_name": JOB_NAME,
        "death_timeout": DEATH_TIMEOUT_S,
        "worker_extra_args": extra,
        "job_script_prologue": prologue,
        "job_extra_directives": output_directive(logs, "slurm-worker-%j.out"),
    }


def job_of_worker(worker: Any) -> str:
    """Return the job that a worker belongs to, which ends as one: that of ``wsi-area-3-0`` is ``wsi-area-3``."""
    return str(worker.name).rpartition("-")[0]


def _cluster_class() -> Any:
    """Return dask-jobqueue's cluster, with paths that a shell takes as they are."""
    from dask_jobqueue import SLURMCluster

    class QuotedPaths(SLURMCluster):  # type: ignore[misc]
        def _get_worker_security(self, security: Any) -> Any:
            quoted = copy.copy(security)
            for name in ("tls_ca_file", "tls_worker_cert", "tls_worker_key"):
                setattr(quoted, name, shlex.quote(getattr(security, name)))
            return quoted

    return QuotedPaths
