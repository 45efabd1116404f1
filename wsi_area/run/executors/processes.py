"""run: the work done by worker processes of this machine; one that dies is restarted, its task tried on another."""

import logging
from pathlib import Path
from typing import Any

from wsi_area.errors import SettingsError
from wsi_area.run.executors.contract import SLIDES_AT_ONCE
from wsi_area.run.executors.distributed import DistributedExecutor
from wsi_area.run.executors.main_guard import refuse_unguarded_script

_LOG = logging.getLogger(__name__)

START_TRIES = 3
"""Times that the worker processes of this machine are started, where one of them dies while it starts."""

WORKERLESS_S = 60.0
"""Seconds to wait for a worker of this machine to be restarted."""

LOOPBACK = "127.0.0.1"

QUIET = {
    "distributed.worker.profile.enabled": False,  # a stack of each task, a hundred times a second
    "distributed.admin.tick.interval": "1s",  # how late the event loop is, fifty times a second
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,  # nothing: a task returns counts, never pixels
    "distributed.worker.memory.pause": False,  # no task would free what another holds; too large a worker is ended
}
"""What dask watches in its workers for a dashboard that nobody looks at: it took 15 ms of CPU for each second of each
worker, which was a fifth of the work of a small slide."""


class LocalProcesses:
    """Worker processes of this machine, reachable by nobody else."""

    task_memory_bytes = None
    slides_at_once = SLIDES_AT_ONCE

    def __init__(self, workers: int, worker_retries: int) -> None:
        import dask

        # a worker that is absent for exactly this long after an earlier crash is given up for good by
        # LocalCluster, so that it must be long here
        dask.config.set(
            {
                "distributed.deploy.lost-worker-timeout": "1h",
                "distributed.scheduler.allowed-failures": worker_retries,
                **QUIET,
            }
        )
        self.planned_workers = workers
        self.cluster = _started_cluster(workers)

    def may_return(self, alone_s: float) -> bool:
        """Return True if a worker may still be restarted."""
        return alone_s <= WORKERLESS_S

    def no_worker(self) -> str:
        """Return the words where no worker is left."""
        return "no dask worker is left; look at the workers' logs (out of memory?), then run again"

    def close(self) -> None:
        """End the worker processes."""
        self.cluster.close()


def processes_executor(workers: int, worker_retries: int, logs: Path | None) -> DistributedExecutor:
    """Return an executor of that many worker processes.

    Raises
    ------
    SettingsError
        If they cannot be started, or this is a script that each of them would run again.
    """
    from distributed import Client

    refuse_unguarded_script()
    processes = LocalProcesses(workers, worker_retries)
    return DistributedExecutor(Client(processes.cluster, set_as_default=False), processes, logs)


def _started_cluster(workers: int) -> Any:
    """Return worker processes on this machine; one that dies while it starts takes the whole attempt with it.

    Raises
    ------
    SettingsError
        If they cannot be started.
    """
    from distributed import LocalCluster

    for attempt in range(START_TRIES):
        try:
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host=LOOPBACK,
                dashboard_address=f"{LOOPBACK}:0",
                silence_logs=logging.ERROR,
                preload=["wsi_area.run.work.worker_setup"],
            )
        except RuntimeError as error:
            _LOG.warning("worker processes did not start (try %d of %d): %s", attempt + 1, START_TRIES, error)
            cause = error
    raise SettingsError(
        f"{workers} worker processes could not be started in {START_TRIES} tries ({cause}); is there memory for them? "
        "Lower run.workers, or choose run.executor=threads"
    ) from cause
