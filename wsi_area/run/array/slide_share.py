"""run: one task's part of a slide that several tasks of a job array share; no document is written here.

The tasks talk through the slide's ledger and two locks. The first to come lays out the empty stores, alone; each
computes calibration, fit and plan by itself, and goes on only if what it would measure has the hash that the ledger
bears. From then on a task writes its own shards of the class map and its own rows, which nobody else has.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from wsi_area.compute.cut.grid import batch_tiles_at
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.copying import CopyStopped
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout
from wsi_area.model.record.slide_origin import TileError, Timing
from wsi_area.model.run_record import ShareOnRecord
from wsi_area.results.class_map.signal_store import kept_signal
from wsi_area.results.class_map.soundness import stores_open, take_back_torn
from wsi_area.results.class_map.store import commit_batch, stored_origin
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.thumbnail import write_thumbnail
from wsi_area.run.array.division import Share
from wsi_area.run.array.share_batches import batches_of
from wsi_area.run.context import Context, where_to_read
from wsi_area.run.continuation import Origin, commit_skipped, lay_out, origin_of
from wsi_area.run.events import SlideStarted
from wsi_area.run.finished.measured import failed_slide
from wsi_area.run.measure_slide import (
    prepared_slide,
)
from wsi_area.run.passes.tissue_layer import layer_asked, reason_of_layer
from wsi_area.run.prepare import PreparedSlide
from wsi_area.run.slide_document import TILES_LISTED
from wsi_area.run.slide_tiles import (
    Work,
    lost_message,
    measure_tiles,
    missing_batches,
    of_original,
    tiles_of,
    tiles_place,
)
from wsi_area.segmenters.protocol import Signal
from wsi_area.settings.parts_signal import parts_signal
from wsi_area.storage.locks import held, relock
from wsi_area.storage.place import Place

MEASURED = "measured"
"""What a task says of its part when all of it is committed; only the merge says of a slide that it is complete."""


@frozen_value
class SlideShare:
    """What became of one task's part of a slide."""

    slide_id: str
    path: str
    status: str  # MEASURED, or what the slide as a whole will not be better than
    reason: str
    batches: tuple[int, ...] = ()  # that are its own
    batches_in_all: int = 0
    tile_errors: Sequence[Mapping[str, Any]] = ()
    timing: Mapping[str, Any] | None = None

    def on_record(self) -> ShareOnRecord:
        """Return it as a task's document has it: its batches as how many they are, the first, and the last."""
        return ShareOnRecord(
            slide_id=self.slide_id,
            path=self.path,
            status=self.status,
            reason=self.reason,
            batches=(self.batches[0], self.batches[-1]) if self.batches else (),
            batches_in_all=self.batches_in_all,
            tile_errors=tuple(TileError.model_validate(error) for error in self.tile_errors),
            timing=None if self.timing is None else Timing.model_validate(self.timing),
            own_batches=len(self.batches),
        )


def measure_share(slide: SlideInput, run: RunLayout, context: Context, share: Share) -> SlideShare | None:
    """Return the outcome of one share of a slide, its batches committed; None if the task was stopped before its end.

    Raises
    ------
    StaleResultError
        If what lies there, from another task or an earlier run, was made from something else.
    ResultError
        If it cannot be written.
    """
    context, place = context.of(slide), _SharePlace(run.slide(slide.slide_id), run.tasks / "divided" / slide.slide_id)
    try:
        with _copied_whole(slide, context) as read_path:
            return _measured_share(slide, place, context, share, read_path)
    except CopyStopped:
        return None


@frozen_value
class _SharePlace:
    """Where a slide that tasks share lies, or its tissue layer, and the locks that they hold it by."""

    layout: SlideLayout
    locks: Place
    is_layer: bool = False

    @property
    def tissue(self) -> "_SharePlace":
        """Return the same of the tissue layer."""
        return _SharePlace(self.layout.tissue, self.locks / "tissue", is_layer=True)


@contextmanager
def _copied_whole(slide: SlideInput, context: Context) -> Iterator[str | None]:
    """Lend the path of a local copy, of all of the slide: which bytes of it a part needs is not known before."""
    with ExitStack() as stack:
        try:
            read_path = stack.enter_context(where_to_read(slide, context))
        except ResultError as error:
            raise ResultError(
                f"{error}. Several tasks share {slide.slide_id}, and each copies all of it to its own node"
            ) from error
        yield read_path


