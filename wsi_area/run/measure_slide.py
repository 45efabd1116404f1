"""run: one slide from its path to its result.json; straight line, no decision about other slides."""

import logging
import time
from dataclasses import replace

from wsi_area.errors import IncompleteResultError
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.copying import CopyStopped
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.class_map.cleaned_store import discard_layer, tiles_layout
from wsi_area.results.class_map.soundness import flush_stores, take_back_torn
from wsi_area.results.documents import write_result
from wsi_area.results.layout import SlideLayout
from wsi_area.results.thumbnail import CLASSES_NAME, write_thumbnail
from wsi_area.run.context import Context, where_to_read
from wsi_area.run.continuation import Origin, commit_skipped, is_begun, lay_out, origin_of
from wsi_area.run.events import SlidePreparing, SlideStarted
from wsi_area.run.executors.contract import Executor, TaskLost
from wsi_area.run.finished.basis import basis_of
from wsi_area.run.finished.kept import note_finished, standing_result
from wsi_area.run.finished.measured import Measured, map_on_record, timing_on_record, write_failed
from wsi_area.run.passes.merged_objects import (
    MergedObjects,
    merge_objects,
    size_filters,
    with_map,
    with_regions,
)
from wsi_area.run.passes.tissue_layer import layer_asked, without_tissue
from wsi_area.run.prepare import PreparedSlide, PrepareFailure, PrepareTask, prepare_or_split, prepare_slide
from wsi_area.run.preparing.overview_parts import OverviewWanted, overview_seen, read_overview_part
from wsi_area.run.slide_document import slide_document
from wsi_area.run.slide_tiles import (
    Work,
    lost_message,
    measure_tiles,
    missing_batches,
    of_original,
    tiles_of,
    tiles_place,
)
from wsi_area.run.work.phases import PreparingStopped, begin_phase, told_phases
from wsi_area.settings.parts_signal import parts_signal

_LOG = logging.getLogger(__name__)


def measure_slide(slide: SlideInput, layout: SlideLayout, context: Context) -> Measured | None:
    """Return the result of one slide, written; None if the run was stopped before its end.

    A finished one of which nothing has changed stands as it is, and is not opened. Pixels are read from a copy if there
    is one.

    Raises
    ------
    ResultError
        If the result cannot be written, or one from something else is in its place.
    """
    context = context.of(slide)
    basis = basis_of(slide, context.settings)
    standing = None if context.force else standing_result(layout, basis)
    if standing is not None:
        context.listener(SlideStarted(slide.slide_id, standing.work.tiles, standing.work.tiles))
        return Measured(standing, resumed=True)
    try:
        with where_to_read(slide, context) as read_path:
            measured = _measured(slide, layout, context, read_path)
    except CopyStopped:
        return None
    if measured is not None:
        note_finished(layout, measured.result, basis)
    return measured


