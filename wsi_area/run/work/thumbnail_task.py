"""run: the class thumbnail of a slide, made where the slide ends by whoever is free, and kept for the report."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.class_map.class_thumbnail import write_class_thumbnail
from wsi_area.results.documents import document_of
from wsi_area.results.layout import SlideLayout
from wsi_area.results.thumbnail import ThumbnailFrame, read_frame
from wsi_area.run.executors import Executor, TaskLost
from wsi_area.storage.place import Place

_LOG = logging.getLogger(__name__)

_TOLD = ("key", "size_filters", "work", "levels", "classes", "counts")
"""What of a slide's document its picture depends on."""


@dataclass(frozen=True, slots=True)
class ClassThumbnailTask:
    """The class thumbnail of one slide, to be made; small and picklable, so that a worker can make it."""

    slide_dir: Place
    record: Mapping[str, Any]
    frame: ThumbnailFrame


def order_class_thumbnail(layout: SlideLayout, ended: EndedSlide, executor: Executor) -> None:
    """Have the class thumbnail of a slide made and kept; a slide without counts has none.

    It is a task like a batch: the one process that talks to a cluster's workers has enough to do. Where it comes to
    nothing the result stands, and the report makes the picture itself.
    """
    if not isinstance(ended, CountedSlide):
        return
    try:
        why = _why_not_kept(layout, ended, executor)
    except Exception as error:  # a boundary, like the task's own: the measurement does not depend on it
        why = str(error)
    if why is not None:
        _LOG.warning("%s: its classes are not kept as a picture (%s); the report makes it", layout.root.name, why)


def _why_not_kept(layout: SlideLayout, slide: CountedSlide, executor: Executor) -> str | None:
    """Return why the picture was not kept; None where it was, or where there is nothing to go by."""
    frame = read_frame(layout)
    if frame is None:
        return None
    told = {name: value for name, value in document_of(slide).items() if name in _TOLD}
    task = ClassThumbnailTask(layout.root.resolve(), told, frame)
    outcomes = [outcome for _, outcome in executor.map(make_class_thumbnail, [task])]  # none where the run was stopped
    return next((o.message if isinstance(o, TaskLost) else o for o in outcomes), None)


def make_class_thumbnail(task: ClassThumbnailTask) -> str | None:
    """Return why the picture was not kept, None where it was; never raises: it is the boundary of a task."""
    try:
        write_class_thumbnail(SlideLayout(task.slide_dir), task.record, task.frame)
    except Exception as error:  # the boundary: the measurement does not depend on it
        _LOG.debug("%s has no picture of its classes", task.slide_dir, exc_info=True)
        return str(error)
    return None
