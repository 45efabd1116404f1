"""run: one task of a job array: its own slides of the shared list, its own file of how they ended, no table.

Tasks talk through nothing but the file system: each holds the run directory's lock together with the others and its
own shard's lock alone. Never does a task write run.json, a table, or the folder of a slide that is not its own.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from wsi_area.errors import ResultError
from wsi_area.results.layout import RunLayout, held, joint_writer, read_json, relock, write_json
from wsi_area.results.record import is_counted
from wsi_area.results.unmerged import discard_shards
from wsi_area.run.drawings import refuse_mismatch
from wsi_area.run.events import Listener
from wsi_area.run.executors import make_executor
from wsi_area.run.inputs import SlideInput
from wsi_area.run.measure_slide import Context
from wsi_area.run.memory import task_memory_limit_bytes
from wsi_area.run.pipeline import measure_all, others_in, stops_on_signal
from wsi_area.run.run_document import RunOutcome, run_footer, run_header
from wsi_area.run.run_log import opened_log
from wsi_area.run.settings import RunSettings
from wsi_area.run.shard_plan import ShardPlan, agreed_plan, shard_plan
from wsi_area.run.shards import Shard

_LOG = logging.getLogger(__name__)


def run_shard(
    slides: Sequence[SlideInput],
    settings: RunSettings,
    out: Path,
    shard: Shard,
    *,
    force: bool = False,
    listener: Listener = lambda event: None,
    argv: Sequence[str] = (),
) -> RunOutcome:
    """Measure one shard of the slides and return how each of its slides ended; `merge_run` makes the tables.

    Parameters
    ----------
    slides : sequence of SlideInput
        All of them, the same for every task.
    settings, out, force, listener, argv
        As for `run_slides`.
    shard : Shard
        Which part is measured here.

    Raises
    ------
    SettingsError, ResultError
        If nothing could be started; among them another task that has this very shard, and shards in the folder that
        were made from other slides, settings or another number of shards.
    """
    refuse_mismatch(settings, slides)
    layout = RunLayout(out)
    with _held_shard(layout, shard, shard_plan(slides, settings, shard.count, forced=force)) as plan:
        others_in(layout, slides, settings, plan.forced)  # refuses what cannot be together
        own = plan.slides_of(shard.index)
        executor = make_executor(settings.run)
        header = {**run_header(settings, argv, [s.slide_id for s in own]), "shard": str(shard), "plan": plan.key}
        file = layout.shard(shard.index, shard.count)
        try:
            write_json(file, {**header, "state": "running"})
            limit = task_memory_limit_bytes(
                settings.run.memory_limit_mb, executor.worker_count, executor.task_memory_bytes
            )
            context = Context(settings, executor, listener, limit, force)
            name = f"shard-{shard.index}-of-{shard.count}.jsonl"
            with opened_log(layout.logs / name) as log, stops_on_signal(executor) as interrupted:
                log.run_started(len(own), header, shard=str(shard), slides_of_all_shards=len(slides))
                outcome, _ = measure_all(own, layout, context, log, interrupted)
                write_json(file, {**header, **_shard_footer(layout, outcome, executor.worker_count)})
                log.run_ended(outcome)
        finally:
            executor.close()
    return outcome


def _shard_footer(layout: RunLayout, outcome: RunOutcome, worker_count: int) -> dict[str, Any]:
    """Return how a shard ended: its slides' statuses, and in full the documents that hold no counts."""
    footer = run_footer(outcome, outcome.records, worker_count)
    return {
        **footer,
        "results": {r["slide_id"]: result_digest(layout, r["slide_id"]) for r in outcome.records if is_counted(r)},
        "uncounted": {r["slide_id"]: dict(r) for r in outcome.records if not is_counted(r)},
    }


def result_digest(layout: RunLayout, slide_id: str) -> str | None:
    """Return the hash of a slide's document as it lies on the disk; None where it cannot be read."""
    try:
        return hashlib.sha256(layout.slide(slide_id).result_json.read_bytes()).hexdigest()
    except OSError:
        return None


@contextmanager
def _held_shard(layout: RunLayout, shard: Shard, mine: ShardPlan) -> Iterator[ShardPlan]:
    """Hold one shard of a run directory, and yield the plan that all of its tasks agree on.

    Tasks settle the plan one after the other, which takes no longer than reading one file; from then on they are side
    by side.
    """
    name = f"{shard.index}-of-{shard.count}"
    busy = f"shard {shard} of {layout.root} is being measured by another task; wait for it, or give another --shard"
    with held(layout.shards / ".plan.lock", waits=True) as settling, joint_writer(layout.root) as together:
        plan = agreed_plan(layout, mine)
        if plan is None:
            plan = mine
            _replace_plan(layout, mine, together)
        with held(layout.shards / f".{name}.lock", busy=busy):
            settling.close()  # let the next task in
            yield plan


def _replace_plan(layout: RunLayout, plan: ShardPlan, together: IO[str]) -> None:
    """Write the plan down; where that takes another's place, only while no task of the other is at work."""
    if layout.shard_plan.exists():
        at_work = f"other shards of {layout.root} are being measured with another plan; wait for them, or end them"
        relock(together, shared=False, busy=at_work)
        _LOG.warning("%s: the shards that were there are forgotten (--force)", layout.root)
        discard_shards(layout)
        write_json(layout.shard_plan, plan.document())
        relock(together, shared=True, busy=at_work)
    else:
        write_json(layout.shard_plan, plan.document())


def read_shard(layout: RunLayout, shard: Shard) -> Mapping[str, Any] | None:
    """Return what a shard's task said; None if its file is missing or damaged."""
    try:
        return read_json(layout.shard(shard.index, shard.count))
    except ResultError:
        return None
