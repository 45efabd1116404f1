"""run: everything about one slide that is settled before its tiles: calibration, lane, fit, plan."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from wsi_area.compute.calibration.calibrate import calibrate
from wsi_area.compute.calibration.level_ratios import usable_levels
from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.compute.cut.grid import read_near_edges
from wsi_area.compute.cut.planning import Tiling, plan_slide, validate
from wsi_area.compute.cut.skipping import skip_glass
from wsi_area.errors import MissingMppError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.drawings import drawn_on
from wsi_area.model.calibration import Calibration
from wsi_area.model.drawn import Drawn, NamedRegions, RegionOfInterest
from wsi_area.model.light import Light
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_certificate import Completeness
from wsi_area.model.slide import SAMPLE_BITS, SlideInfo
from wsi_area.results.thumbnail import thumbnail_jpeg
from wsi_area.run.preparing.overview_parts import OverviewSeen, OverviewWanted, overview_wanted
from wsi_area.run.preparing.slide_overview import is_of_another_scale, refuse_dark_colours, rim_fraction, with_mpp
from wsi_area.run.slide_light import fills_of, light_of, with_seen_glass, without_fills
from wsi_area.run.work.deadlines import deadline
from wsi_area.run.work.phases import NOBODY, begin_phase, fitting_phase
from wsi_area.segmenters.colour.colour_rule import ColourRuled
from wsi_area.segmenters.exclusions.fit import assessable, with_exclusions
from wsi_area.segmenters.exclusions.settings import ExclusionSettings
from wsi_area.segmenters.protocol import (
    AdaptsToWorkMpp,
    FittedSegmenter,
    PrefersTiles,
    Segmenter,
    StatesMemory,
    UsesDrawn,
    WantsSamples,
    WantsSpread,
)
from wsi_area.segmenters.registry import make_segmenter, segmenter_package
from wsi_area.settings.parts_signal import parts_signal
from wsi_area.settings.run_settings import RunSettings
from wsi_area.slides import (
    LaneDecision,
    borrow_reader,
    choose_lane,
    inspect,
    overview_box_l0_px,
    read_overview,
    with_edges_left,
    with_edges_proven,
)
from wsi_area.slides.header.cut_short import completeness
from wsi_area.slides.hostile_header import refuse_hostile_header

_LOG = logging.getLogger(__name__)

TILES_OF_PREPARING = 4
"""Looking at a slide may take as long as this many tiles: of one with a single level all is read for the overview."""

SPREAD_BLOCKS, PLAIN_SPREAD_BLOCKS = 16, 64
"""Blocks that are read for a threshold which hangs on the scale: a million work pixels; four of a plain image, which is
decoded whole as it is."""

READER_BYTES = 16 << 20
"""What a lane that reads tile by tile holds: a stored tile, a block, OpenSlide's own cache of a tile or two."""


@frozen_value
class PrepareTask:
    """One slide to be looked at; small and picklable, so that a worker can do it."""

    slide: SlideInput
    settings: RunSettings
    memory_limit_bytes: int
    read_path: str | None = None  # of a local copy to be read instead
    in_worker: bool = False  # in a process that may be ended where the slide hangs
    ticket: int = NOBODY  # of whoever is told of the phases
    splits_overview: bool = False  # a large one is to be read in parts, by several tasks
    seen: OverviewSeen | None = None  # once these were read
    leaves_edges: bool = False  # whoever reads edge tiles compares them: nothing of the slide was measured before
    lane_obstacle: str | None = None  # what was found when they did: it is read through OpenSlide

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.slide.slide_id

    @property
    def timeout_s(self) -> float:
        """Return the time that looking at the slide may take, in s."""
        return TILES_OF_PREPARING * self.settings.run.tile_timeout_s

    def failed(self, error: str, message: str) -> "PrepareFailure":
        """Return the failure where it came to nothing; of a copy, as of the slide that somebody named."""
        said = message if self.read_path is None else message.replace(self.read_path, self.slide.path)
        return PrepareFailure(self.slide_id, error, said)


@frozen_value
class PreparedSlide:
    """One slide, ready to be measured."""

    info: SlideInfo
    calibration: Calibration
    lane: LaneDecision
    fitted: FittedSegmenter
    plan: SlidePlan
    drawn: Drawn | None
    roi: RegionOfInterest | None
    edge_tissue_fraction: float  # of the rim of the overview
    overview_box_px: int  # level-0 px under one overview pixel
    light: Light | None  # None where the segmenter looks for no glass
    completeness: Completeness  # of the file: what of its pixels can be read is not known yet
    thumbnail_jpeg: bytes = field(repr=False)  # the overview as people will see it
    prepare_cpu_s: float
    segmenter_package: str | None = None  # of somebody else's segmenter, with its version, where it was fitted
    not_assessed: Mapping[str, str] = field(default_factory=dict)  # exclusions that cannot be judged on it, and why
    regions: NamedRegions = field(default_factory=NamedRegions)  # that have a row of their own


