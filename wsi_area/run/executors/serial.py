"""run: the work done in this thread, one item after another; the specification of every other executor."""

from collections.abc import Callable, Iterator, Sequence

from wsi_area.run.executors.base import InProcessExecutor
from wsi_area.run.executors.contract import R, T, TaskLost


class SerialExecutor(InProcessExecutor):
    """One item after another, in this thread."""

    worker_count = 1

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield the results in order."""
        for position, item in enumerate(items):
            if self.is_stopped:
                return
            yield position, function(item)
