"""run: the pieces of tissue and the cores of a slide, found on its class map where that is final."""

from collections.abc import Iterator

import numpy as np
import shapely

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.picture.majority_picture import PictureGrid, sample_counts
from wsi_area.compute.sections.boxes import TissueBoxes
from wsi_area.compute.sections.cores import CoreGrid, CoreLimits, MapCore, find_cores, given_cores
from wsi_area.compute.sections.pieces import find_pieces
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import BACKGROUND_ID, MAX_CLASS_ID
from wsi_area.model.drawn import NamedRegion
from wsi_area.results.class_map.sparse_class_map import sparse_class_map
from wsi_area.results.layout import SlideLayout
from wsi_area.run.work.map_task import box_work_px
from wsi_area.storage.place import Place

MAX_BOXES = 2048
"""Boxes along the longer side: memory and time stay flat in the size of the slide."""
SAMPLE_PX = 4
"""Work pixels that are asked across a box, at least: all of them where there are fewer than 8."""
_BOXES_A_CORE = 16
_LEAST_BOXES_A_CORE = 8
_TISSUE, _BACKGROUND, _OTHER, _UNSEEN = 0, 1, 2, 3
_CIRCLE_SIDES = 128


@frozen_value
class PieceRule:
    """How pieces of tissue are found."""

    closing_um: float
    min_mm2: float
    box_um: float


@frozen_value
class ArrayRule:
    """Which cores an array has, and how they are found."""

    limits: CoreLimits
    wanted: tuple[MapCore, ...]
    is_given: bool  # the centres of the cores are known


@frozen_value
class SectionsTask:
    """The pieces and cores of one slide, to be found; small and picklable, so that a worker can do it."""

    slide_dir: Place  # whose class map is final, that of the tissue layer where there is one
    slide_id: str
    grid: WorkGrid
    work_mpp: Mpp
    mpp: Mpp  # per level-0 pixel
    tissue_ids: tuple[int, ...]
    pieces: PieceRule | None
    array: ArrayRule | None


@frozen_value
class SectionsOutcome:
    """What the task sends back; ``error`` is set where it came to nothing."""

    regions: tuple[NamedRegion, ...]
    cores: CoreGrid | None = None
    error: str | None = None


def find_sections(task: SectionsTask) -> SectionsOutcome:
    """Return the pieces and cores of a slide as regions; never raises: it is the boundary of a task."""
    try:
        regions: list[NamedRegion] = []
        if task.pieces is not None:
            regions += _pieces(_boxes(task, task.pieces.box_um), task.pieces)
        cores = None
        if task.array is not None:
            boxes = _boxes(task, task.array.limits.core_um / _BOXES_A_CORE)
            cores = _cores(boxes, task.array)
            regions += _core_regions(boxes, cores, task.array.limits.core_um)
        return SectionsOutcome(tuple(regions), cores)
    except Exception as error:  # the one place: see the docstring
        return SectionsOutcome((), None, f"{task.slide_id}, pieces and cores: {type(error).__name__}: {error}")


def _boxes(task: SectionsTask, box_um: float) -> TissueBoxes:
    side = box_work_px(task.grid, task.work_mpp, box_um, MAX_BOXES)
    columns, rows = (np.append(edges[:-1:side], edges[-1]) for edges in task.grid.edges_l0_px)
    group_of = np.full(256, _UNSEEN, np.uint8)
    group_of[: MAX_CLASS_ID + 1] = _OTHER
    group_of[BACKGROUND_ID] = _BACKGROUND
    group_of[list(task.tissue_ids)] = _TISSUE
    grid = PictureGrid(len(columns) - 1, len(rows) - 1, float(side), float(side))
    seen, asked = sample_counts(sparse_class_map(SlideLayout(task.slide_dir)), grid, group_of, 4, SAMPLE_PX)
    tissue = seen[..., _TISSUE].astype(np.int64)
    classed = seen[..., :_UNSEEN].sum(axis=-1, dtype=np.int64)
    return TissueBoxes(
        tissue / np.maximum(asked, 1), (tissue > 0) & (2 * tissue >= classed), seen[..., _UNSEEN] > 0, columns, rows,
        task.mpp,
    )  # fmt: skip


def _pieces(boxes: TissueBoxes, rule: PieceRule) -> Iterator[NamedRegion]:
    pieces = find_pieces(boxes, rule.closing_um, rule.min_mm2)
    for piece in pieces:
        yield NamedRegion(
            f"section {piece.number}", f"section {piece.number}", "section", "", "found",
            "cut" if piece.is_cut else "", piece.outline_l0_px.wkb,
        )  # fmt: skip
    rest = boxes.slide_l0_px.difference(shapely.union_all([piece.outline_l0_px for piece in pieces]))
    if not rest.is_empty:
        yield NamedRegion("section rest", "rest", "section", "", "found", "rest", rest.wkb)


def _cores(boxes: TissueBoxes, rule: ArrayRule) -> CoreGrid:
    if rule.is_given:
        return given_cores(boxes, rule.wanted, rule.limits)
    if max(boxes.box_um) * _LEAST_BOXES_A_CORE > rule.limits.core_um:
        told = (
            f"cores of {rule.limits.core_um:g} µm are too small to be found on a slide with boxes of "
            f"{max(boxes.box_um):.0f} µm, {_LEAST_BOXES_A_CORE} of which go across a core at least"
        )
        return CoreGrid((), told)
    return find_cores(boxes, rule.wanted, rule.limits)


def _core_regions(boxes: TissueBoxes, grid: CoreGrid, core_um: float) -> Iterator[NamedRegion]:
    discs = [_disc_l0_px(core.x_um, core.y_um, core_um, boxes.mpp) for core in grid.cores]
    for core, disc in zip(grid.cores, discs, strict=True):
        status = "" if core.status == "complete" else core.status
        yield NamedRegion(f"core {core.name}", core.name, "core", core.patient, "found", status, disc.wkb)
    rest = boxes.slide_l0_px.difference(shapely.union_all(discs))
    if discs and not rest.is_empty:
        yield NamedRegion("core rest", "rest", "core", "", "found", "rest", rest.wkb)


def _disc_l0_px(x_um: float, y_um: float, diameter_um: float, mpp: Mpp) -> shapely.Geometry:
    """Return a disc as a polygon with exactly its area, in level-0 px."""
    angle = np.arange(_CIRCLE_SIDES) * 2 * np.pi / _CIRCLE_SIDES
    radius = diameter_um / 2 * np.sqrt(2 * np.pi / _CIRCLE_SIDES / np.sin(2 * np.pi / _CIRCLE_SIDES))
    return shapely.Polygon(
        np.column_stack([(x_um + radius * np.cos(angle)) / mpp.x, (y_um + radius * np.sin(angle)) / mpp.y])
    )
