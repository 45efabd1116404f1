"""storage: work done by several threads, whose results are taken in the order in which the work was given."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class InOrder(Generic[_Result]):
    """Threads for one kind of work; no more pieces wait than there are threads.

    >>> found = []
    >>> with InOrder(2, found.append) as squares:
    ...     for number in range(5):
    ...         squares.give(pow, number, 2)
    >>> found
    [0, 1, 4, 9, 16]
    """

    def __init__(self, threads: int, take: Callable[[_Result], object]) -> None:
        """Begin.

        Parameters
        ----------
        threads : int
            With one, the work is done by who gives it.
        take
            What becomes of each result; called by the thread that gives work, or ends the block.
        """
        self._threads, self._take = threads, take
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="wsi-area-in-order") if threads > 1 else None
        self._waiting = deque[Future[_Result]]()

    def __enter__(self) -> Self:
        """Return itself; at the end of the block all results were taken."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take what is left, or give it up where something failed."""
        try:
            while self._waiting and error is None:
                self._take(self._waiting.popleft().result())
        finally:
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=True)

    def give(self, work: Callable[..., _Result], *arguments: object) -> None:
        """Let a piece of work be done; raises what an earlier one, or this one, failed with."""
        if self._pool is None:
            self._take(work(*arguments))
            return
        self._waiting.append(self._pool.submit(work, *arguments))
        if len(self._waiting) > self._threads:
            self._take(self._waiting.popleft().result())


def for_each(items: Iterable[_Item], work: Callable[[_Item], _Result], threads: int) -> list[_Result]:
    """Return the results of some work for each item, in order; ended by the first that fails.

    >>> for_each([3, 1], abs, threads=2)
    [3, 1]
    """
    found: list[_Result] = []
    with InOrder(threads, found.append) as in_order:
        for item in items:
            in_order.give(work, item)
    return found
