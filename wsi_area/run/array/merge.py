"""run: the tasks of a job array become one run: run.json and the tables, as one process would have written them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.slide_settings import told_settings
from wsi_area.model.slide_result import EndedSlide, FailedSlide
from wsi_area.results.documents import ended_slide
from wsi_area.results.layout import RunLayout, read_json, write_json
from wsi_area.results.leftovers import discard_partials
from wsi_area.results.same_content import SAME_CONTENT, same_content
from wsi_area.results.tables.object_tables import write_objects
from wsi_area.results.tables.run_tables import write_tables
from wsi_area.results.unmerged import shard_digests
from wsi_area.run.array.array_plan import ArrayPlan, read_array_plan
from wsi_area.run.array.merge_divided import divided_record, failed_fast, merging_context
from wsi_area.run.array.task_run import result_digest
from wsi_area.run.array.whole_set import numbers_text, whole_set
from wsi_area.run.earlier_run import NOT_REACHED, unmeasured
from wsi_area.run.pipeline import ended_document, others_in, own_settings_in
from wsi_area.run.run_document import RunOutcome, as_of_run, run_footer
from wsi_area.run.run_log import opened_log
from wsi_area.run.same_kind import refuse_other_kind
from wsi_area.run.work.thumbnail_task import order_class_thumbnail
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.locks import sole_writer
from wsi_area.storage.place import Place

_LOG = logging.getLogger(__name__)
_PER_TASK = ("state", "started", "ended", "exit_code", "host", "slurm", "argv", "workers")


@dataclass(frozen=True, slots=True)
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
        raise ResultError(f"{out} holds no shards (there is no {layout.array_plan}); give the folder named by --out")
    with sole_writer(out):
        plan = read_array_plan(layout)
        discard_partials(layout, [slide.slide_id for slide in plan.slides])
        settings = _settings_of(plan)
        tasks = whole_set(layout, plan)
        others = others_in(layout, plan.slides, settings, plan.forced)
        own = _records(layout, plan, tasks, settings, workers, for_report)
        table = [*others, *own]
        outcome = RunOutcome(tuple(own), False, len(own))
        unfinished = tuple(index for index, task in tasks.items() if task["state"] != "finished")
        with opened_log(layout.logs / "merge.jsonl") as log:
            document = _run_document(layout, plan, tasks, outcome, table, unfinished)
            document |= {"slide_settings": own_settings_in(layout, others) | told_settings(plan.slides)}
            table, outcome = as_of_run(table, outcome, document)
            write_tables(layout, table)
            write_objects(layout, [s.slide_id for s in table if s.status != "failed"])
            write_json(layout.run_json, document)
            log.run_ended(outcome)
    return MergeOutcome(outcome, plan.count, unfinished)


def _settings_of(plan: ArrayPlan) -> RunSettings:
    try:
        settings = RunSettings.model_validate(plan.settings)
    except ValidationError as error:
        raise StaleResultError(
            f"the shards were measured with settings that this version does not know ({error}); merge them with theirs"
        ) from error
    refuse_other_kind(plan, settings)
    return settings


def _merged_before(layout: RunLayout, plan: ArrayPlan) -> Mapping[str, EndedSlide]:
    """Return how slides whose tasks were merged before stand in run.json; a later run may have measured them again."""
    if not layout.run_json.exists():
        return {}
    about = read_json(layout.run_json)
    merged = (about.get("shards") or {}).get("merged", {})
    same = {name for name, digest in shard_digests(layout).items() if merged.get(name) == digest}
    ended = about.get("slides", {})
    return {
        name: ended_slide(ended[name], layout.run_json)
        for name, shares in plan.shares().items()
        if name in ended and all(layout.task(share.task, plan.count).name in same for share in shares)
    }


def _records(
    layout: RunLayout,
    plan: ArrayPlan,
    tasks: Mapping[int, Mapping[str, Any]],
    settings: RunSettings,
    workers: int,
    for_report: bool,
) -> list[EndedSlide]:
    """Return the result of each slide of the plan, in order; those of divided slides are made now."""
    shares, known = plan.shares(), _merged_before(layout, plan)
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


def _record(
    layout: RunLayout, slide: SlideInput, task: Mapping[str, Any], known: Mapping[str, EndedSlide]
) -> EndedSlide:
    """Return the result of one slide that one task had whole, whatever became of it."""
    name = slide.slide_id
    row, later = task.get("slides", {}).get(name), known.get(name)
    said = None if row is None else ended_slide(row, layout.tasks)
    if later is not None and later != said and (said is not None or later.status != "failed"):
        return ended_document(layout, name, later)
    if said is None:
        return _unreached(slide, task, "did not come to this slide before it was stopped", failed_fast(task))
    if name in task["uncounted"]:
        return ended_slide(task["uncounted"][name], layout.tasks)
    if later is None and result_digest(layout, name) != task["results"].get(name):
        return _unreached(slide, task, "measured this slide, but its result is missing or was changed since")
    return ended_document(layout, name, said)


def _unreached(slide: SlideInput, task: Mapping[str, Any], what: str, why: str = "") -> FailedSlide:
    shard = task["shard"]
    reason = f"shard {shard} {what}{why}; run the same command with --shard {shard}, then wsi-area merge again"
    return unmeasured(slide.slide_id, slide.path, reason)


def _run_document(
    layout: RunLayout,
    plan: ArrayPlan,
    tasks: Mapping[int, Mapping[str, Any]],
    outcome: RunOutcome,
    table: Sequence[EndedSlide],
    unfinished: Sequence[int],
) -> dict[str, Any]:
    """Return run.json: of the first task what is the same for all, and how each task ended."""
    first = tasks[1]
    kept = ("schema_version", "wsi_area_version", "argv", "host", "slurm", "versions")
    versions = {index: task["versions"] for index, task in tasks.items() if task["versions"] != first["versions"]}
    if versions:
        _LOG.warning("%s: shards %s ran with other versions of packages", layout.root, numbers_text(sorted(versions)))
    not_reached = [s.slide_id for s in outcome.slides if isinstance(s, FailedSlide) and s.error == NOT_REACHED]
    twins = same_content(table)
    return {
        **{name: first[name] for name in kept},
        **({SAME_CONTENT: twins} if twins else {}),
        **({} if plan.segmenter_package is None else {"segmenter_package": plan.segmenter_package}),
        "settings": dict(plan.settings),
        "settings_origin": first.get("settings_origin", {}),
        "config_hash": plan.config_hash,
        "slides_planned": [slide.slide_id for slide in table],
        **run_footer(outcome, table, sum(task.get("workers", 0) for task in tasks.values())),
        "state": "interrupted" if unfinished else "finished",
        "started": min(task["started"] for task in tasks.values()),
        "ended": max(task.get("ended", task["started"]) for task in tasks.values()),
        "not_reached": len(not_reached),
        "slides_not_reached": not_reached,
        "shards": {
            "count": plan.count,
            "plan": plan.key,
            "merged": shard_digests(layout),
            "tasks": {str(index): {name: task.get(name) for name in _PER_TASK} for index, task in tasks.items()},
            "other_versions": {str(index): found for index, found in versions.items()},
        },
    }
