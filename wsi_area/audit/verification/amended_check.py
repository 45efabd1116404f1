"""audit: the amended versions of a slide: each replayed from its corrections, held against itself and its own seal."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from wsi_area.audit.verification.amended_files import junk_faults
from wsi_area.audit.verification.disagreement import Disagreement
from wsi_area.audit.verification.margins_check import margins_faults
from wsi_area.audit.verification.objects_check import objects_faults
from wsi_area.audit.verification.regions_check import regions_faults
from wsi_area.audit.verification.replayed_map import Replay, filters_of, stages_on_record
from wsi_area.audit.verification.slide_check import CheckedSlide, SlideTask, certificate_faults, check_slide, recount
from wsi_area.audit.verification.tissue_check import crossing_faults, read_layer, share_faults
from wsi_area.errors import NewerDocumentError, ResultError, WsiAreaError
from wsi_area.model.classes import ClassScheme
from wsi_area.model.corrections.correction import Correction
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.amended import AmendedSlide, amended_numbers, read_amended
from wsi_area.results.class_map.cleaned_store import tiles_layout
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.corrections.corrected_map import CorrectedMap, corrected_classes, corrected_tissue
from wsi_area.results.corrections.laid_corrections import corrections_of
from wsi_area.results.documents import read_amended_seal, read_result
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.seal.amended_seal import amended_seal
from wsi_area.results.sound_areas import require_sound

_LOG = logging.getLogger(__name__)
Fault = tuple[str, str]


def check_with_versions(task: SlideTask) -> CheckedSlide:
    """Return everything about one slide, and about its amended versions, that does not agree.

    Raises
    ------
    NewerDocumentError
        If a later version wrote one of its documents.
    """
    checked = check_slide(task)
    layout = RunLayout(task.run).slide(task.slide_id)
    faults, not_held = list(junk_faults(layout)), []
    for number in amended_numbers(layout):
        try:
            version = read_amended(layout, number)
            if version.is_base_gone:
                gone = "what it was laid over is gone, since the slide was measured again; its numbers are on record"
                not_held.append(f"{task.slide_id}: the amended version {number} cannot be replayed: {gone}")
                faults += _of_version(number, _seal_faults(version))
            else:
                faults += _of_version(number, _version_faults(layout, version, task.threads))
        except NewerDocumentError:
            raise
        except WsiAreaError as error:
            faults.append((_called(number), str(error)))
        except Exception as error:  # a boundary: whoever changes a document chooses where it hurts
            _LOG.debug("%s, amended version %d cannot be judged", task.slide_id, number, exc_info=True)
            faults.append((_called(number), f"{layout.amended(number).root} contradicts itself ({error!r})"))
    told = tuple(Disagreement(task.slide_id, what, why) for what, why in faults)
    return replace(checked, faults=(*checked.faults, *told), not_held=(*checked.not_held, *not_held))


def _called(number: int) -> str:
    return f"amended/{number}"


def _of_version(number: int, faults: Iterator[Fault]) -> Iterator[Fault]:
    return ((f"{_called(number)} {what}", why) for what, why in faults)


def _version_faults(layout: SlideLayout, version: AmendedSlide, threads: int) -> Iterator[Fault]:
    place, slide = version.layout, version.result
    require_sound(slide, place.result_json)
    again = recount(place, slide, threads)
    yield from again.faults
    yield from certificate_faults(slide)
    yield from objects_faults(place, slide)
    yield from regions_faults(place, slide)
    layer = read_layer(place, slide)
    if not again.faults:
        yield from margins_faults(place, slide)
        yield from share_faults(place, slide)
    if layer is not None:
        of_layer = recount(place.tissue, layer, threads)
        yield from (("tissue layer", f"{what}: {why}") for what, why in of_layer.faults)
        if not (again.faults or of_layer.faults):
            yield from crossing_faults(place, slide, layer)
        if of_layer.class_map != version.amendment.tissue_map:
            yield "tissue layer", "its pixels are not those that the version was made with"
    if again.class_map != version.amendment.class_map:
        yield "class map", "its pixels are not those that the version was made with"
    yield from _replay_faults(layout, version)
    yield from _seal_faults(version)


def _replay_faults(layout: SlideLayout, version: AmendedSlide) -> Iterator[Fault]:
    """Yield the layers of a version that its corrections do not make of what was measured."""
    told = version.amendment
    measured = _counted(layout)
    laid = corrections_of(layout, version)
    listed = [one for one, _ in laid]
    rows = [(row.kind, row.class_name, row.version) for row in told.listed]
    if rows != [(one.kind, one.class_name, number) for one, number in laid]:
        yield "corrections", "the corrections on record are not those of its files"
        return
    has_layer = version.result.tissue_layer is not None
    replayed = _replayed_classes(layout, measured, version, listed, has_layer=has_layer)
    if replayed.digest() != told.class_map:
        yield "class map", "laid over what was measured again, its corrections make another class map"
    if has_layer:
        layer, below = _counted(version.layout.tissue), _counted(layout.tissue)
        filters = filters_of(tuple((c.name, c.limit_um2) for c in layer.size_filters))
        corrected = corrected_tissue(tiles_layout(layout.tissue, filters), grid_of(below), _scheme(below), listed)
        if _replay(corrected, below, layer, version).digest() != told.tissue_map:
            yield "tissue layer", "laid over what was measured again, its corrections make another tissue"


def _replayed_classes(
    layout: SlideLayout, measured: CountedSlide, version: AmendedSlide, listed: list[Correction], *, has_layer: bool
) -> Replay:
    filters = filters_of(tuple((c.name, c.limit_um2) for c in version.result.size_filters))
    corrected = corrected_classes(
        tiles_layout(layout, filters), grid_of(measured), _scheme(measured), measured.mpp, listed, has_layer=has_layer
    )
    return _replay(corrected, measured, version.result, version)


def _replay(corrected: CorrectedMap, below: CountedSlide, result: CountedSlide, version: AmendedSlide) -> Replay:
    filters = filters_of(tuple((c.name, c.limit_um2) for c in result.size_filters))
    stages = stages_on_record(filters, corrected, below.mpp)
    side_px = below.work.batch_tiles * below.work.tile_px
    return Replay(corrected, side_px, stages, version.amendment.drawn_are_filtered)


def _counted(layout: SlideLayout) -> CountedSlide:
    found = read_result(layout)
    if not isinstance(found, CountedSlide):
        raise ResultError(f"{layout.result_json} is the result of a slide that was not counted; nothing lies below")
    return found


def _scheme(slide: CountedSlide) -> ClassScheme:
    return ClassScheme(tuple(c.tissue_class for c in slide.classes))


def _seal_faults(version: AmendedSlide) -> Iterator[Fault]:
    """Yield what of a version is not what its seal says, and a seal that says something of another measurement."""
    try:
        told = read_amended_seal(version.layout)
    except NewerDocumentError:
        raise
    except ResultError as error:
        yield "seal.json", str(error)
        return
    if told.seal != told.expected_seal:
        yield "seal.json", f"its digests make the seal {told.expected_seal[:12]}…, not {told.seal[:12]}…"
    if told.measured != version.amendment.measured or told.measured_seal != version.amendment.measured_seal:
        yield "seal.json", "it does not name the measurement that the version corrects"
    if version.is_base_gone:  # the class map cannot be read, so that not all of it can be held
        return
    now = amended_seal(version.layout, version.result, version.amendment)
    for name, digest in told.files.items():
        if now.files.get(name) != digest:
            yield name, "it is not the file that was written, or is not there any more"
    for name, value in told.slide.model_dump().items():
        if value != getattr(now.slide, name):
            yield name.replace("_", " "), "what it says is not what was sealed"
