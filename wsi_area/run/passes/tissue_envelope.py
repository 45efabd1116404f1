"""run: the envelope of a slide's tissue, ordered where its class map is final."""

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.layout import SlideLayout
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.outcomes import only_outcome
from wsi_area.run.work.map_task import Envelope, EnvelopeScales, EnvelopeWanted, MapTask, read_map
from wsi_area.settings.run_settings import EnvelopeSettings


@frozen_value
class MappedTissue:
    """A class map with tissue in it: whose, on which grid, and which of its classes are tissue."""

    slide_id: str
    grid: WorkGrid
    work_mpp: Mpp
    tissue_ids: tuple[int, ...]


def mapped_tissue(plan: SlidePlan, scheme: ClassScheme) -> MappedTissue | None:
    """Return the class map that a plan makes; None where no pixel size is known."""
    if plan.work_mpp is None:
        return None
    tissue_ids = tuple(c.class_id for c in scheme.classes if c.is_tissue)
    return MappedTissue(plan.slide.slide_id, grid_of_plan(plan), plan.work_mpp, tissue_ids)


def mapped_layer(layer: CountedSlide) -> MappedTissue:
    """Return the class map of a tissue layer.

    Raises
    ------
    ResultError
        If it has no pixel size, without which there is no layer.
    """
    from wsi_area.results.class_map.layered_map import grid_of

    work = layer.work
    if work.work_mpp_x_um is None or work.work_mpp_y_um is None:
        raise ResultError(f"{layer.slide_id}: its tissue layer has no pixel size; measure it again with --force")
    tissue_ids = tuple(c.id for c in layer.classes if c.is_tissue)
    return MappedTissue(layer.slide_id, grid_of(layer), Mpp(work.work_mpp_x_um, work.work_mpp_y_um), tissue_ids)


def grid_of_plan(plan: SlidePlan) -> WorkGrid:
    """Return the grid that a plan cuts a slide into."""
    return WorkGrid(plan.slide.size_l0_px, plan.slide.levels[plan.level].size_px, plan.reduce_factor, plan.tile_px)


def measure_envelope(
    layout: SlideLayout, mapped: MappedTissue, settings: EnvelopeSettings, executor: Executor
) -> Envelope | None:
    """Return the background that the tissue of a class map encloses; None if stopped before the end.

    It is a task like a batch: the one process that talks to a cluster's workers has enough to do.

    Raises
    ------
    IncompleteResultError
        If it came to no end.
    ResultError
        If the class map cannot be read.
    """
    task = MapTask(layout.root.resolve(), mapped.slide_id, envelope_wanted(mapped, settings))
    made = only_outcome(executor, read_map, task, mapped.slide_id, "the envelope of its tissue")
    return None if made is None else made.envelope


def envelope_wanted(mapped: MappedTissue, settings: EnvelopeSettings) -> EnvelopeWanted:
    """Return the envelope that is wanted of a class map."""
    scales = EnvelopeScales(settings.closing_um, settings.fill_um, settings.box_um)
    return EnvelopeWanted(mapped.grid, mapped.work_mpp, mapped.tissue_ids, scales)
