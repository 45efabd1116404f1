"""run: a large overview in parts, each a task: of a slide with a single level, all of level 0 is decoded for it."""

import logging
import time
from collections.abc import Sequence

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import Overview
from wsi_area.model.slide import SlideInfo
from wsi_area.run.work.deadlines import deadline
from wsi_area.slides import (
    BoxSums,
    LaneDecision,
    overview_lane,
    overview_level,
    overview_of,
    overview_parts,
    read_part,
)

_LOG = logging.getLogger(__name__)

PART_PX = 1 << 25
"""Pixels of a part: a tenth of a second of decoding, or more."""
LARGE_PX = 1 << 27
"""A level with fewer pixels is read by one task: what that takes is less than what more tasks cost a busy run."""


@frozen_value
class OverviewPartTask:
    """Some rows of the level that an overview is made from; small and picklable, so that a worker can do it."""

    info: SlideInfo
    lane: str
    level: int
    rows_px: tuple[int, int]  # first and end row of the level
    timeout_s: float
    in_worker: bool  # in a process that may be ended where the slide hangs

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.info.slide_id


@frozen_value(eq=False)
class OverviewPart:
    """What a part sends back; ``error`` and ``message`` are set where it came to nothing."""

    sums: BoxSums | None
    cpu_s: float
    error: str = ""  # the name of the error
    message: str = ""


@frozen_value
class OverviewWanted:
    """A slide that is open, and of which the parts of a large overview are to be read before it can be prepared."""

    info: SlideInfo
    lane: LaneDecision
    tasks: tuple[OverviewPartTask, ...]
    cpu_s: float = 0.0  # until here


@frozen_value(eq=False)
class OverviewSeen:
    """A slide that is open, with its overview, read in parts."""

    info: SlideInfo
    lane: LaneDecision
    overview: Overview
    cpu_s: float  # until here


def overview_wanted(
    info: SlideInfo, lane: LaneDecision, usable_levels: Sequence[int], timeout_s: float, in_worker: bool
) -> OverviewWanted | None:
    """Return the parts that are to be read; None where the overview is small, or the picture is decoded whole."""
    level = overview_level(info, usable_levels=usable_levels)
    if lane.lane == "plain" or info.levels[level].size_px.area_px < LARGE_PX:
        return None
    by = overview_lane(info, lane.lane, usable_levels)
    rows = overview_parts(info, level, PART_PX)
    return OverviewWanted(
        info, lane, tuple(OverviewPartTask(info, by, level, some, timeout_s, in_worker) for some in rows)
    )


def read_overview_part(task: OverviewPartTask) -> OverviewPart:
    """Return one part of an overview; never raises: it is the boundary of a task."""
    started = time.thread_time()
    try:
        with deadline(task.timeout_s, f"{task.slide_id}: its overview", ends_process=task.in_worker):
            sums = read_part(task.info, task.lane, task.level, task.rows_px)
    except Exception as error:  # the boundary: a failure becomes this slide's final status
        _LOG.debug("%s: its overview cannot be read", task.info.path, exc_info=True)
        return OverviewPart(None, time.thread_time() - started, type(error).__name__, str(error))
    return OverviewPart(sums, time.thread_time() - started)


def overview_seen(wanted: OverviewWanted, parts: Sequence[OverviewPart]) -> OverviewSeen:
    """Return the overview of which all parts were read."""
    sums = [part.sums for part in parts if part.sums is not None]
    overview = overview_of(wanted.info, wanted.tasks[0].level, sums)
    return OverviewSeen(wanted.info, wanted.lane, overview, wanted.cpu_s + sum(part.cpu_s for part in parts))
