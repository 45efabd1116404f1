"""run: the picture of a slide's classes, made where the slide ends by whoever is free, and kept for the report."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wsi_area.errors import ResultError
from wsi_area.results.kept_picture import keep_class_picture
from wsi_area.results.layout import SlideLayout
from wsi_area.results.place import Place
from wsi_area.results.record import is_counted
from wsi_area.results.thumbnail import ThumbnailFrame, read_frame
from wsi_area.run.executors import Executor, TaskLost

_LOG = logging.getLogger(__name__)

_TOLD = ("key", "size_filters", "work", "levels", "classes", "counts")
"""What of a slide's document its picture depends on."""


@dataclass(frozen=True, slots=True)
class PictureTask:
    """The picture of one slide; small and picklable, so that a worker can make it."""

    slide_dir: Place
    record: Mapping[str, Any]
    frame: ThumbnailFrame


def keep_picture(layout: SlideLayout, record: Mapping[str, Any], executor: Executor) -> None:
    """Have the picture of a slide's classes kept; a slide without counts has none.

    It is a task like a batch: the one process that talks to a cluster's workers has enough to do. Where it comes to
    nothing the result stands, and the report makes the picture itself.
    """
    if not is_counted(record):
        return
    try:
        frame = read_frame(layout)
    except ResultError as error:
        _LOG.warning("%s", error)
        return
    if frame is None:
        return
    task = PictureTask(layout.root.resolve(), {name: record[name] for name in _TOLD}, frame)
    for _, outcome in executor.map(kept_picture, [task]):
        why = outcome.message if isinstance(outcome, TaskLost) else outcome
        if why is not None:
            _LOG.warning("%s: its classes are not kept as a picture (%s); the report makes it", layout.root.name, why)


def kept_picture(task: PictureTask) -> str | None:
    """Return why the picture was not kept, None where it was; never raises: it is the boundary of a task."""
    try:
        keep_class_picture(SlideLayout(task.slide_dir), task.record, task.frame)
    except Exception as error:  # the boundary: the measurement does not depend on it
        _LOG.debug("%s has no picture of its classes", task.slide_dir, exc_info=True)
        return str(error)
    return None
