"""run: the class thumbnail of a slide, ordered where the slide ends and kept for the report."""

import logging

from wsi_area.model.pixels import ClassMap
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.class_map.class_thumbnail import write_class_thumbnail
from wsi_area.results.layout import SlideLayout
from wsi_area.results.thumbnail import read_frame
from wsi_area.run.executors.contract import Executor, TaskLost
from wsi_area.run.work.thumbnail_task import ClassThumbnailTask, make_class_thumbnail

_LOG = logging.getLogger(__name__)


def keep_class_thumbnail(layout: SlideLayout, slide: CountedSlide, picture: ClassMap) -> None:
    """Keep the class thumbnail that was made beside something else; what comes of it is for who orders it to say."""
    try:
        frame = read_frame(layout)
        if frame is not None:
            write_class_thumbnail(layout, slide, frame, picture)
    except Exception:  # a boundary: the measurement does not depend on it, and the order makes it anew
        _LOG.debug("%s: the picture of its classes is not kept", layout.slide_id, exc_info=True)


def order_class_thumbnail(layout: SlideLayout, ended: EndedSlide, executor: Executor) -> None:
    """Have the class thumbnail of a slide made and kept; a slide without counts has none.

    It is a task like a batch: the one process that talks to a cluster's workers has enough to do. Where it comes to
    nothing the result stands, and the report makes the picture itself.
    """
    if not isinstance(ended, CountedSlide) or ended.estimate is not None:
        return
    try:
        why = _why_not_kept(layout, ended, executor)
    except Exception as error:  # a boundary, like the task's own: the measurement does not depend on it
        why = str(error)
    if why is not None:
        _LOG.warning("%s: its classes are not kept as a picture (%s); the report makes it", layout.slide_id, why)


def _why_not_kept(layout: SlideLayout, slide: CountedSlide, executor: Executor) -> str | None:
    """Return the reason why the picture was not kept; None where it was, or where there is nothing to go by."""
    frame = read_frame(layout)
    if frame is None:
        return None
    small = slide.model_copy(update={"foci": None, "segmenter": slide.segmenter.model_copy(update={"facts": {}})})
    task = ClassThumbnailTask(layout.root.resolve(), small, frame)
    outcomes = [outcome for _, outcome in executor.map(make_class_thumbnail, [task])]  # none where the run was stopped
    return next((o.message if isinstance(o, TaskLost) else o for o in outcomes), None)
