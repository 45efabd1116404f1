"""A worker that dies or hangs costs a tile at most; what killed once only costs nothing; other slides never notice."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest
from measuring import class_maps_of, stores
from synthetic import SyntheticSlide, box, disc, write_slide

from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.classes import UNREADABLE_CODE
from wsi_area.model.geometry import Size
from wsi_area.run import slide_tiles
from wsi_area.run.executors.choice import make_executor
from wsi_area.run.executors.contract import TaskLost
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.run.work.crashing_tiles import crashing_tiles
from wsi_area.run.work.deadlines import deadline
from wsi_area.run.work.isolation import Apart, Died, Raised, run_apart
from wsi_area.settings.run_settings import RunSection, load

SIZE = Size(2300, 1500)
TILE_PX = 256
SPOT = (1100, 600)  # where the DAB is: tile row 2, col 4
ENDED_S = 60.0  # what is waited for comes at once, but for a machine that is busy


# --- the search, without processes


def searching(deadly: set[int], *, announces: bool) -> tuple[Callable[[Sequence[int]], Died | None], list[int]]:
    trials: list[int] = []

    def trial(tiles: Sequence[int]) -> Died | None:
        trials.append(len(tiles))
        first = next((t for t in tiles if t in deadly), None)
        return None if first is None else Died("crashed", first if announces else None)

    return trial, trials


@pytest.mark.parametrize("announces", [True, False])
@pytest.mark.parametrize("deadly", [set(), {0}, {99}, {3, 4}, {10, 50, 90}])
def test_exactly_the_crashing_tiles_are_found(deadly: set[int], announces: bool) -> None:
    trial, trials = searching(deadly, announces=announces)
    assert set(crashing_tiles(range(100), trial)) == deadly
    assert len(trials) <= (1 + 2 * len(deadly) if announces else 1 + 14 * len(deadly))


def test_tiles_that_only_die_together_are_not_blamed_one_by_one() -> None:
    assert crashing_tiles(range(8), lambda some: Died("crashed") if len(some) == 8 else None) == {}


def test_an_announced_tile_that_lives_alone_is_not_believed_to_be_guilty() -> None:
    # a heap that tile 2 corrupts may give way at tile 5
    def trial(some: Sequence[int]) -> Died | None:
        return Died("crashed", 5 if 5 in some else 2) if 2 in some else None

    assert set(crashing_tiles(range(8), trial)) == {2}


def test_a_tile_that_hung_is_believed_at_once_since_trying_again_takes_as_long_again() -> None:
    trial, trials = searching({7}, announces=True)

    def hung(some: Sequence[int]) -> Died | None:
        died = trial(some)
        return None if died is None else Died("hung", died.tile, timed_out=True)

    assert crashing_tiles(range(16), hung) == {7: "hung"}
    assert trials == [16, 15]


def test_the_search_is_bounded_and_what_is_not_cleared_counts_as_guilty() -> None:
    trial, trials = searching(set(range(1000)), announces=False)
    assert set(crashing_tiles(range(1000), trial, max_trials=20)) == set(range(1000))
    assert len(trials) == 20


# --- a process of its own


def double(n: int) -> int:
    return 2 * n


def chatter(n: int) -> int:
    print("a library that prints", n)
    return n


def fail(n: int) -> int:
    raise ValueError(f"not {n}")


def die(signal_number: int) -> None:
    os.kill(os.getpid(), signal_number)


def devour(_: int) -> int:
    return int(np.ones(1 << 34, np.uint8).sum())


def hang(_: int) -> None:
    with deadline(0.2, "a test", ends_process=True):
        time.sleep(600)


def announce_and_die(tiles: Sequence[int], announce: Callable[[int], None]) -> None:
    for tile in tiles:
        announce(tile)
    os.kill(os.getpid(), 9)


def parent_of_itself(_: int) -> int:
    return os.getppid()


def test_a_call_in_a_process_of_its_own_gives_what_it_gives_here() -> None:
    assert run_apart(Apart(double, 21)) == 42
    assert run_apart(Apart(chatter, 3)) == 3
    assert run_apart(Apart(parent_of_itself, 0)) == os.getpid()


def nothing_at_all(_: int) -> None:
    return None


def test_to_return_nothing_is_to_have_lived() -> None:
    assert run_apart(Apart(nothing_at_all, 0)) is None


def test_what_it_raises_is_no_death() -> None:
    assert run_apart(Apart(fail, 3)) == Raised("ValueError: not 3")


@pytest.mark.parametrize(("number", "says"), [(9, "SIGKILL; out of memory?"), (11, "SIGSEGV")])
def test_how_a_process_died_is_named(number: int, says: str) -> None:
    died = run_apart(Apart(die, number))
    assert isinstance(died, Died)
    assert says in died.how


def test_the_last_tile_it_announced_is_known() -> None:
    died = run_apart(Apart(announce_and_die, (4, 7, 9), announces=True))
    assert isinstance(died, Died)
    assert died.tile == 9


def test_what_needs_more_memory_than_it_may_have_ends_its_own_process_only() -> None:
    died = run_apart(Apart(devour, 0, memory_bytes=1 << 30))
    assert isinstance(died, Died)
    assert "more than the 2048 MiB" in died.how


def test_what_hangs_is_ended_and_named() -> None:
    died = run_apart(Apart(hang, 0))
    assert isinstance(died, Died)
    assert died.timed_out
    assert "run.tile_timeout_s" in died.how


# --- deadlines where nothing can be ended


def test_in_a_thread_what_hangs_is_named_once_with_the_remedy(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "wsi_area"), deadline(0.05, "s, tile row 1 col 2", ends_process=False):
        end = time.monotonic() + ENDED_S
        while not caplog.records:
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(0.1)  # some looks more: it is named once
    (message,) = [r.getMessage() for r in caplog.records]
    assert "s, tile row 1 col 2 has taken more than 0.05 s" in message
    assert "run.executor=processes" in message


def test_the_watcher_ends_when_nothing_is_left_to_watch() -> None:
    def watchers() -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t.name == "wsi-area-deadlines"]

    with deadline(0.05, "quick", ends_process=False):
        assert watchers()
    for watcher in watchers():
        watcher.join(ENDED_S)
    assert not watchers()


# --- the executor


def kill_if_seven(n: int) -> int:
    if n == 7:
        os.kill(os.getpid(), 9)
    return n


def test_only_the_task_that_kills_is_lost_whatever_shared_its_worker() -> None:
    made = make_executor(RunSection(executor="processes", workers=2, worker_retries=0))
    try:
        outcomes = dict(made.map(kill_if_seven, range(20)))
    finally:
        made.close()
    lost = outcomes.pop(7)
    assert isinstance(lost, TaskLost)
    assert lost.died
    assert "was killed" in lost.message
    assert outcomes == {n: n for n in range(20) if n != 7}


class Reluctant:
    """A cluster of which a worker dies while it starts, so many times."""

    def __init__(self, failures: int) -> None:
        self.left, self.real = failures, distributed.LocalCluster

    def __call__(self, **options: Any) -> Any:
        self.left -= 1
        if self.left >= 0:
            raise RuntimeError("Nanny failed to start.")
        return self.real(**options)


def test_a_worker_that_dies_while_it_starts_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "LocalCluster", Reluctant(2))
    made = make_executor(RunSection(executor="processes", workers=1))
    try:
        assert dict(made.map(double, [4])) == {0: 8}
    finally:
        made.close()


def test_workers_that_never_start_are_a_wrong_setting_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "LocalCluster", Reluctant(99))
    with pytest.raises(SettingsError, match=r"could not be started in 3 tries .*run\.workers"):
        make_executor(RunSection(executor="processes", workers=1))


# --- the whole line


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Install the deadly segmenter as a package that this process and its workers find on their path."""
    site = tmp_path_factory.mktemp("site")
    info = site / "deadly-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[wsi_area.segmenters]\ndeadly = deadly_segmenter:Deadly\n")
    sys.path.append(str(site))
    yield
    sys.path.remove(str(site))


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    shapes = {"tissue": disc(SIZE, 550, 700, 400), "dab": box(SIZE, *SPOT, 6, 6)}
    return write_slide(tmp_path_factory.mktemp("faults") / "s.tif", SIZE, shapes)


