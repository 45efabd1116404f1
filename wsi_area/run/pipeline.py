"""run: many slides, each to its own end; what the command line and the API call."""

import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from wsi_area.errors import MissingMppError, SettingsError, StaleResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput, as_slides
from wsi_area.inputs.drawings import refuse_mismatch
from wsi_area.inputs.estimate_asked import refuse_with_estimate
from wsi_area.inputs.stage_in import refuse_unreachable
from wsi_area.model.slide_result import CountedSlide, EndedSlide, FailedSlide, UncountedSlide
from wsi_area.results.layout import RunLayout
from wsi_area.results.leftovers import discard_partials
from wsi_area.results.run_folder import Standing, Wish
from wsi_area.run.beginning import begin_run, begun_header, discard_documents
from wsi_area.run.boundary import guarded
from wsi_area.run.closing import end_run
from wsi_area.run.context import Context, context_of
from wsi_area.run.earlier_run import INTERRUPTED, ended_document, others_in, settled, unmeasured
from wsi_area.run.events import Listener, SlideDone, Stopping
from wsi_area.run.executors.choice import make_executor
from wsi_area.run.executors.contract import Executor
from wsi_area.run.finished.measured import Measured
from wsi_area.run.measure_slide import measure_slide
from wsi_area.run.run_document import RunOutcome, run_header
from wsi_area.run.run_log import RunLog, opened_log
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.locks import sole_writer
from wsi_area.storage.place import Place, place_of

_LOG = logging.getLogger(__name__)

KEPT_IN_TABLES = "its earlier result is kept and stands in the tables"

FAILED_FAST = (
    "not reached: another slide failed, and run.fail_fast ended the run; mend that one or leave run.fail_fast out, "
    "then run the same command again"
)

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def run_slides(
    slides: Sequence[SlideInput | str | os.PathLike[str]],
    settings: RunSettings,
    out: Place | str,
    *,
    force: bool = False,
    listener: Listener = lambda event: None,
    argv: Sequence[str] = (),
    for_report: bool = False,
) -> RunOutcome:
    """Measure slides into a run directory and return how each ended.

    Parameters
    ----------
    slides : sequence of SlideInput
        With distinct slide ids, as `collect_slides` returns them; or paths, which it is called with.
    settings : RunSettings
    out : path, Place
        The run directory; an interrupted run of the very same goes on where it stopped, further slides join it.
    force : bool
        Measure afresh what was made from something else. Slides of other settings that are not asked for leave the
        tables; a warning names them.
    listener : callable
        Is told of each event, from several threads.
    argv : sequence of str
        For the record.
    for_report : bool
        Keep a picture of each slide's classes where the slide ends, so that the report need not make it.

    Raises
    ------
    SettingsError, ResultError
        If nothing could be started: a wrong setting, a folder that cannot be written or is in use.
    """
    if not isinstance(settings, RunSettings):
        raise SettingsError(f"the settings are {settings!r}; give load_settings({settings!r}), a file or a preset")
    slides, out = as_slides(slides, settings.storage.access), place_of(out, settings.storage.access)
    refuse_mismatch(settings, slides)
    refuse_with_estimate(settings, slides)
    refuse_unreachable([slide.path for slide in slides], settings)
    layout = RunLayout(out)
    with sole_writer(out):
        discard_partials(layout, [s.slide_id for s in slides])
        folder, act = settled(layout, settings, Wish.RUN_AFRESH if force else Wish.RUN)
        others = others_in(folder, act, slides, force, settings)
        executor = make_executor(settings.run, settings.cluster, settings.tls, out)
        header = begun_header(folder, run_header(settings, argv, [], slides.left_out), others, slides)
        if folder.standing is Standing.MERGED and act.keeps_others:
            header = header.model_copy(update={"shards": None if folder.earlier is None else folder.earlier.shards})
        try:
            begin_run(folder, act, header, slides)
            if force:
                discard_documents(layout, [s.slide_id for s in slides])
            context = context_of(settings, executor, listener, force, for_report=for_report)
            with opened_log(layout.logs / "run.jsonl") as log, stops_on_signal(executor, listener) as interrupted:
                log.run_started(len(slides), header, left_out=[left.line for left in slides.left_out])
                outcome, own = measure_all(slides, layout, context, log, interrupted, for_report=for_report)
                outcome = replace(outcome, left_out=slides.left_out)
                # the tables are part of the run: a signal waits until they are whole
                outcome = end_run(layout, header, outcome, [*others, *own], log, executor.worker_count)
        except KeyboardInterrupt:
            executor.abandon()
            raise
        finally:
            executor.close()
    return outcome


