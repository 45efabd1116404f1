"""run: the work done in this thread, one item after another; the specification of every other executor."""

import threading
from collections.abc import Callable, Iterator, Sequence

from wsi_area.run.executors.contract import SLIDES_AT_ONCE, R, T, TaskLost
from wsi_area.slides import close_readers


class SerialExecutor:
    """One item after another, in this thread."""

    worker_count = 1
    slides_at_once = SLIDES_AT_ONCE
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
