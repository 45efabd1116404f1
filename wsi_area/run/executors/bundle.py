"""run: several items done by a dask worker as one task, and what became of each of them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.run.executors.contract import TaskLost
from wsi_area.run.work.isolation import Died, Raised
from wsi_area.run.work.worker_log import logged_call
from wsi_area.run.work.worker_setup import keep_freed_memory


@frozen_value
class Bundled:
    """What became of the items of one task, in their order, and how long it took."""

    results: list[Any]
    seconds: float


def run_bundle(function: Callable[[Any], Any], items: Sequence[Any], logs: str | None) -> Bundled:
    """Return the results of the function for each item, one after the other; what a worker does as one task."""
    keep_freed_memory()
    started = time.perf_counter()
    results = [function(item) if logs is None else logged_call(function, item, logs) for item in items]
    return Bundled(results, time.perf_counter() - started)


def bundle_outcome(future: Any) -> Bundled | TaskLost:
    """Return the result of a task, or that it was lost: our tasks never raise, so whatever comes is the cluster's."""
    from distributed import KilledWorker

    try:
        outcome: Bundled = future.result()
    except KilledWorker as error:
        return TaskLost(f"the task killed its worker {error.allowed_failures + 1} times; out of memory?", died=True)
    except Exception as error:  # a worker without this package, a scheduler that died …
        return TaskLost(
            f"the task was lost on the cluster ({type(error).__name__}: {error}); out of memory, or is wsi_area not "
            "installed there? See the workers' logs, then run again"
        )
    return outcome


def item_result(outcome: Any) -> Any:
    """Return the result of an item; `TaskLost` where it was tried in a process of its own, and to no end."""
    if isinstance(outcome, Died):
        return TaskLost(f"the task was tried in a process of its own, which {outcome.how}", died=True)
    return TaskLost(outcome.message) if isinstance(outcome, Raised) else outcome
