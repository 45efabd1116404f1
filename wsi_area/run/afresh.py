"""run: what must go before a forced run, or task of a job array, measures anything: what an earlier one said.

Tables and run.json are written at a run's end, or by an array's merge, hours away. Until then they would call slides
complete that are being measured afresh. run.json stops saying so first, then the tables go, then the slides' own
documents, and only then is a tile touched: a kill in between leaves less said than there is, never more. Nothing is
lost but words: whatever a ledger holds is made a document again by a run without force.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from wsi_area.inputs.slide_settings import told_settings
from wsi_area.results.layout import LABELS_NAME, OUTLINES_NAME, RunLayout, read_json, write_json
from wsi_area.results.leftovers import discard_tables
from wsi_area.results.tables.object_tables import OBJECTS_TABLE
from wsi_area.results.thumbnail import CLASSES_NAME
from wsi_area.run.array.array_plan import ArrayPlan
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.same_kind import are_of_one_kind
from wsi_area.storage.place import remove_tree

SAID_AT_THE_END = ("ended", "exit_code", "statuses", "not_reached", "slides_not_reached", "workers", "timing")
"""What `run_document.run_footer` adds besides the state and the slides: nothing of it is true of a run that goes on."""


def begin_run_afresh(layout: RunLayout, header: Mapping[str, Any], plan: ArrayPlan) -> None:
    """Take back what is said of every slide of a plan that is to take another's place, or a run's.

    For whoever holds the run, and the settling of its plan, alone. Slides of the same settings that the plan does not
    have stay on record.

    Parameters
    ----------
    layout : RunLayout
    header : mapping
        What is known of the task's run before it starts.
    plan : ArrayPlan
    """
    earlier = _earlier(layout)
    own = {slide.slide_id for slide in plan.slides}
    if earlier is None:
        discard_tables(layout)
        return
    kept = earlier if are_of_one_kind(earlier, header) else {}
    others = [name for name in kept.get("slides_planned", []) if name not in own]
    settings_of_others = {n: s for n, s in kept.get("slide_settings", {}).items() if n in others}
    document = {
        **header,
        "slides_planned": [*others, *(slide.slide_id for slide in plan.slides)],
        "slide_settings": settings_of_others | told_settings(plan.slides),
        "state": "running",
        "slides": {name: row for name, row in kept.get("slides", {}).items() if name in others},
    }
    write_json(layout.run_json, document)
    discard_tables(layout)


def begin_task_afresh(layout: RunLayout, plan: ArrayPlan, shard: ArrayTask) -> None:
    """Take back what is said of the slides, and the parts of slides, that one shard of a plan measures afresh.

    For whoever holds that shard, and the settling of the plan, alone. What other shards measured stays on record, and
    counts as merged if it was; the tables go, since they hold all of it.
    """
    earlier = _earlier(layout)
    own = {slide.slide_id for slide in plan.slides_of(shard.index)}
    own |= {slide.slide_id for slide, _ in plan.shares_of(shard.index)}
    if earlier is not None:
        document = _running_without(earlier, own)
        shards = document.get("shards")
        if shards is not None:
            file = layout.task(shard.index, shard.count).name
            merged = {name: digest for name, digest in shards.get("merged", {}).items() if name != file}
            document["shards"] = {**shards, "merged": merged}
        write_json(layout.run_json, document)
    discard_tables(layout)
    discard_documents(layout, own)


def discard_documents(layout: RunLayout, slide_ids: Iterable[str]) -> None:
    """Remove what slides measured afresh say and show of themselves, once nobody takes the folder for whole."""
    for slide_id in slide_ids:
        slide = layout.slide(slide_id)
        slide.result_json.unlink(missing_ok=True)
        for name in (OBJECTS_TABLE, CLASSES_NAME, OUTLINES_NAME):
            (slide.root / name).unlink(missing_ok=True)
        remove_tree(slide.root / LABELS_NAME)


def _earlier(layout: RunLayout) -> Mapping[str, Any] | None:
    return read_json(layout.run_json) if layout.run_json.exists() else None


def _running_without(earlier: Mapping[str, Any], slide_ids: Collection[str]) -> dict[str, Any]:
    """Return run.json as of a run that has not ended, in which nothing is said of some slides."""
    document = {name: value for name, value in earlier.items() if name not in SAID_AT_THE_END}
    slides = {name: row for name, row in earlier.get("slides", {}).items() if name not in slide_ids}
    return {**document, "state": "running", "slides": slides}
