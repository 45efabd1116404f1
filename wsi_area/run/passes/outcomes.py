"""run: what became of the tasks of a pass over a class map: which were lost, which failed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from wsi_area.errors import IncompleteResultError, ResultError
from wsi_area.run.executors.contract import Executor, TaskLost
from wsi_area.storage.processes import give_back_memory


class Outcome(Protocol):
    """What a task sends back: ``error`` is set where it came to nothing."""

    @property
    def error(self) -> str | None:
        """Return the reason why it came to nothing; None where it did not."""


Asked = TypeVar("Asked")
Sent = TypeVar("Sent", bound=Outcome)


def outcomes(
    executor: Executor, function: Callable[[Asked], Sent], tasks: Sequence[Asked], slide_id: str, what: str
) -> Iterator[Sent]:
    """Yield what became of each task, in any order; fewer than there are tasks only once the executor was stopped.

    The memory that the tasks worked in is given back at the end, so that the next pass does not begin on top of it.

    Parameters
    ----------
    what
        The thing that the tasks make, for the message: ``"its bands"``.

    Raises
    ------
    IncompleteResultError
        If a task was lost, or came to no end.
    ResultError
        If a task came to nothing.
    """
    done = 0
    try:
        for _, outcome in executor.map(function, tasks):
            if isinstance(outcome, TaskLost):
                raise IncompleteResultError(f"{slide_id}: {what} could not be made: {outcome.message}")
            if outcome.error is not None:
                raise ResultError(f"{outcome.error}; the tiles are committed, run the same command again")
            done += 1
            yield outcome
    finally:
        give_back_memory()
    if done < len(tasks) and not executor.is_stopped:
        raise IncompleteResultError(
            f"{slide_id}: {what} came to no end in {len(tasks) - done} of {len(tasks)} tasks; "
            "run the same command again"
        )


def only_outcome(
    executor: Executor, function: Callable[[Asked], Sent], task: Asked, slide_id: str, what: str
) -> Sent | None:
    """Return the outcome of a single task, None if the executor was stopped before; errors as of `outcomes`."""
    return next(outcomes(executor, function, [task], slide_id, what), None)
