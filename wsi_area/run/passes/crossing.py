"""run: the class map of a slide laid over its tissue layer, ordered where both are final."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import CountMismatchError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_tissue import TissueLayerOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.crossing import Enclosed
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.layout import SlideLayout
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.outcomes import outcomes
from wsi_area.run.passes.tissue_envelope import grid_of_plan, mapped_layer, measure_envelope
from wsi_area.run.work.crossing_task import CrossingJob, CrossingTask, cross_batch
from wsi_area.run.work.map_task import Envelope
from wsi_area.settings.run_settings import EnvelopeSettings


@frozen_value
class LaidOver:
    """The tissue layer under the classes of a slide."""

    on_record: TissueLayerOnRecord
    envelope: Envelope  # of the layer's tissue
    layer: CountedSlide


def lay_over(
    layout: SlideLayout,
    plan: SlidePlan,
    class_count: int,
    layer: CountedSlide,
    settings: EnvelopeSettings,
    executor: Executor,
) -> LaidOver | None:
    """Return the classes of a slide counted against its tissue layer; None if stopped before the end.

    Raises
    ------
    IncompleteResultError
        If a batch came to no end.
    ResultError
        If a class map cannot be read.
    CountMismatchError
        If the rows do not add up to the class map, or the columns to the layer.
    """
    work, mapped = layer.work, mapped_layer(layer)
    around = measure_envelope(layout.tissue, mapped, settings, executor)
    if around is None or around.boxes is None:
        return None
    job = CrossingJob(
        layer.slide_id, layout.root.resolve(), grid_of_plan(plan), class_count, len(layer.classes), plan.batch_tiles,
        Enclosed(around.boxes, around.side_work_px),
    )  # fmt: skip
    table = _crossed(job, plan.batch_rows, plan.batch_cols, executor)
    if table is None:
        return None
    enclosed = table[:, -1]
    crossed = table[:, :-1].copy()
    crossed[:, 0] += enclosed
    _require_accounted(layout, crossed, class_count, layer)
    return LaidOver(
        TissueLayerOnRecord(
            segmenter=layer.segmenter.name,
            settings=layer.segmenter.settings,
            key=layer.key,
            level=work.level,
            reduce_factor=work.reduce_factor,
            work_mpp_x_um=mapped.work_mpp.x,
            work_mpp_y_um=mapped.work_mpp.y,
            class_names=tuple(c.name for c in layer.classes),
            tissue_ids=mapped.tissue_ids,
            n_px_crossed=tuple(tuple(row) for row in crossed.tolist()),
            n_px_enclosed=tuple(enclosed.tolist()),
        ),
        around,
        layer,
    )


def _crossed(job: CrossingJob, batch_rows: int, batch_cols: int, executor: Executor) -> NDArray[np.int64] | None:
    """Return the table of the whole slide: the sum of those of its batches, in any order."""
    tasks = [CrossingTask(job, row, col) for row in range(batch_rows) for col in range(batch_cols)]
    found, done = np.zeros((job.class_count + 3, job.layer_class_count + 4), np.int64), 0
    for outcome in outcomes(executor, cross_batch, tasks, job.slide_id, "the tissue under its classes"):
        found += outcome.n_px
        done += 1
    return found if done == len(tasks) else None


def _require_accounted(layout: SlideLayout, crossed: NDArray[np.int64], classes: int, layer: CountedSlide) -> None:
    """Refuse a table whose rows do not add up to the class map, or whose columns do not to the layer."""
    rows = ledger_rows(layout)
    of_map = LedgerLayout(classes).total(rows.reshape(-1, rows.shape[-1]))
    counts = layer.counts
    told = {
        "rows": (*of_map.px_by_class, of_map.unscanned_px, of_map.outside_roi_px, of_map.unreadable_px),
        "columns": (*counts.n_px_by_class, counts.n_px_unscanned, counts.n_px_outside_roi, counts.n_px_unreadable),
    }
    for axis, (name, expected) in enumerate(told.items()):
        found = tuple(crossed.sum(axis=1 - axis).tolist())
        if found != expected:
            raise CountMismatchError(
                f"{layer.slide_id}: the {name} of its classes over its tissue add up to {found} px, not to {expected}; "
                "the result is refused. Measure the slide again with --force, and please report this"
            )
