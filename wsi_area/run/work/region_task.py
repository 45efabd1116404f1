"""run: one task of the pass over named regions: a box of the class map, and what of it lies in each region."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.regions.boundaries import Edges
from wsi_area.compute.regions.tally import BoxTally, Groups
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.geometry import Region
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.layered_map import LayeredMap
from wsi_area.results.class_map.region_boxes import tally_at
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place


@frozen_value(eq=False)
class RegionTask:
    """One batch of one slide, and the regions that meet it; small and picklable, so that a worker can do it."""

    plan: SlidePlan
    scheme: ClassScheme
    slide_dir: Place  # whose class map is final
    batch: int
    box_work_px: Region
    edges: Edges  # of the outlines that decide in this box
    masks: tuple[tuple[DrawnMask, NDArray[np.int32]], ...]  # each with the region of each of its 256 codes

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.plan.slide.slide_id


@frozen_value(eq=False)
class RegionOutcome:
    """What a task sends back; ``error`` is set where it came to nothing."""

    batch: int
    found: BoxTally | None
    error: str | None = None


def tally_batch(task: RegionTask) -> RegionOutcome:
    """Return the counts of one batch in each region; never raises: it is the boundary of a task."""
    try:
        layered = LayeredMap.of(SlideLayout(task.slide_dir), task.plan, task.scheme)
        where = divmod(task.batch, task.plan.batch_cols)
        return RegionOutcome(
            task.batch, tally_at(layered, where, task.box_work_px, Groups.of(task.scheme), task.edges, task.masks)
        )
    except Exception as error:  # the one place: see the docstring
        told = f"{task.plan.slide.slide_id}, regions of batch {task.batch}: {type(error).__name__}: {error}"
        return RegionOutcome(task.batch, None, told)