def _measured(
    slide: SlideInput,
    layout: SlideLayout,
    context: Context,
    read_path: str | None,
    *,
    is_layer: bool = False,
    lane_obstacle: str | None = None,
) -> Measured | None:
    """Measure a slide, and then its tissue layer by the same steps; None if the run was stopped before the end.

    ``lane_obstacle`` is why it is read through OpenSlide, where that was found while it was measured otherwise.
    """
    started, goes_on = time.perf_counter(), not context.force and is_begun(layout)
    prepared = prepared_slide(slide, context, read_path, lane_obstacle, leaves_edges=not goes_on)
    if prepared is None:
        return None
    if not isinstance(prepared, PreparedSlide):
        return write_failed(slide, layout, context, prepared)
    if context.settings.estimate.is_asked and not is_layer:
        return _estimated(slide, layout, context, prepared, read_path)
    origin, tiles = origin_of(prepared, context.settings), tiles_place(layout, prepared, context.settings)
    signal = None if is_layer else parts_signal(context.settings, prepared.fitted, prepared.regions)
    lay_out(layout, tiles, prepared, origin, context.force, is_layer=is_layer, signal=signal)
    take_back_torn(layout, tiles, len(prepared.fitted.scheme.classes))
    commit_skipped(tiles, prepared, origin.key)  # again: an earlier run may have been killed before it had
    batches, plan = missing_batches(tiles, prepared), prepared.plan
    if batches:  # what is measured now is not in it
        (layout.root / CLASSES_NAME).unlink(missing_ok=True)
    if batches and goes_on and prepared.lane.edges_differ:  # the rest of it may have been read before that was found
        return _measured_again(slide, layout, context, read_path, prepared.lane.reason, is_layer=is_layer)
    context.listener(SlideStarted(slide.slide_id, plan.tile_count, plan.tile_count - tiles_of(plan, batches)))
    work = measure_tiles(prepared, tiles, origin.key, context, batches)
    if work is None:
        return None
    if work.lane_obstacle is not None:
        return _measured_again(slide, layout, context, read_path, work.lane_obstacle, is_layer=is_layer)
    if read_path is not None:  # from here on only what is said of the slide counts
        prepared, work = of_original(prepared, work, read_path, slide.path)
    if work.errors:
        lost = PrepareFailure(slide.slide_id, "ResultError", lost_message(work.errors))
        return write_failed(slide, layout, context, lost)
    layer = None
    if (asked := layer_asked(slide, prepared, context)) is not None:
        layer = _measured(asked.slide, layout.tissue, asked.context, read_path, is_layer=True)
        if layer is None:
            return None
        if not isinstance(layer.result, CountedSlide):
            return write_failed(slide, layout, context, without_tissue(slide.slide_id, layer.result))
    elif not is_layer:
        discard_layer(layout)
    timing = {**work.timing, "prepare_cpu_s": prepared.prepare_cpu_s, "wall_s": time.perf_counter() - started}
    if not batches and (earlier := timing_on_record(layout)) is not None:
        timing = earlier.model_dump()
    work, resumed = replace(work, timing=timing), not batches and (layer is None or layer.resumed)
    tissue = None if layer is None else layer.result
    return finished(prepared, layout, origin, work, context, tissue, resumed=resumed, is_layer=is_layer)


def _measured_again(
    slide: SlideInput, layout: SlideLayout, context: Context, read_path: str | None, obstacle: str, *, is_layer: bool
) -> Measured | None:
    """Measure all of a slide through OpenSlide, of which a stored tile is not what OpenSlide shows."""
    _LOG.warning("%s: %s; all of it is measured through OpenSlide", slide.slide_id, obstacle)
    afresh = replace(context, force=True)
    return _measured(slide, layout, afresh, read_path, is_layer=is_layer, lane_obstacle=obstacle)


def _estimated(
    slide: SlideInput, layout: SlideLayout, context: Context, prepared: PreparedSlide, read_path: str | None
) -> Measured | None:
    """Estimate a slide from spots of it, after a coarse look at all; None if the run was stopped before the end."""
    from wsi_area.run.estimate.estimate_slide import estimate_slide  # what it needs is for those who ask

    started = time.perf_counter()
    made = estimate_slide(slide, layout, context, prepared, lambda s, c: prepared_slide(s, c, read_path))
    if made is None:
        return None
    if isinstance(made, PrepareFailure | TaskLost):
        return write_failed(slide, layout, context, made)
    work = replace(made.work, timing={**made.work.timing, "wall_s": time.perf_counter() - started})
    is_resumed = not work.timing["batches"]
    if is_resumed and (earlier := timing_on_record(layout)) is not None:
        work = replace(work, timing=earlier.model_dump())
    if read_path is not None:
        prepared, work = of_original(prepared, work, read_path, slide.path)
    write_thumbnail(layout, prepared.thumbnail_jpeg)
    nothing = MergedObjects((), None)
    result = slide_document(prepared, layout, layout, made.origin, work, nothing, context.settings, made.estimated)
    flush_stores(layout)
    write_result(layout, result)
    return Measured(result, is_resumed)


