"""run: how much of a slide lies in boxes of its overview that enough tissue covers, from the class map as counted."""

import numpy as np

from wsi_area.compute.picture.majority_picture import PictureGrid, sample_counts
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.results.class_map.sparse_class_map import sparse_class_map
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place

_BACKGROUND, _TISSUE, _OTHER = 0, 1, 2


@frozen_value
class OverviewBoxesTask:
    """The boxes of one slide, to be looked at; small and picklable, so that a worker can do it."""

    slide_dir: Place  # whose class map is final
    slide_id: str
    class_count: int
    box_x_work_px: float
    box_y_work_px: float
    least_cover: float  # share of a box


@frozen_value
class OverviewBoxes:
    """What the task sends back; ``error`` is set where it came to nothing."""

    share: float | None  # of what was scanned, in boxes that enough tissue covers; None where nothing was scanned
    error: str | None = None


def look_at_boxes(task: OverviewBoxesTask) -> OverviewBoxes:
    """Return the share that lies in boxes with enough tissue; never raises: it is the boundary of a task."""
    try:
        return _looked_at(task)
    except Exception as error:  # the one place: see the docstring
        return OverviewBoxes(None, f"{task.slide_id}, boxes of its overview: {type(error).__name__}: {error}")


def _looked_at(task: OverviewBoxesTask) -> OverviewBoxes:
    class_map = sparse_class_map(SlideLayout(task.slide_dir))
    height, width = class_map.shape
    columns, rows = (max(1, round(n / box)) for n, box in ((width, task.box_x_work_px), (height, task.box_y_work_px)))
    group_of = np.full(256, _OTHER, np.uint8)
    group_of[: task.class_count] = _TISSUE
    group_of[BACKGROUND_ID] = _BACKGROUND
    seen, _ = sample_counts(class_map, PictureGrid(columns, rows, width / columns, height / rows), group_of, 3)
    tissue = seen[..., _TISSUE]
    scanned = tissue + seen[..., _BACKGROUND]  # at most what was asked, which fits into as many bits
    covered = tissue > task.least_cover * scanned
    in_all, in_covered = int(scanned.sum()), int(scanned.sum(where=covered))
    return OverviewBoxes(in_covered / in_all if in_all else None)
