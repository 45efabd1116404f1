"""Ctrl-C is acknowledged at once while a slide is prepared, the phase is named, and a second one is obeyed."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.run.events import Event, SlidePreparing, Stopping

SIZE = Size(400, 300)

SLOW_FIT = """
    import time
    from wsi_area.cli.main import main
    from wsi_area.segmenters.colour import tissue
    fit = tissue.TissueSegmenter.fit
    def slow(self, overview):
        time.sleep({seconds})
        return fit(self, overview)
    tissue.TissueSegmenter.fit = slow
    main()
"""


@pytest.fixture
def slides(tmp_path: Path) -> list[Path]:
    painted = {"tissue": disc(SIZE, 200, 150, 80)}
    return [write_slide(tmp_path / f"s{n}.tif", SIZE, painted).path for n in (1, 2)]


class Command:
    """`wsi-area run` as a process of its own, whose fit takes long; its lines on stderr as they come."""

    def __init__(self, slides: list[Path], out: Path, seconds: float, *options: str) -> None:
        code = textwrap.dedent(SLOW_FIT.format(seconds=seconds))
        words = [sys.executable, "-c", code, "run", *map(str, slides), "--out", str(out), "--no-report", *options]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.lines.extend(iter(lines.readline, ""))

    def wait_for(self, words: str, seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while not any(words in line for line in self.lines):
            assert time.monotonic() < end, (words, self.lines)
            assert self.process.poll() is None, self.lines
            time.sleep(0.05)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(30)
        self._reader.join(30)

    def interrupt(self) -> None:
        os.kill(self.process.pid, signal.SIGINT)


@pytest.fixture
def ending() -> Iterator[list[Command]]:
    started: list[Command] = []
    yield started
    for command in started:
        command.end()


@pytest.mark.parametrize("executor", ["threads", "serial"])
def test_the_first_is_acknowledged_while_a_slide_is_prepared_and_the_second_ends_at_once(
    slides: list[Path], tmp_path: Path, ending: list[Command], executor: str
) -> None:
    options = (f"run.executor={executor}", "run.slides_in_flight=1")
    command = Command(slides, tmp_path / "out", 600, *(word for option in options for word in ("--set", option)))
    ending.append(command)
    command.wait_for("preparing 1/2: fitting the threshold")
    command.interrupt()
    command.wait_for("interrupted: what is at work is finished and committed first", 20)
    assert command.process.poll() is None
    command.interrupt()
    assert command.process.wait(30) == 130  # of 600 s
    assert not any("Traceback" in line for line in command.lines)
    # nobody was left to write how it ended: each command that comes next says so, and the same one goes on
    assert json.loads((tmp_path / "out/run.json").read_text())["state"] == "running"
    for asked, code in ((("verify",), 4), (("report",), 1), (("export", "--format=geojson"), 1)):
        said = wsi_area(*asked, tmp_path / "out")
        assert (said.code, "has not ended" in said.out + said.err) == (code, True), (said.out, said.err)
        assert "run the same command again" in " ".join((said.out + said.err).split())
    words = (word for option in options for word in ("--set", option))
    assert wsi_area("run", *map(str, slides), "--out", tmp_path / "out", "--no-report", *words).code == 0
    assert json.loads((tmp_path / "out/run.json").read_text())["state"] == "finished"


def test_after_the_first_a_slide_is_left_at_its_next_phase_and_the_same_command_goes_on(
    slides: list[Path], tmp_path: Path
) -> None:
    told: list[Event] = []

    def interrupt(event: Event) -> None:
        told.append(event)
        if isinstance(event, SlidePreparing) and event.phase == "fitting the threshold":
            os.kill(os.getpid(), signal.SIGINT)
            end = time.monotonic() + 30
            while not any(isinstance(event, Stopping) for event in told):  # the main thread is told meanwhile
                assert time.monotonic() < end
                time.sleep(0.01)

    one = ("run.executor=threads", "run.slides_in_flight=1")
    outcome = measure(slides, tmp_path / "out", *one, listener=interrupt)
    assert (outcome.exit_code, outcome.slides) == (130, ())
    assert [event.phase for event in told if isinstance(event, SlidePreparing)][-1] == "fitting the threshold"
    assert json.loads((tmp_path / "out/run.json").read_text())["state"] == "interrupted"
    assert measure(slides, tmp_path / "out", *one).exit_code == 0
