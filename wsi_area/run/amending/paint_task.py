"""run: one batch of a layer to be corrected: painted before the filters by size, and drawn pixels given back after."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.corrections.painting import TALLIES
from wsi_area.compute.count.edges import areas_of, boundary_edges
from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.cut.grid import batch_box, batch_tiles_at
from wsi_area.compute.objects.run_lengths import runs_of, tally_tiles
from wsi_area.errors import CountMismatchError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE, ClassScheme
from wsi_area.model.geometry import Region
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.pixels import ClassMap, MaskArray
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.shard import encoded_tiles
from wsi_area.results.class_map.store import commit_batch
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.corrections.corrected_map import CorrectedMap
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place

Ints = NDArray[np.int64]


@frozen_value
class PaintTask:
    """One batch, and the strokes that meet it."""

    plan: SlidePlan
    corrected: CorrectedMap
    batch: int
    out_dir: Place  # whose class map and ledger are written
    key: str
    rows: Ints  # (tile rows, tile columns, columns): its ledger rows as measured, with a column for each class of now

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.plan.slide.slide_id


@frozen_value
class PaintOutcome:
    """What a task sends back; ``error`` is set where it came to nothing."""

    tallies: Ints  # (corrections, 5), level-0 px, see `compute.corrections.painting.TALLIES`
    kept_px: int = 0  # level-0 px that were drawn and that a filter would have changed
    error: str | None = None


def paint_batch(task: PaintTask) -> PaintOutcome:
    """Return the effect of each correction on a batch, its class map and ledger rows committed; never raises."""

    def paint() -> PaintOutcome:
        made = task.corrected.painted(batch_box(task.plan, task.batch))
        _commit(task, made.codes, made.held, task.rows)
        return PaintOutcome(made.tallies)

    return _guarded(task, paint)


def give_back_drawn(task: PaintTask) -> PaintOutcome:
    """Return the part of a batch that filters by size had taken of what was drawn; it is given back. Never raises."""

    def give_back() -> PaintOutcome:
        box, layout = batch_box(task.plan, task.batch), SlideLayout(task.out_dir)
        made = task.corrected.painted(box)
        filtered = open_class_map(layout)[box.y_px : box.bottom_px, box.x_px : box.right_px]
        taken = made.held & (filtered != made.codes)
        if not taken.any():
            return PaintOutcome(np.zeros_like(made.tallies))
        tiles = batch_tiles_at(task.plan, task.batch)
        _commit(task, np.where(taken, made.codes, filtered), made.held, ledger_rows(layout, *tiles))
        heights, widths = _weights(task.corrected.grid, box)
        return PaintOutcome(np.zeros_like(made.tallies), int(heights @ (taken @ widths)))

    return _guarded(task, give_back)


def _weights(grid: WorkGrid, box: Region) -> tuple[Ints, Ints]:
    widths, heights = grid.weights()
    return heights[box.y_px : box.bottom_px], widths[box.x_px : box.right_px]


def _commit(task: PaintTask, codes: ClassMap, held: MaskArray, rows: Ints) -> None:
    """Commit a batch as it is now; what is of no class must be as it was, and nothing lost."""
    plan, classes = task.plan, len(task.corrected.scheme.classes)
    layout, box = LedgerLayout(classes), batch_box(plan, task.batch)
    columns, lines = task.corrected.grid.edges_l0_px
    counts = tally_tiles(
        runs_of(codes), plan.tile_px, columns[box.x_px : box.right_px + 1], lines[box.y_px : box.bottom_px + 1]
    )
    reserved = (UNSCANNED_CODE, OUTSIDE_ROI_CODE, UNREADABLE_CODE)
    of_no_class = [layout.unscanned_column, layout.outside_roi_column, layout.unreadable_column]
    made = rows.copy()
    made[..., :classes] = counts[..., :classes]
    before, after = rows[..., layout.px_columns].sum(axis=-1), made[..., layout.px_columns].sum(axis=-1)
    if (before != after).any() or (made[..., of_no_class] != counts[..., reserved]).any():
        raise CountMismatchError(
            f"{task.slide_id}, batch {task.batch}: the class map on disk and its ledger do not agree; measure the "
            "slide again with --force, and please report this"
        )
    _tell_outlines(made, codes, held, plan.tile_px, task.corrected.scheme)
    tile_rows, tile_cols = batch_tiles_at(plan, task.batch)
    tiles = encoded_tiles(codes, plan.tile_px) if codes.any() else {}
    commit_batch(SlideLayout(task.out_dir), task.key, (tile_rows[0], tile_cols[0]), tiles, made)


def _tell_outlines(rows: Ints, codes: ClassMap, held: MaskArray, tile_px: int, scheme: ClassScheme) -> None:
    """Write the lengths of the outlines as they are now; where something was drawn, other pixels say nothing of it."""
    columns, areas = LedgerLayout(len(scheme.classes)), areas_of(scheme)
    for row, col in np.ndindex(rows.shape[:2]):
        tile = np.s_[row * tile_px : (row + 1) * tile_px, col * tile_px : (col + 1) * tile_px]
        rows[row, col, columns.edge_columns] = boundary_edges(codes[tile], areas)
        if held[tile].any():
            rows[row, col, columns.here_columns] = 0
            rows[row, col, columns.other_columns] = 0


def _guarded(task: PaintTask, work: Callable[[], PaintOutcome]) -> PaintOutcome:
    """Return the result of the work; this is the task boundary: whatever befalls a batch is named, not raised."""
    try:
        return work()
    except Exception as error:  # the one place: see the docstring
        nothing = np.zeros((task.corrected.count, len(TALLIES)), np.int64)
        told = f"{task.slide_id}, corrections of batch {task.batch}: {type(error).__name__}: {error}"
        return PaintOutcome(nothing, 0, told)