def prepared_slide(
    slide: SlideInput,
    context: Context,
    read_path: str | None,
    lane_obstacle: str | None = None,
    *,
    leaves_edges: bool = False,
) -> PreparedSlide | PrepareFailure | TaskLost | None:
    """Return a slide ready to be measured, or why it cannot be; None if the run was stopped before that.

    Raises
    ------
    IncompleteResultError
        If nobody came to look at it.
    """
    executor = context.executor

    def tell(phase: str) -> None:
        if executor.is_stopped:
            raise PreparingStopped
        context.listener(SlidePreparing(slide.slide_id, phase))

    with told_phases(tell) as ticket:
        is_in_worker = not executor.is_local
        if is_in_worker:  # whose phases nobody hears here
            if executor.is_stopped:
                return None
            context.listener(SlidePreparing(slide.slide_id, "a worker looks at it"))
        task = PrepareTask(
            slide, context.settings, context.memory_limit_bytes, read_path, is_in_worker, ticket, True,
            leaves_edges=leaves_edges, lane_obstacle=lane_obstacle,
        )  # fmt: skip
        prepared = _prepared_by(executor, task)
    if isinstance(prepared, PrepareFailure) and prepared.error == PreparingStopped.__name__:
        return None
    if prepared is None and not executor.is_stopped:
        raise IncompleteResultError(f"{slide.slide_id}: it was never looked at; run the same command again")
    return prepared


def _prepared_by(executor: Executor, task: PrepareTask) -> PreparedSlide | PrepareFailure | TaskLost | None:
    """Return a slide prepared by one worker, and a large overview of it read by all; None if stopped before the end."""
    looked = next((outcome for _, outcome in executor.map(prepare_or_split, [task])), None)
    if not isinstance(looked, OverviewWanted):
        return looked
    try:
        begin_phase(task.ticket, "reading the overview")
    except PreparingStopped:
        return None
    parts = []
    for _, part in executor.map(read_overview_part, looked.tasks):
        if isinstance(part, TaskLost):
            return part
        if part.error:
            return task.failed(part.error, part.message)
        parts.append(part)
    if len(parts) < len(looked.tasks):
        return None
    whole = replace(task, splits_overview=False, seen=overview_seen(looked, parts))
    return next((outcome for _, outcome in executor.map(prepare_slide, [whole])), None)


def finished(
    prepared: PreparedSlide,
    layout: SlideLayout,
    origin: Origin,
    work: Work,
    context: Context,
    tissue: EndedSlide | None = None,
    *,
    resumed: bool,
    is_layer: bool = False,
) -> Measured | None:
    """Return the result of a slide whose every tile is committed, written; None if stopped before.

    The document is made from the ledger each time: findings follow today's limits, and a torn one is mended.

    Parameters
    ----------
    prepared, layout, origin, work, context
        The slide, where it lies, what it is made from, what its tiles came to, and who does the work.
    tissue
        The result of its tissue layer, where it has one.
    resumed
        Nothing of it had to be measured.
    is_layer
        It is a tissue layer itself: what it needs no picture and no envelope of its own for.

    Raises
    ------
    IncompleteResultError
        If a tile is not committed after all.
    """
    settings = context.settings
    filters = size_filters(prepared, settings)
    if not is_layer:
        write_thumbnail(layout, prepared.thumbnail_jpeg)
    objects = merge_objects(prepared, layout, filters, origin, context)
    if objects is not None:
        map_sha256 = map_on_record(layout, origin.key) if resumed else None
        objects = with_map(objects, prepared, layout, tissue, context, is_layer=is_layer, known_sha256=map_sha256)
    if objects is not None and not is_layer:
        objects = with_regions(objects, prepared, layout, context)
    if objects is None:
        return None
    result = slide_document(prepared, layout, tiles_layout(layout, filters), origin, work, objects, settings)
    if settings.bands.edges_um or settings.hotspots.windows_mm2:
        from wsi_area.run.passes.margin_pass import with_margins  # its kernels are for those who ask

        known = with_margins(result, layout, settings.bands, settings.hotspots, context.executor)
        if known is None:
            return None
        result = known
    flush_stores(layout)
    write_result(layout, result)
    if objects.picture is not None:
        # imported here: a run without a report need not pay for it
        from wsi_area.run.passes.class_picture import keep_class_thumbnail

        keep_class_thumbnail(layout, result, objects.picture)
    return Measured(result, resumed)
