"""run: one slide from its path to its result.json; straight line, no decision about other slides."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from wsi_area import __version__
from wsi_area.compute.area import measure
from wsi_area.compute.grid import batch_tiles_at, batches_to_read, tile_areas_l0_px
from wsi_area.compute.planning import estimated_disk_bytes
from wsi_area.compute.quality import Observed, QualityLimits, check
from wsi_area.compute.skipping import skipped_foreground_upper_bound_px, skipped_px
from wsi_area.errors import IncompleteResultError, ResultError, StaleResultError
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout, TileStatus
from wsi_area.model.plan import SlidePlan
from wsi_area.results.layout import SlideLayout, read_json, write_json
from wsi_area.results.record import failed_record, slide_record
from wsi_area.results.store import commit_batch, create_store, ledger_rows, stored_key
from wsi_area.run.events import BatchDone, Listener, SlideStarted
from wsi_area.run.executors import Executor, TaskLost
from wsi_area.run.inputs import SlideInput
from wsi_area.run.prepare import PreparedSlide, PrepareFailure, PrepareTask, prepare_slide
from wsi_area.run.settings import RunSettings
from wsi_area.run.slide_job import BatchResult, BatchTask, SlideJob
from wsi_area.run.tile_task import measure_batch

MEASUREMENT_VERSION = 1
"""Raised whenever the same pixels would be counted differently; results of another version are never continued."""

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
    started = time.perf_counter()
    settings = context.settings
    task = PrepareTask(slide.path, slide.slide_id, slide.override, settings, context.memory_limit_bytes)
    prepared = next((outcome for _, outcome in context.executor.map(prepare_slide, [task])), None)
    if prepared is None:
        return None
    if not isinstance(prepared, PreparedSlide):
        return Measured(_write_failed(slide, layout, context, prepared), resumed=False)
    key = result_key(prepared, settings)
    if (earlier := _earlier_result(layout, key, context.force)) is not None:
        return Measured(earlier, resumed=True)
    _lay_out(layout, prepared, key, context.force)
    work = _measure_tiles(prepared, layout, key, context)
    if work is None:
        return None
    timing = {**work.timing, "prepare_cpu_s": prepared.prepare_cpu_s, "wall_s": time.perf_counter() - started}
    if work.errors:
        lost = PrepareFailure(slide.slide_id, "ResultError", _lost_message(work.errors))
        return Measured(_write_failed(slide, layout, context, lost), resumed=False)
    record = _reduce(prepared, layout, key, replace(work, timing=timing), settings)
    if work.tile_errors:
        record["reason"] += f"; the first: {work.tile_errors[0]['message']}"
    write_json(layout.result_json, record)
    return Measured(record, resumed=False)


def result_key(prepared: PreparedSlide, settings: RunSettings) -> str:
    """Return the hash of everything a slide's result depends on: slide, pixel size, settings, cut, fit, version."""
    mpp = prepared.calibration.mpp
    facts = [
        prepared.info.fingerprint, None if mpp is None else [mpp.x, mpp.y], settings.measurement_hash,
        prepared.plan.fingerprint, prepared.fitted.facts, MEASUREMENT_VERSION,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _earlier_result(layout: SlideLayout, key: str, force: bool) -> dict[str, Any] | None:
    """Return the finished result of an earlier run of the very same; a damaged slide is tried again."""
    if force or not layout.result_json.exists():
        return None
    try:
        record = read_json(layout.result_json)
    except ResultError:
        return None  # torn: what it said is still in the ledger
    if record["status"] == "failed":
        return None
    if record.get("key") != key:
        raise StaleResultError(
            f"{layout.root.name}: the result on disk was made from another slide file, pixel size, setting or version; "
            "choose another --out, or --force to measure it afresh"
        )
    return record if record["status"] != "incomplete" else None


def _lay_out(layout: SlideLayout, prepared: PreparedSlide, key: str, force: bool) -> None:
    """Make the empty stores, or keep those of an interrupted run of the very same."""
    found = stored_key(layout)
    if found == key and not force:
        _commit_skipped(layout, prepared, key)  # again: the earlier run may have been killed before it had
        return
    if found is not None and not force:
        raise StaleResultError(
            f"{layout.root.name}: the unfinished result on disk was made from another slide file, pixel size, setting "
            "or version; choose another --out, or --force to measure it afresh"
        )
    layout.result_json.unlink(missing_ok=True)
    _require_space(layout, prepared.plan)
    try:
        create_store(layout, prepared.plan, prepared.fitted.scheme, key)
    except OSError as error:
        raise ResultError(
            f"{layout.root} cannot be written ({error.strerror or error}); choose another --out"
        ) from error
    _commit_skipped(layout, prepared, key)


def _require_space(layout: SlideLayout, plan: SlidePlan) -> None:
    """Refuse a slide whose class map will not fit on the disk, before any work on it is lost."""
    layout.root.mkdir(parents=True, exist_ok=True)
    needed, free = estimated_disk_bytes(plan), shutil.disk_usage(layout.root).free
    if needed > free:
        raise ResultError(
            f"{plan.slide.slide_id}: about {needed / 2**20:.0f} MiB are needed at {layout.root}, "
            f"{free / 2**20:.0f} MiB are free; free some space or choose another --out, then run the same command again"
        )


def _commit_skipped(layout: SlideLayout, prepared: PreparedSlide, key: str) -> None:
    """Commit the batches that hold nothing to read; no task is made for them."""
    plan = prepared.plan
    columns = LedgerLayout(len(prepared.fitted.scheme.classes))
    areas = tile_areas_l0_px(plan)
    for batch in set(range(plan.batch_rows * plan.batch_cols)) - set(batches_to_read(plan)):
        rows, cols = batch_tiles_at(plan, batch)
        entries = np.zeros((len(rows), len(cols), len(columns.columns)), np.int64)
        entries[..., BACKGROUND_ID] = areas[rows.start : rows.stop, cols.start : cols.stop]
        entries[..., columns.status_column] = TileStatus.SKIPPED
        commit_batch(layout, key, (rows[0], cols[0]), (0, 0), None, entries)


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
    )
    started, started_cpu = time.perf_counter(), time.process_time()
    results: list[BatchResult] = []
    for _, outcome in context.executor.map(measure_batch, [BatchTask(job, b) for b in missing]):
        result = BatchResult(-1, 0, 0, (), 0.0, outcome.message) if isinstance(outcome, TaskLost) else outcome
        results.append(result)
        context.listener(BatchDone(info.slide_id, result.tiles_done, result.level_px))
    if len(results) < len(missing):
        return None  # stopped: what is committed stays, the next run goes on from there
    timing = {
        "inner_wall_s": time.perf_counter() - started,
        "inner_cpu_s": _cpu_s(context.executor, time.process_time() - started_cpu, results),
        "decoded_px": sum(r.level_px for r in results),
        "batches": len(results),
    }
    failures = [asdict(f) for r in results for f in r.failures]
    return _Work(timing, failures, [r.error for r in results if r.error is not None])


