"""run: one layer of a slide corrected, classes or tissue: painted, filtered by size, and drawn pixels given back."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.corrections.painting import TALLIES
from wsi_area.compute.cut.grid import batch_box, batch_tiles_at
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.ledger import TOTALS, LedgerLayout
from wsi_area.model.objects import SizeChange, SizeFilters
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.cleaned_store import tiles_layout
from wsi_area.results.class_map.ledger import ledger_attributes, ledger_rows
from wsi_area.results.class_map.store import commit_rows, create_store
from wsi_area.results.corrections.corrected_map import CorrectedMap
from wsi_area.results.layout import SlideLayout
from wsi_area.run.amending.paint_task import PaintOutcome, PaintTask, give_back_drawn, paint_batch
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.outcomes import outcomes

Ints = NDArray[np.int64]


@frozen_value
class LayerToAmend:
    """A measured layer, what is laid over it, and where the outcome goes."""

    below: SlideLayout
    layout: SlideLayout
    plan: SlidePlan
    mpp: Mpp | None
    class_count_below: int
    corrected: CorrectedMap
    filters: SizeFilters
    drawn_are_filtered: bool
    key: str
    made_from: Mapping[str, str]

    @property
    def slide_id(self) -> str:
        """Return the slide that it is of."""
        return self.plan.slide.slide_id


@frozen_value
class AmendedLayer:
    """What corrections did to a layer, whose class map and ledger are written."""

    tallies: Ints  # (corrections, 5), level-0 px
    kept_px: int  # level-0 px that were drawn, and that a filter by size would have changed
    size_changes: tuple[SizeChange, ...]
    has_facts: bool  # whether the measured ledger says more than counts


def amend_layer(asked: LayerToAmend, executor: Executor) -> AmendedLayer | None:
    """Return the effect of corrections on a layer, its class map and ledger written; None if stopped before the end.

    Raises
    ------
    IncompleteResultError
        If a batch came to no end.
    ResultError
        If a batch cannot be read or written.
    """
    plan, scheme = asked.plan, asked.corrected.scheme
    tiles = tiles_layout(asked.layout, asked.filters)
    create_store(tiles, plan, scheme, asked.key, asked.made_from)
    rows = ledger_rows(asked.corrected.layout)
    tasks, says_more = _tasks(asked, tiles, rows), has_facts(rows, asked.class_count_below)
    tallies, done = np.zeros((asked.corrected.count, len(TALLIES)), np.int64), 0
    for outcome in outcomes(executor, paint_batch, tasks, asked.slide_id, "its corrections"):
        tallies += outcome.tallies
        done += 1
    if done < len(tasks):
        return None
    if not asked.filters.any:
        return AmendedLayer(tallies, 0, (), says_more)
    from wsi_area.run.passes.object_pass import clean_slide  # its kernels are for slides with filters alone

    changes = clean_slide(asked.layout, plan, scheme, asked.filters, asked.mpp, asked.key, asked.made_from, executor)
    if changes is None:
        return None
    kept_px = 0 if asked.drawn_are_filtered else _given_back(asked, tasks, executor)
    return None if kept_px is None else AmendedLayer(tallies, kept_px, changes, says_more)


def _tasks(asked: LayerToAmend, tiles: SlideLayout, measured: Ints) -> list[PaintTask]:
    """Return a task for each batch that a correction may meet; the rows of the others are committed as they are."""
    plan, classes = asked.plan, len(asked.corrected.scheme.classes)
    rows = widened_rows(measured, asked.class_count_below, classes)
    tasks = []
    for batch in range(plan.batch_rows * plan.batch_cols):
        tile_rows, tile_cols = batch_tiles_at(plan, batch)
        own = rows[tile_rows.start : tile_rows.stop, tile_cols.start : tile_cols.stop]
        corrected = asked.corrected.within(batch_box(plan, batch))
        if corrected.strokes:
            tasks.append(PaintTask(plan, corrected, batch, tiles.root.resolve(), asked.key, own))
        else:
            commit_rows(tiles, (tile_rows[0], tile_cols[0]), own, plan.batch_tiles)
    return tasks


def _given_back(asked: LayerToAmend, painted: list[PaintTask], executor: Executor) -> int | None:
    """Return the number of drawn pixels that got back what a filter had taken; None if stopped before the end."""
    key = str(ledger_attributes(asked.layout)["key"])
    tasks = [
        PaintTask(task.plan, task.corrected, task.batch, asked.layout.root.resolve(), key, task.rows)
        for task in painted
    ]
    work: Callable[[PaintTask], PaintOutcome] = give_back_drawn
    found = [o.kept_px for o in outcomes(executor, work, tasks, asked.slide_id, "what was drawn")]
    return sum(found) if len(found) == len(tasks) else None


def widened_rows(rows: Ints, before_count: int, class_count: int) -> Ints:
    """Return measured ledger rows as an amended version has them: with a column for each of its classes.

    What was integrated class by class is left out: nobody knows it of pixels that a person moved to another class.

    Parameters
    ----------
    rows : int64 (tile rows, tile columns, columns)
    before_count, class_count : int
        Classes of the rows, and of the amended version: as many, or more.
    """
    before, wide = LedgerLayout(before_count), LedgerLayout(class_count)
    found = np.zeros((*rows.shape[:2], len(wide.columns)), np.int64)
    found[..., :before_count] = rows[..., :before_count]
    for of_wide, of_before in (
        (wide.unscanned_column, before.unscanned_column),
        (wide.outside_roi_column, before.outside_roi_column),
        (wide.unreadable_column, before.unreadable_column),
        (wide.status_column, before.status_column),
    ):
        found[..., of_wide] = rows[..., of_before]
    if rows.shape[-1] >= before.threshold_columns.stop:  # how far the measured tissue hangs on its threshold
        found[..., wide.threshold_columns] = rows[..., before.threshold_columns]
    if has_facts(rows, before_count):
        edges, single = rows[..., before.edge_columns], before_count - 1
        start = wide.edge_columns.start
        found[..., start : start + single] = edges[..., :single]
        found[..., wide.edge_columns.stop - len(TOTALS) : wide.edge_columns.stop] = edges[..., single:]
        for of_wide_columns, of_before_columns in (
            (wide.here_columns, before.here_columns),
            (wide.other_columns, before.other_columns),
        ):
            found[..., of_wide_columns.start : of_wide_columns.start + before_count] = rows[..., of_before_columns]
    return found


def has_facts(rows: Ints, class_count: int) -> bool:
    """Return True if ledger rows say more than counts: lengths of outlines, counts in other pixels."""
    return int(rows.shape[-1]) == len(LedgerLayout(class_count).columns)
