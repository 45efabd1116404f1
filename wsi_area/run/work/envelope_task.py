"""run: the envelope of a slide's tissue, from its class map as it was counted; made where the slide ends."""

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.pixels import MaskArray
from wsi_area.results.class_map.enclosed import EnvelopeRule, enclosed_background
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place

MAX_BOXES = 1024
"""Boxes along the longer side: memory and time stay flat in the size of the slide."""


@frozen_value
class EnvelopeScales:
    """How the envelope is made, µm."""

    closing_um: float
    fill_um: float
    box_um: float


@frozen_value
class EnvelopeTask:
    """The envelope of one slide, to be made; small and picklable, so that a worker can make it."""

    slide_dir: Place  # whose class map is final
    slide_id: str
    grid: WorkGrid
    work_mpp: Mpp
    tissue_ids: tuple[int, ...]
    scales: EnvelopeScales


@frozen_value
class EnvelopeOutcome:
    """What the task sends back; ``error`` is set where it came to nothing."""

    enclosed_px: int  # level-0 px of background within the envelope
    box_um: tuple[float, float]
    error: str | None = None
    side_work_px: int = 0  # of a box
    boxes: MaskArray | None = None  # bool (rows, columns), True where the background of a box is in the envelope


def make_envelope(task: EnvelopeTask) -> EnvelopeOutcome:
    """Return the background that the envelope encloses; never raises: it is the boundary of a task."""
    try:
        return _made(task)
    except Exception as error:  # the one place: see the docstring
        name = task.slide_id
        return EnvelopeOutcome(0, (0.0, 0.0), f"{name}, tissue envelope: {type(error).__name__}: {error}")


def _made(task: EnvelopeTask) -> EnvelopeOutcome:
    scales, side = task.scales, box_work_px(task.grid, task.work_mpp, task.scales.box_um)
    rule = EnvelopeRule(side, (side * task.work_mpp.x, side * task.work_mpp.y), scales.closing_um, scales.fill_um)
    made = enclosed_background(SlideLayout(task.slide_dir), task.grid, task.tissue_ids, rule)
    return EnvelopeOutcome(made.n_px, rule.box_um, None, side, made.boxes)


def box_work_px(grid: WorkGrid, work_mpp: Mpp, box_um: float, most: int = MAX_BOXES) -> int:
    """Return the width and height of a box in work pixels: the nearest to the wish, and no more boxes than the most."""
    size, wished = grid.size_px, round(box_um / max(work_mpp.x, work_mpp.y))
    return max(1, wished, -(-max(size.width_px, size.height_px) // most))
