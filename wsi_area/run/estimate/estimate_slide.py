"""run: one slide estimated, from a prepared slide to what its result says of the estimate."""

from typing import Any

import numpy as np

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.cut.decoding import decoded_level_px
from wsi_area.compute.cut.grid import level_px_to_decode, tile_at
from wsi_area.compute.estimate.slide_frame import aim_of, quantities_of
from wsi_area.compute.estimate.strata import KINDS
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.estimate.slide_estimate import CoarseLook, DrawnStratum, EstimatedArea, EstimateOnRecord
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.estimates.estimated_slide import Estimated, EstimatedSlide, estimated_from
from wsi_area.results.estimates.spot_shares import spot_shares
from wsi_area.results.layout import SlideLayout
from wsi_area.run.context import Context
from wsi_area.run.continuation import Origin, lay_out, origin_of
from wsi_area.run.estimate.coarse_look import CoarseSlide, Prepare, coarse_work_mpp, look_coarsely
from wsi_area.run.estimate.spot_rounds import DrawnSpots, commit_frame, draw_spots
from wsi_area.run.events import SlideStarted
from wsi_area.run.executors.contract import TaskLost
from wsi_area.run.prepare import PreparedSlide, PrepareFailure
from wsi_area.run.slide_tiles import Work, lost_message
from wsi_area.settings.estimate_settings import EstimateSettings

CELLS = "two spots in each cell"


@frozen_value
class MadeEstimate:
    """An estimate, what it was made from, and what that took."""

    estimated: EstimatedSlide
    origin: Origin
    work: Work


def estimate_slide(
    slide: SlideInput, layout: SlideLayout, context: Context, prepared: PreparedSlide, prepare: Prepare
) -> MadeEstimate | PrepareFailure | TaskLost | None:
    """Return the estimate of a slide, its spots committed; why it came to nothing; None if stopped before the end.

    Parameters
    ----------
    slide, layout, context
        The slide, where it lies in the run, and how and by whom it is measured.
    prepared : PreparedSlide
        Cut into spots.
    prepare
        Prepares a slide, for the coarse look.

    Raises
    ------
    StaleResultError
        If what lies there was made from something else.
    IncompleteResultError
        If a task came to no end.
    """
    plan, origin = prepared.plan, origin_of(prepared, context.settings)
    lay_out(layout, layout, prepared, origin, context.force, has_class_map=False)
    commit_frame(layout, prepared, origin.key)
    context.listener(SlideStarted(slide.slide_id, plan.tile_count, len(plan.skipped | plan.outside_roi)))
    coarse: CoarseSlide | None = None
    if coarse_work_mpp(prepared, context.settings) is not None:
        seen = look_coarsely(slide, layout.coarse, context, prepared, prepare)
        if not isinstance(seen, CoarseSlide):
            return seen
        if seen.work.errors:
            return PrepareFailure(slide.slide_id, "ResultError", lost_message(seen.work.errors))
        coarse = seen
    grid, classes = _grid(plan), prepared.fitted.scheme.classes
    shares = None
    if coarse is not None:
        seen_classes = coarse.prepared.fitted.scheme.classes
        shares = spot_shares(layout.coarse, _grid(coarse.prepared.plan), grid, len(seen_classes))
    coarse_px = 0 if coarse is None else coarse.decoded_px
    drawn = draw_spots(prepared, layout, origin.key, context, shares, coarse_px)
    if drawn is None:
        return None
    if isinstance(drawn, str):
        return PrepareFailure(slide.slide_id, "SettingsError", f"{slide.slide_id}: {drawn}")
    ledger = ledger_rows(layout)
    made = estimated_from(drawn.sample, ledger, classes, prepared.calibration.mpp)
    record = _record(prepared, context.settings.estimate, coarse, drawn, made)
    estimated = EstimatedSlide(made.whole, made.account, record, _reason(record))
    return MadeEstimate(estimated, origin, _work(prepared, coarse, drawn))


def _grid(plan: SlidePlan) -> WorkGrid:
    size = plan.slide.levels[plan.level].size_px
    return WorkGrid(plan.slide.size_l0_px, size, plan.reduce_factor, plan.tile_px)


