"""A scheduler that is killed in the midst costs one message: what is complete stays, the rest is not reached."""

import csv
import json
import logging
from pathlib import Path

import pytest
from measuring import measure
from scheduler_processes import Running, started_scheduler
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.run.ending import ending_lines, what_to_do
from wsi_area.run.events import BatchDone, Event, SlideDone, SlideStarted

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
