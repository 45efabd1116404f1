"""run: what the tasks of a job array left, if it is all there and of one plan; else which tasks to run again."""

from collections.abc import Sequence

from wsi_area.errors import IncompleteResultError, StaleResultError
from wsi_area.model.run_record import TaskRecord
from wsi_area.results.layout import RunLayout
from wsi_area.run.array.array_plan import ArrayPlan
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.task_run import task_on_record


def whole_set(layout: RunLayout, plan: ArrayPlan) -> dict[int, TaskRecord]:
    """Return the record of each task, by its number.

    Raises
    ------
    IncompleteResultError, StaleResultError
        Naming every task that is missing, or of another plan.
    """
    found = {index: task_on_record(layout, ArrayTask(index, plan.count)) for index in range(1, plan.count + 1)}
    missing = [index for index, task in found.items() if task is None]
    if missing:
        raise IncompleteResultError(
            f"{layout.root}: {_shards(missing)} left no result, of {plan.count} in all; {_again(missing, plan.count)}"
        )
    tasks = {index: task for index, task in found.items() if task is not None}
    different = [index for index, task in tasks.items() if task.plan != plan.key]
    if different:
        was = "were" if different[1:] else "was"
        raise StaleResultError(
            f"{layout.root}: {_shards(different)}, of {plan.count} in all, {was} measured from other slides or "
            f"settings than the run's plan has; {_again(different, plan.count, ' --force')}"
        )
    return tasks


def numbers_text(indices: Sequence[int]) -> str:
    """Return numbers with runs of them drawn together.

    >>> numbers_text([1, 3, 4, 5, 9])
    '1, 3-5, 9'
    """
    runs: list[list[int]] = []
    for index in indices:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _shards(indices: Sequence[int]) -> str:
    """Return some tasks by their numbers.

    >>> _shards([3]), _shards([1, 2])
    ('shard 3', 'shards 1-2')
    """
    return f"shard{'s' * bool(indices[1:])} {numbers_text(indices)}"


def _again(indices: Sequence[int], count: int, how: str = "") -> str:
    """Return the command that measures tasks again.

    >>> _again([3], 3, " --force")
    'run the same command with --shard 3/3 --force, then merge again'
    >>> _again([1, 2, 5], 9)
    'run the same command with --shard 1/9, and so for each of 1-2, 5, then merge again'
    """
    rest = f", and so for each of {numbers_text(indices)}" if indices[1:] else ""
    return f"run the same command with --shard {indices[0]}/{count}{how}{rest}, then merge again"
