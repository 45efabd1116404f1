"""A thread that takes too long is told of, also one that begins just when the watcher goes to sleep."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from wsi_area.run.work.deadlines import Deadlines

WAITED_S = 60.0


class Heard(logging.Handler):
    """What was warned of, and an event for the first warning."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.told = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        self.told.set()


class BegunWhileLookedAt(dict[int, tuple[float, float, str]]):
    """Threads at work, of which one begins right after the first look, and sees that somebody watches."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def items(self) -> list[tuple[int, tuple[float, float, str]]]:  # type: ignore[override]
        found = list(super().items())
        self.looks += 1
        if self.looks == 1:
            self[7] = (time.monotonic() - 1000, 0.01, "slide s, tile row 3 col 4")
        return found


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[Heard]:
    handler, log = Heard(), logging.getLogger("wsi_area.run.work.deadlines")
    log.addHandler(handler)
    with caplog.at_level(logging.WARNING, log.name):
        yield handler
    log.removeHandler(handler)


def test_a_thread_that_hangs_is_told_of_with_what_it_is_at(heard: Heard) -> None:
    deadlines, ended = Deadlines(), threading.Event()

    def hang() -> None:
        with deadlines.reporting(0.01, "slide s, tile row 1 col 2"):
            ended.wait(WAITED_S)

    thread = threading.Thread(target=hang)
    thread.start()
    assert heard.told.wait(WAITED_S)
    ended.set()
    thread.join()
    assert "slide s, tile row 1 col 2 has taken more than 0.01 s" in heard.texts[0]


def test_one_that_begins_while_the_watcher_ends_is_watched_all_the_same(heard: Heard) -> None:
    deadlines = Deadlines()
    deadlines._watched = BegunWhileLookedAt()
    deadlines._have_watched(0.01)
    assert heard.told.wait(WAITED_S)
    deadlines._watched.clear()
    assert "slide s, tile row 3 col 4" in heard.texts[0]


def test_a_watcher_with_nobody_at_work_ends_and_the_next_thread_gets_another(heard: Heard) -> None:
    deadlines = Deadlines()
    with deadlines.reporting(0.01, "first"):
        first = deadlines._watcher
    assert first is not None
    first.join(WAITED_S)
    assert deadlines._watcher is None
    with deadlines.reporting(0.01, "second"):
        assert deadlines._watcher not in (None, first)
