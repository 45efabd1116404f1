"""A scheduler that is killed in the midst costs one message: what is complete stays, the rest is not reached."""

import csv
import json
import logging
from pathlib import Path
from typing import Any, cast

import pytest
from measuring import measure
from scheduler_processes import Running, started_scheduler
from synthetic import disc, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.run.context import context_of
from wsi_area.run.ending import ending_lines, what_to_do
from wsi_area.run.events import BatchDone, Event, SlideDone, SlideStarted
from wsi_area.run.executors import distributed
from wsi_area.run.executors.choice import make_executor
from wsi_area.run.executors.contract import Executor, TaskLost
from wsi_area.run.executors.distributed import DistributedExecutor
from wsi_area.run.measure_slide import prepared_slide
from wsi_area.settings.run_settings import RunSection, load

SIZE = Size(900, 700)
CUT = ("tiling.tile_px=64", "tiling.skip_glass=false", "run.slides_in_flight=2")


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("slides")
    painted = {"tissue": disc(SIZE, 400, 300, 200)}
    return [write_slide(folder / f"s{n}.tif", SIZE, painted, noise_sd=2.0).path for n in range(6)]


def kill_scheduler(running: Running) -> None:
    running.processes[0].kill()
    running.processes[0].wait(30)


@pytest.mark.parametrize("moment", [SlideDone, SlideStarted, BatchDone])
def test_whenever_it_is_killed_one_message_says_so_and_the_same_command_goes_on(
    slides: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, moment: type[Event]
) -> None:
    killed: list[Event] = []

    def kill(event: Event) -> None:
        if isinstance(event, moment) and not killed:
            killed.append(event)
            kill_scheduler(running)

    out = tmp_path / "out"
    with started_scheduler(tmp_path, 1) as running, caplog.at_level(logging.WARNING, "wsi_area"):
        outcome = measure(slides, out, *CUT, f"run.scheduler={running.address}", listener=kill)
        gone = f"the scheduler at {running.address} is gone"
    assert (len(killed), outcome.exit_code) == (1, 2)
    complete = [slide.slide_id for slide in outcome.slides if slide.status == "complete"]
    number = f"{len(complete)} slides are complete" if len(complete) != 1 else "1 slide is complete"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        f"{gone}; {number}; run the same command again"
    ]

    about = json.loads((out / "run.json").read_text())
    assert (about["state"], about["exit_code"], about["not_reached"]) == ("finished", 2, 6 - len(complete))
    with (out / "failed.csv").open(newline="", encoding="utf-8") as file:
        failed = {row["slide_id"]: row["reason"] for row in csv.DictReader(file)}
    assert failed == {
        path.stem: f"not reached: {gone}; run the same command again" for path in slides if path.stem not in complete
    }
    assert f"{gone}; run the same command again" in ending_lines(outcome)[-1]
    assert gone in what_to_do(outcome)
    log = [json.loads(line) for line in (out / "logs/run.jsonl").read_text().splitlines()]
    assert [line["message"].partition(";")[0] for line in log if line["event"] == "log"] == [gone]
    assert not any("traceback" in line for line in log)

    again = measure(slides, out, *CUT, "run.executor=serial")
    assert again.exit_code == 0
    assert [slide.slide_id for slide in again.slides] == [path.stem for path in slides]


class StoppedElsewhere:
    """Workers of other machines, of whom it is known that they are gone; whatever is asked of them is a fault."""

    is_local, is_stopped, worker_count, task_memory_bytes = False, True, 1, None

    def map(self, *_: object, **__: object) -> None:
        raise AssertionError("a slide was handed to workers that are gone")


def test_a_slide_that_begins_when_it_is_known_already_is_not_reached_and_no_error(slides: list[Path]) -> None:
    told: list[Event] = []
    gone = cast(Executor, StoppedElsewhere())
    context = context_of(load(None, list(CUT)), gone, told.append, force=False)
    (slide,) = collect_slides([str(slides[0])])
    assert prepared_slide(slide, context, None) is None
    assert told == []


class SlowToMiss:
    """A dask client that goes on saying that it is running for some looks after its scheduler was killed."""

    def __init__(self, client: Any, running: Running) -> None:
        self._client, self._running, self.looks = client, running, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    @property
    def status(self) -> str:
        if self._running.processes[0].poll() is not None and self.looks < 3:
            self.looks += 1
            return "running"
        return str(self._client.status)


def seven(_: int) -> int:
    return 7


def test_a_result_that_is_lost_before_the_scheduler_is_missed_is_no_fault_of_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started_scheduler(tmp_path, 1) as running:
        made = make_executor(RunSection(scheduler=running.address))
        assert isinstance(made, DistributedExecutor)
        try:
            client = SlowToMiss(made._client, running)
            monkeypatch.setattr(made, "_client", client)

            def lost(future: Any) -> TaskLost:
                kill_scheduler(running)
                return TaskLost("its result could not be fetched")

            monkeypatch.setattr(distributed, "bundle_outcome", lost)
            assert list(made.map(seven, range(1))) == []
            assert client.looks == 3  # the last of them after the scheduler had been asked
            assert (made.is_stopped, made.lost) == (True, f"the scheduler at {running.address} is gone")
        finally:
            made.close()


def test_a_task_that_is_lost_while_the_scheduler_answers_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started_scheduler(tmp_path, 1) as running:
        made = make_executor(RunSection(scheduler=running.address))
        try:
            lost = TaskLost("its result could not be fetched")
            monkeypatch.setattr(distributed, "bundle_outcome", lambda future: lost)
            assert list(made.map(seven, range(1))) == [(0, lost)]
            assert not made.is_stopped
        finally:
            made.close()
