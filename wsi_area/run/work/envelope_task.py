"""run: the envelope of a slide's tissue, from its class map as it was counted; made where the slide ends."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.objects.envelope import envelope, within
from wsi_area.compute.picture.majority_picture import PictureGrid, sample_counts
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import MaskArray
from wsi_area.results.class_map.sparse_class_map import sparse_class_map
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place

MAX_BOXES = 1024
"""Boxes along the longer side: memory and time stay flat in the size of the slide."""
SAMPLE_PX = 4
"""Work pixels that are asked across a box, at least: all of them where there are fewer than 8."""
_TISSUE, _BACKGROUND, _OTHER = 0, 1, 2


@dataclass(frozen=True, slots=True)
class EnvelopeScales:
    """How the envelope is made, µm."""

    closing_um: float
    fill_um: float
    box_um: float


@dataclass(frozen=True, slots=True)
class EnvelopeTask:
    """The envelope of one slide, to be made; small and picklable, so that a worker can make it."""

    slide_dir: Place  # whose class map is final
    slide_id: str
    grid: WorkGrid
    work_mpp: Mpp
    tissue_ids: tuple[int, ...]
    scales: EnvelopeScales


@dataclass(frozen=True, slots=True)
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
    side = box_work_px(task.grid, task.work_mpp, task.scales.box_um)
    columns, rows = (_box_lengths_l0_px(edges, side) for edges in task.grid.edges_l0_px)
    group_of = np.full(256, _OTHER, np.uint8)
    group_of[BACKGROUND_ID] = _BACKGROUND
    group_of[list(task.tissue_ids)] = _TISSUE
    grid = PictureGrid(len(columns), len(rows), float(side), float(side))
    seen, asked = sample_counts(sparse_class_map(SlideLayout(task.slide_dir)), grid, group_of, 3, SAMPLE_PX)
    tissue, background = seen[..., _TISSUE], seen[..., _BACKGROUND]
    # what was never scanned, lies outside or was excluded is no part of it: a box is tissue by what of it was classed
    mask = (tissue > 0) & (2 * tissue.astype(np.int64) >= tissue.astype(np.int64) + background)
    box_um = side * task.work_mpp.x, side * task.work_mpp.y
    # along the rim of the envelope only tissue counts: the envelope of what has no gaps is its own area
    inside = within(envelope(mask, box_um, task.scales.closing_um, task.scales.fill_um))
    shares = background[inside] / np.maximum(asked[inside], 1)
    enclosed = math.fsum((shares * np.outer(rows, columns)[inside]).tolist())
    return EnvelopeOutcome(round(enclosed), box_um, None, side, inside)


def box_work_px(grid: WorkGrid, work_mpp: Mpp, box_um: float, most: int = MAX_BOXES) -> int:
    """Return how many work pixels wide and high a box is: the nearest to the wish, and no more boxes than the most."""
    size, wished = grid.size_px, round(box_um / max(work_mpp.x, work_mpp.y))
    return max(1, wished, -(-max(size.width_px, size.height_px) // most))


def _box_lengths_l0_px(edges: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """Return how many level-0 pixels each box spans along one axis."""
    return np.diff(np.append(edges[:-1:side], edges[-1]))