def _measured_share(
    slide: SlideInput, place: _SharePlace, context: Context, share: Share, read_path: str | None
) -> SlideShare | None:
    """Measure one share of a slide, and then the same share of its tissue layer; None if stopped before the end."""
    started = time.perf_counter()
    prepared = prepared_slide(slide, context, read_path)
    if prepared is None:
        return None
    if not isinstance(prepared, PreparedSlide):
        ended = failed_slide(slide, context, prepared)
        return SlideShare(slide.slide_id, slide.path, ended.status, ended.reason)
    layout, origin, plan = place.layout, origin_of(prepared, context.settings), prepared.plan
    tiles, own = tiles_place(layout, prepared, context.settings), batches_of(plan, share)
    signal = None if place.is_layer else parts_signal(context.settings, prepared.fitted, prepared.regions)
    with _joined(place, tiles, prepared, origin, signal, context.force):
        if context.force:
            _forget(tiles, prepared, origin.key, own)
        take_back_torn(layout, tiles, len(prepared.fitted.scheme.classes), {divmod(b, plan.batch_cols) for b in own})
        commit_skipped(tiles, prepared, origin.key, own)
        batches = missing_batches(tiles, prepared, own)
        own_tiles = tiles_of(plan, own)
        context.listener(SlideStarted(slide.slide_id, own_tiles, own_tiles - tiles_of(plan, batches)))
        work = measure_tiles(prepared, tiles, origin.key, context, batches)
    if work is None:
        return None
    if read_path is not None:
        prepared, work = of_original(prepared, work, read_path, slide.path)
    status, reason = _told(prepared, work)
    if status != "failed" and (asked := layer_asked(slide, prepared, context)) is not None:
        tissue = _measured_share(asked.slide, place.tissue, asked.context, share, read_path)
        if tissue is None:
            return None
        if tissue.status != MEASURED and status != "incomplete":
            status, reason = tissue.status, reason_of_layer(tissue.reason)
    timing = {**work.timing, "prepare_cpu_s": prepared.prepare_cpu_s, "wall_s": time.perf_counter() - started}
    in_all = plan.batch_rows * plan.batch_cols
    return SlideShare(slide.slide_id, slide.path, status, reason, own, in_all, work.tile_errors[:TILES_LISTED], timing)


def _told(prepared: PreparedSlide, work: Work) -> tuple[str, str]:
    if work.errors:
        return "failed", lost_message(work.errors)
    if work.tile_errors:
        return "incomplete", f"{len(work.tile_errors)} tiles could not be read; {work.tile_errors[0]['message']}"
    if prepared.calibration.mpp is None:
        return "needs_calibration", prepared.calibration.reason
    return MEASURED, ""


@contextmanager
def _joined(
    place: _SharePlace, tiles: SlideLayout, prepared: PreparedSlide, origin: Origin, signal: Signal | None, force: bool
) -> Iterator[None]:
    """Hold a slide together with the other tasks that have a part of it, once its stores are there.

    Tasks come in one after the other. Stores that were made from something else are replaced (which ``force`` allows)
    only while no other task is at work on them.
    """
    folder, layout = place.locks, place.layout
    busy = f"{layout.root} is being measured by another task from something else; wait for it, or end it"
    with (
        held(folder / "settling.lock", waits=True) as settling,
        held(folder / "tiles.lock", shared=True, busy=busy) as together,
    ):
        lacks_signal = force and signal is not None and kept_signal(tiles) is None
        if stored_origin(tiles) != origin.parts or not stores_open(tiles) or lacks_signal:
            relock(together, shared=False, busy=busy)
            lay_out(layout, tiles, prepared, origin, force, signal=signal)
            write_thumbnail(layout, prepared.thumbnail_jpeg)
            relock(together, shared=True, busy=busy)
        elif force:
            layout.result_json.unlink(missing_ok=True)
        settling.close()  # let the next task in
        yield


def _forget(tiles: SlideLayout, prepared: PreparedSlide, key: str, batches: Sequence[int]) -> None:
    """Take back what earlier tasks committed of some batches, so that they are measured afresh."""
    columns = len(LedgerLayout(len(prepared.fitted.scheme.classes)).columns)
    for batch in batches:
        rows, cols = batch_tiles_at(prepared.plan, batch)
        empty = np.full((len(rows), len(cols), columns), NOT_COMMITTED, np.int64)
        commit_batch(tiles, key, (rows[0], cols[0]), {}, empty)
