"""run: a log as JSON lines: append-only, flushed line by line; and by what names SLURM knows who writes it."""

import json
import logging
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)
_SLURM_VARIABLES = (
    "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_CLUSTER_NAME",
    "SLURM_JOB_PARTITION", "SLURM_JOB_NODELIST", "SLURM_RESTART_COUNT",
)  # fmt: skip


class LogLines:
    """A file of JSON lines to which whole lines are appended; safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            self._end_torn_line()
        except OSError as error:
            self._give_up(error)

    def _end_torn_line(self) -> None:
        assert self._descriptor is not None
        size_bytes = os.fstat(self._descriptor).st_size
        if size_bytes and os.pread(self._descriptor, 1, size_bytes - 1) != b"\n":
            os.write(self._descriptor, b"\n")

    def _give_up(self, error: OSError) -> None:
        """Go on without a log: one that cannot be written must not cost a result."""
        self.close()
        _LOG.warning("%s cannot be written (%s); the run goes on without a log", self.path, error.strerror or error)

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def write(self, level: str, event: str, slide_id: str | None = None, **facts: Any) -> None:
        """Append one line."""
        if self._descriptor is None:
            return
        line = {"time": datetime.now(UTC).isoformat(), "level": level, "slide": slide_id, "event": event, **facts}
        content = (json.dumps(line, ensure_ascii=False, default=str) + "\n").encode("utf-8", "backslashreplace")
        failure: OSError | None = None
        with self._lock:
            descriptor = self._descriptor
            if descriptor is None:
                return
            try:
                os.write(descriptor, content)  # one call: a line is appended whole, whoever else appends
            except OSError as error:
                failure = error
                self.close()
        if failure is not None:
            self._give_up(failure)


def slurm_ids(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return by what names SLURM knows this process; None outside a job.

    >>> slurm_ids({"SLURM_JOB_ID": "12", "HOME": "/root"})
    {'SLURM_JOB_ID': '12'}
    """
    found = {name: environment[name] for name in _SLURM_VARIABLES if name in environment}
    return found if "SLURM_JOB_ID" in found else None
