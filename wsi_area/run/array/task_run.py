"""run: one task of a job array: its own slides and parts of slides, its own file of how they ended, no table.

Tasks talk through nothing but the file system: each holds the run directory's lock together with the others and its
own part's lock alone. Never does a task write run.json, a table, or the folder of a slide that is not its own; of a
slide that it shares with others it writes its own batches, and never result.json.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wsi_area.errors import ResultError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput, left_out_of
from wsi_area.inputs.drawings import refuse_mismatch
from wsi_area.inputs.estimate_asked import refuse_with_estimate
from wsi_area.inputs.stage_in import refuse_unreachable
from wsi_area.model.record.left_out import LeftOut
from wsi_area.model.run_record import RunRecord, TaskRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.documents import document_of, read_task
from wsi_area.results.layout import RunLayout, json_bytes, write_json
from wsi_area.results.run_folder import Act, RunFolder, Wish
from wsi_area.run.array.agreement import PlanAct, agreed_plan
from wsi_area.run.array.array_plan import ArrayPlan, array_plan
from wsi_area.run.array.division import ArrayTask, Share
from wsi_area.run.array.slide_share import MEASURED, SlideShare, measure_share
from wsi_area.run.beginning import begin_run, begun_header, discard_documents, discard_tasks, take_back
from wsi_area.run.boundary import guarded
from wsi_area.run.context import Context, context_of
from wsi_area.run.earlier_run import others_in, settled
from wsi_area.run.events import Listener
from wsi_area.run.executors.choice import make_executor
from wsi_area.run.pipeline import measure_all, stops_on_signal
from wsi_area.run.run_document import (
    EXIT_CALIBRATION,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    RunOutcome,
    ended_run,
    run_header,
)
from wsi_area.run.run_log import RunLog, opened_log
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.locks import Lock, held, joint_writer, relock
from wsi_area.storage.place import Place

_LOG = logging.getLogger(__name__)


@frozen_value
class TaskOutcome(RunOutcome):
    """How one task ended: its own slides, and its parts of those that it shares with other tasks."""

    shares: tuple[SlideShare, ...] = ()
    shares_planned: int = 0

    @property
    def exit_code(self) -> int:
        """Return 0 if every slide is complete and every part measured, else the code of the worst that happened."""
        statuses = {slide.status for slide in self.slides} | {done.status for done in self.shares}
        if self.interrupted:
            return EXIT_INTERRUPTED
        reached = len(self.slides) + len(self.shares)
        if statuses & {"failed", "incomplete"} or reached < self.planned + self.shares_planned:
            return EXIT_FAILED
        return EXIT_CALIBRATION if "needs_calibration" in statuses else EXIT_OK


def run_task(
    slides: Sequence[SlideInput],
    settings: RunSettings,
    out: Place,
    task: ArrayTask,
    *,
    force: bool = False,
    listener: Listener = lambda event: None,
    argv: Sequence[str] = (),
    for_report: bool = False,
    plan: ArrayPlan | None = None,
) -> TaskOutcome:
    """Measure the slides of one task and return how each of them ended; `merge_run` makes the tables.

    Of a slide that is too large for one task (`run.array.division.divide`) its part is measured, and no result
    written; `merge_run` does that when every part is there.

    Parameters
    ----------
    slides : sequence of SlideInput
        All of them, the same for every task.
    settings, out, force, listener, argv, for_report
        As for `run_slides`.
    task : ArrayTask
        Which part is measured here.
    plan : ArrayPlan or None
        The plan of these slides and settings, where the caller has it: all files are looked at for it.

    Raises
    ------
    SettingsError, ResultError
        If nothing could be started: another process has this very task, say, or the folder holds tasks that were
        started with other slides, other settings or in another number.
    """
    refuse_mismatch(settings, slides)
    refuse_with_estimate(settings, slides)
    refuse_unreachable([slide.path for slide in slides], settings)
    refuse_slurm_executor(settings)
    layout = RunLayout(out)
    mine = plan or array_plan(slides, settings, task.count, forced=force)
    executor = make_executor(settings.run, settings.cluster, settings.tls, out)  # before anything old is taken back
    try:
        with _held_task(layout, task, mine, settings, argv) as agreed:
            context = context_of(settings, executor, listener, force, for_report=for_report)
            return _measured_task(layout, agreed, task, context, argv, for_report, left_out_of(slides))
    except KeyboardInterrupt:
        executor.abandon()
        raise
    finally:
        executor.close()


def _measured_task(
    layout: RunLayout,
    plan: ArrayPlan,
    task: ArrayTask,
    context: Context,
    argv: Sequence[str],
    for_report: bool,
    left_out: Sequence[LeftOut],
) -> TaskOutcome:
    """Return the end of each slide, and of each part of a slide, of one task; by whoever holds it."""
    settings, executor = context.settings, context.executor
    own, shared = plan.slides_of(task.index), plan.shares_of(task.index)
    run = run_header(settings, argv, [s.slide_id for s in own], left_out)
    said = TaskRecord(
        **dict(run), shard=str(task), plan=plan.key, pieces_planned=tuple(slide.slide_id for slide, _ in shared)
    )
    file = layout.task(task.index, task.count)
    write_json(file, document_of(said))
    name = f"shard-{task.index}-of-{task.count}.jsonl"
    with opened_log(layout.logs / name) as log, stops_on_signal(executor, context.listener) as interrupted:
        log.run_started(
            len(own), said, shard=str(task), slides_of_all_shards=len(plan.slides), slides_shared=len(shared)
        )
        shares = _measure_shares(shared, layout, context, log)  # the largest slides first
        whole, _ = measure_all(own, layout, context, log, interrupted, for_report=for_report)
        outcome = TaskOutcome(
            whole.slides,
            whole.interrupted or (interrupted.is_set() and len(shares) < len(shared)),
            whole.planned,
            whole.not_reached,
            shares,
            len(shared),
            lost=whole.lost,
        )
        write_json(file, document_of(_ended_task(said, layout, outcome, executor.worker_count)))
        log.run_ended(outcome, "wsi-area merge, once every shard has ended")
    return outcome


def _measure_shares(
    shared: Sequence[tuple[SlideInput, Share]], layout: RunLayout, context: Context, log: RunLog
) -> tuple[SlideShare, ...]:
    """Return the outcome of this task's parts of slides; those that were not reached are left out."""
    found = [_measure_share_of(slide, share, layout, context, log) for slide, share in shared]
    return tuple(done for done in found if done is not None)


