"""run: the work done by the threads of this process."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from wsi_area.run.executors.base import InProcessExecutor
from wsi_area.run.executors.contract import R, T, TaskLost


class ThreadsExecutor(InProcessExecutor):
    """One pool of threads, shared by all slides in flight: dask's threaded scheduler where there are several.

    A single thread has nothing to schedule, so it works without a graph, and without loading dask (0.15 s).
    """

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.worker_count = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="wsi-area")

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield the results as the tasks end."""
        return self._one_by_one(function, items) if self.worker_count == 1 else self._graph(function, items)

    def _one_by_one(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield the results in order; one task is always waiting, so that the thread need not."""
        waiting: deque[Future[tuple[R] | None]] = deque()

        def task(item: T) -> tuple[R] | None:
            return None if self.is_stopped else (function(item),)

        for position in range(len(items)):
            while len(waiting) < 2 and position + len(waiting) < len(items):
                waiting.append(self._pool.submit(task, items[position + len(waiting)]))
            done = waiting.popleft().result()
            if done is None:
                return
            yield position, done[0]

    def _graph(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield the results of one dask graph."""
        import dask.threaded

        done: queue.SimpleQueue[tuple[int, R] | BaseException | None] = queue.SimpleQueue()

        def task(position: int) -> None:
            if not self.is_stopped:
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

    def close(self) -> None:
        """Wait for the running tasks, unless they were abandoned, and end the threads."""
        self._pool.shutdown(wait=not self.is_abandoned, cancel_futures=True)
