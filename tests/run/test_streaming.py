"""However many slides there are, a bounded number of tasks is in the scheduler: counted there, at each change."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed.diagnostics.plugin import SchedulerPlugin
from measuring import FLAT
from synthetic import disc, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.run import pipeline
from wsi_area.run.executors.choice import make_executor
from wsi_area.run.executors.distributed import (
    MAX_BUNDLE,
    TASK_S,
    TASKS_AHEAD_PER_WORKER,
    TASKS_OF_A_SLIDE,
    DistributedExecutor,
)
from wsi_area.settings.run_settings import RunSection, load

WORKERS = 2
PLACES = TASKS_AHEAD_PER_WORKER * WORKERS
UNDONE = {"waiting", "no-worker", "queued", "processing"}


class MostTasks(SchedulerPlugin):  # type: ignore[misc]
    """The most tasks that a scheduler had to do at once, the most that it knew at all, and how many there were."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler, self.most, self.most_known, self.seen = scheduler, 0, 0, set()

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        if finish == "memory":
            self.seen.add(key)
        tasks = list(self._scheduler.tasks.values())
        self.most = max(self.most, sum(task.state in UNDONE for task in tasks))
        self.most_known = max(self.most_known, len(tasks))  # with those that are done and about to be forgotten


@pytest.fixture
def most(executor: DistributedExecutor) -> Iterator[MostTasks]:
    scheduler = executor.workforce.cluster.scheduler  # type: ignore[attr-defined]
    counting = MostTasks(scheduler)
    scheduler.add_plugin(counting, name="most-tasks")
    yield counting
    scheduler.remove_plugin("most-tasks")


@pytest.fixture(scope="module")
def executor() -> Iterator[DistributedExecutor]:
    made = make_executor(RunSection(executor="processes", workers=WORKERS))
    assert isinstance(made, DistributedExecutor)
    yield made
    made.close()


def negative(n: int) -> int:
    return -n


@pytest.mark.parametrize("items", [60, 400])
def test_one_map_of_any_length_keeps_a_few_tasks_ahead_for_each_worker(
    executor: DistributedExecutor, most: MostTasks, items: int
) -> None:
    assert sorted(result for _, result in executor.map(negative, range(items))) == list(range(1 - items, 1))  # type: ignore[type-var]
    assert items / MAX_BUNDLE <= len(most.seen) <= items  # short ones are put together
    assert WORKERS <= most.most <= PLACES
    assert most.most_known <= 2 * PLACES


def test_many_maps_at_once_share_the_places(executor: DistributedExecutor, most: MostTasks) -> None:
    maps = 12
    ended: list[int] = []
    drivers = [
        threading.Thread(target=lambda: ended.append(len(list(executor.map(negative, range(50)))))) for _ in range(maps)
    ]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join(120)
    assert ended == [50] * maps
    assert most.most <= PLACES + TASKS_OF_A_SLIDE * maps  # never the 600 that there are


def test_a_map_that_is_given_up_gives_its_places_back(executor: DistributedExecutor) -> None:
    for _ in range(3 * PLACES):
        assert next(iter(executor.map(negative, range(1000)))) is not None  # and forgotten, as a failed slide is
    assert executor._in_scheduler == executor._maps == 0


@pytest.mark.parametrize("count", [8, 32])
def test_a_batch_of_tiny_slides_keeps_the_scheduler_as_empty_as_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: DistributedExecutor, most: MostTasks, count: int
) -> None:
    size, at_once = Size(96, 80), 4
    for n in range(count):
        write_slide(tmp_path / f"s{n:03}.tif", size, {"tissue": disc(size, 48, 40, 6 + n)})
    monkeypatch.setattr(pipeline, "make_executor", lambda *_: executor)
    with monkeypatch.context() as lent:
        lent.setattr(executor, "close", lambda: None)
        settings = load(None, [*FLAT, f"run.slides_in_flight={at_once}"])
        outcome = pipeline.run_slides(collect_slides([str(tmp_path)]), settings, tmp_path / "out")
    assert (outcome.exit_code, len(outcome.slides)) == (0, count)
    assert len(most.seen) >= count / MAX_BUNDLE + count  # each was looked at in a task of its own, and measured
    assert most.most <= PLACES + TASKS_OF_A_SLIDE * at_once
    assert most.most_known <= 2 * (PLACES + TASKS_OF_A_SLIDE * at_once)


class Elsewhere:
    """Workers that are only planned."""

    slides_at_once, task_memory_bytes = None, None
    planned_workers = 12

    def may_return(self, alone_s: float) -> bool:
        return True

    def no_worker(self) -> str:
        return "none"

    def close(self) -> None:
        """Nothing was started."""


def test_short_items_are_put_together_and_long_ones_never() -> None:
    made = DistributedExecutor(None, Elsewhere())
    made._maps = 1
    assert made.bundle_size(negative, 10**6) == 1  # nothing is known yet
    made.note(negative, TASK_S / 5)
    assert made.bundle_size(negative, 10**6) == 5
    assert made.bundle_size(negative, 2 * TASKS_AHEAD_PER_WORKER * 12) == 2  # or some workers would have none
    assert made.bundle_size(negative, 3) == 1
    for _ in range(30):
        made.note(negative, 0.0)
    assert made.bundle_size(negative, 10**6) == MAX_BUNDLE
    for _ in range(30):
        made.note(negative, 20 * TASK_S)  # a network on the CPU
    assert made.bundle_size(negative, 10**6) == 1


def test_slides_in_flight_follow_the_workers_of_a_cluster_and_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Elsewhere()
    made = DistributedExecutor(None, elsewhere)
    assert made.slides_at_once == 12
    elsewhere.planned_workers = 1000
    assert made.slides_at_once == 64
    elsewhere.planned_workers = 1
    assert made.slides_at_once == 2
