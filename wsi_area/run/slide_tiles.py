"""run: the tiles of one slide, from what is missing in its ledger to what became of each batch."""

import time
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from wsi_area.compute.cut.grid import batch_tiles_at, batches_to_measure
from wsi_area.compute.cut.probing import probed_tiles
from wsi_area.errors import IncompleteResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout, TileStatus
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.cleaned_store import tiles_layout
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.signal_store import kept_signal
from wsi_area.results.layout import SlideLayout
from wsi_area.run.context import Context
from wsi_area.run.events import BatchDone
from wsi_area.run.executors.contract import Executor, TaskLost
from wsi_area.run.passes.merged_objects import size_filters
from wsi_area.run.prepare import PreparedSlide
from wsi_area.run.work.slide_job import BatchResult, BatchTask, SlideJob, ThresholdProbe
from wsi_area.run.work.tile_task import measure_batch
from wsi_area.segmenters.kept_for_tiles import let_go
from wsi_area.segmenters.pixelwise import colour_rule_of, integrated_signal
from wsi_area.segmenters.protocol import MovesThreshold
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.processes import give_back_memory

MAX_LOST_BATCHES = 16
"""Batches of a slide that may kill their workers; with more it is not a tile that is bad, but slide or segmenter."""


@frozen_value
class Work:
    """What measuring the tiles of a slide came to."""

    timing: dict[str, Any]
    tile_errors: list[dict[str, Any]]
    errors: list[str]
    lane_obstacle: str | None = None  # the first stored tile found that is not what OpenSlide shows


def measure_tiles(
    prepared: PreparedSlide, layout: SlideLayout, key: str, context: Context, batches: Sequence[int]
) -> Work | None:
    """Return the outcome of some batches of a slide, measured and committed; None if stopped before the end.

    Raises
    ------
    IncompleteResultError
        If one came to no end.
    """
    info = prepared.info
    job = slide_job(prepared, layout, key, context)
    started, started_cpu = time.perf_counter(), time.process_time()
    give_back_memory()  # what the overview lay in: the tiles need their own
    results: list[BatchResult] = []
    for result in _batch_results([BatchTask(job, b) for b in batches], context.executor):
        results.append(result)
        context.listener(BatchDone(info.slide_id, result.tiles_done, result.level_px))
    let_go()
    give_back_memory()  # what tiles lay in: the passes that follow load modules of their own
    if len(results) < len(batches) and context.executor.is_stopped:
        return None  # what is committed stays, the next run goes on from there
    if len(results) < len(batches) and not any(r.error for r in results):
        raise IncompleteResultError(
            f"{info.slide_id}: {len(batches) - len(results)} batches came to no end; run the same command again"
        )
    timing = {
        "inner_wall_s": time.perf_counter() - started,
        "inner_cpu_s": cpu_s(context.executor, time.process_time() - started_cpu, results),
        "decoded_px": sum(r.level_px for r in results),
        "batches": len(results),
        "network_runs": sum(r.network_runs for r in results),
        "edge_proof_cpu_s": sum(r.edge_proof_cpu_s for r in results),
    }
    failures = [asdict(f) for r in results for f in r.failures]
    errors = [r.error for r in results if r.error is not None]
    return Work(timing, failures, errors, next((r.lane_obstacle for r in results if r.lane_obstacle), None))


def of_original(prepared: PreparedSlide, work: Work, copy: str, path: str) -> tuple[PreparedSlide, Work]:
    """Return the parts that were measured on a copy as of the slide that it is a copy of."""
    info = replace(prepared.info, path=path)
    tile_errors = [{**e, "message": e["message"].replace(copy, path)} for e in work.tile_errors]
    errors = [e.replace(copy, path) for e in work.errors]
    return (
        replace(prepared, info=info, plan=replace(prepared.plan, slide=info)),
        replace(work, tile_errors=tile_errors, errors=errors),
    )


def tiles_place(layout: SlideLayout, prepared: PreparedSlide, settings: RunSettings) -> SlideLayout:
    """Return the place where the tiles of a slide are committed."""
    return tiles_layout(layout, size_filters(prepared, settings))


def tiles_of(plan: SlidePlan, batches: Iterable[int]) -> int:
    """Return the number of tiles of some batches."""
    return sum(len(rows) * len(cols) for rows, cols in (batch_tiles_at(plan, b) for b in batches))


def slide_job(prepared: PreparedSlide, layout: SlideLayout, key: str, context: Context) -> SlideJob:
    """Return the job that the batches of a slide have in common."""
    run = context.settings.run
    return SlideJob(
        prepared.plan,
        prepared.fitted,
        prepared.lane.lane,
        layout.root.resolve(),
        key,
        run.read_retries,
        prepared.roi,
        run.tile_timeout_s,
        not context.executor.is_local,
        _probe(prepared, context.settings),
        _compared(prepared),
        keeps_signal=integrated_signal(prepared.fitted) is not None and kept_signal(layout) is not None,
        proves_edges=prepared.lane.leaves_edges,
    )


