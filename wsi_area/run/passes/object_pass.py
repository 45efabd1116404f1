"""run: the passes over a slide's class map once its tiles are there: small objects filtered, foci measured.

Each pass is one task a batch, which reads its shard and sends back a summary of a few kilobytes; the coordinator
merges the summaries over the seams. A filter that is decided is applied by the next task on its way, so that a
slide is written once, after the last filter.
"""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.edges import areas_of
from wsi_area.compute.cut.grid import batch_tiles_at
from wsi_area.compute.objects.object_merge import FociMerge
from wsi_area.compute.objects.size_filter import SizeStage, StageDecision, merge_stage, stages_of
from wsi_area.errors import ResultError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme
from wsi_area.model.objects import Foci, SizeChange, SizeFilters
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.cleaned_store import (
    cleaned_changes,
    cleaned_key,
    create_cleaned,
    finish_cleaned,
    tiles_layout,
)
from wsi_area.results.class_map.ledger import ledger_attributes, ledger_rows
from wsi_area.results.layout import SlideLayout
from wsi_area.results.tables.object_tables import read_foci, write_foci
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.outcomes import outcomes
from wsi_area.run.work.object_task import (
    BoxTask,
    CommitTask,
    FociTask,
    commit_cleaned,
    describe_foci,
    describe_stage,
)
from wsi_area.segmenters.protocol import Signal
from wsi_area.storage.processes import give_back_memory

_LOG = logging.getLogger(__name__)
Ints = NDArray[np.int64]
T = TypeVar("T")


def refuse_with_signal(filters: SizeFilters, signal: Signal | None) -> None:
    """Refuse size filters beside a signal, whose sum for each class cannot follow pixels that change theirs.

    Raises
    ------
    SettingsError
    """
    if filters.any and signal is not None:
        raise SettingsError(
            f"[objects] filters objects by size, and the segmenter integrates the signal {signal.name!r} class by "
            "class, which cannot be moved with them; set min_focus_um2, min_tissue_um2 and max_hole_um2 to 0, or "
            "choose a segmenter without a signal"
        )


def clean_slide(
    layout: SlideLayout,
    plan: SlidePlan,
    scheme: ClassScheme,
    filters: SizeFilters,
    mpp: Mpp | None,
    key: str,
    made_from: Mapping[str, str],
    executor: Executor,
) -> tuple[SizeChange, ...] | None:
    """Return the changes by the size filters, the filtered class map and ledger written; None if stopped before.

    Parameters
    ----------
    layout
        Of the slide; every tile is committed in ``tiles_layout(layout, filters)``.
    plan, scheme
        The slide's cut and its classes.
    filters, mpp
        Sizes in µm², and µm per level-0 pixel.
    key, made_from
        Of what is raw.
    executor
        Who does the work.

    Raises
    ------
    PlanError
        If filters are asked for and there is no pixel size.
    IncompleteResultError
        If a batch came to no end.
    ResultError
        If a batch cannot be read or written.
    """
    stages = stages_of(filters, scheme, mpp)
    if not filters.any:
        return ()
    raw = tiles_layout(layout, filters)
    raw_rows = ledger_rows(raw)
    own_key = cleaned_key(key, filters, raw_rows)
    if (earlier := cleaned_changes(layout, own_key)) is not None:
        return earlier
    started = time.perf_counter()
    decisions: list[StageDecision] = []
    for n, stage in enumerate(stages):
        tasks = _box_tasks(raw, plan, stages[: n + 1], decisions)
        summaries = [o.found for o in outcomes(executor, describe_stage, tasks, plan.slide.slide_id, "its objects")]
        if len(summaries) < len(tasks):
            return None
        decisions.append(merge_stage(summaries, stage))
    create_cleaned(layout, plan, scheme, own_key, made_from)
    folder, classes = layout.root.resolve(), len(scheme.classes)
    commits = [
        CommitTask(box, folder, own_key, areas_of(scheme), classes, _batch_rows(plan, box.batch, raw_rows))
        for box in _box_tasks(raw, plan, stages, decisions)
    ]
    done = list(outcomes(executor, commit_cleaned, commits, plan.slide.slide_id, "its objects"))
    if len(done) < len(commits):
        return None
    changes = tuple(decision.change for decision in decisions)
    finish_cleaned(layout, own_key, changes)
    _LOG.info("%s: objects filtered by size in %.2f s", plan.slide.slide_id, time.perf_counter() - started)
    return changes