@frozen_value
class PrepareFailure:
    """A slide that cannot be measured, and why."""

    slide_id: str
    error: str  # the name of the error
    message: str


def prepare_slide(task: PrepareTask) -> PreparedSlide | PrepareFailure:
    """Return the slide ready to be measured, or why it cannot be; never raises."""
    prepared = prepare_or_split(replace(task, splits_overview=False))
    assert not isinstance(prepared, OverviewWanted), "nobody asked for parts"
    return prepared


def prepare_or_split(task: PrepareTask) -> PreparedSlide | OverviewWanted | PrepareFailure:
    """Return the slide ready to be measured, which parts of its overview must be read first, or why it cannot be.

    This is the task boundary of a slide, so that one bad file never stops the batch: it never raises.
    """
    started = time.thread_time()
    try:
        with deadline(task.timeout_s, f"{task.slide.slide_id}: its overview", ends_process=task.in_worker):
            found = _prepare(task)
    except Exception as error:  # the boundary: a failure becomes this slide's final status
        _LOG.debug("%s cannot be prepared", task.slide.path, exc_info=True)
        return task.failed(type(error).__name__, str(error))
    took_s = time.thread_time() - started + (0.0 if task.seen is None else task.seen.cpu_s)
    if isinstance(found, OverviewWanted):
        return replace(found, cpu_s=took_s)
    return replace(found, prepare_cpu_s=took_s)


def _prepare(task: PrepareTask) -> PreparedSlide | OverviewWanted:
    begin_phase(task.ticket, "opening the file")
    if task.seen is None:
        choice = task.settings.reader.choice
        info = inspect(task.read_path or task.slide.path, slide_id=task.slide.slide_id, choice=choice)
        refuse_hostile_header(info)
    else:
        info = task.seen.info
    policy = task.settings.calibration.policy
    calibration = calibrate(info, override=task.slide.override, policy=policy)
    try:
        return _cut_and_fitted(task, info, calibration, policy)
    except MissingMppError as error:  # what is wrong with the claims on record belongs to the answer
        told = "".join(f" ({f.code}: {f.message})" for f in calibration.findings if f.severity == "refusal")
        raise MissingMppError(f"{error}{told}") from error


