"""run: the log of a run as JSON lines: append-only, flushed line by line, no patient data, no network.

A line holds ``time`` (UTC), ``level``, ``slide`` (its id, never its path; null for the run as a whole) and ``event``;
what else it holds depends on the event. A line that a crash tore stays as it is, and the next one begins afresh.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.run.ending import not_complete, what_to_do
from wsi_area.run.run_document import RunOutcome, status_counts, warning_counts
from wsi_area.run.work.log_lines import LogLines
from wsi_area.storage.place import Place, grown

_LEVELS = {
    "complete": "info",
    "estimated": "info",
    "incomplete": "warning",
    "needs_calibration": "warning",
    "failed": "error",
}


class RunLog(LogLines):
    """Where a run says what happens to each slide; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._slide_of_thread = threading.local()

    @contextmanager
    def slide(self, slide_id: str) -> Iterator["SlideLog"]:
        """Say that a slide begins; what this thread logs meanwhile is about it."""
        self._slide_of_thread.name = slide_id
        self.write("info", "slide started", slide_id)
        try:
            yield SlideLog(self, slide_id)
        finally:
            self._slide_of_thread.name = None

    @property
    def slide_of_this_thread(self) -> str | None:
        """Return the slide that this thread is at."""
        return getattr(self._slide_of_thread, "name", None)

    def run_started(self, planned: int, run: RunRecord, **facts: Any) -> None:
        """Say what is about to run."""
        self.write(
            "info", "run started", slides=planned, wsi_area_version=run.wsi_area_version, slurm=run.slurm,
            config_hash=run.config_hash, **facts,
        )  # fmt: skip

    def run_ended(self, outcome: RunOutcome, what_next: str = "") -> None:
        """Say what ran, what did not, why, and what to do; where all went well, what comes next if anything does."""
        self.write(
            "warning" if outcome.exit_code else "info",
            "run ended",
            exit_code=outcome.exit_code,
            statuses=status_counts(outcome.slides),
            not_reached=outcome.planned - len(outcome.slides),
            warnings=warning_counts(outcome.slides),
            not_complete=not_complete(outcome),
            what_to_do=what_next if what_next and not outcome.exit_code else what_to_do(outcome),
        )


class SlideLog:
    """Where the end of one slide is said."""

    def __init__(self, log: RunLog, slide_id: str) -> None:
        self._log, self._slide_id, self._started_s = log, slide_id, time.perf_counter()

    def stopped(self) -> None:
        """Say that the run was stopped before the slide's end."""
        self._log.write("warning", "slide stopped", self._slide_id, seconds=self._seconds())

    def done(self, ended: EndedSlide, resumed: bool) -> None:
        """Say how the slide ended, after each of its tiles that could not be read."""
        tile_errors, findings = (ended.tile_errors, ended.findings) if isinstance(ended, CountedSlide) else ((), ())
        for tile in tile_errors:
            self._log.write("warning", "tile unreadable", self._slide_id, **tile.model_dump())
        self._log.write(
            _LEVELS[ended.status],
            "slide done",
            self._slide_id,
            status=ended.status,
            reason=ended.reason,
            seconds=self._seconds(),
            already_measured=resumed,
            findings=len(findings),
            warnings=[f.code for f in findings if f.severity != "info"],
        )

    def _seconds(self) -> float:
        return round(time.perf_counter() - self._started_s, 3)


class _LogLines(logging.Handler):
    """Copies what the package logs as a warning or worse into the run's log."""

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.WARNING)
        self._run_log = log

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info is not None:
            facts["traceback"] = logging.Formatter().formatException(record.exc_info)
        self._run_log.write(record.levelname.lower(), "log", self._run_log.slide_of_this_thread, **facts)


@contextmanager
def opened_log(path: Place) -> Iterator[RunLog]:
    """Open a run's log, and copy into it what the package warns of until the run ends."""
    with grown(path) as file:
        log = RunLog(file)
        handler = _LogLines(log)
        logger = logging.getLogger("wsi_area")
        logger.addHandler(handler)
        try:
            yield log
        finally:
            logger.removeHandler(handler)
            log.close()
