"""One contract for every executor; the serial one is the specification."""

import os
import threading
from collections.abc import Iterator

import dask.config
import pytest

from wsi_area.errors import SettingsError
from wsi_area.run.executors import address, processes
from wsi_area.run.executors.choice import make_executor
from wsi_area.run.executors.contract import Executor, TaskLost
from wsi_area.run.executors.distributed import DistributedExecutor
from wsi_area.run.executors.threads import keys_in_order
from wsi_area.settings.run_settings import RunSection


@pytest.fixture(scope="module", params=["serial", "threads", "one thread", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    one = request.param == "one thread"
    made = make_executor(RunSection(executor="threads" if one else request.param, workers=1 if one else 2))
    yield made
    made.close()


def square(n: int) -> int:
    return n * n


@pytest.mark.parametrize("count", [1, 3, 16, 17, 60])
def test_every_item_comes_back_once_with_its_position(executor: Executor, count: int) -> None:
    items = list(range(100, 100 + count))
    assert sorted(executor.map(square, items)) == [(i, n * n) for i, n in enumerate(items)]


def test_no_items_are_no_results(executor: Executor) -> None:
    assert list(executor.map(square, [])) == []


def test_several_slides_may_map_at_once(executor: Executor) -> None:
    found: dict[int, list[tuple[int, object]]] = {}

    def drive(offset: int) -> None:
        found[offset] = sorted(executor.map(square, range(offset, offset + 20)))  # type: ignore[type-var]

    drivers = [threading.Thread(target=drive, args=(o,)) for o in (0, 1000)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join(60)
    assert found == {o: [(i, (o + i) ** 2) for i in range(20)] for o in (0, 1000)}


def test_one_thread_works_in_order_and_keeps_no_more_than_one_task_waiting() -> None:
    made = make_executor(RunSection(executor="threads", workers=1))
    begun: list[int] = []
    for position, _ in made.map(begun.append, range(50)):
        assert begun[: position + 1] == list(range(position + 1))
        assert len(begun) <= position + 2
    made.close()
    assert begun == list(range(50))


def test_the_first_of_few_tasks_to_end_comes_first_though_it_was_asked_for_last() -> None:
    made, last_is_done = make_executor(RunSection(executor="threads", workers=2)), threading.Event()

    def task(n: int) -> int:
        if n == 0:
            assert last_is_done.wait(60)
        return n

    found = []
    for position, _ in made.map(task, range(4)):
        found.append(position)
        if len(found) == 3:
            last_is_done.set()
    made.close()
    assert found == [1, 2, 3, 0]


@pytest.mark.parametrize("count", [4, 40])
def test_what_a_task_raises_is_raised_where_the_results_are_asked_for(count: int) -> None:
    made = make_executor(RunSection(executor="threads", workers=2))
    with pytest.raises(ZeroDivisionError):
        list(made.map(lambda n: 1 // (n - 2), range(count)))
    made.close()


def process_id(_: int) -> int:
    return os.getpid()


def test_worker_processes_watch_nothing_for_a_dashboard() -> None:
    known = {key: dask.config.get(key, default=None, override_with=None) for key in processes.QUIET}
    assert None not in known.values(), "dask has no such setting any more"
    made = make_executor(RunSection(executor="processes", workers=1))
    try:
        told = dict(made.map(dask.config.get, list(processes.QUIET)))
    finally:
        made.close()
    assert [told[n] for n in range(len(told))] == list(processes.QUIET.values())


def test_only_processes_leave_this_process() -> None:
    for name, here in (("serial", True), ("threads", True), ("processes", False)):
        made = make_executor(RunSection(executor=name, workers=1))  # type: ignore[arg-type]
        try:
            assert ([pid for _, pid in made.map(process_id, [0])] == [os.getpid()]) is here
        finally:
            made.close()


@pytest.mark.parametrize(("name", "workers"), [("serial", 1), ("threads", 1), ("threads", 2)])
def test_after_stop_nothing_new_is_started(name: str, workers: int) -> None:
    made = make_executor(RunSection(executor=name, workers=workers))  # type: ignore[arg-type]
    lock, begun, after = threading.Lock(), [0], [0]

    def task(_: int) -> None:
        with lock:
            begun[0] += 1
            after[0] += made.is_stopped
            if begun[0] == 20:
                made.stop()

    drivers = [threading.Thread(target=lambda: list(made.map(task, range(1000)))) for _ in range(2)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join(60)
    made.close()
    assert after[0] <= {"serial": 1, "threads": workers - 1}[name]  # one that was past its look when another stopped it
    assert begun[0] < 2000


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "ANSWER_S", 2.0)
    with pytest.raises(SettingsError, match=r"tcp://127\.0\.0\.1:9"):
        make_executor(RunSection(scheduler="tcp://127.0.0.1:9"))


def lose(_: int) -> int:
    raise RuntimeError("this worker cannot do it")


def test_what_the_cluster_loses_comes_back_as_lost_and_never_as_nothing() -> None:
    made = make_executor(RunSection(executor="processes", workers=1))
    try:
        outcomes = sorted(made.map(lose, range(30)), key=lambda pair: pair[0])
    finally:
        made.close()
    assert [position for position, _ in outcomes] == list(range(30))
    assert all(isinstance(outcome, TaskLost) for _, outcome in outcomes)
    assert "this worker cannot do it" in outcomes[0][1].message


def test_when_the_last_worker_is_gone_every_item_is_lost_and_none_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WORKERLESS_S", 1.0)
    made = make_executor(RunSection(executor="processes", workers=1))
    assert isinstance(made, DistributedExecutor)
    made.workforce.cluster.scale(0)
    try:
        outcomes = list(made.map(square, range(40)))
    finally:
        made.close()
    assert sorted(position for position, _ in outcomes) == list(range(40))
    assert any(isinstance(outcome, TaskLost) for _, outcome in outcomes)


@pytest.mark.parametrize("count", [2, 17, 99, 130, 1001])
def test_dask_begins_with_the_first_of_many_tasks_and_goes_on_in_their_order(count: int) -> None:
    from dask.order import order

    keys = keys_in_order(count)
    place = order({key: (int, n) for n, key in enumerate(keys)})
    assert sorted(keys, key=place.__getitem__) == keys
