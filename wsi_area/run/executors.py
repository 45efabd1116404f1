"""run: who does the work; every executor gives the same results, the serial one is the specification.

An executor maps a function over items and yields ``(position, result)`` as each is done, in any order. The
function never raises: it returns its failure as a value, so that one bad item cannot take others with it.
"""

import logging
import math
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from wsi_area.errors import SettingsError
from wsi_area.run.isolation import Apart, Died, Raised, run_apart
from wsi_area.run.settings import RunSection
from wsi_area.slides import close_readers

_LOG = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

TASKS_AHEAD_PER_WORKER = 4
"""How many tasks of one slide are in a scheduler at once, for each worker: enough that none waits, few enough
that the scheduler never holds more than a bounded number, whatever the size of the slide."""

START_TRIES = 3
"""Times that the worker processes of this machine are started, where one of them dies while it starts."""

FIRST_WORKER_S, WORKERLESS_S, POLL_S = 120.0, 60.0, 1.0
"""Seconds to wait for a cluster's first worker, for a worker of this machine to be restarted, and between two looks."""


@dataclass(frozen=True, slots=True)
class TaskLost:
    """What stands in for a result when the worker that computed it died, again and again."""

    message: str
    died: bool = False  # in a process of its own, too: the task itself is what kills


class Executor(Protocol):
    """What a pipeline needs of one; safe to use from several threads at once."""

    worker_count: int
    is_local: bool  # the work is done in this process

    @property
    def task_memory_bytes(self) -> int | None:
        """Return what its workers allow a task, or None for whatever this machine has."""
        ...

    @property
    def is_stopped(self) -> bool:
        """Return whether `stop` was called."""
        ...

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield each item's position and result, as they are done; stops early once `stop` was called."""
        ...

    def stop(self) -> None:
        """Start nothing new; what is running is finished."""
        ...

    def close_readers(self) -> None:
        """Close the slides that its workers hold open for the next tile, so that their files can go."""
        ...

    def close(self) -> None:
        """Release threads, processes and connections."""
        ...


class SerialExecutor:
    """One item after another, in this thread."""

    worker_count = 1
    is_local = True
    task_memory_bytes = None

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield the results in order."""
        for position, item in enumerate(items):
            if self._stopped.is_set():
                return
            yield position, function(item)

    def stop(self) -> None:
        """Start nothing new."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopped.is_set()

    def close_readers(self) -> None:
        """Close the slides that are held open for the next tile."""
        close_readers()

    def close(self) -> None:
        """Release nothing: there is nothing to release."""


