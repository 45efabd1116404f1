"""run: who looks whether the SLURM jobs of a run still exist, and has those replaced that are gone.

dask-jobqueue does not notice a job that ended before its workers had reported, and none that has several workers.
"""

import logging
import os
import subprocess
import threading
from collections.abc import Collection, Mapping
from typing import Any

_LOG = logging.getLogger(__name__)

LOOK_S = 10.0
"""Seconds between two looks at the queue."""

MAX_FAILED_IN_A_ROW = 3
"""Jobs that may end one after the other before they have done anything; it is then not chance."""


class Keeper:
    """A thread beside a cluster of SLURM jobs; it forgets those that ended, so that others are asked for."""

    def __init__(self, cluster: Any) -> None:
        self.failed_in_a_row = 0
        self._cluster = cluster
        self._seen_at_work: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="wsi-area-slurm", daemon=True)

    @property
    def may_still_start(self) -> bool:
        """Return True if it still makes sense to wait for jobs."""
        return self.failed_in_a_row < MAX_FAILED_IN_A_ROW

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a look that has begun is waited for."""
        self._stopping.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._stopping.wait(LOOK_S) and self.may_still_start:
            try:
                self.look()
            except Exception:  # a look that fails is repeated; the run itself needs none
                _LOG.exception("looking at the SLURM jobs failed; it is tried again")

    def look(self) -> None:
        """Have jobs replaced that are not in SLURM's queue any more."""
        jobs = {str(name): job.job_id for name, job in dict(self._cluster.workers).items()}
        self._seen_at_work |= jobs_at_work(self._cluster.scheduler.workers.values(), jobs)
        queued = queued_jobs()
        if queued is None:
            return
        for name in ended_jobs(jobs, queued):
            if name in self._seen_at_work:
                _LOG.warning("SLURM job %s ended; its tasks go to others, and it is replaced if needed", jobs[name])
            else:
                self.failed_in_a_row += 1
                _LOG.warning("SLURM job %s ended before it had done anything; read logs/slurm-worker-*", jobs[name])
            self._seen_at_work.discard(name)
            if self._cluster.scheduler.workers:  # some do work: it is not the installation
                self.failed_in_a_row = 0
            if self.may_still_start:
                self._cluster.sync(_forget, self._cluster, name)


def jobs_at_work(workers: Collection[Any], jobs: Collection[str]) -> set[str]:
    """Return the jobs of which a worker is in the scheduler; a job's only worker has its name, others name and number.

    >>> from types import SimpleNamespace
    >>> sorted(jobs_at_work([SimpleNamespace(name="a-1"), SimpleNamespace(name="a-2-0")], ["a-1", "a-2", "a-3"]))
    ['a-1', 'a-2']
    """
    names = {str(worker.name) for worker in list(workers)}
    return {job for job in jobs if job in names or job in {name.rpartition("-")[0] for name in names}}


def ended_jobs(jobs: Mapping[str, str | None], queued: Collection[str]) -> list[str]:
    """Return the names of the jobs that SLURM does not know any more.

    >>> ended_jobs({"a": "7", "b": "8", "not sent yet": None}, {"8", "9"})
    ['a']
    """
    return [name for name, job_id in jobs.items() if job_id is not None and job_id not in queued]


def queued_jobs() -> set[str] | None:
    """Return the ids of this user's jobs, pending and running; None if SLURM does not say."""
    command = ["squeue", "--noheader", "--format=%A", f"--user={os.getuid()}"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return set(told.stdout.split()) if told.returncode == 0 else None


async def _forget(cluster: Any, name: str) -> None:
    """Take a job out of the cluster's books; its adaptive scaling then asks for another one."""
    job = cluster.workers.pop(name, None)
    if job is not None:
        await job.close()