def measure_foci(
    layout: SlideLayout,
    plan: SlidePlan,
    scheme: ClassScheme,
    mpp: Mpp | None,
    executor: Executor,
    set_name: str = "tumor",
) -> Foci | None:
    """Return the foci of a slide, their table written; None if the scheme names none, or if stopped before.

    Parameters
    ----------
    layout
        Of the slide; its class map is final.
    plan, scheme, mpp
        The slide's cut, its classes, µm per level-0 pixel.
    executor
        Who does the work.
    set_name
        ``"tumor"`` or ``"tissue"``: the classes that make up a focus.

    Raises
    ------
    IncompleteResultError
        If a batch came to no end.
    ResultError
        If a batch cannot be read.
    """
    class_ids = tuple(c.class_id for c in scheme.classes if (c.is_tumor if set_name == "tumor" else c.is_tissue))
    if not class_ids:
        return None
    key = _foci_key(layout, set_name)
    if (earlier := read_foci(layout, key)) is not None:
        return earlier
    _refuse_overflow(plan)
    tasks = [FociTask(box, class_ids, mpp) for box in _box_tasks(layout, plan, (), ())]
    foci = _merged_foci(FociMerge(set_name, mpp), tasks, plan, executor)
    if foci is None:
        return None
    give_back_memory()  # of the summaries: the table needs its own
    write_foci(layout, foci, mpp, key)
    return foci


def _merged_foci(merge: FociMerge, tasks: Sequence[FociTask], plan: SlidePlan, executor: Executor) -> Foci | None:
    """Return the foci of all batches, None if stopped before; for errors see `measure_foci`."""
    done = 0
    for outcome in outcomes(executor, describe_foci, tasks, plan.slide.slide_id, "its objects"):
        merge.add(outcome.found)
        done += 1
    if done < len(tasks):
        return None
    return merge.merged()


def _box_tasks(
    layout: SlideLayout, plan: SlidePlan, stages: tuple[SizeStage, ...], decisions: Sequence[StageDecision]
) -> list[BoxTask]:
    folder = layout.root.resolve()
    return [
        BoxTask(plan, folder, batch, stages, tuple(d.classes[divmod(batch, plan.batch_cols)] for d in decisions))
        for batch in range(plan.batch_rows * plan.batch_cols)
    ]


def _batch_rows(plan: SlidePlan, batch: int, rows: Ints) -> Ints:
    tile_rows, tile_cols = batch_tiles_at(plan, batch)
    return rows[tile_rows.start : tile_rows.stop, tile_cols.start : tile_cols.stop]


def _foci_key(layout: SlideLayout, set_name: str) -> str:
    """Return the hash of the class map's origin and of its every count: a table made from another one is not used."""
    facts = f"{ledger_attributes(layout)['key']} {set_name}".encode()
    return hashlib.sha256(facts + ledger_rows(layout).tobytes()).hexdigest()


def _refuse_overflow(plan: SlidePlan) -> None:
    """Refuse a slide on which the centre of an object would not fit into 64 bits (a million px a side does)."""
    size = plan.slide.size_l0_px
    if 2 * size.area_px * max(size.width_px, size.height_px) >= 2**63:
        raise ResultError(
            f"{plan.slide.slide_id}: {size.width_px} × {size.height_px} px are too many for the centres of its "
            "objects; cut the image, or choose a scheme without tumour classes"
        )
