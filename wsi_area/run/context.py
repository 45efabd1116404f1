"""run: what all slides of a run share, from where each is read, and how much memory one task of them may use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.slide_settings import settings_of
from wsi_area.inputs.stage_in import wherever_it_is_read
from wsi_area.run.events import Listener
from wsi_area.run.executors.contract import Executor
from wsi_area.settings.run_settings import RunSettings

SHARE_FOR_TASKS = 0.7
"""Of the memory that is there; the rest is for the interpreter, libraries and the file cache."""


@frozen_value
class Context:
    """What all slides of a run share."""

    settings: RunSettings
    executor: Executor
    listener: Listener
    memory_limit_bytes: int  # of one task
    force: bool
    for_report: bool = False  # the picture of its classes is made beside what reads its class map

    def of(self, slide: SlideInput) -> "Context":
        """Return the same with the settings of one slide."""
        return replace(self, settings=settings_of(self.settings, slide))


def context_of(
    settings: RunSettings, executor: Executor, listener: Listener, force: bool, *, for_report: bool = False
) -> Context:
    """Return the facts that all slides share which an executor measures with these settings."""
    limit_mb, workers = settings.run.memory_limit_mb, executor.worker_count
    limit_bytes = task_memory_limit_bytes(limit_mb, workers, executor.task_memory_bytes)
    return Context(settings, executor, listener, limit_bytes, force, for_report)


@contextmanager
def where_to_read(slide: SlideInput, context: Context) -> Iterator[str | None]:
    """Lend the path of a local copy of the slide, None where none is wanted."""
    executor = context.executor
    with wherever_it_is_read(slide.path, context.settings, lambda: executor.is_stopped) as copy:
        try:
            yield copy
        finally:
            if copy is not None:
                executor.close_readers()  # the space of a file is free only when nobody holds it open


def task_memory_limit_bytes(limit_mb: int | None, worker_count: int, worker_allows_bytes: int | None = None) -> int:
    """Return the bytes that one task may use: as set, as its workers allow, or an even share of this machine's."""
    if limit_mb is not None:
        return limit_mb << 20
    if worker_allows_bytes is not None:
        return int(SHARE_FOR_TASKS * worker_allows_bytes)
    return int(SHARE_FOR_TASKS * _memory_bytes()) // worker_count


def _memory_bytes() -> int:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            text = file.read().strip()
    except OSError:
        return physical
    return min(physical, int(text)) if text.isdigit() else physical
