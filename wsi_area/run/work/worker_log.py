"""run: what a worker process says of its tasks, as JSON lines in a file of its own beside the run's log.

The coordinator's ``run.jsonl`` says how slides ended; here stands who did which batch, and what was warned of in it,
with slide and tiles. One line is written as a task begins and one as it ends: the last line of a worker that was
killed names what it died of.
"""

import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wsi_area.compute.cut.grid import batch_tiles_at
from wsi_area.run.work.crashing_tiles import IsolateTask
from wsi_area.run.work.isolation import Apart
from wsi_area.run.work.log_lines import LogLines, slurm_ids
from wsi_area.run.work.object_task import CommitTask, FociTask
from wsi_area.run.work.slide_job import BatchResult, BatchTask

_introduced: set[Path] = set()
"""The logs in which this process has said who it is."""


def logged_call(function: Callable[[Any], Any], item: Any, folder: str) -> Any:
    """Return the result of the function; what it was, and how it went, is written into the worker's log."""
    path = Path(folder) / f"worker-{platform.node()}-{os.getpid()}.jsonl"
    log = LogLines(path)
    try:
        if path not in _introduced:
            _introduced.add(path)
            log.write("info", "worker started", host=platform.node(), pid=os.getpid(), slurm=slurm_ids(os.environ))
        slide_id, facts = about(item)
        what = function.__name__
        with _warnings_to(log, slide_id, facts):
            log.write("info", "task started", slide_id, task=what, **facts)
            started, started_cpu = time.perf_counter(), time.thread_time()
            outcome = function(item)
            facts = {**facts, "seconds": round(time.perf_counter() - started, 3)}
            log_outcome(log, slide_id, what, outcome, {**facts, "cpu_s": round(time.thread_time() - started_cpu, 3)})
        return outcome
    finally:
        log.close()


def log_outcome(log: LogLines, slide_id: str | None, task: str, outcome: Any, facts: dict[str, Any]) -> None:
    """Say how a task ended, after each of its tiles that could not be measured."""
    if isinstance(outcome, BatchResult):
        for failure in outcome.failures:
            log.write("warning", "tile unreadable", slide_id, row=failure.row, col=failure.col, message=failure.message)
        facts = {**facts, "tiles": outcome.tiles_done}
    error = getattr(outcome, "error", None)
    if error is None:
        log.write("info", "task done", slide_id, task=task, **facts)
    else:
        message = getattr(outcome, "message", None)
        log.write("error", "task failed", slide_id, task=task, error=error, message=message, **facts)


def about(item: Any) -> tuple[str | None, dict[str, Any]]:
    """Return the slide that a task is about, and its batch with the rows and columns of its tiles."""
    while isinstance(item, Apart | IsolateTask):
        item = item.item if isinstance(item, Apart) else item.batch
    slide_id = getattr(item, "slide_id", None)  # which every type of task has
    if isinstance(item, FociTask | CommitTask):
        item = item.box  # the batch that they are about
    plan = item.job.plan if isinstance(item, BatchTask) else getattr(item, "plan", None)
    if plan is None or not hasattr(item, "batch"):  # it is about all of the slide, or a box that is no batch
        return slide_id, {}
    rows, cols = batch_tiles_at(plan, item.batch)
    return slide_id, {
        "batch": item.batch,
        "tile_rows": [rows[0], rows[-1]],
        "tile_cols": [cols[0], cols[-1]],
    }


@contextmanager
def _warnings_to(log: LogLines, slide_id: str | None, facts: dict[str, Any]) -> Iterator[None]:
    """Copy what the package warns of in this thread into the log, with the slide and the batch it is at."""
    handler = _Copied(log, slide_id, facts)
    logger = logging.getLogger("wsi_area")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Copied(logging.Handler):
    def __init__(self, log: LogLines, slide_id: str | None, facts: dict[str, Any]) -> None:
        super().__init__(logging.WARNING)
        self._log, self._slide_id, self._facts, self._thread = log, slide_id, facts, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread:
            return  # another task of this process, which has a handler of its own
        message = {"logger": record.name, "message": record.getMessage()}
        self._log.write(record.levelname.lower(), "log", self._slide_id, **message, **self._facts)
