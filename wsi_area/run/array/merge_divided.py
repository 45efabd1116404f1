"""run: a slide that several tasks of a job array measured becomes one, from its ledger; or what of it is missing."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from wsi_area.errors import StaleResultError, WsiAreaError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.run_record import ShareOnRecord, TaskRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide, FailedSlide
from wsi_area.results.class_map.soundness import stores_open, take_back_torn
from wsi_area.results.class_map.store import stored_origin
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.run.array.division import Share
from wsi_area.run.array.share_batches import owners_of
from wsi_area.run.array.slide_share import MEASURED
from wsi_area.run.context import Context, where_to_read
from wsi_area.run.continuation import origin_difference, origin_of
from wsi_area.run.earlier_run import NOT_REACHED, ended_document
from wsi_area.run.executors.threads import ThreadsExecutor
from wsi_area.run.finished.measured import Measured, write_failed
from wsi_area.run.measure_slide import (
    finished,
    prepared_slide,
)
from wsi_area.run.passes.tissue_layer import layer_asked, without_tissue
from wsi_area.run.prepare import PreparedSlide
from wsi_area.run.slide_tiles import Work, of_original, tiles_place, uncommitted_batches
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.processes import usable_cores

_LOG = logging.getLogger(__name__)

_ANY_MEMORY = sys.maxsize  # no tile is measured here


@frozen_value
class Unfinished:
    """A divided slide of which batches are missing."""

    batches: int  # that are missing
    batches_in_all: int
    tasks: tuple[int, ...]  # that have them
    torn: int = 0  # of those missing: that were there, and did not agree with their checksums


@contextmanager
def merging_context(settings: RunSettings, workers: int) -> Iterator[Context]:
    """Lend what putting slides together needs: threads of this process, and slides read where they lie.

    Parameters
    ----------
    settings
        Of the tasks. What they say of who does the work is left aside: a scheduler may be gone by now.
    workers
        Threads; 0: one for each core.
    """
    run = settings.run.model_copy(update={"executor": "threads", "scheduler": None, "stage_dir": None})
    executor = ThreadsExecutor(workers or usable_cores())
    try:
        yield Context(settings.model_copy(update={"run": run}), executor, lambda event: None, _ANY_MEMORY, False)
    finally:
        executor.close()


def divided_record(
    slide: SlideInput,
    layout: RunLayout,
    context: Context,
    shares: Sequence[Share],
    tasks: Mapping[int, TaskRecord],
    later: EndedSlide | None,
) -> EndedSlide:
    """Return the result of a slide that several tasks shared: written if it is whole, else what finishes it.

    Parameters
    ----------
    slide, layout, context, shares
        The slide, where it lies, what putting it together needs, and who has what of it.
    tasks
        What each task said.
    later
        What run.json says of the slide if all of its tasks were merged before.
    """
    parts = [tasks[share.task].pieces.get(slide.slide_id) for share in shares]
    said = [part for part in parts if part is not None]
    try:
        outcome = finish_divided(slide, layout.slide(slide.slide_id), context, shares, said)
    except StaleResultError as error:
        if later is not None and later.status != "failed":  # a run of one process has measured it again since
            return ended_document(layout, slide.slide_id, later)
        return _unfinished(slide, f"{error}; then wsi-area merge again", type(error).__name__)
    except Exception as error:  # the boundary of a slide: whatever befalls one, the others are merged
        if not isinstance(error, WsiAreaError):
            _LOG.exception("%s: please report this", slide.slide_id)
        return _unfinished(slide, str(error), type(error).__name__)
    if isinstance(outcome, Unfinished):
        stopped = [tasks[task] for task in outcome.tasks if slide.slide_id not in tasks[task].pieces]
        why = next((found for task in stopped if (found := failed_fast(task))), "")
        return _unfinished(slide, _missing(outcome, len(tasks), said) + why, NOT_REACHED)
    assert outcome is not None, "a merge is never stopped half-way through a slide"
    return outcome.result


def failed_fast(task: TaskRecord) -> str:
    """Return, of a task that run.fail_fast ended, that it would end so again; nothing of another."""
    if task.state != "finished" or not task.settings["run"]["fail_fast"]:
        return ""
    return ", since another slide failed and run.fail_fast is set: mend that one or leave run.fail_fast out"


def _missing(found: Unfinished, count: int, said: Sequence[ShareOnRecord]) -> str:
    """Return the batches that are missing, why as far as that is known, and the commands that measure them."""
    commands = " and ".join(f"--shard {task}/{count}" for task in found.tasks)
    reasons = [part.reason for part in said if part.status not in {MEASURED, "needs_calibration"}]
    return (
        f"{found.batches} of its {found.batches_in_all} batches are missing"
        + (f", {found.torn} of them torn on the disk and taken back" if found.torn else "")
        + (f" ({reasons[0]})" if reasons else "")
        + f"; run the same command with {commands}, then wsi-area merge again"
    )


def _unfinished(slide: SlideInput, reason: str, error: str) -> FailedSlide:
    return FailedSlide(slide_id=slide.slide_id, status="failed", reason=reason, path=slide.path, error=error)


def finish_divided(
    slide: SlideInput,
    layout: SlideLayout,
    context: Context,
    shares: Sequence[Share],
    parts: Sequence[ShareOnRecord],
) -> Measured | Unfinished | None:
    """Return the result of a slide that several tasks measured, written; or what of it is missing.

    Parameters
    ----------
    slide, layout, context
        As for `measure_slide`.
    shares
        Who has what of the slide.
    parts
        What the tasks said of their parts.

    Raises
    ------
    StaleResultError
        If what they measured was made from something else than this would be now.
    """
    return _finish(slide, layout, context.of(slide), shares, parts)


def _finish(
    slide: SlideInput,
    layout: SlideLayout,
    context: Context,
    shares: Sequence[Share],
    parts: Sequence[ShareOnRecord],
    *,
    is_layer: bool = False,
) -> Measured | Unfinished | None:
    """Finish a slide, its tissue layer first."""
    with where_to_read(slide, context) as read_path:
        prepared = prepared_slide(slide, context, read_path)
    if prepared is None:
        return None
    if not isinstance(prepared, PreparedSlide):
        return write_failed(slide, layout, context, prepared)
    work = _work_of(parts)
    if read_path is not None:
        prepared, work = of_original(prepared, work, read_path, slide.path)
    origin, tiles = origin_of(prepared, context.settings), tiles_place(layout, prepared, context.settings)
    found, in_all = stored_origin(tiles), prepared.plan.batch_rows * prepared.plan.batch_cols
    if found is None or (found == origin.parts and not stores_open(tiles)):
        return Unfinished(in_all, in_all, tuple(share.task for share in shares))
    if found != origin.parts:
        raise StaleResultError(f"{slide.slide_id}: {origin_difference(found, origin.parts)}")
    torn = take_back_torn(layout, tiles, len(prepared.fitted.scheme.classes))
    missing = uncommitted_batches(tiles, prepared)
    if missing:
        return Unfinished(len(missing), in_all, owners_of(prepared.plan, shares, missing), torn)
    tissue = None
    if (asked := layer_asked(slide, prepared, context)) is not None:
        outcome = _finish(asked.slide, layout.tissue, asked.context, shares, (), is_layer=True)
        if not isinstance(outcome, Measured):
            return outcome
        tissue = outcome.result
        if not isinstance(tissue, CountedSlide):
            return write_failed(slide, layout, context, without_tissue(slide.slide_id, tissue))
    return finished(prepared, layout, origin, work, context, tissue, resumed=False, is_layer=is_layer)


def _work_of(parts: Sequence[ShareOnRecord]) -> Work:
    """Return the work of the tasks as one: seconds of work and pixels add up, those on the wall clock do not."""
    took = [part.timing.model_dump() for part in parts if part.timing is not None]
    added = ("inner_cpu_s", "decoded_px", "batches", "network_runs", "edge_proof_cpu_s", "prepare_cpu_s")
    timing = {name: sum(timing[name] for timing in took) for name in added}
    timing |= {name: max((timing[name] for timing in took), default=0.0) for name in ("inner_wall_s", "wall_s")}
    return Work(timing, [error.model_dump() for part in parts for error in part.tile_errors], [])
