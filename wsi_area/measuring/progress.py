"""measuring: what a run shows while it works: a live bar on a terminal or in a notebook, plain lines in a log."""

import re
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wsi_area.measuring.pace import Pace
from wsi_area.plain_text import plain
from wsi_area.run.events import BatchDone, Event, Listener, SlideDone, SlideStarted, Stopping

STOPPING = (
    "interrupted: what is at work is finished and committed first; once more (Ctrl-C) ends at once, and what is "
    "committed is kept"
)

PHASE_LINE_S = 1.5
"""Seconds after which a phase of a slide before its tiles has a line, where there is no terminal."""

PLAIN_LINE_S = 10.0
"""Seconds between two lines of progress where there is no terminal."""

_REASON_CHARACTERS = 60
"""How much of a reason a line of progress has room for."""

_FOLDERS = re.compile(r"(?<!\S)(?:\w+:/)?/\S*/(?=[^\s/])")
"""The folders of a path in a sentence: they would fill the line, and its file would not be told."""

NOTEBOOK_UPDATE_S = 0.2
"""Seconds between two pictures of the bar in a notebook, each of which travels to a browser."""

_MARKS = {"complete": "✓", "estimated": "≈", "incomplete": "!", "needs_calibration": "?", "failed": "✗"}


@contextmanager
def shown_progress(slide_count: int) -> Iterator[Listener]:
    """Yield the listener that shows a run's events on stderr until the run ends, for a command."""
    if sys.stderr.isatty():
        with _live_bar(slide_count) as listener:
            yield listener
    else:
        with _plain_lines(slide_count) as listener:
            yield listener


@contextmanager
def shown_where_somebody_looks(slide_count: int) -> Iterator[Listener]:
    """Yield the listener of a call from Python: a bar in a notebook or on a terminal, nothing in a script's log."""
    if _is_notebook():
        with _notebook_bar(slide_count) as listener:
            yield listener
    elif sys.stderr.isatty():
        with _live_bar(slide_count) as listener:
            yield listener
    else:
        yield lambda event: None


def _is_notebook() -> bool:
    """Return True if a kernel runs this, which a notebook shows the answers of."""
    ipython = sys.modules.get("IPython")  # nobody who has not loaded it is in a notebook
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _notebook_bar(slide_count: int) -> Iterator[Listener]:
    """Yield the listener of a bar below the cell; plain HTML, so that no package must be there for it."""
    from html import escape

    from IPython.display import display

    pace, lock, told_s = Pace(slide_count), threading.Lock(), time.monotonic()

    def shown() -> dict[str, str]:
        text = ", ".join(part for part in (f"{pace.slides_done}/{slide_count} slides", str(pace), pace.phase) if part)
        bar = f'<progress max="1" value="{pace.share:.3f}"></progress> {escape(text)}'
        return {"text/plain": text, "text/html": bar}

    handle: Any = display(shown(), raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def tell(event: Event) -> None:
        nonlocal told_s
        with lock:
            pace.note(event)
            if isinstance(event, SlideDone | Stopping) or time.monotonic() - told_s > NOTEBOOK_UPDATE_S:
                told_s = time.monotonic()
                handle.update(shown(), raw=True)

    yield tell
    handle.update(shown(), raw=True)


@contextmanager
def _plain_lines(slide_count: int) -> Iterator[Listener]:
    pace = Pace(slide_count)
    told_s = time.monotonic()
    lock, ended = threading.Lock(), threading.Event()

    def tell_phases() -> None:
        before = told = ""
        while not ended.wait(PHASE_LINE_S):
            with lock:
                now = pace.phase
            if now == before and now not in ("", told):
                told = now
                print(plain(now), file=sys.stderr, flush=True)
            before = now

    def tell(event: Event) -> None:
        nonlocal told_s
        if isinstance(event, Stopping):
            print(STOPPING, file=sys.stderr, flush=True)
            return
        with lock:
            pace.note(event)
            if isinstance(event, SlideDone):
                print(f"[{pace.slides_done}/{slide_count}] {_sentence(event)}", file=sys.stderr, flush=True)
            elif isinstance(event, BatchDone | SlideStarted) and time.monotonic() - told_s > PLAIN_LINE_S:
                told_s = time.monotonic()
                print(f"[{pace.slides_done}/{slide_count}] {event.slide_id}: {pace}", file=sys.stderr, flush=True)

    teller = threading.Thread(target=tell_phases, name="wsi-area-phases", daemon=True)
    teller.start()
    try:
        yield tell
    finally:
        ended.set()
        teller.join()


def _sentence(event: SlideDone) -> str:
    again = " (already measured)" if event.resumed else ""
    why = _first_words(event.message)
    return plain(f"{event.slide_id}: {event.status}{again}" + (f": {why}" if why else ""))


def _first_words(reason: str) -> str:
    """Return the first words of a reason; all of it is told once, when the run ends.

    >>> _first_words("slides/a.svs: no pixel size; give --mpp")
    'no pixel size …'
    >>> _first_words("/lab/drawn/a.geojson is not JSON that can be read (starting at: line 1); export it again")
    'a.geojson is not JSON that can be read (starting at: line 1) …'
    """
    place, _, what = reason.partition(": ")
    names_place = "/" in place and " " not in place.rpartition("/")[2]  # and is no sentence in which a path stands
    told = what if names_place and what else _FOLDERS.sub("", reason)
    first, more, _ = told.partition("; ")
    short = textwrap.shorten(first, _REASON_CHARACTERS, placeholder=" …")
    return f"{short} …" if more and not short.endswith("…") else short


@contextmanager
def _live_bar(slide_count: int) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[pace]}")]
    pace = Pace(slide_count)
    lock = threading.Lock()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"0/{slide_count} slides", total=1.0, pace="")

        def tell(event: Event) -> None:
            if isinstance(event, Stopping):
                progress.console.print(STOPPING, highlight=False)
                return
            with lock:
                pace.note(event)
                shown = f"{pace.speed} {pace.left}".strip()
                slides = pace.phase or f"{pace.slides_done}/{slide_count} slides"
                progress.update(bar, completed=pace.share, description=slides, pace=shown)
                if isinstance(event, SlideDone):
                    progress.console.print(f"{_MARKS.get(event.status, '·')} {_sentence(event)}", highlight=False)

        yield tell