def _compared(prepared: PreparedSlide) -> frozenset[int]:
    """Return the tiles that are counted in other pixels too: none where neighbours decide, or at level 0."""
    plan = prepared.plan
    is_level_0 = plan.level == 0 and plan.reduce_factor == 1
    return frozenset() if is_level_0 or colour_rule_of(prepared.fitted) is None else probed_tiles(plan)


def _probe(prepared: PreparedSlide, settings: RunSettings) -> ThresholdProbe | None:
    """Return the tiles that are counted at other thresholds too; None where no threshold tells tissue."""
    fitted, mpp = prepared.fitted, prepared.calibration.mpp
    if not isinstance(fitted, MovesThreshold) or not fitted.thresholds_by_shift:
        return None
    filters = size_filters(prepared, settings)
    if not filters.any:
        return ThresholdProbe(probed_tiles(prepared.plan), ())
    from wsi_area.compute.objects.size_filter import stages_of  # with compiled code that most runs need not load

    return ThresholdProbe(probed_tiles(prepared.plan), stages_of(filters, fitted.scheme, mpp))


def _batch_results(tasks: Sequence[BatchTask], executor: Executor) -> Iterator[BatchResult]:
    """Yield what became of each batch; one that kills its workers is looked into tile by tile, after the others.

    Too many such batches end it with one that came to nothing.
    """
    lost: list[BatchTask] = []
    for position, outcome in executor.map(measure_batch, tasks):
        if not isinstance(outcome, TaskLost):
            yield outcome
        elif not outcome.died:
            yield _nothing(outcome.message)
        elif len(lost) == MAX_LOST_BATCHES:
            yield _nothing(
                f"more than {MAX_LOST_BATCHES} batches killed their workers ({outcome.message}): give a task more "
                "memory (fewer run.workers), mend the file, or choose another segmenter.name"
            )
            return
        else:
            lost.append(tasks[position])
    if lost:
        yield from _isolated(lost, executor)


def _isolated(lost: Sequence[BatchTask], executor: Executor) -> Iterator[BatchResult]:
    """Yield what became of batches that killed their workers, each measured tile by tile in a process of its own."""
    from wsi_area.run.work.crashing_tiles import IsolateTask, isolate_batch

    for _, outcome in executor.map(isolate_batch, [IsolateTask(task, executor.task_memory_bytes) for task in lost]):
        yield _nothing(outcome.message) if isinstance(outcome, TaskLost) else outcome


def _nothing(message: str) -> BatchResult:
    """Return the result that stands for a batch that came to nothing."""
    return BatchResult(-1, 0, 0, (), 0.0, message)


def cpu_s(executor: Executor, of_this_process_s: float, results: Sequence[BatchResult]) -> float:
    """Return the CPU seconds of the tiles; with several slides in flight, of all that shared this process."""
    return of_this_process_s if executor.is_local else sum(r.cpu_s for r in results)


def missing_batches(
    layout: SlideLayout, prepared: PreparedSlide, batches: Iterable[int] | None = None
) -> tuple[int, ...]:
    """Return the batches that are not committed, and those with tiles that could not be read last time.

    Parameters
    ----------
    layout, prepared
        Where the tiles of the slide are committed, and how it is cut.
    batches
        Where others are somebody else's: those that are looked at, and whose rows alone are read.
    """
    wanted = batches_to_measure(prepared.plan)
    if batches is not None:
        own = set(batches)
        wanted = tuple(batch for batch in wanted if batch in own)
    return _with_status(layout, prepared, {NOT_COMMITTED, TileStatus.UNREADABLE}, wanted, whole=batches is None)


def uncommitted_batches(layout: SlideLayout, prepared: PreparedSlide) -> tuple[int, ...]:
    """Return the batches without rows in the ledger, those included that no tile is read for."""
    plan = prepared.plan
    return _with_status(layout, prepared, {NOT_COMMITTED}, range(plan.batch_rows * plan.batch_cols), whole=True)


def _with_status(
    layout: SlideLayout, prepared: PreparedSlide, statuses: Set[int], batches: Iterable[int], *, whole: bool
) -> tuple[int, ...]:
    """Return those of the batches that have a tile of one of these statuses; the ledger is read whole, or in parts."""
    column = LedgerLayout(len(prepared.fitted.scheme.classes)).status_column
    ledger = ledger_rows(layout) if whole else None
    found = []
    for batch in batches:
        rows, cols = batch_tiles_at(prepared.plan, batch)
        tiles = np.s_[rows.start : rows.stop, cols.start : cols.stop]
        part = ledger_rows(layout, rows, cols) if ledger is None else ledger[tiles]
        if np.isin(part[..., column], list(statuses)).any():
            found.append(batch)
    return tuple(found)


def lost_message(errors: Sequence[str]) -> str:
    """Return the words on a slide of which whole batches came to nothing."""
    return f"{errors[0]} ({len(errors)} batches came to nothing; the rest is committed: run the same command again)"
