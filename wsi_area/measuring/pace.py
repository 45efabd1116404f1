"""measuring: how far a run has come, how fast it is, and how long it will still take; shows nothing."""

import time
from collections.abc import Callable

from wsi_area.run.events import BatchDone, Event, SlideDone, SlidePreparing, SlideStarted

_SURE_S = 5.0
"""Seconds of work before a time that is left means anything: kernels are loaded, and the first batch is none."""


class Pace:
    """How far a run has come, and how fast; a slide that nobody has looked at yet counts as much as any other."""

    def __init__(self, slide_count: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started_s: float | None = None  # when there was something to measure at last
        self._slides: dict[str, list[int]] = {}  # of each that was begun: its tiles, and how many are done
        self._slide_count = slide_count
        self._share_before = 0.0  # of the run, that an earlier one had done
        self._level_px = 0
        self._looked_at: dict[str, str] = {}  # of each slide before its tiles: what is done to it
        self._seen: dict[str, int] = {}  # the number of each slide, as somebody began to look at them
        self.slides_done = 0

    def note(self, event: Event) -> None:
        """Take in what has happened."""
        if self._started_s is None and _is_work(event):
            self._started_s = self._clock()
        if isinstance(event, SlidePreparing):
            self._seen.setdefault(event.slide_id, len(self._seen) + 1)
            self._looked_at.pop(event.slide_id, None)  # so that the newest is last
            self._looked_at[event.slide_id] = event.phase
        if isinstance(event, SlideStarted | SlideDone):
            self._looked_at.pop(event.slide_id, None)
        if isinstance(event, SlideStarted):
            self._slides[event.slide_id] = [max(1, event.tiles), event.tiles_done]
            self._share_before += event.tiles_done / max(1, event.tiles) / self._slide_count
        elif isinstance(event, BatchDone):
            self._slides.setdefault(event.slide_id, [max(1, event.tiles), 0])[1] += event.tiles
            self._level_px += event.level_px
        elif isinstance(event, SlideDone):
            tiles, done = self._slides.get(event.slide_id, [1, 0])
            if event.resumed:
                self._share_before += (1 - min(done, tiles) / tiles) / self._slide_count
            self._slides[event.slide_id] = [tiles, tiles]
            self.slides_done += 1

    @property
    def share(self) -> float:
        """Return the share of the run that is done, 0 to 1, each slide taken as alike."""
        return sum(min(done, tiles) / tiles for tiles, done in self._slides.values()) / self._slide_count

    @property
    def phase(self) -> str:
        """Return the phase of the slide that was begun last, before its tiles; empty if that is no slide."""
        if not self._looked_at:
            return ""
        slide_id, phase = list(self._looked_at.items())[-1]
        return f"preparing {self._seen[slide_id]}/{self._slide_count}: {phase}"

    @property
    def speed(self) -> str:
        """Return the megapixels of a level that are read in a second; empty while nothing was."""
        if not self._level_px or self._worked_s < _SURE_S:
            return ""
        mpx_per_s = self._level_px / 1e6 / self._worked_s
        return f"{mpx_per_s:.0f} Mpx/s" if mpx_per_s >= 10 else f"{mpx_per_s:.2g} Mpx/s"

    @property
    def left(self) -> str:
        """Return the time that it still takes, as far as slides to come are like those before; empty if unsure."""
        fresh = self.share - self._share_before
        if fresh <= 0 or self.share >= 1 or self._worked_s < _SURE_S:
            return ""
        return f"about {_time_text(self._worked_s / fresh * (1 - self.share))} left"

    @property
    def _worked_s(self) -> float:
        return 0.0 if self._started_s is None else self._clock() - self._started_s

    def __str__(self) -> str:
        parts = (f"{self.share:.0%} of the run", self.speed, self.left)
        return ", ".join(part for part in parts if part)


def _is_work(event: Event) -> bool:
    """Return True if this says that tiles are measured now, not that an earlier run had measured them."""
    return isinstance(event, BatchDone) or (isinstance(event, SlideStarted) and event.tiles_done < event.tiles)


def _time_text(seconds: float) -> str:
    """Return a duration as one would say it.

    >>> _time_text(41.2), _time_text(400), _time_text(20_000)
    ('41 s', '7 min', '5.6 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
