"""run: what goes over the whole class map of a slide, in order: size filters, foci, tissue layer, envelope, regions."""

from dataclasses import field, replace
from typing import TYPE_CHECKING

from wsi_area.compute.calibration.uncertainty import relative_u_area
from wsi_area.compute.count.area import area_mm2
from wsi_area.frozen_value import frozen_value
from wsi_area.model.burden import SlideBurden
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme
from wsi_area.model.drawn import NamedRegions
from wsi_area.model.finding import QaFinding
from wsi_area.model.objects import Foci, SizeChange, SizeFilters
from wsi_area.model.pixels import ClassMap
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_areas import TissueEnvelope
from wsi_area.model.record.slide_regions import RegionsOnRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.class_map.class_codes import RESERVED
from wsi_area.results.class_map.signal_store import kept_signal
from wsi_area.results.layout import TMA_GRID_NAME, SlideLayout
from wsi_area.results.tables.object_tables import OBJECTS_TABLE
from wsi_area.results.tables.region_tables import discard_regions
from wsi_area.run.context import Context
from wsi_area.run.continuation import Origin
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.outcomes import only_outcome
from wsi_area.run.passes.overview_boxes import cover_wanted
from wsi_area.run.passes.tissue_envelope import envelope_wanted, mapped_layer, mapped_tissue
from wsi_area.run.prepare import PreparedSlide
from wsi_area.run.work.map_task import Envelope, MapTask, PictureWanted, read_map
from wsi_area.segmenters.pixelwise import integrated_signal
from wsi_area.settings.parts_signal import parts_signal
from wsi_area.settings.run_settings import EnvelopeSettings, RunSettings

if TYPE_CHECKING:  # loaded where there is a tissue layer
    from wsi_area.run.passes.crossing import LaidOver


@frozen_value
class MergedObjects:
    """What the merged objects of a slide came to."""

    size_changes: tuple[SizeChange, ...]
    foci: Foci | None
    envelope: Envelope | None = None  # None where there is no pixel size
    laid: "LaidOver | None" = None  # the classes over the tissue layer, where there is one
    by_box: float | None = None  # share in boxes of the overview with enough tissue; None where it was not asked
    class_map_sha256: str | None = None
    picture: ClassMap | None = None  # uint8 (h, w), the classes small, where a report is wanted
    named: NamedRegions = field(default_factory=NamedRegions)  # the regions that have rows, drawn and found
    regions: RegionsOnRecord | None = None  # None where nothing was named


@frozen_value
class MappedSlide:
    """A slide whose class map is final: where it lies, how it is cut, in which classes, how large its pixels are."""

    layout: SlideLayout
    plan: SlidePlan
    scheme: ClassScheme
    mpp: Mpp | None  # µm per level-0 pixel
    relative_u_area: float | None  # standard uncertainty of an area over the area, from the pixel size


def size_filters(prepared: PreparedSlide, settings: RunSettings) -> SizeFilters:
    """Return the size filters of a slide: none where sizes are unknown, since its mm² are withheld anyway."""
    filters = SizeFilters(**settings.objects.model_dump(exclude={"foci"}))
    if filters.any:
        from wsi_area.run.passes.object_pass import refuse_with_signal

        refuse_with_signal(filters, integrated_signal(prepared.fitted))
    return filters if prepared.calibration.mpp is not None else SizeFilters()


def merge_objects(
    prepared: PreparedSlide, layout: SlideLayout, filters: SizeFilters, origin: Origin, context: Context
) -> MergedObjects | None:
    """Filter small objects and measure the foci, over the seams of the tiles; None if stopped before the end."""
    executor, wants_foci = context.executor, context.settings.objects.foci and prepared.fitted.scheme.names_tumor
    plan, scheme, mpp = prepared.plan, prepared.fitted.scheme, prepared.calibration.mpp
    if not wants_foci:
        (layout.root / OBJECTS_TABLE).unlink(missing_ok=True)
    if not filters.any and not wants_foci:
        return MergedObjects((), None)
    # imported here: its sparse matrices and second kernel take 0.1 s, which most runs need not pay
    from wsi_area.run.passes.object_pass import clean_slide, measure_foci

    changes = clean_slide(layout, plan, scheme, filters, mpp, origin.key, origin.parts, executor)
    if changes is None:
        return None
    foci = measure_foci(layout, plan, scheme, mpp, executor) if wants_foci else None
    if foci is None and wants_foci:
        return None
    return MergedObjects(changes, foci)


def with_map(
    objects: MergedObjects,
    prepared: PreparedSlide,
    layout: SlideLayout,
    tissue: EndedSlide | None,
    context: Context,
    *,
    is_layer: bool,
    known_sha256: str | None,
) -> MergedObjects | None:
    """Add what the final class map holds, read once: envelope, boxes of the overview, digest; None if stopped before.

    It is a task like a batch: the one process that talks to a cluster's workers has enough to do. The boxes are asked
    only where the overview and the count are further apart than the limit.

    Raises
    ------
    IncompleteResultError
        If it came to no end.
    ResultError
        If the class map cannot be read.
    """
    settings, executor, name = context.settings, context.executor, prepared.plan.slide.slide_id
    is_own = not is_layer and not isinstance(tissue, CountedSlide)
    mapped = mapped_tissue(prepared.plan, prepared.fitted.scheme) if is_own else None
    task = MapTask(
        layout.root.resolve(), name, None if mapped is None else envelope_wanted(mapped, settings.envelope),
        cover_wanted(prepared, layout, settings), wants_digest=not is_layer and known_sha256 is None,
        picture=_picture_wanted(prepared, layout) if context.for_report and not is_layer else None,
    )  # fmt: skip
    if task.is_asked:
        found = only_outcome(executor, read_map, task, name, "what its class map holds")
        if found is None:
            return None
        objects = replace(
            objects, envelope=found.envelope, by_box=found.covered_share, class_map_sha256=found.sha256,
            picture=found.picture,
        )  # fmt: skip
    if known_sha256 is not None:
        objects = replace(objects, class_map_sha256=known_sha256)
    if is_layer or not isinstance(tissue, CountedSlide):
        return objects
    from wsi_area.run.passes.crossing import lay_over

    laid = lay_over(layout, prepared.plan, len(prepared.fitted.scheme.classes), tissue, settings.envelope, executor)
    return None if laid is None else replace(objects, envelope=laid.envelope, laid=laid)


