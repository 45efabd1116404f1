"""run: one slide from its path to its result.json; straight line, no decision about other slides."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area import __version__
from wsi_area.compute.area import measure
from wsi_area.compute.grid import batch_tiles_at, batches_to_measure
from wsi_area.compute.quality import Observed, QualityLimits, check
from wsi_area.compute.skipping import skipped_foreground_upper_bound_px
from wsi_area.compute.threshold_stability import tissue_area_at_shifts
from wsi_area.errors import IncompleteResultError, MissingMppError, ResultError
from wsi_area.model.burden import SlideBurden, Status
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout, TileStatus
from wsi_area.model.objects import Foci, SizeChange, SizeFilters
from wsi_area.results.cleaned_store import tiles_layout
from wsi_area.results.layout import SlideLayout, read_json, write_json
from wsi_area.results.object_tables import foci_record
from wsi_area.results.record import failed_record, is_counted, slide_record
from wsi_area.results.store import ledger_rows
from wsi_area.results.thumbnail import write_thumbnail
from wsi_area.run.continuation import MEASUREMENT_VERSION, Origin, lay_out, origin_of
from wsi_area.run.drawings import drawing_facts, outline_facts
from wsi_area.run.events import BatchDone, Listener, SlideStarted
from wsi_area.run.executors import Executor, TaskLost
from wsi_area.run.inputs import SlideInput
from wsi_area.run.isolation import IsolateTask, isolate_batch
from wsi_area.run.prepare import PreparedSlide, PrepareFailure, PrepareTask, prepare_slide
from wsi_area.run.settings import RunSettings
from wsi_area.run.slide_job import BatchResult, BatchTask, SlideJob
from wsi_area.run.stage_in import CopyRules, CopyStopped, staged
from wsi_area.run.tile_task import measure_batch
from wsi_area.segmenters.colour_rule import ColourRuled
from wsi_area.segmenters.protocol import FittedSegmenter

MAX_LOST_BATCHES = 16
"""Batches of a slide that may kill their workers; with more it is not a tile that is bad, but slide or segmenter."""

TILES_LISTED = 100
"""Unreadable tiles named one by one in result.json; their number and area are always exact."""


@dataclass(frozen=True, slots=True)
class Context:
    """What all slides of a run share."""

    settings: RunSettings
    executor: Executor
    listener: Listener
    memory_limit_bytes: int
    force: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """The document of a slide, and whether an earlier run had already made it."""

    record: dict[str, Any]
    resumed: bool


def measure_slide(slide: SlideInput, layout: SlideLayout, context: Context) -> Measured | None:
    """Return the final document of one slide, written; None if the run was stopped before its end.

    Raises
    ------
    ResultError
        If the result cannot be written, or one from something else is in its place.
    """
    fails_fast = context.settings.run.fail_fast
    try:
        with _where_to_read(slide, context) as read_path:
            measured = _measured(slide, layout, context, read_path)
    except CopyStopped:
        return None
    except Exception:  # the pipeline makes a failed slide of it
        if fails_fast:
            context.executor.stop()
        raise
    if fails_fast and measured is not None and measured.record["status"] in {"failed", "incomplete"}:
        context.executor.stop()
    return measured


@contextmanager
def _where_to_read(slide: SlideInput, context: Context) -> Iterator[str | None]:
    """Lend the path of a local copy of the slide, None where none is wanted."""
    run, executor = context.settings.run, context.executor
    if run.stage_dir is None:
        yield None
        return
    rules = CopyRules(run.stage_dir.absolute(), run.read_retries, run.retry_wait_s, lambda: executor.is_stopped)
    with staged(slide.path, rules) as copy:
        try:
            yield copy
        finally:
            executor.close_readers()  # the space of a file is free only when nobody holds it open


def _measured(slide: SlideInput, layout: SlideLayout, context: Context, read_path: str | None) -> Measured | None:
    """Return the final document of one slide, written, its pixels read from a copy if there is one."""
    started = time.perf_counter()
    settings = context.settings
    in_worker = not context.executor.is_local
    task = PrepareTask(slide, settings, context.memory_limit_bytes, read_path, in_worker)
    prepared = next((outcome for _, outcome in context.executor.map(prepare_slide, [task])), None)
    if prepared is None and context.executor.is_stopped:
        return None
    if prepared is None:
        raise IncompleteResultError(f"{slide.slide_id}: it was never looked at; run the same command again")
    if not isinstance(prepared, PreparedSlide):
        return Measured(_write_failed(slide, layout, context, prepared), resumed=False)
    origin = origin_of(prepared, settings)
    filters = _size_filters(prepared, settings)
    tiles = tiles_layout(layout, filters)
    lay_out(layout, tiles, prepared, origin, context.force)
    write_thumbnail(layout, prepared.thumbnail_jpeg)
    work = _measure_tiles(prepared, tiles, origin.key, context)
    if work is None:
        return None
    if read_path is not None:  # from here on only what is said of the slide counts
        prepared, work = _of_original(prepared, work, read_path, slide.path)
    if work.errors:
        lost = PrepareFailure(slide.slide_id, "ResultError", _lost_message(work.errors))
        return Measured(_write_failed(slide, layout, context, lost), resumed=False)
    timing = {**work.timing, "prepare_cpu_s": prepared.prepare_cpu_s, "wall_s": time.perf_counter() - started}
    nothing_to_do = work.timing["batches"] == 0
    objects = _merge_objects(prepared, layout, filters, origin, context)
    if objects is None:
        return None
    # the document is made from the ledger each time: findings follow today's limits, and a torn one is mended
    record = _reduce(prepared, layout, tiles, origin, replace(work, timing=timing), objects, settings)
    if nothing_to_do and (earlier := _timing_on_record(layout)) is not None:
        record["timing"] = earlier
    if work.tile_errors:
        record["reason"] += f"; the first: {work.tile_errors[0]['message']}"
    write_json(layout.result_json, record)
    return Measured(record, resumed=nothing_to_do)


@dataclass(frozen=True, slots=True)
class _Objects:
    """What the merged objects of a slide came to."""

    size_changes: tuple[SizeChange, ...]
    foci: Foci | None


def _of_original(prepared: PreparedSlide, work: "_Work", copy: str, path: str) -> tuple[PreparedSlide, "_Work"]:
    """Return what was measured on a copy as of the slide that it is a copy of."""
    info = replace(prepared.info, path=path)
    tile_errors = [{**e, "message": e["message"].replace(copy, path)} for e in work.tile_errors]
    errors = [e.replace(copy, path) for e in work.errors]
    return (
        replace(prepared, info=info, plan=replace(prepared.plan, slide=info)),
        replace(work, tile_errors=tile_errors, errors=errors),
    )


def _size_filters(prepared: PreparedSlide, settings: RunSettings) -> SizeFilters:
    """Return the size filters of a slide: none where sizes are unknown, since its mm² are withheld anyway."""
    filters = SizeFilters(**settings.objects.model_dump(exclude={"foci"}))
    if filters.any:
        from wsi_area.run.object_pass import refuse_with_signal

        refuse_with_signal(filters, _signal_name(prepared.fitted))
    return filters if prepared.calibration.mpp is not None else SizeFilters()


def _merge_objects(
    prepared: PreparedSlide, layout: SlideLayout, filters: SizeFilters, origin: Origin, context: Context
) -> _Objects | None:
    """Filter small objects and measure the foci, over the seams of the tiles; None if stopped before the end."""
    executor, wants_foci = context.executor, context.settings.objects.foci and prepared.fitted.scheme.names_tumor
    plan, scheme, mpp = prepared.plan, prepared.fitted.scheme, prepared.calibration.mpp
    if not filters.any and not wants_foci:
        return _Objects((), None)
    # imported here: its sparse matrices and second kernel take 0.1 s, which most runs need not pay
    from wsi_area.run.object_pass import clean_slide, measure_foci

    changes = clean_slide(layout, plan, scheme, filters, mpp, origin.key, asdict(origin), executor)
    if changes is None:
        return None
    foci = measure_foci(layout, plan, scheme, mpp, executor) if wants_foci else None
    if foci is None and wants_foci:
        return None
    return _Objects(changes, foci)


def _signal_name(fitted: FittedSegmenter) -> str | None:
    """Return the name of what is integrated besides the classes: by the fused kernel only, so by a colour rule."""
    return fitted.signal.name if isinstance(fitted, ColourRuled) and fitted.signal is not None else None


def _timing_on_record(layout: SlideLayout) -> dict[str, Any] | None:
    """Return what it took when the tiles were measured, if that is known."""
    try:
        return read_json(layout.result_json).get("timing")
    except ResultError:
        return None


@dataclass(frozen=True, slots=True)
class _Work:
    timing: dict[str, Any]
    tile_errors: list[dict[str, Any]]
    errors: list[str]


def _measure_tiles(prepared: PreparedSlide, layout: SlideLayout, key: str, context: Context) -> _Work | None:
    plan, info = prepared.plan, prepared.info
    missing = _missing_batches(layout, prepared)
    todo = sum(len(r) * len(c) for r, c in (batch_tiles_at(plan, b) for b in missing))
    context.listener(SlideStarted(info.slide_id, plan.tile_count, plan.tile_count - todo))
    job = SlideJob(
        plan,
        prepared.fitted,
        prepared.lane.lane,
        str(layout.root.resolve()),
        key,
        context.settings.run.read_retries,
        prepared.roi,
        context.settings.run.tile_timeout_s,
        not context.executor.is_local,
    )
    started, started_cpu = time.perf_counter(), time.process_time()
    results: list[BatchResult] = []
    for result in _batch_results([BatchTask(job, b) for b in missing], context.executor):
        results.append(result)
        context.listener(BatchDone(info.slide_id, result.tiles_done, result.level_px))
    if len(results) < len(missing) and context.executor.is_stopped:
        return None  # what is committed stays, the next run goes on from there
    if len(results) < len(missing) and not any(r.error for r in results):
        raise IncompleteResultError(
            f"{info.slide_id}: {len(missing) - len(results)} batches came to no end; run the same command again"
        )
    timing = {
        "inner_wall_s": time.perf_counter() - started,
        "inner_cpu_s": _cpu_s(context.executor, time.process_time() - started_cpu, results),
        "decoded_px": sum(r.level_px for r in results),
        "batches": len(results),
    }
    failures = [asdict(f) for r in results for f in r.failures]
    return _Work(timing, failures, [r.error for r in results if r.error is not None])


def _batch_results(tasks: Sequence[BatchTask], executor: Executor) -> Iterator[BatchResult]:
    """Yield what became of each batch; one that kills its workers is looked into tile by tile, after the others.

    Too many such batches end it with one that came to nothing.
    """
    lost: list[IsolateTask] = []
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
            lost.append(IsolateTask(tasks[position], executor.task_memory_bytes))
    for _, outcome in executor.map(isolate_batch, lost):
        yield _nothing(outcome.message) if isinstance(outcome, TaskLost) else outcome


def _nothing(message: str) -> BatchResult:
    """Return what stands for a batch that came to nothing."""
    return BatchResult(-1, 0, 0, (), 0.0, message)


def _cpu_s(executor: Executor, of_this_process_s: float, results: Sequence[BatchResult]) -> float:
    """Return the CPU seconds of the tiles; with several slides in flight, of all that shared this process."""
    return of_this_process_s if executor.is_local else sum(r.cpu_s for r in results)


def _missing_batches(layout: SlideLayout, prepared: PreparedSlide) -> Sequence[int]:
    """Return the batches that are not committed, and those with tiles that could not be read last time."""
    plan = prepared.plan
    status = ledger_rows(layout)[..., LedgerLayout(len(prepared.fitted.scheme.classes)).status_column]
    again = (status == NOT_COMMITTED) | (status == TileStatus.UNREADABLE)
    wanted = []
    for batch in batches_to_measure(plan):
        rows, cols = batch_tiles_at(plan, batch)
        if again[rows.start : rows.stop, cols.start : cols.stop].any():
            wanted.append(batch)
    return wanted


def _lost_message(errors: Sequence[str]) -> str:
    return f"{errors[0]} ({len(errors)} batches came to nothing; the rest is committed: run the same command again)"


def _write_failed(
    slide: SlideInput, layout: SlideLayout, context: Context, failure: PrepareFailure | TaskLost
) -> dict[str, Any]:
    error = failure.error if isinstance(failure, PrepareFailure) else "TaskLost"
    provenance = {**_versions(context.settings), "error": error}
    status: Status = "needs_calibration" if error == MissingMppError.__name__ else "failed"
    record = failed_record(slide.slide_id, slide.path, failure.message, provenance, status)
    if not _holds_a_result(layout):
        write_json(layout.result_json, record)
    return record


def _holds_a_result(layout: SlideLayout) -> bool:
    """Return whether an earlier run left a result here, which a failure of today must not take away."""
    try:
        return is_counted(read_json(layout.result_json))
    except ResultError:
        return False


def _versions(settings: RunSettings) -> dict[str, Any]:
    return {
        "wsi_area_version": __version__,
        "measurement_version": MEASUREMENT_VERSION,
        "config_hash": settings.measurement_hash,
    }


def _reduce(
    prepared: PreparedSlide,
    layout: SlideLayout,
    tiles: SlideLayout,
    origin: Origin,
    work: _Work,
    objects: _Objects,
    settings: RunSettings,
) -> dict[str, Any]:
    """Return the document of a slide whose every tile is accounted for.

    Raises
    ------
    IncompleteResultError
        If a tile has not been committed.
    CountMismatchError
        If the pixels do not add up.
    """
    plan, fitted = prepared.plan, prepared.fitted
    columns = LedgerLayout(len(fitted.scheme.classes))
    rows = ledger_rows(layout)
    uncommitted = int((rows[..., columns.status_column] == NOT_COMMITTED).sum())
    if uncommitted:
        raise IncompleteResultError(
            f"{plan.slide.slide_id}: {uncommitted} of {plan.tile_count} tiles are not committed; run the same command "
            "again"
        )
    counts = columns.total(rows.reshape(-1, rows.shape[-1]))
    # only the fused kernel integrates a signal; whatever another segmenter declares is unknown, not 0
    signal = fitted.signal if isinstance(fitted, ColourRuled) else None
    burden = measure(
        plan.slide,
        fitted.scheme,
        counts,
        prepared.calibration,
        None if signal is None else signal.micro_scale,
    )
    bound = _skip_bound_px(prepared, ledger_rows(tiles), columns)  # as read, before any filter by size
    limits = QualityLimits(**settings.quality.model_dump())
    drawings = prepared.drawn, prepared.roi
    findings = [
        *check(plan, burden, _observed(prepared, bound), limits),
        *(finding for drawing in drawings if drawing is not None for finding in drawing.findings),
    ]
    mpp = prepared.calibration.mpp
    provenance = {
        **_versions(settings),
        "key": origin.key,
        "made_from": asdict(origin),
        "reader": prepared.lane.lane,
        "reader_reason": prepared.lane.reason,
        "segmenter": {
            "name": settings.segmenter.name,
            "settings": settings.segmenter.own,
            "facts": fitted.facts,
        },
        "foci": foci_record(objects.foci, mpp),
        "size_filters": [asdict(change) for change in objects.size_changes],
        "annotations": drawing_facts(prepared.drawn, mpp),
        "roi": drawing_facts(prepared.roi, mpp),
        "outlines": outline_facts(fitted.facts, plan, mpp),
        "tissue_mm2_by_threshold": _threshold_sensitivity(fitted, burden),
        "skipped_tissue_px_upper_bound": bound,
        "tile_errors": work.tile_errors[:TILES_LISTED],
        "timing": work.timing,
    }
    return slide_record(
        plan, burden, findings, provenance, None if signal is None else (signal.name, signal.micro_scale)
    )


def _threshold_sensitivity(fitted: FittedSegmenter, burden: SlideBurden) -> dict[str, float | None] | None:
    """Return the tissue area at the threshold and 5 % beside it; None where the segmenter has no threshold."""
    fractions: Any = fitted.facts.get("tissue_fraction")
    return None if fractions is None else tissue_area_at_shifts(fractions, burden.tissue_area_mm2)


def _observed(prepared: PreparedSlide, bound_px: int | None) -> Observed:
    facts: Mapping[str, Any] = prepared.fitted.facts
    assumed, seen = (facts.get(name) for name in ("background", "background_seen"))
    stain_fit = facts.get("stain_fit") or {}
    return Observed(
        prepared.edge_tissue_fraction,
        bound_px,
        None if assumed is None else str(assumed),
        None if seen is None else str(seen),
        facts.get("tissue_fraction"),
        stain_fit.get("unexplained"),
        stain_fit.get("angles_deg"),
    )


def _skip_bound_px(prepared: PreparedSlide, rows: NDArray[np.int64], columns: LedgerLayout) -> int | None:
    """Return the bound on the foreground in skipped tiles, from what the bare tiles that were read hold."""
    plan = prepared.plan

    def foreground_px(number: int) -> int:
        by_class = rows[divmod(number, plan.grid_cols)][: columns.class_count]
        return int(by_class.sum() - by_class[BACKGROUND_ID])

    return skipped_foreground_upper_bound_px(
        len(plan.skipped),
        [foreground_px(n) for n in sorted(plan.audited)],
        max((foreground_px(n) for n in plan.glass_read), default=0),
        prepared.overview_box_px,
    )