def _measure_share_of(
    slide: SlideInput, share: Share, layout: RunLayout, context: Context, log: RunLog
) -> SlideShare | None:
    if context.executor.is_stopped:
        return None
    with log.slide(slide.slide_id) as told:
        done = guarded(
            slide.slide_id,
            context,
            lambda: measure_share(slide, layout, context, share),
            lambda error: SlideShare(slide.slide_id, slide.path, "failed", str(error)),
        )
        if done is None:
            told.stopped()
            return None
        level = "info" if done.status == MEASURED else "warning"
        log.write(
            level, "part done", slide.slide_id, status=done.status, reason=done.reason,
            batches=len(done.batches), batches_in_all=done.batches_in_all,
        )  # fmt: skip
    return done


def refuse_slurm_executor(settings: RunSettings) -> None:
    """Refuse two ways over one cluster at once: each task of a job array would submit jobs of its own.

    Raises
    ------
    SettingsError
    """
    if settings.run.executor == "slurm":
        raise SettingsError(
            "run.executor=slurm and a job array (wsi-area submit, --shard) are two ways over the same cluster; leave "
            "run.executor out for the array, or call wsi-area run without --shard"
        )


def _ended_task(said: TaskRecord, layout: RunLayout, outcome: TaskOutcome, worker_count: int) -> TaskRecord:
    """Return a task with what is known at its end; its slides without counts in full."""
    run, slides = ended_run(said, outcome, outcome.slides, worker_count), outcome.slides
    return said.model_copy(
        update={
            **dict(run),
            "not_reached": (run.not_reached or 0) + outcome.shares_planned - len(outcome.shares),
            "pieces": {done.slide_id: done.on_record() for done in outcome.shares},
            "results": {s.slide_id: result_digest(layout, s.slide_id) for s in slides if isinstance(s, CountedSlide)},
            "uncounted": {s.slide_id: s for s in slides if not isinstance(s, CountedSlide)},
        }
    )


def result_digest(layout: RunLayout, slide_id: str) -> str | None:
    """Return the hash of a slide's document as it lies on the disk; None where it cannot be read."""
    try:
        return hashlib.sha256(layout.slide(slide_id).result_json.read_bytes()).hexdigest()
    except OSError:
        return None


@contextmanager
def _held_task(
    layout: RunLayout, task: ArrayTask, mine: ArrayPlan, settings: RunSettings, argv: Sequence[str] = ()
) -> Iterator[ArrayPlan]:
    """Hold one task of a run directory, and yield the plan that all of its tasks agree on.

    Tasks settle the plan one after the other, which takes no longer than reading the bytes of one file; from then on
    they are side by side. A forced one takes back what is said of slides that it measures afresh, while no other can
    settle. Whatever is refused is refused before anything is written.
    """
    written = json_bytes(mine.document())  # before anybody waits for it
    busy = f"shard {task} of {layout.root} is being measured by another task; wait for it, or give another --shard"
    with held(layout.tasks / ".plan.lock", waits=True) as settling, joint_writer(layout.root) as together:
        plan_act, plan = agreed_plan(layout, mine, written)
        folder, act = settled(layout, settings, Wish.TASK_AFRESH if mine.forced else Wish.TASK)
        is_new = plan_act is not PlanAct.KEEP or act is Act.REPLACE
        plan = mine if is_new else plan
        others = others_in(folder, act, plan.slides, plan.forced, settings)
        if is_new:
            header = run_header(settings, argv, [])
            _replace_plan(folder, act, plan, together, begun_header(folder, header, others, plan.slides))
        with held(layout.tasks / f".{task.index}-of-{task.count}.lock", busy=busy):
            if mine.forced and not is_new:
                names = {slide.slide_id for slide in plan.slides_of(task.index)}
                names |= {slide.slide_id for slide, _ in plan.shares_of(task.index)}
                take_back(folder, names, layout.task(task.index, task.count).name)
            settling.close()  # let the next task in
            yield plan


def _replace_plan(folder: RunFolder, act: Act, plan: ArrayPlan, together: Lock, header: RunRecord) -> None:
    """Write the plan down; where that takes another's place, only while no task of the other is at work."""
    layout = folder.layout
    at_work = f"other shards of {layout.root} are being measured with another plan; wait for them, or end them"
    takes_a_place = layout.array_plan.exists()
    if takes_a_place:
        relock(together, shared=False, busy=at_work)
        _LOG.warning("%s: the shards that were there are forgotten (--force)", layout.root)
    if plan.forced:
        begin_run(folder, act, header, plan.slides)
        discard_tasks(layout)
    write_json(layout.array_plan, plan.document())
    if plan.forced:
        discard_documents(layout, [slide.slide_id for slide in plan.slides])
    if takes_a_place:
        relock(together, shared=True, busy=at_work)


def task_on_record(layout: RunLayout, task: ArrayTask) -> TaskRecord | None:
    """Return the record of a task; None if its file is missing or damaged."""
    try:
        return read_task(layout, task.index, task.count)
    except ResultError:
        return None