def _cpu_s(executor: Executor, of_this_process_s: float, results: Sequence[BatchResult]) -> float:
    """Return the CPU seconds of the tiles; with several slides in flight, of all that shared this process."""
    return of_this_process_s if executor.is_local else sum(r.cpu_s for r in results)


def _missing_batches(layout: SlideLayout, prepared: PreparedSlide) -> Sequence[int]:
    """Return the batches that are not committed, and those with tiles that could not be read last time."""
    plan = prepared.plan
    status = ledger_rows(layout)[..., LedgerLayout(len(prepared.fitted.scheme.classes)).status_column]
    again = (status == NOT_COMMITTED) | (status == TileStatus.UNREADABLE)
    wanted = []
    for batch in batches_to_read(plan):
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
    record = failed_record(slide.slide_id, slide.path, failure.message, provenance)
    write_json(layout.result_json, record)
    return record


def _versions(settings: RunSettings) -> dict[str, Any]:
    return {
        "wsi_area_version": __version__,
        "measurement_version": MEASUREMENT_VERSION,
        "config_hash": settings.measurement_hash,
    }


def _reduce(
    prepared: PreparedSlide, layout: SlideLayout, key: str, work: _Work, settings: RunSettings
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
    signal = fitted.signal
    burden = measure(
        plan.slide,
        fitted.scheme,
        counts,
        prepared.calibration,
        None if signal is None else signal.micro_scale,
    )
    bound = skipped_foreground_upper_bound_px(skipped_px(plan), _glass_read(plan, rows, columns))
    limits = QualityLimits(**settings.quality.model_dump())
    findings = check(plan, burden, Observed(prepared.edge_tissue_fraction, bound), limits)
    provenance = {
        **_versions(settings),
        "key": key,
        "reader": prepared.lane.lane,
        "reader_reason": prepared.lane.reason,
        "segmenter": {
            "name": settings.segmenter.name,
            "settings": settings.segmenter.own,
            "facts": fitted.facts,
        },
        "skipped_tissue_px_upper_bound": bound,
        "tile_errors": work.tile_errors[:TILES_LISTED],
        "timing": work.timing,
    }
    return slide_record(
        plan, burden, findings, provenance, None if signal is None else (signal.name, signal.micro_scale)
    )


def _glass_read(plan: SlidePlan, rows: Any, columns: LedgerLayout) -> Iterator[tuple[int, int]]:
    """Yield (foreground, scanned) level-0 px of each tile of bare glass that was read all the same."""
    for number in plan.glass_read:
        row = rows[divmod(number, plan.grid_cols)]
        by_class: Mapping[int, int] = {i: int(n) for i, n in enumerate(row[: columns.class_count])}
        scanned = sum(by_class.values())
        yield scanned - by_class[BACKGROUND_ID], scanned
