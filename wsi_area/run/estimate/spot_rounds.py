"""run: spots of a slide drawn and measured, round by round, until the interval is as narrow as was asked.

How many are drawn next hangs on what the spots before have held, and on nothing else: a run that is continued goes
through the same rounds, and measures only what is not committed yet.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.cut.decoding import decoded_level_px
from wsi_area.compute.cut.grid import batch_tiles_at, tile_areas_l0_px
from wsi_area.compute.estimate.estimator import totals_of
from wsi_area.compute.estimate.frame import Ints, seed_of_slide
from wsi_area.compute.estimate.rounds import Sample, first_sample, is_exact, next_sample
from wsi_area.compute.estimate.slide_frame import aim_of, quantities_of, slide_frame
from wsi_area.errors import IncompleteResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.store import commit_batch
from wsi_area.results.estimates.quantity_counts import quantity_counts
from wsi_area.results.layout import SlideLayout
from wsi_area.run.context import Context
from wsi_area.run.events import BatchDone
from wsi_area.run.executors.contract import TaskLost
from wsi_area.run.prepare import PreparedSlide
from wsi_area.run.slide_tiles import Work, cpu_s, slide_job
from wsi_area.run.work.slide_job import BatchResult, BatchTask
from wsi_area.run.work.tile_task import measure_batch

LEAST_BARE_MISS = 0.01


@frozen_value(eq=False)
class DrawnSpots:
    """The spots that were drawn at the end, whether they are as exact as was asked, and what they took."""

    sample: Sample
    is_exact: bool  # the interval is as narrow as was asked, or none was asked
    work: Work


def commit_frame(layout: SlideLayout, prepared: PreparedSlide, key: str) -> None:
    """Commit what is known without drawing, and every spot that may be drawn as not sampled; what is there stays."""
    plan, columns = prepared.plan, LedgerLayout(len(prepared.fitted.scheme.classes))
    areas, there = tile_areas_l0_px(plan), ledger_rows(layout)[..., columns.status_column]
    outside, skipped = (_spots_among(plan, some) for some in (plan.outside_roi, plan.skipped))
    for batch in range(plan.batch_rows * plan.batch_cols):
        rows, cols = batch_tiles_at(plan, batch)
        at = np.s_[rows.start : rows.stop, cols.start : cols.stop]
        if (there[at] > 0).all():
            continue
        entries = np.zeros((len(rows), len(cols), len(columns.columns)), np.int64)
        entries[..., columns.status_column] = TileStatus.UNSAMPLED
        for where, column in ((outside[at], columns.outside_roi_column), (skipped[at] & ~outside[at], BACKGROUND_ID)):
            entries[where, column] = areas[at][where]
            entries[where, columns.status_column] = TileStatus.SKIPPED
        commit_batch(layout, key, (rows[0], cols[0]), {}, entries)


def _spots_among(plan: SlidePlan, some: Iterable[int]) -> NDArray[np.bool_]:
    """Return the spots of a slide that are among some, bool (rows, cols)."""
    numbers = np.arange(plan.tile_count).reshape(plan.grid_rows, plan.grid_cols)
    return np.asarray(np.isin(numbers, sorted(some)))


def bare_miss(overview_box_px: int, areas_px: Ints) -> float:
    """Return the share of a spot that may look bare on the overview and is not: a pixel of it, a hundredth at least."""
    return max(LEAST_BARE_MISS, overview_box_px / float(areas_px.max()))


def draw_spots(
    prepared: PreparedSlide,
    layout: SlideLayout,
    key: str,
    context: Context,
    shares: NDArray[np.float64] | None,
    coarse_px: int,
) -> DrawnSpots | str | None:
    """Return the spots that were drawn, measured and committed; a text where not even the least could be drawn.

    None if the run was stopped before the end.

    Parameters
    ----------
    prepared, layout, key, context
        The slide, cut into spots, where they are committed, and who does the work.
    shares : float64 (rows, cols, k) or None
        What a coarse look says of each spot; None where there was none.
    coarse_px : int
        Pixels that it decoded.
    """
    plan, settings = prepared.plan, context.settings.estimate
    quantities = quantities_of(prepared.fitted.scheme.classes)
    aim, wanted = quantities.index(aim_of(quantities)), settings.half_width_pct
    outside, bare, areas = (
        _spots_among(plan, plan.outside_roi),
        _spots_among(plan, plan.skipped),
        tile_areas_l0_px(plan),
    )
    miss = bare_miss(prepared.overview_box_px, areas)
    seed = seed_of_slide(settings.seed, prepared.info.slide_id)
    frame = slide_frame(~outside, bare & ~outside, areas, shares, quantities[aim], seed, miss)
    spots = _Spots(prepared, layout, key, context)
    level_px, budget = plan.slide.levels[plan.level].size_px.area_px, settings.budget_pct
    allowed_px = np.inf if budget is None else budget / 100 * level_px - coarse_px

    def cost_px(sample: Sample) -> int:
        return decoded_level_px(plan, spots.numbers(sample).tolist())

    sample = first_sample(frame, has_look=shares is not None)
    if (least_px := cost_px(sample)) > allowed_px:
        return (
            f"the least sample of it decodes {100 * (least_px + coarse_px) / level_px:.1f} % of the pixels, and "
            f"--estimate-budget allows {budget:g} %; allow more, or measure it whole"
        )
    while True:
        if not spots.measure(spots.numbers(sample)):
            return None
        counted = quantity_counts(spots.rows(sample), spots.columns, quantities)
        totals = totals_of(sample.frame, sample.drawn, counted)
        if is_exact(totals, aim, wanted) or sample.is_all:
            return DrawnSpots(sample, is_exact=True, work=spots.work())
        larger = next_sample(sample, totals, aim, wanted, lambda some: cost_px(some) <= allowed_px)
        if larger is None:
            return DrawnSpots(sample, is_exact=wanted is None, work=spots.work())
        sample = larger


class _Spots:
    """The spots of one slide: measured where they are not yet, read from the ledger otherwise."""

    def __init__(self, prepared: PreparedSlide, layout: SlideLayout, key: str, context: Context) -> None:
        self._prepared, self._layout, self._context = prepared, layout, context
        self.columns = LedgerLayout(len(prepared.fitted.scheme.classes))
        self._job = replace(slide_job(prepared, layout, key, context), probe=None, compared=frozenset())
        self._ledger = ledger_rows(layout)
        self._tried: set[int] = set()
        self._results: list[BatchResult] = []
        self._wall_s = self._cpu_s = 0.0

    def numbers(self, sample: Sample) -> Ints:
        """Return the numbers of the spots that are drawn, int64 (m,)."""
        place = sample.frame.place[sample.drawn]
        return np.asarray(place[:, 0] * self._prepared.plan.grid_cols + place[:, 1])

    def rows(self, sample: Sample) -> Ints:
        """Return the rows of the ledger of the spots that are drawn, int64 (m, columns)."""
        place = sample.frame.place[sample.drawn]
        return np.asarray(self._ledger[place[:, 0], place[:, 1]])

    def measure(self, numbers: Iterable[int]) -> bool:
        """Measure those of some spots that are not committed, or could not be read; False if stopped before the end.

        Raises
        ------
        IncompleteResultError
            If one came to no end.
        """
        plan, done = self._prepared.plan, {TileStatus.READ}
        by_batch: dict[int, set[int]] = defaultdict(set)
        for number in (int(n) for n in numbers):
            row, col = divmod(number, plan.grid_cols)
            if self._ledger[row, col, self.columns.status_column] not in done and number not in self._tried:
                by_batch[row // plan.batch_tiles * plan.batch_cols + col // plan.batch_tiles].add(number)
        tasks = [BatchTask(self._job, batch, spots=frozenset(some)) for batch, some in sorted(by_batch.items())]
        if not tasks:
            return True
        started, started_cpu, results = time.perf_counter(), time.process_time(), list[BatchResult]()
        for _, outcome in self._context.executor.map(measure_batch, tasks):
            if isinstance(outcome, TaskLost) or outcome.error is not None:
                why = outcome.message if isinstance(outcome, TaskLost) else outcome.error
                raise IncompleteResultError(f"{why}; what is committed is kept, run the same command again")
            results.append(outcome)
            self._context.listener(BatchDone(plan.slide.slide_id, outcome.tiles_done, outcome.level_px))
        if len(results) < len(tasks):
            return False
        self._wall_s += time.perf_counter() - started
        self._cpu_s += cpu_s(self._context.executor, time.process_time() - started_cpu, results)
        self._results += results
        self._tried |= {number for some in by_batch.values() for number in some}
        self._ledger = ledger_rows(self._layout)
        return True

    def work(self) -> Work:
        """Return the work of measuring them, with the failures."""
        timing: dict[str, Any] = {
            "inner_wall_s": self._wall_s,
            "inner_cpu_s": self._cpu_s,
            "decoded_px": sum(r.level_px for r in self._results),
            "batches": len(self._results),
            "network_runs": sum(r.network_runs for r in self._results),
            "edge_proof_cpu_s": sum(r.edge_proof_cpu_s for r in self._results),
        }
        return Work(timing, [asdict(f) for r in self._results for f in r.failures], [])