def _work(prepared: PreparedSlide, coarse: CoarseSlide | None, drawn: DrawnSpots) -> Work:
    """Return the work of both looks together, with the failures in the close one."""
    timing: dict[str, Any] = dict(drawn.work.timing)
    prepare_cpu_s = prepared.prepare_cpu_s
    if coarse is not None:
        prepare_cpu_s += coarse.prepared.prepare_cpu_s
        for name, value in coarse.work.timing.items():
            timing[name] += value
    return Work({**timing, "prepare_cpu_s": prepare_cpu_s}, drawn.work.tile_errors, [])


def _record(
    prepared: PreparedSlide, asked: EstimateSettings, coarse: CoarseSlide | None, drawn: DrawnSpots, made: Estimated
) -> EstimateOnRecord:
    plan, frame = prepared.plan, drawn.sample.frame
    chosen = drawn.sample.drawn
    numbers = (frame.place[chosen, 0] * plan.grid_cols + frame.place[chosen, 1]).tolist()
    spots, drawn_of = (np.bincount(groups, minlength=len(KINDS)) for groups in (frame.group, frame.group[chosen]))
    names = KINDS if coarse is not None else (CELLS, *KINDS[1:])
    strata = tuple(
        DrawnStratum(kind=name, spots=int(of), drawn=int(n)) for name, of, n in zip(names, spots, drawn_of, strict=True)
    )
    coarse_px = 0 if coarse is None else coarse.decoded_px
    mpp = plan.work_mpp
    boxes = (tile_at(plan, *divmod(number, plan.grid_cols)).core_level_px for number in numbers)
    return EstimateOnRecord(
        seed=asked.seed,
        wanted_half_width_pct=asked.half_width_pct,
        budget_pct=asked.budget_pct,
        about=aim_of(quantities_of(prepared.fitted.scheme.classes)).name,
        is_reached=drawn.is_exact,
        spot_px=plan.tile_px,
        spot_x_um=0.0 if mpp is None else plan.tile_px * mpp.x,
        spot_y_um=0.0 if mpp is None else plan.tile_px * mpp.y,
        coarse=None if coarse is None else _coarse_on_record(coarse),
        cells=drawn.sample.cells,
        strata=strata,
        bare_drawn=tuple(n for n in numbers if n in plan.skipped),
        bare_miss=frame.bare_miss,
        areas=made.areas,
        counted_px=sum(box.area_px for box in boxes),
        decoded_px=decoded_level_px(plan, numbers) + coarse_px,
        whole_px=level_px_to_decode(plan),
    )


def _coarse_on_record(coarse: CoarseSlide) -> CoarseLook:
    plan = coarse.prepared.plan
    mpp = plan.work_mpp
    return CoarseLook(
        key=coarse.origin.key,
        level=plan.level,
        reduce_factor=plan.reduce_factor,
        tile_px=plan.tile_px,
        class_count=len(coarse.prepared.fitted.scheme.classes),
        work_mpp_x_um=0.0 if mpp is None else mpp.x,
        work_mpp_y_um=0.0 if mpp is None else mpp.y,
        decoded_px=coarse.decoded_px,
    )


def _reason(record: EstimateOnRecord) -> str:
    """Return the reason why an estimate is not as exact as was asked; "" where it is."""
    wanted = record.wanted_half_width_pct
    if record.is_reached or wanted is None:
        return ""
    told = _told(record.aim)
    return (
        f"{told} and ± {wanted:g} % was asked; the {record.budget_pct or 100:g} % of the pixels that may be decoded "
        "are spent: raise --estimate-budget, or ask for less"
    )


def _told(area: EstimatedArea | None) -> str:
    if area is None:
        return "nothing is known of what was asked for"
    pct = area.half_width_pct
    if pct is None:
        return f"no {area.name} was found in any spot that was drawn, at most {area.ci95_high_mm2 or 0:.3g} mm² (95 %)"
    return f"its {area.name} is {area.area_mm2 or 0:.4g} mm² ± {pct:.2g} % (95 %, of the spots that were drawn)"
