"""cli: what a run shows while it works, on stderr: a live bar on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from wsi_area.run.events import BatchDone, Event, Listener, SlideDone, SlideStarted

PLAIN_LINE_S = 10.0
"""Seconds between two lines of progress where there is no terminal."""

_MARKS = {"complete": "✓", "incomplete": "!", "needs_calibration": "?", "failed": "✗"}


@contextmanager
def shown_progress(slide_count: int) -> Iterator[Listener]:
    """Yield the listener that shows a run's events until the run ends."""
    if sys.stderr.isatty():
        with _live_bar(slide_count) as listener:
            yield listener
    else:
        yield _plain_lines(slide_count)


def _plain_lines(slide_count: int) -> Listener:
    done = 0
    pace = _Pace()
    told_s = time.monotonic()
    lock = threading.Lock()

    def tell(event: Event) -> None:
        nonlocal done, told_s
        with lock:
            pace.note(event)
            if isinstance(event, SlideDone):
                done += 1
                print(f"[{done}/{slide_count}] {_sentence(event)}", file=sys.stderr, flush=True)
            elif time.monotonic() - told_s > PLAIN_LINE_S:
                told_s = time.monotonic()
                print(f"[{done}/{slide_count}] {event.slide_id}: {pace}", file=sys.stderr, flush=True)

    return tell


class _Pace:
    """How far the slides that were begun have come, and how fast."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()
        self._tiles = self._tiles_done = self._tiles_before = self._level_px = 0

    def note(self, event: Event) -> None:
        if isinstance(event, SlideStarted):
            self._tiles += event.tiles
            self._tiles_done += event.tiles_done
            self._tiles_before += event.tiles_done
        elif isinstance(event, BatchDone):
            self._tiles_done += event.tiles
            self._level_px += event.level_px

    def __str__(self) -> str:
        elapsed_s = time.monotonic() - self._started_s
        measured = self._tiles_done - self._tiles_before
        left = f"{elapsed_s / measured * (self._tiles - self._tiles_done):.0f} s left" if measured else "just begun"
        return f"{self._tiles_done} of {self._tiles} tiles, {self._level_px / 1e6 / elapsed_s:.0f} Mpx/s, {left}"


def _sentence(event: SlideDone) -> str:
    again = " (already measured)" if event.resumed else ""
    return f"{event.slide_id}: {event.status}{again}" + (f": {event.message}" if event.message else "")


@contextmanager
def _live_bar(slide_count: int) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tiles  {task.fields[rate]:.0f} Mpx/s"),
        TimeRemainingColumn(),
    ]
    started = time.monotonic()
    decoded_px = 0
    done = 0
    lock = threading.Lock()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"0/{slide_count} slides", total=0, rate=0.0)

        def tell(event: Event) -> None:
            nonlocal decoded_px, done
            with lock:
                task = progress.tasks[0]
                match event:
                    case SlideStarted():
                        progress.update(bar, total=(task.total or 0) + event.tiles, advance=event.tiles_done)
                    case BatchDone():
                        decoded_px += event.level_px
                        rate = decoded_px / 1e6 / max(time.monotonic() - started, 1e-3)
                        progress.update(
                            bar,
                            advance=event.tiles,
                            rate=rate,
                            description=f"{done}/{slide_count} slides · {event.slide_id}",
                        )
                    case SlideDone():
                        done += 1
                        progress.update(bar, description=f"{done}/{slide_count} slides")
                        progress.console.print(f"{_MARKS.get(event.status, '·')} {_sentence(event)}", highlight=False)

        yield tell
