"""run: what a pipeline asks of whoever does the work; every executor keeps to it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from wsi_area.frozen_value import frozen_value

T = TypeVar("T")
R = TypeVar("R")

SLIDES_AT_ONCE = 2
"""Slides in flight on one machine: while the last tiles of one are measured, the next is looked at."""


@frozen_value
class TaskLost:
    """What stands in for a result when the worker that computed it died, again and again."""

    message: str
    died: bool = False  # in a process of its own, too: the task itself is what kills


class Executor(Protocol):
    """What a pipeline needs of one; safe to use from several threads at once.

    It maps a function over items and yields ``(position, result)`` as each is done, in any order. The function never
    raises: it returns its failure as a value, so that one bad item cannot take others with it.
    """

    is_local: bool  # the work is done in this process
    lost: str  # why nobody is left who could do the work, for good; "" while somebody is

    @property
    def worker_count(self) -> int:
        """Return the number of tasks that are done at once."""
        ...

    @property
    def slides_at_once(self) -> int:
        """Return the number of slides that keep all workers busy."""
        ...

    @property
    def task_memory_bytes(self) -> int | None:
        """Return the bytes that its workers allow a task, or None for whatever this machine has."""
        ...

    @property
    def is_stopped(self) -> bool:
        """Return True if `stop` was called."""
        ...

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield each item's position and result, as they are done; stops early once `stop` was called."""
        ...

    def stop(self) -> None:
        """Start nothing new; what is running is finished."""
        ...

    def abandon(self) -> None:
        """Start nothing new, and have `close` wait for nothing."""
        ...

    def close_readers(self) -> None:
        """Close the slides that its workers hold open for the next tile, so that their files can go."""
        ...

    def close(self) -> None:
        """Release threads, processes and connections."""
        ...
