"""run: the tasks of a job array become one run: run.json and the tables, as one process would have written them."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from wsi_area.errors import StaleResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.run_record import RunRecord, ShardsOnRecord, TaskOnRecord, TaskRecord
from wsi_area.model.slide_result import EndedSlide, FailedSlide
from wsi_area.results.layout import RunLayout
from wsi_area.results.leftovers import discard_partials
from wsi_area.results.run_folder import RunFolder, Wish, decide, read_folder, task_digests
from wsi_area.run.array.agreement import read_array_plan
from wsi_area.run.array.array_plan import ArrayPlan
from wsi_area.run.array.merge_divided import divided_record, failed_fast, merging_context
from wsi_area.run.array.task_run import result_digest
from wsi_area.run.array.whole_set import numbers_text, whole_set
from wsi_area.run.beginning import begun_header
from wsi_area.run.closing import end_run
from wsi_area.run.earlier_run import NOT_REACHED, ended_document, others_in, settled, unmeasured
from wsi_area.run.passes.class_picture import order_class_thumbnail
from wsi_area.run.run_document import RunOutcome
from wsi_area.run.run_log import opened_log
from wsi_area.segmenters.registry import segmenter_package
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.locks import sole_writer
from wsi_area.storage.place import Place

_LOG = logging.getLogger(__name__)


@frozen_value
class MergeOutcome:
    """What a merge made of the tasks."""

    run: RunOutcome
    tasks: int
    unfinished: tuple[int, ...]  # tasks that were killed or stopped before the end of their slides

    @property
    def exit_code(self) -> int:
        """Return 0 if every slide is complete, else the code of the worst that happened."""
        return self.run.exit_code


def merge_run(out: Place, *, workers: int = 0, for_report: bool = False) -> MergeOutcome:
    """Write the tables and run.json of a run that was measured in tasks; merging again changes nothing.

    A slide that several tasks shared gets its result here, from its ledger, once every row is there. A slide that its
    task did not come to, or of which batches are missing, is ``failed`` in the tables, with the command that measures
    it.

    Parameters
    ----------
    out : Place
        The run directory.
    workers : int
        How many threads put divided slides together; 0: one for each core.
    for_report : bool
        As for `wsi_area.run.pipeline.run_slides`, of divided slides: those that a task had whole have theirs from it.

    Raises
    ------
    IncompleteResultError
        Naming the tasks that are missing.
    StaleResultError
        Naming the tasks that were made from other slides or settings.
    ResultError
        If the folder holds no tasks, or a task is still writing it.
    """
    layout = RunLayout(out)
    if not layout.array_plan.exists():
        decide(read_folder(layout), Wish.MERGE)  # which refuses it: no folder is made for want of one
    with sole_writer(out):
        plan = read_array_plan(layout)
        discard_partials(layout, [slide.slide_id for slide in plan.slides])
        settings = _settings_of(plan)
        tasks = whole_set(layout, plan)
        folder, act = settled(layout, settings, Wish.MERGE_AFRESH if plan.forced else Wish.MERGE)
        others = others_in(folder, act, plan.slides, plan.forced, settings)
        own = _records(folder, plan, tasks, settings, workers, for_report)
        table = [*others, *own]
        left_out = tuple(dict.fromkeys(left for task in tasks.values() for left in task.left_out or ()))
        outcome = RunOutcome(tuple(own), False, len(own), left_out=left_out)
        unfinished = tuple(index for index, task in tasks.items() if task.state != "finished")
        with opened_log(layout.logs / "merge.jsonl") as log:
            run = begun_header(folder, _merged_run(layout, plan, tasks), others, plan.slides)
            run = run.model_copy(update={"left_out": left_out or None})
            workers_of_tasks = sum(task.workers or 0 for task in tasks.values())
            outcome = end_run(layout, run, outcome, table, log, workers_of_tasks, _end_of_tasks(tasks, outcome))
    return MergeOutcome(outcome, plan.count, unfinished)


def _settings_of(plan: ArrayPlan) -> RunSettings:
    """Return the settings of a plan, unless this version, or the segmenter installed here, would measure otherwise.

    Raises
    ------
    StaleResultError
    """
    try:
        settings = RunSettings.model_validate(plan.settings)
    except ValidationError as error:
        raise StaleResultError(
            f"the shards were measured with settings that this version does not know ({error}); merge them with theirs"
        ) from error
    if settings.measurement_hash != plan.config_hash:
        raise StaleResultError("the shards were measured by another version of wsi_area; merge them with that one")
    package = segmenter_package(settings.segmenter.name)
    if plan.segmenter_package not in (None, package):
        raise StaleResultError(
            f"the shards were measured with {plan.segmenter_package}, installed here is {package or 'none of it'}; "
            "merge them where that one is installed"
        )
    return settings


def _merged_before(folder: RunFolder, plan: ArrayPlan) -> Mapping[str, EndedSlide]:
    """Return the slides whose tasks were merged before, as run.json has them; a later run may have others."""
    earlier, layout = folder.earlier, folder.layout
    if earlier is None or earlier.shards is None:
        return {}
    merged, ended = earlier.shards.merged, earlier.ended_slides
    same = {name for name, digest in task_digests(layout).items() if merged.get(name) == digest}
    return {
        name: ended[name]
        for name, shares in plan.shares().items()
        if name in ended and all(layout.task(share.task, plan.count).name in same for share in shares)
    }


def _records(
    folder: RunFolder,
    plan: ArrayPlan,
    tasks: Mapping[int, TaskRecord],
    settings: RunSettings,
    workers: int,
    for_report: bool,
) -> list[EndedSlide]:
    """Return the result of each slide of the plan, in order; those of divided slides are made now."""
    layout, shares, known = folder.layout, plan.shares(), _merged_before(folder, plan)
    divided = [slide for slide in plan.slides if not shares[slide.slide_id][0].is_whole]
    made: dict[str, EndedSlide] = {}
    if divided:
        with merging_context(settings, workers) as context:
            for slide in divided:
                name = slide.slide_id
                made[name] = divided_record(slide, layout, context, shares[name], tasks, known.get(name))
                if for_report:
                    order_class_thumbnail(layout.slide(name), made[name], context.executor)
    return [
        made.get(slide.slide_id) or _record(layout, slide, tasks[shares[slide.slide_id][0].task], known)
        for slide in plan.slides
    ]


def _record(layout: RunLayout, slide: SlideInput, task: TaskRecord, known: Mapping[str, EndedSlide]) -> EndedSlide:
    """Return the result of one slide that one task had whole, whatever became of it."""
    name = slide.slide_id
    said, later = task.ended_slides.get(name), known.get(name)
    if later is not None and later != said and (said is not None or later.status != "failed"):
        return ended_document(layout, name, later)
    if said is None:
        return _unreached(slide, task, "did not come to this slide before it was stopped", failed_fast(task))
    if name in task.uncounted:
        return task.uncounted[name]
    if later is None and result_digest(layout, name) != task.results.get(name):
        return _unreached(slide, task, "measured this slide, but its result is missing or was changed since")
    return ended_document(layout, name, said)


def _unreached(slide: SlideInput, task: TaskRecord, what: str, why: str = "") -> FailedSlide:
    reason = (
        f"shard {task.shard} {what}{why}; run the same command with --shard {task.shard}, then wsi-area merge again"
    )
    return unmeasured(slide.slide_id, slide.path, reason)


def _merged_run(layout: RunLayout, plan: ArrayPlan, tasks: Mapping[int, TaskRecord]) -> RunRecord:
    """Return the run that the tasks make up: of the first what is the same for all, and how each ended."""
    first = tasks[1]
    versions = {index: task.versions for index, task in tasks.items() if task.versions != first.versions}
    if versions:
        _LOG.warning("%s: shards %s ran with other versions of packages", layout.root, numbers_text(sorted(versions)))
    return RunRecord(
        wsi_area_version=first.wsi_area_version,
        argv=first.argv,
        started=min(task.started for task in tasks.values()),
        host=first.host,
        slurm=first.slurm,
        versions=first.versions,
        settings=dict(plan.settings),
        settings_origin=first.settings_origin,
        config_hash=plan.config_hash,
        segmenter_package=plan.segmenter_package,
        slides_planned=(),
        shards=ShardsOnRecord(
            count=plan.count,
            plan=plan.key,
            merged=task_digests(layout),
            tasks={str(index): _on_record(task) for index, task in tasks.items()},
            other_versions={str(index): found for index, found in versions.items()},
        ),
        state="running",
    )


def _end_of_tasks(tasks: Mapping[int, TaskRecord], outcome: RunOutcome) -> dict[str, Any]:
    """Return the fields of run.json on the end of a run that its tasks know better than its merge."""
    not_reached = tuple(s.slide_id for s in outcome.slides if isinstance(s, FailedSlide) and s.error == NOT_REACHED)
    return {
        "state": "finished" if all(task.state == "finished" for task in tasks.values()) else "interrupted",
        "ended": max(task.ended or task.started for task in tasks.values()),
        "not_reached": len(not_reached),
        "slides_not_reached": not_reached,
    }


def _on_record(task: TaskRecord) -> TaskOnRecord:
    """Return the state of a task at its end, as run.json has it."""
    return TaskOnRecord.model_validate({name: getattr(task, name) for name in TaskOnRecord.model_fields})