def _cut_and_fitted(
    task: PrepareTask, info: SlideInfo, calibration: Calibration, policy: CalibrationPolicy
) -> PreparedSlide | OverviewWanted:
    settings = task.settings
    levels = usable_levels(info, policy)
    # what is drawn lies beside the slide itself, not beside a copy of it
    named = info if task.read_path is None else replace(info, path=task.slide.path)
    given = drawn_on(named, calibration, task.slide)
    drawn, roi = given.classes, given.roi
    segmenter = make_segmenter(settings.segmenter.name, settings.segmenter.own)
    # a first cut tells which level will be read, and only that one is proven for the direct lane
    asked_um = settings.tiling.work_mpp
    first = plan_slide(info, calibration.mpp, levels, Tiling(asked_um, settings.tiling.tile_px))
    begin_phase(task.ticket, "trying the lanes")
    seen = task.seen
    lane = _lane(task, info, first, levels) if seen is None else seen.lane
    if task.splits_overview and (parts := overview_wanted(info, lane, levels, task.timeout_s, task.in_worker)):
        return parts
    begin_phase(task.ticket, "reading the overview")
    with borrow_reader(info, lane.lane) as reader:
        overview = read_overview(info, reader, usable_levels=levels) if seen is None else seen.overview
        overview = with_mpp(overview, calibration)
        refuse_dark_colours(info, overview)
        exclusions = _exclusions(settings, segmenter)
        fills = fills_of(settings, exclusions, overview)
        lit = overview if fills is None else without_fills(overview, fills)
        if isinstance(segmenter, WantsSamples) and segmenter.sample_blocks:
            from wsi_area.run.sampling import tissue_samples

            lit = replace(lit, samples=tissue_samples(reader, first, lit, segmenter.sample_blocks))
    begin_phase(task.ticket, fitting_phase(settings.segmenter.name))
    fitted = segmenter.fit(replace(lit, drawn=drawn))
    if isinstance(fitted, WantsSpread) and fitted.wants_spread and is_of_another_scale(overview, first):
        from wsi_area.run.sampling import spread_samples

        with borrow_reader(info, lane.lane) as reader:
            begin_phase(task.ticket, "reading samples for the threshold")
            spread = spread_samples(reader, first, PLAIN_SPREAD_BLOCKS if lane.lane == "plain" else SPREAD_BLOCKS)
        fitted = segmenter.fit(replace(lit, drawn=drawn, spread=spread))
    plan = plan_slide(info, calibration.mpp, levels, _tiling(settings, fitted, info, lane, given.regions))
    if isinstance(fitted, AdaptsToWorkMpp) and plan.work_mpp is not None:
        fitted = fitted.at_work_mpp(plan.work_mpp)
    begin_phase(task.ticket, "looking for what is excluded")
    exclusions, not_assessed = assessable(exclusions, plan.work_mpp, calibration.mpp)
    wrapped = with_exclusions(fitted, exclusions, with_seen_glass(lit, fitted), plan.work_mpp, fills)
    if wrapped is not fitted:  # it looks further round a pixel than the segmenter alone
        fitted = wrapped
        plan = plan_slide(info, calibration.mpp, levels, _tiling(settings, fitted, info, lane, given.regions))
    if plan.level != first.level:  # the segmenter was made for another pixel size
        lane = _lane(task, info, plan, levels)
    settings.require_classes(fitted.scheme)
    is_sampled = settings.estimate.is_asked
    if is_sampled:
        from wsi_area.compute.cut.spots import as_spots

        plan = as_spots(plan, settings.estimate.spot_um)
    plan = _within(plan, roi)
    validate(plan, task.memory_limit_bytes)
    foreground = fitted.may_hold_foreground(overview)
    if settings.tiling.skip_glass and not (is_sampled and roi is not None):
        # whatever was not wholly scanned is read too: only reading tells how much of it was
        wanted, margin_px = foreground | ~overview.valid, _margin_l0_px(settings, calibration)
        plan = skip_glass(plan, wanted, margin_px, is_certain=is_sampled or isinstance(segmenter, UsesDrawn))
    begin_phase(task.ticket, "proving the reader")
    if task.leaves_edges and not is_sampled and settings.reader.lane == "auto":
        lane = with_edges_left(info, lane, plan.level, read_near_edges(plan))
    else:
        lane = with_edges_proven(info, lane, plan.level, read_near_edges(plan), settings.reader.lane)
    rim = rim_fraction(foreground & lit.valid)
    light = light_of(fitted, overview, lit, foreground)
    thumbnail = thumbnail_jpeg(overview.rgb, overview.valid, overview_box_l0_px(info, usable_levels=levels))
    package, kept = segmenter_package(settings.segmenter.name), completeness(info)
    box_px = -(-info.size_l0_px.area_px // overview.valid.size)
    return PreparedSlide(
        info, calibration, lane, fitted, plan, drawn, roi, rim, box_px, light, kept, thumbnail, 0.0, package,
        not_assessed, given.regions,
    )  # fmt: skip


def _lane(task: PrepareTask, info: SlideInfo, plan: SlidePlan, levels: Sequence[int]) -> LaneDecision:
    """Return the lane that reads the plan's level and the overview's."""
    if task.lane_obstacle is not None:
        return LaneDecision("openslide", task.lane_obstacle)
    return choose_lane(info, [plan.level], task.settings.reader.lane, levels)


def _within(plan: SlidePlan, roi: RegionOfInterest | None) -> SlidePlan:
    """Return a plan with the tiles marked that lie outside the region of interest, where there is one."""
    if roi is None:
        return plan
    from wsi_area.compute.cut.roi import limit_to_roi  # geometry is loaded only where something was drawn

    return limit_to_roi(plan, roi)


def _exclusions(settings: RunSettings, segmenter: Segmenter) -> ExclusionSettings:
    """Return the exclusions; from a drawing only those asked for, so that outline and count stay the same area."""
    if isinstance(segmenter, UsesDrawn):
        return settings.exclusions.model_copy(update={"unscanned_black": "off", "unscanned_fill": "off"})
    return settings.exclusions


def _tiling(
    settings: RunSettings, fitted: FittedSegmenter, info: SlideInfo, lane: LaneDecision, named: NamedRegions
) -> Tiling:
    asked = settings.tiling.work_mpp if settings.tiling.work_mpp is not None else fitted.work_mpp
    # a plain image is decoded whole, and for a moment held twice
    px_bytes = 10 if SAMPLE_BITS in info.properties else 6
    reader_bytes = px_bytes * info.size_l0_px.area_px if lane.lane == "plain" else READER_BYTES
    tiling = Tiling(asked, settings.tiling.tile_px, fitted.context_um, isinstance(fitted, ColourRuled), reader_bytes)
    if parts_signal(settings, fitted, named) is not None:
        tiling = replace(tiling, keeps_signal=True)
    if isinstance(fitted, StatesMemory):
        tiling = replace(tiling, segmenter_bytes_per_px=fitted.working_bytes_per_px)
    if tiling.tile_px == "auto" and isinstance(fitted, PrefersTiles):
        tiling = replace(tiling, tile_px=fitted.preferred_tile_px)
    return tiling


def _margin_l0_px(settings: RunSettings, calibration: Calibration) -> float:
    mpp = calibration.mpp
    return 0.0 if mpp is None else settings.tiling.skip_margin_um / min(mpp.x, mpp.y)