@pytest.fixture
def orders(slide: SyntheticSlide) -> Path:
    """Return the file of what the segmenter does where it finds DAB; always the same, since it is a setting."""
    for name in ("orders", "deaths"):
        slide.path.with_name(name).unlink(missing_ok=True)
    return slide.path.with_name("orders")


def run(slide: Path | list[Path], out: Path, orders: Path, *more: str, executor: str = "processes") -> RunOutcome:
    return run_slides(
        collect_slides([str(s) for s in (slide if isinstance(slide, list) else [slide])]),
        load(
            None,
            [
                "segmenter.name=deadly", f"segmenter.orders={orders}", f"tiling.tile_px={TILE_PX}",
                "tiling.skip_glass=false", "run.workers=2", "run.worker_retries=0", f"run.executor={executor}", *more,
            ],
        ),
        out,
    )  # fmt: skip


def deaths(orders: Path) -> int:
    return len(orders.with_name("deaths").read_text().splitlines())


@pytest.fixture(scope="module")
def undisturbed(slide: SyntheticSlide, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    assert run(slide.path, out / "out", slide.path.with_name("orders"), executor="serial").exit_code == 0
    return out / "out"


@pytest.mark.parametrize("order", ["kill", "hang"])
def test_a_tile_that_kills_its_process_is_unreadable_and_the_rest_is_as_in_an_undisturbed_run(
    slide: SyntheticSlide, undisturbed: Path, tmp_path: Path, orders: Path, order: str
) -> None:
    orders.write_text(order)
    outcome = run(slide.path, tmp_path / "out", orders, "run.tile_timeout_s=2")
    (record,) = outcome.documents
    assert outcome.exit_code == 2
    assert record["status"] == "incomplete"
    assert record["counts"]["n_px_unreadable"] == TILE_PX**2
    assert record["unreadable"]["area_mm2"] == pytest.approx(TILE_PX**2 * 0.25**2 / 1e6)
    (error,) = record["tile_errors"]
    assert (error["row"], error["col"]) == (2, 4)
    for part in ("s, batch", "tile row 2 col 4", "all of it is counted as unreadable"):
        assert part in error["message"]
    expected = class_maps_of(undisturbed)["s"].copy()
    expected[512:768, 1024:1280] = UNREADABLE_CODE
    np.testing.assert_array_equal(class_maps_of(tmp_path / "out")["s"], expected)
    orders.unlink()  # the cause is mended: the same command completes the slide
    assert run(slide.path, tmp_path / "out", orders, executor="serial").exit_code == 0
    assert stores(tmp_path / "out") == stores(undisturbed)


@pytest.mark.parametrize("order", ["segfault", "chunk", "row"])  # in a tile; after a chunk, before its row; after it
def test_what_killed_a_worker_once_only_costs_nothing(
    slide: SyntheticSlide, undisturbed: Path, tmp_path: Path, orders: Path, order: str
) -> None:
    orders.write_text(f"{order} once")
    assert run(slide.path, tmp_path / "out", orders).exit_code == 0
    assert deaths(orders) == 1
    assert stores(tmp_path / "out") == stores(undisturbed)


def test_a_batch_is_tried_as_often_as_was_asked_for_before_its_tiles_are(
    slide: SyntheticSlide, tmp_path: Path, orders: Path
) -> None:
    orders.write_text("kill")
    assert run(slide.path, tmp_path / "out", orders, "run.worker_retries=1").exit_code == 2
    # two workers, the batch in a process of its own, all tiles of it, the suspect alone
    assert deaths(orders) == 2 + 1 + 1 + 1


def test_a_deadly_slide_takes_no_other_with_it(slide: SyntheticSlide, tmp_path: Path, orders: Path) -> None:
    good = [
        write_slide(tmp_path / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 900, 700, 300)}).path for name in ("a", "b")
    ]
    orders.write_text("kill")
    outcome = run([good[0], slide.path, good[1]], tmp_path / "out", orders)
    assert [r["status"] for r in outcome.documents] == ["complete", "incomplete", "complete"]


