"""run: one task of a pass over a slide's class map: read a shard, bring it to its stage, describe or write it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.edges import AreaIds, boundary_edges
from wsi_area.compute.cut.grid import batch_box, batch_tiles_at, tile_areas_l0_px, work_edges_l0_px
from wsi_area.compute.objects.components import Box, FociSummary, summarise_foci
from wsi_area.compute.objects.run_lengths import BoxRuns, background_runs, class_map_of, runs_of, tally_tiles
from wsi_area.compute.objects.size_filter import SizeStage, StageSummary, apply_stage, summarise_stage
from wsi_area.errors import CountMismatchError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.geometry import Region
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.pixels import ClassMap
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.shard import encoded_tiles
from wsi_area.results.class_map.sparse_class_map import class_map_box
from wsi_area.results.class_map.store import commit_batch
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place

Ints = NDArray[np.int64]


@frozen_value
class BoxTask:
    """One batch of one slide, and how far the filters have come."""

    plan: SlidePlan
    slide_dir: Place  # whose class map is read
    batch: int
    stages: tuple[SizeStage, ...] = ()
    decided: tuple[NDArray[np.int16], ...] = ()  # of the first stages: what becomes of the parts at the seams

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.plan.slide.slide_id


@frozen_value
class FociTask:
    """One batch whose foci are to be described."""

    box: BoxTask
    class_ids: tuple[int, ...]
    mpp: Mpp | None

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.box.slide_id


@frozen_value
class CommitTask:
    """One batch to be written as the filters leave it."""

    box: BoxTask
    out_dir: Place
    key: str
    areas: tuple[AreaIds, ...]  # whose edges are counted
    class_count: int
    raw_rows: Ints  # (tile rows, tile columns, columns)

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.box.slide_id


@frozen_value
class BoxOutcome:
    """What a task sends back; ``error`` is set where it came to nothing."""

    batch: int
    found: Any
    error: str | None = None


def describe_foci(task: FociTask) -> BoxOutcome:
    """Return the summary of one batch's foci; never raises."""

    def summary() -> FociSummary:
        runs, box = _runs_at(task.box)
        return summarise_foci(runs, box, task.class_ids, task.mpp)

    return _guarded(task.box, summary)


def describe_stage(task: BoxTask) -> BoxOutcome:
    """Return the summary of one batch for the last of its stages; never raises."""

    def summary() -> StageSummary:
        runs, box = _runs_at(task)
        return summarise_stage(runs, box, task.stages[-1])

    return _guarded(task, summary)


def commit_cleaned(task: CommitTask) -> BoxOutcome:
    """Write one batch as the filters leave it: class map, then ledger rows; never raises."""

    def commit() -> None:
        plan, batch = task.box.plan, task.box.batch
        runs, box = _runs_at(task.box)
        rows = _cleaned_rows(task, runs, box)
        tile_rows, tile_cols = batch_tiles_at(plan, batch)
        class_map = class_map_of(runs) if runs.codes.any() else None
        _count_edges(task, class_map, rows)
        tiles = {} if class_map is None else encoded_tiles(class_map, plan.tile_px)
        commit_batch(SlideLayout(task.out_dir), task.key, (tile_rows[0], tile_cols[0]), tiles, rows)

    return _guarded(task.box, commit)


def _count_edges(task: CommitTask, class_map: ClassMap | None, rows: Ints) -> None:
    """Write the edges of a batch's areas into its ledger rows; of background alone there are none."""
    px, columns = task.box.plan.tile_px, LedgerLayout(task.class_count).edge_columns
    rows[..., columns] = 0
    if class_map is None:
        return
    for row, col in np.ndindex(rows.shape[:2]):
        tile = class_map[row * px : (row + 1) * px, col * px : (col + 1) * px]
        rows[row, col, columns] = boundary_edges(tile, task.areas)


def _cleaned_rows(task: CommitTask, runs: BoxRuns, box: Box) -> Ints:
    """Return a batch's ledger rows counted again; what is of no class must be as it was, and nothing lost."""
    layout, plan = LedgerLayout(task.class_count), task.box.plan
    counts = tally_tiles(runs, plan.tile_px, box.x_edges_l0_px, box.y_edges_l0_px)
    rows = task.raw_rows.copy()
    rows[..., : task.class_count] = counts[..., : task.class_count]
    codes = (UNSCANNED_CODE, OUTSIDE_ROI_CODE, UNREADABLE_CODE)
    columns = (layout.unscanned_column, layout.outside_roi_column, layout.unreadable_column)
    tile_rows, tile_cols = batch_tiles_at(plan, task.box.batch)
    areas = tile_areas_l0_px(plan)[tile_rows.start : tile_rows.stop, tile_cols.start : tile_cols.stop]
    if (rows[..., layout.px_columns].sum(axis=-1) != areas).any() or (
        rows[..., columns] != counts[..., codes]
    ).any():  # fmt: skip
        raise CountMismatchError(
            f"{plan.slide.slide_id}, batch {task.box.batch}: the class map on disk and its ledger do not agree; "
            "measure the slide again with --force, and please report this"
        )
    return rows


def _runs_at(task: BoxTask) -> tuple[BoxRuns, Box]:
    """Return a batch of the class map as the decided stages leave it, and where it lies."""
    plan = task.plan
    box, region = box_at(plan, task.batch)
    class_map = class_map_box(SlideLayout(task.slide_dir), (box.row, box.col), region)
    runs = background_runs(*box.shape) if class_map is None else runs_of(class_map)
    for stage, of_seams in zip(task.stages, task.decided, strict=False):
        runs = apply_stage(runs, box, stage, of_seams)
    return runs, box


def box_at(plan: SlidePlan, batch: int) -> tuple[Box, Region]:
    """Return the place of a batch, and its box of work pixels."""
    row, col = divmod(batch, plan.batch_cols)
    region = batch_box(plan, batch)
    x, y = region.x_px, region.y_px
    columns, rows = work_edges_l0_px(plan)
    seams = (col > 0, row > 0, col < plan.batch_cols - 1, row < plan.batch_rows - 1)
    box = Box(row, col, x, y, columns[x : region.right_px + 1], rows[y : region.bottom_px + 1], seams)
    return box, region


def _guarded(task: BoxTask, work: Callable[[], object]) -> BoxOutcome:
    """Return the result of the work; this is the task boundary: whatever befalls a batch is named, not raised."""
    try:
        return BoxOutcome(task.batch, work())
    except Exception as error:  # the one place: see the docstring
        name = task.plan.slide.slide_id
        return BoxOutcome(task.batch, None, f"{name}, objects of batch {task.batch}: {type(error).__name__}: {error}")
