"""run: the class thumbnail of a slide, made by whoever is free, and kept for the report."""

import logging

from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.class_thumbnail import write_class_thumbnail
from wsi_area.results.layout import SlideLayout
from wsi_area.results.thumbnail import ThumbnailFrame
from wsi_area.storage.place import Place

_LOG = logging.getLogger(__name__)


@frozen_value
class ClassThumbnailTask:
    """The class thumbnail of one slide, to be made; small and picklable, so that a worker can make it."""

    slide_dir: Place
    slide: CountedSlide  # its picture depends on no more than the key, the filters, the grid, classes and counts
    frame: ThumbnailFrame

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.slide.slide_id


def make_class_thumbnail(task: ClassThumbnailTask) -> str | None:
    """Return the reason why the picture was not kept, None where it was; never raises: it is the boundary of a task."""
    try:
        write_class_thumbnail(SlideLayout(task.slide_dir), task.slide, task.frame)
    except Exception as error:  # the boundary: the measurement does not depend on it
        _LOG.debug("%s has no picture of its classes", task.slide_dir, exc_info=True)
        return str(error)
    return None
