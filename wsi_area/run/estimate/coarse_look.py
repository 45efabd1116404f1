"""run: all of a slide at a coarse level, before spots of it are drawn; measured like a slide, in its own folder."""

from collections.abc import Callable
from dataclasses import replace

from wsi_area.compute.calibration.level_ratios import usable_levels
from wsi_area.compute.cut.grid import level_px_to_decode
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.results.class_map.soundness import take_back_torn
from wsi_area.results.layout import SlideLayout
from wsi_area.run.context import Context
from wsi_area.run.continuation import Origin, commit_skipped, lay_out, origin_of
from wsi_area.run.events import BatchDone, Event, SlidePreparing, SlideStarted
from wsi_area.run.executors.contract import TaskLost
from wsi_area.run.prepare import PreparedSlide, PrepareFailure
from wsi_area.run.slide_tiles import Work, measure_tiles, missing_batches
from wsi_area.segmenters.pixelwise import colour_rule_of
from wsi_area.segmenters.protocol import AdaptsToWorkMpp
from wsi_area.settings.estimate_settings import EstimateSettings
from wsi_area.settings.run_settings import RunSettings, TilingSettings

LEAST_SAVED = 10.0
"""Times fewer pixels a coarse level has at least: with less, all of it costs too much beside the spots."""
LEAST_PX_OF_SPOT = 16
"""Pixels of a coarse level along the edge of a spot that tell its shares; the coarsest such level costs least."""
_SHARE_OF_BUDGET = 0.6
"""Most that a coarse look may take of what is allowed: the rest is for the spots."""

Prepare = Callable[[SlideInput, Context], "PreparedSlide | PrepareFailure | TaskLost | None"]


@frozen_value
class CoarseSlide:
    """A slide looked at coarsely: how it was cut, what it was made from, and what that took."""

    prepared: PreparedSlide
    origin: Origin
    work: Work

    @property
    def decoded_px(self) -> int:
        """Return the pixels of its level in tiles that are read."""
        return level_px_to_decode(self.prepared.plan)


def coarse_work_mpp(prepared: PreparedSlide, settings: RunSettings) -> float | None:
    """Return the pixel size at which a slide is looked at coarsely, in µm; None where no coarse level helps.

    None does where the segmenter was made for one pixel size, or where no level is small enough beside what is read.
    """
    fitted, plan = prepared.fitted, prepared.plan
    if colour_rule_of(fitted) is None and not isinstance(fitted, AdaptsToWorkMpp):
        return None
    mpp, levels = prepared.calibration.mpp, prepared.info.levels
    if mpp is None:
        return None
    budget = settings.estimate.budget_pct
    least = max(LEAST_SAVED, 0.0 if budget is None else 100 / (_SHARE_OF_BUDGET * budget))
    fine_px, work = levels[plan.level].size_px.area_px, plan.work_mpp
    spot_um = 0.0 if work is None else plan.tile_px * max(work.x, work.y)
    usable = (levels[n] for n in sorted(usable_levels(prepared.info, settings.calibration.policy)) if n > plan.level)
    small = [level for level in usable if fine_px >= least * level.size_px.area_px]
    sizes_um = [max(mpp.x * level.downsample_x, mpp.y * level.downsample_y) for level in small]
    told = [size_um for size_um in sizes_um if spot_um >= LEAST_PX_OF_SPOT * size_um]
    return max(told, default=min(sizes_um, default=None))


def look_coarsely(
    slide: SlideInput, layout: SlideLayout, context: Context, prepared: PreparedSlide, prepare: Prepare
) -> CoarseSlide | PrepareFailure | TaskLost | None:
    """Return a slide measured whole at a coarse level, committed; None if the run was stopped before the end.

    Parameters
    ----------
    slide, context, prepared
        The slide, with how it is measured, and as it is prepared for its spots.
    layout : SlideLayout
        Of the coarse look itself.
    prepare
        Prepares a slide.

    Raises
    ------
    IncompleteResultError
        If a batch came to no end.
    """
    work_mpp = coarse_work_mpp(prepared, context.settings)
    tiling = TilingSettings(work_mpp=work_mpp, skip_glass=context.settings.tiling.skip_glass)
    settings = context.settings.model_copy(update={"tiling": tiling, "estimate": EstimateSettings()})
    own = replace(context, settings=settings, listener=_as_phase(context))
    seen = prepare(replace(slide, own=None), own)
    if not isinstance(seen, PreparedSlide):
        return seen
    origin = origin_of(seen, settings)
    lay_out(layout, layout, seen, origin, context.force)
    take_back_torn(layout, layout, len(seen.fitted.scheme.classes))
    commit_skipped(layout, seen, origin.key)
    work = measure_tiles(seen, layout, origin.key, own, missing_batches(layout, seen))
    return None if work is None else CoarseSlide(seen, origin, work)


def _as_phase(context: Context) -> Callable[[Event], None]:
    """Return who tells a coarse look as a phase of its slide."""

    def tell(event: Event) -> None:
        if isinstance(event, SlidePreparing):
            context.listener(replace(event, phase=f"its coarse look: {event.phase}"))
        elif isinstance(event, SlideStarted | BatchDone):
            context.listener(SlidePreparing(event.slide_id, "a coarse look at all of it"))

    return tell