class ThreadsExecutor:
    """dask's threaded scheduler; one pool of threads is shared by all slides in flight."""

    is_local = True
    task_memory_bytes = None

    def __init__(self, workers: int) -> None:
        self.worker_count = workers
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="wsi-area")

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield the results of one dask graph as its tasks end."""
        import dask.threaded

        done: queue.SimpleQueue[tuple[int, R] | BaseException | None] = queue.SimpleQueue()

        def task(position: int) -> None:
            if not self._stopped.is_set():
                done.put((position, function(items[position])))

        graph: dict[Any, Any] = {("batch", n): (task, n) for n in range(len(items))}

        def drive() -> None:
            try:
                dask.threaded.get(graph, list(graph), pool=self._pool, num_workers=self.worker_count)
                done.put(None)
            except BaseException as error:  # handed to the caller's thread, which raises it
                done.put(error)

        threading.Thread(target=drive, name="wsi-area-graph", daemon=True).start()
        while (outcome := done.get()) is not None:
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome

    def stop(self) -> None:
        """Start nothing new."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopped.is_set()

    def close_readers(self) -> None:
        """Close the slides that are held open for the next tile."""
        close_readers()

    def close(self) -> None:
        """Wait for the running tasks and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class DistributedExecutor:
    """dask.distributed: worker processes on this machine, or any scheduler by its address."""

    is_local = False

    def __init__(self, workers: int, scheduler: str | None, worker_retries: int = 2) -> None:
        import dask
        from distributed import Client

        self._stopped = threading.Event()
        self._cluster: Any = None
        if scheduler is None:
            # a worker that is absent for exactly this long after an earlier crash is given up for good by
            # LocalCluster, so that it must be long here
            dask.config.set(
                {
                    "distributed.deploy.lost-worker-timeout": "1h",
                    "distributed.scheduler.allowed-failures": worker_retries,
                }
            )
            self._cluster = _started_cluster(workers)
        try:
            self._client = Client(self._cluster or scheduler, timeout="30s", set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            if self._cluster is not None:
                self._cluster.close()
            raise SettingsError(
                f"no dask scheduler answers at {scheduler} within 30 s ({error}); check run.scheduler and that it runs"
            ) from error
        if scheduler is not None:
            self._wait_for_a_worker(scheduler)
        self.worker_count = max(1, sum(self._client.nthreads().values()))

    def _wait_for_a_worker(self, scheduler: str) -> None:
        try:
            self._client.wait_for_workers(1, timeout=FIRST_WORKER_S)
        except TimeoutError as error:
            self._client.close()
            raise SettingsError(
                f"the dask scheduler at {scheduler} has had no worker for {FIRST_WORKER_S} s; start some"
            ) from error

    @property
    def task_memory_bytes(self) -> int | None:
        """Return what one task may use on the smallest worker, or None where the workers have no limit."""
        workers = self._client.scheduler_info()["workers"].values()
        limits = [w["memory_limit"] // max(1, w["nthreads"]) for w in workers if w.get("memory_limit")]
        return min(limits, default=None)

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield results as workers return them, with a bounded number of tasks in the scheduler."""
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        running: dict[Any, int] = {}
        waiting = iter(range(len(items)))

        apart: set[int] = set()

        def submit(position: int, *call: Any) -> None:
            future = self._client.submit(*call, pure=False)
            running[future] = position
            future.add_done_callback(done.put)

        def submit_next() -> None:
            position = next(waiting, None)
            if position is not None and not self._stopped.is_set():
                submit(position, function, items[position])

        for _ in range(max(2, TASKS_AHEAD_PER_WORKER * self.worker_count)):
            submit_next()
        while running:
            future = self._next_done(done)
            if future is None:
                lost = TaskLost("no dask worker is left; look at the workers' logs (out of memory?), then run again")
                never_sent = [] if self._stopped.is_set() else list(waiting)
                yield from ((position, lost) for position in (*running.values(), *never_sent))
                return
            position, outcome = running.pop(future), _outcome(future)
            future.release()
            if isinstance(outcome, TaskLost) and outcome.died and position not in apart:
                # it may be innocent: what is queued on a worker is lost with it. Alone it can take nobody along.
                apart.add(position)
                if not self._stopped.is_set():
                    submit(position, run_apart, Apart(function, items[position], self.task_memory_bytes))
                continue
            yield position, outcome
            submit_next()

    def _next_done(self, done: "queue.SimpleQueue[Any]") -> Any:
        """Return the next future that ended, or None where nobody is left to end one."""
        alone_s = 0.0
        while True:
            try:
                return done.get(timeout=POLL_S)
            except queue.Empty:
                alone_s = 0.0 if self._client.nthreads() else alone_s + POLL_S
                # a cluster's workers may come back; those of this machine, or of a stopped run, will not
                patience_s = 0.0 if self._stopped.is_set() else math.inf if self._cluster is None else WORKERLESS_S
                if alone_s > patience_s:
                    return None

    def stop(self) -> None:
        """Start nothing new."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopped.is_set()

    def close_readers(self) -> None:
        """Close the slides that the workers hold open; a worker that is just being restarted holds none."""
        self._client.run(close_readers, wait=False, on_error="ignore")

    def close(self) -> None:
        """Leave the scheduler; end the workers that were started here."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


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
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.ERROR,
                preload=["wsi_area.run.worker_setup"],
            )
        except RuntimeError as error:
            _LOG.warning("worker processes did not start (try %d of %d): %s", attempt + 1, START_TRIES, error)
            cause = error
    raise SettingsError(
        f"{workers} worker processes could not be started in {START_TRIES} tries ({cause}); is there memory for them? "
        "Lower run.workers, or choose run.executor=threads"
    ) from cause


def _outcome(future: Any) -> Any:
    """Return what a task returned, or that it was lost: our tasks never raise, so whatever comes is the cluster's."""
    from distributed import KilledWorker

    try:
        outcome = future.result()
    except KilledWorker as error:
        return TaskLost(f"the task killed its worker {error.allowed_failures + 1} times; out of memory?", died=True)
    except Exception as error:  # a worker without this package, a scheduler that died …
        return TaskLost(
            f"the task was lost on the cluster ({type(error).__name__}: {error}); out of memory, or is wsi_area not "
            "installed there? See the workers' logs, then run again"
        )
    if isinstance(outcome, Died):
        return TaskLost(f"the task was tried in a process of its own, which {outcome.how}", died=True)
    return TaskLost(outcome.message) if isinstance(outcome, Raised) else outcome


def make_executor(section: RunSection) -> Executor:
    """Return the executor that the settings name, started.

    Raises
    ------
    SettingsError
        If a scheduler is named that does not answer.
    """
    workers = section.workers or usable_cores()
    if section.scheduler is not None:
        return DistributedExecutor(workers, section.scheduler)
    if section.executor == "serial":
        return SerialExecutor()
    if section.executor == "threads":
        return ThreadsExecutor(workers)
    return DistributedExecutor(workers, None, section.worker_retries)


def usable_cores() -> int:
    """Return how many cores this process may use, which a scheduler may have made fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