def _picture_wanted(prepared: PreparedSlide, layout: SlideLayout) -> PictureWanted | None:
    """Return the class thumbnail that the report will want; None where there is no small picture, or no majority."""
    # imported here: a run without a report need not pay for it
    from wsi_area.compute.picture.majority_picture import has_majorities
    from wsi_area.results.class_map.class_thumbnail import picture_grid
    from wsi_area.results.thumbnail import read_frame

    frame, plan = read_frame(layout), prepared.plan
    if frame is None:
        return None
    level, factor = plan.slide.levels[plan.level], plan.reduce_factor
    grid = picture_grid((factor * level.downsample_x, factor * level.downsample_y), frame)
    codes = {c.class_id for c in prepared.fitted.scheme.classes} | set(RESERVED)
    return PictureWanted(grid, tuple(sorted(codes))) if has_majorities(grid) else None


def with_regions(
    objects: MergedObjects, prepared: PreparedSlide, layout: SlideLayout, context: Context
) -> MergedObjects | None:
    """Add what lies in the named regions, drawn and found; None if stopped before the end."""
    calibration = prepared.calibration
    mapped = MappedSlide(
        layout, prepared.plan, prepared.fitted.scheme, calibration.mpp,
        None if calibration.chosen is None else relative_u_area(calibration.chosen),
    )  # fmt: skip
    return with_named(objects, mapped, prepared.regions, context.settings, context.executor)


def with_named(
    objects: MergedObjects, mapped: MappedSlide, named: NamedRegions, settings: RunSettings, executor: Executor
) -> MergedObjects | None:
    """Add what lies in some named regions, and in those that are found; None if stopped before the end."""
    layout, plan, scheme, mpp = mapped.layout, mapped.plan, mapped.scheme, mapped.mpp
    if are_asked(settings):
        from wsi_area.run.passes.found_sections import with_found  # its libraries are for slides with pieces alone

        laid = objects.laid
        tissue = mapped_tissue(plan, scheme) if laid is None else mapped_layer(laid.layer)
        where = layout if laid is None else layout.tissue
        found = with_found(named, layout, where, tissue, mpp, settings, executor)
        if found is None:
            return None
        named = found
    else:
        (layout.root / TMA_GRID_NAME).unlink(missing_ok=True)
    objects = replace(objects, named=named)
    if not named.drawn and not named.regions:
        discard_regions(layout)
        return objects
    from wsi_area.run.passes.region_pass import measure_regions  # its kernels are for slides with regions alone

    regions = measure_regions(layout, plan, scheme, mpp, mapped.relative_u_area, named, executor)
    return None if regions is None else replace(objects, regions=regions)


def are_asked(settings: RunSettings) -> bool:
    """Return True if pieces of tissue or cores are to be found."""
    return settings.sections.find or settings.tma.core_mm is not None


def signal_findings(
    objects: MergedObjects, prepared: PreparedSlide, layout: SlideLayout, settings: RunSettings
) -> tuple[QaFinding, ...]:
    """Return that regions and bands lack the signal that the slide has, where its map was not kept."""
    signal = parts_signal(settings, prepared.fitted, prepared.regions)
    has_parts = objects.regions is not None or (settings.bands.edges_um and prepared.calibration.mpp is not None)
    if signal is None or not has_parts or kept_signal(layout) is not None:
        return ()
    told = (
        f"its regions and bands have no {signal.name} of their own: they were asked for when its tiles had been "
        "measured without a signal map"
    )
    remedy = "measure the slide again with --force to have it; every other number stands"
    return (QaFinding(prepared.info.slide_id, "SIGNAL_NOT_KEPT", "info", None, None, "", told, remedy),)


def envelope_on_record(
    objects: MergedObjects, burden: SlideBurden, settings: EnvelopeSettings
) -> TissueEnvelope | None:
    """Return the tissue with the background that it encloses; None where there is no pixel size."""
    made, mpp = objects.envelope, burden.calibration.mpp
    if made is None or mpp is None or not burden.was_read:
        return None
    enclosed_px = made.enclosed_px
    if objects.laid is not None:  # counted, where the classes lie over it; else estimated, box by box
        enclosed_px = sum(objects.laid.on_record.n_px_enclosed)
    n_px = enclosed_px + (burden.tissue_px if objects.laid is None else objects.laid.on_record.tissue_px)
    return TissueEnvelope(
        n_px=n_px,
        area_mm2=area_mm2(n_px, mpp),
        enclosed_px=enclosed_px,
        closing_um=settings.closing_um,
        fill_um=settings.fill_um,
        box_x_um=made.box_um[0],
        box_y_um=made.box_um[1],
    )