def measure_all(
    slides: Sequence[SlideInput],
    layout: RunLayout,
    context: Context,
    log: RunLog,
    interrupted: threading.Event,
    *,
    for_report: bool,
) -> tuple[RunOutcome, list[EndedSlide]]:
    """Return the outcome, and the result of each slide, in order; those that were not reached say so.

    Several slides are in flight so that no core idles between two.
    """
    in_flight = min(context.settings.run.slides_in_flight or context.executor.slides_at_once, len(slides)) or 1
    drivers = ThreadPoolExecutor(in_flight, thread_name_prefix="wsi-area-slide")
    try:
        outcomes = list(drivers.map(_Driver(layout, context, log, for_report), slides))
    except KeyboardInterrupt:  # the second: nobody waits for what cannot be ended
        context.executor.abandon()
        drivers.shutdown(wait=False, cancel_futures=True)
        raise
    drivers.shutdown()
    ended = tuple(m.result for m in outcomes if m is not None)
    why = _why_not_reached(context, interrupted)
    documents = [_end(layout, slide, m, why) for slide, m in zip(slides, outcomes, strict=True)]
    not_reached = tuple(d for d, measured in zip(documents, outcomes, strict=True) if measured is None)
    is_cut_short = interrupted.is_set() and bool(not_reached)
    if lost := context.executor.lost:
        _LOG.error("%s; %s; run the same command again", lost, _complete_text(ended))
    return RunOutcome(ended, is_cut_short, len(slides), not_reached, lost=lost), documents


def _why_not_reached(context: Context, interrupted: threading.Event) -> str:
    if interrupted.is_set():
        return INTERRUPTED
    lost = context.executor.lost
    return f"not reached: {lost}; run the same command again" if lost else FAILED_FAST


def _complete_text(ended: Sequence[EndedSlide]) -> str:
    number = sum(slide.status == "complete" for slide in ended)
    return "1 slide is complete" if number == 1 else f"{number} slides are complete"


def _end(layout: RunLayout, slide: SlideInput, measured: Measured | None, why: str) -> EndedSlide:
    """Return the row of the tables on a slide: a result that was refused to be replaced keeps its row."""
    if measured is None:
        return unmeasured(slide.slide_id, slide.path, why)
    return kept_result(layout, measured.result) or measured.result


def kept_result(layout: RunLayout, ended: EndedSlide) -> CountedSlide | None:
    """Return the earlier result that the tables keep in spite of what befell a slide now; None where they keep none.

    It was right then, and is not made wrong by a command that would have measured something else, or said less of the
    size of a pixel.
    """
    error = ended.error if isinstance(ended, FailedSlide | UncountedSlide) else None
    if error not in {StaleResultError.__name__, MissingMppError.__name__}:
        return None
    kept = ended_document(layout, ended.slide_id, None)
    if not isinstance(kept, CountedSlide):
        return None
    is_of_same = not isinstance(ended, UncountedSlide) or ended.config_hash == kept.config_hash
    return kept if is_of_same else None


@frozen_value
class _Driver:
    """What measures one slide of a run after another, in as many threads as there are slides in flight."""

    layout: RunLayout
    context: Context
    log: RunLog
    for_report: bool

    def __call__(self, slide: SlideInput) -> Measured | None:
        """Return the outcome of a slide; None if the run was stopped before its end."""
        context, layout = self.context, self.layout.slide(slide.slide_id)
        if context.executor.is_stopped:
            return None
        with self.log.slide(slide.slide_id) as told:
            measured = guarded(
                slide.slide_id, context, lambda: measure_slide(slide, layout, context), partial(_failed, slide)
            )
            if measured is None:
                told.stopped()
                return None
            ended = measured.result
            if kept_result(self.layout, ended) is not None:
                ended = ended.model_copy(update={"reason": f"{ended.reason}; {KEPT_IN_TABLES}"})
                measured = Measured(ended, False)
            if self.for_report:
                # imported here: a run without a report need not pay for it
                from wsi_area.run.passes.class_picture import order_class_thumbnail

                order_class_thumbnail(layout, ended, context.executor)
            told.done(ended, measured.resumed)
        _LOG.info("%s: %s %s", slide.slide_id, ended.status, ended.reason)
        context.listener(SlideDone(slide.slide_id, ended.status, ended.reason, measured.resumed))
        return measured


def _failed(slide: SlideInput, error: Exception) -> Measured:
    """Return a slide that could not be measured; what is on disk, somebody's earlier result, is left as it is."""
    name = type(error).__name__
    failed = FailedSlide(slide_id=slide.slide_id, status="failed", reason=str(error), path=slide.path, error=name)
    return Measured(failed, False)


@contextmanager
def stops_on_signal(executor: Executor, listener: Listener = lambda event: None) -> Iterator[threading.Event]:
    """Let Ctrl-C, SIGTERM and SIGUSR1 finish what is running, commit it, and end.

    SIGUSR1 is how a cluster warns that the walltime is nearly over; the SIGTERM that follows it changes nothing. A
    second Ctrl-C or SIGTERM gives up the tables, and waits for nothing.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    seen: set[int] = set()

    def stop(number: int, frame: object) -> None:
        if number != signal.SIGUSR1 and seen - {signal.SIGUSR1}:
            raise KeyboardInterrupt
        seen.add(number)
        interrupted.set()
        executor.stop()
        with suppress(RuntimeError):  # whoever is just writing there is this very thread
            listener(Stopping())

    before = {number: signal.signal(number, stop) for number in STOPPING_SIGNALS}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
