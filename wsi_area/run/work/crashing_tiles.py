"""run: which tiles of a batch a process dies of, found by halving; they are given up, the others measured."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from wsi_area.compute.cut.grid import batch_tiles_at
from wsi_area.frozen_value import frozen_value
from wsi_area.run.work.isolation import Apart, Died, Raised, run_apart
from wsi_area.run.work.slide_job import BatchResult, BatchTask
from wsi_area.run.work.tile_task import measure_batch

MAX_TRIALS = 64
"""Processes started to find the guilty tiles of one batch; what is still suspect then is given up together."""

MAX_REPEATS = 4
"""Times that a batch is tried once more because it died on yet another tile, though each had been tried alone."""

Trial = Callable[[Sequence[int]], Died | None]
"""Tries some tiles in a process of its own: how it died, or None."""


def crashing_tiles(tiles: Sequence[int], trial: Trial, max_trials: int = MAX_TRIALS) -> dict[int, str]:
    """Return the tiles that a process dies of, and how; by halving, the last announced tile first.

    Parameters
    ----------
    tiles
        The suspects; that they die together is tried first, since what killed a worker may be gone.
    trial
        What tries some of them.
    max_trials
        After so many, whatever is still suspect is guilty: it is counted as unreadable, never as something else.

    >>> crashing_tiles(range(8), lambda some: Died("crashed") if 5 in some else None)
    {5: 'crashed'}
    """
    guilty: dict[int, str] = {}
    suspects: list[Sequence[int]] = [list(tiles)]
    trials = 0
    while suspects:
        group = suspects.pop()
        if not group:
            continue
        if trials >= max_trials:
            guilty.update(
                dict.fromkeys(group, f"one of {len(group)} tiles that together end a process; not told apart")
            )
            continue
        died, trials = trial(group), trials + 1
        if died is None:
            continue
        if len(group) == 1 or (died.timed_out and died.tile in group):
            one = group[0] if len(group) == 1 else died.tile
            assert one is not None
            guilty[one] = died.how
            suspects.append([tile for tile in group if tile != one])
        elif died.tile is not None and died.tile in group and _dies_alone(died.tile, trial, guilty):
            trials += 1
            suspects.append([tile for tile in group if tile != died.tile])
        else:
            trials += died.tile in group
            suspects += [group[: len(group) // 2], group[len(group) // 2 :]]
    return guilty


def _dies_alone(tile: int, trial: Trial, guilty: dict[int, str]) -> bool:
    died = trial([tile])
    if died is not None:
        guilty[tile] = died.how
    return died is not None


@frozen_value
class IsolateTask:
    """A batch that killed its worker again and again."""

    batch: BatchTask
    memory_bytes: int | None

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.batch.slide_id


def isolate_batch(task: IsolateTask) -> BatchResult:
    """Return the outcome of a batch: its guilty tiles given up as unreadable, the others measured; never raises."""
    batch = task.batch
    plan, where = batch.job.plan, f"{batch.job.plan.slide.slide_id}, batch {batch.batch}"

    def trial(tiles: Sequence[int]) -> Died | None:
        outcome = run_apart(
            Apart(measure_batch, replace(batch, only=frozenset(tiles)), task.memory_bytes, announces=True)
        )
        return outcome if isinstance(outcome, Died) else None

    rows, cols = batch_tiles_at(plan, batch.batch)
    numbers = [row * plan.grid_cols + col for row in rows for col in cols]
    guilty = crashing_tiles([n for n in numbers if plan.is_read(n)], trial)
    outcome: Any = None
    for _ in range(MAX_REPEATS):
        given_up = tuple((n, _message(where, n, plan.grid_cols, how)) for n, how in sorted(guilty.items()))
        call = Apart(measure_batch, replace(batch, given_up=given_up), task.memory_bytes, announces=True)
        outcome = run_apart(call)
        if not isinstance(outcome, Died) or outcome.tile is None or outcome.tile in guilty:
            break
        guilty[outcome.tile] = outcome.how
    if isinstance(outcome, BatchResult):
        return outcome
    said = outcome.message if isinstance(outcome, Raised) else f"its process {outcome.how}"
    return BatchResult(batch.batch, 0, 0, (), 0.0, f"{where}: {said}, and no single tile is to blame")


def _message(where: str, tile: int, grid_cols: int, how: str) -> str:
    row, col = divmod(tile, grid_cols)
    return f"{where}, tile row {row} col {col}: the process that measured it {how}; all of it is counted as unreadable"
