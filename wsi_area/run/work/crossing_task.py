"""run: one batch of a class map counted against the tissue layer of its slide."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.frozen_value import frozen_value
from wsi_area.results.class_map.crossing import Crossing, Enclosed
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place


@frozen_value
class CrossingJob:
    """What the batches of one slide have in common."""

    slide_id: str
    slide_dir: Place  # whose class map and tissue layer are final
    grid: WorkGrid
    class_count: int
    layer_class_count: int
    batch_tiles: int
    enclosed: Enclosed | None


@frozen_value
class CrossingTask:
    """One batch, by its row and column."""

    job: CrossingJob
    row: int
    col: int

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.job.slide_id


@frozen_value
class CrossingOutcome:
    """What a task sends back; ``error`` is set where it came to nothing."""

    n_px: NDArray[np.int64]  # (classes + 3, classes of the layer + 4), level-0 px
    error: str | None = None


def cross_batch(task: CrossingTask) -> CrossingOutcome:
    """Return one batch counted against the layer; never raises: it is the boundary of a task."""
    job = task.job
    try:
        layout = SlideLayout(job.slide_dir)
        crossing = Crossing.of(layout, job.grid, job.class_count, job.layer_class_count, job.enclosed)
        return CrossingOutcome(crossing.counted(task.row, task.col, job.batch_tiles))
    except Exception as error:  # the one place: see the docstring
        where = f"{job.slide_id}, tissue under batch row {task.row} col {task.col}"
        return CrossingOutcome(np.zeros((0, 0), np.int64), f"{where}: {type(error).__name__}: {error}")
