"""run: the work done by the threads of this process."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from wsi_area.run.executors.base import InProcessExecutor
from wsi_area.run.executors.contract import R, T, TaskLost

FEW_TASKS = 16
"""Up to so many, the pool takes them as they come: there is little to order, and dask takes 0.08 s of CPU to load."""


class ThreadsExecutor(InProcessExecutor):
    """One pool of threads, shared by all slides in flight: dask's threaded scheduler where there is something to order.

    A single thread has nothing to order, nor have few tasks: they are done without a graph.
    """

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.worker_count = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="wsi-area")

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield the results as the tasks end."""
        if self.worker_count > 1 and len(items) > FEW_TASKS:
            return self._graph(function, items)
        return self._as_they_come(function, items)

    def _as_they_come(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield the results as the tasks end; one more than there are threads is waiting, so that none need wait."""

        def task(position: int) -> tuple[int, R] | None:
            return None if self.is_stopped else (position, function(items[position]))

        waiting: set[Future[tuple[int, R] | None]] = set()
        for position in range(len(items)):
            waiting.add(self._pool.submit(task, position))
            if len(waiting) > self.worker_count:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from _results(done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from _results(done)

    def _graph(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield the results of one dask graph."""
        import dask.threaded

        done: queue.SimpleQueue[tuple[int, R] | BaseException | None] = queue.SimpleQueue()

        def task(position: int) -> None:
            if not self.is_stopped:
                done.put((position, function(items[position])))

        graph: dict[Any, Any] = {key: (task, n) for n, key in enumerate(keys_in_order(len(items)))}

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

    def close(self) -> None:
        """Wait for the running tasks, unless they were abandoned, and end the threads."""
        self._pool.shutdown(wait=not self.is_abandoned, cancel_futures=True)


def keys_in_order(count: int) -> list[str]:
    """Return the keys of so many tasks, for dask to begin with the first: batches beside each other share stored tiles.

    Of tasks that do not hang together dask takes the key first that is last by its letters.
    """
    return [f"task {count - n:012d}" for n in range(count)]


def _results(done: Iterable[Future[tuple[int, R] | None]]) -> list[tuple[int, R]]:
    """Return the results of tasks, in their order; nothing of one that was not started, since the run was stopped."""
    return sorted((found for future in done if (found := future.result()) is not None), key=lambda found: found[0])
