"""run: the work done by the threads of this process."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from wsi_area.run.executors.base import InProcessExecutor
from wsi_area.run.executors.contract import R, T, TaskLost


class ThreadsExecutor(InProcessExecutor):
    """One pool of threads, shared by all slides in flight.

    Batches of a slide hang on nothing, so that there is no graph to schedule: dask, which takes as long to load as a
    small slide to measure, is for processes and clusters.
    """

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.worker_count = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="wsi-area")

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield the results as the tasks end; one more waits than there are threads, so that none stands idle."""

        def task(position: int) -> tuple[int, R] | None:
            return None if self.is_stopped else (position, function(items[position]))

        coming = iter(range(len(items)))
        at_work: set[Future[tuple[int, R] | None]] = set()
        while True:
            room = 0 if self.is_stopped else self.worker_count + 1 - len(at_work)
            at_work |= {self._pool.submit(task, position) for position in islice(coming, room)}
            if not at_work:
                return
            ended, at_work = wait(at_work, return_when=FIRST_COMPLETED)
            for done in (future.result() for future in ended if not future.cancelled()):
                if done is not None:
                    yield done

    def close(self) -> None:
        """Wait for the running tasks, unless they were abandoned, and end the threads."""
        self._pool.shutdown(wait=not self.is_abandoned, cancel_futures=True)