def test_a_slide_of_which_too_many_batches_kill_is_failed_with_a_remedy(
    slide: SyntheticSlide, tmp_path: Path, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slide_tiles, "MAX_LOST_BATCHES", 0)
    orders.write_text("kill")
    (record,) = run(slide.path, tmp_path / "out", orders).documents
    assert record["status"] == "failed"
    assert "more than 0 batches killed their workers" in record["reason"]
    assert "run.workers" in record["reason"]


# --- fail fast


@pytest.mark.parametrize(("fail_fast", "measured"), [("false", 3), ("true", 1)])
def test_only_where_it_is_asked_for_does_a_failed_slide_stop_the_batch(
    tmp_path: Path, orders: Path, fail_fast: str, measured: int
) -> None:
    bad = tmp_path / "bad.svs"
    bad.write_text("no slide")
    good = [
        write_slide(tmp_path / f"{name}.tif", Size(600, 500), {"tissue": disc(Size(600, 500), 300, 250, 100)}).path
        for name in ("x", "y")
    ]
    wanted = (f"run.fail_fast={fail_fast}", "run.slides_in_flight=1")
    outcome = run([bad, *good], tmp_path / "out", orders, *wanted, executor="threads")
    assert outcome.exit_code == 2
    assert len(outcome.slides) == measured
    assert not outcome.interrupted
