"""audit: one slide held against itself: class map, ledger, document, table of objects, pictures, slide file."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wsi_area.audit.verification.counted_again import CountedAgain
from wsi_area.audit.verification.disagreement import Disagreement
from wsi_area.audit.verification.estimate_check import coarse_faults, estimate_faults
from wsi_area.audit.verification.margins_check import margins_faults
from wsi_area.audit.verification.objects_check import objects_faults
from wsi_area.audit.verification.regions_check import regions_faults
from wsi_area.audit.verification.signal_check import SignalAddedUp, add_up_signal
from wsi_area.audit.verification.threshold_check import threshold_faults
from wsi_area.audit.verification.tissue_check import crossing_faults, read_layer, share_faults
from wsi_area.errors import CountMismatchError, NewerDocumentError, ResultError, SlideError, WsiAreaError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.json_tree import json_digest
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.record.estimate.slide_estimate import EstimateOnRecord
from wsi_area.model.record.run_seal import SealedSlide
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.plain_text import named_file
from wsi_area.results.certificate import certificate_of
from wsi_area.results.class_map.class_thumbnail import kept_class_thumbnail, made_class_thumbnail
from wsi_area.results.class_map.ledger import ledger_attributes, ledger_rows
from wsi_area.results.class_map.sparse_class_map import SparseClassMap, sparse_class_map
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.documents import read_result
from wsi_area.results.layout import LEDGER_ARRAY, RunLayout, SlideLayout, read_json
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.seal.contents import ClassMapDigest, codes_digest, document_digest, ledger_digest, tile_digest
from wsi_area.results.sound_areas import require_areas, require_budgets, require_ratios
from wsi_area.results.tables.object_tables import objects_digest
from wsi_area.results.thumbnail import CLASSES_NAME, THUMBNAIL_NAME, read_frame
from wsi_area.slides import inspect
from wsi_area.storage.place import Place

_LOG = logging.getLogger(__name__)


@frozen_value
class SlideTask:
    """One slide to be held against itself; picklable, so that any process can do it."""

    run: Place
    slide_id: str
    ended: EndedSlide | None  # what run.json says of it
    sealed: SealedSlide | None  # None: the run has no seal
    with_slide: bool  # whether its file is looked at
    threads: int = 1  # that share its class map


@frozen_value
class CheckedSlide:
    """What came of it."""

    slide_id: str
    tiles: int
    faults: tuple[Disagreement, ...]
    result: EndedSlide | None  # what the tables are to say of it; None where nobody can know
    not_held: tuple[str, ...] = ()  # what of it cannot be held against anything, a line each


@frozen_value
class Recounted:
    """What came of the pass over a class map."""

    tiles: int
    faults: list[tuple[str, str]]
    ledger: str | None = None  # their digests
    class_map: str | None = None
    coarse: str | None = None
    signal_map: str | None = None


def check_slide(task: SlideTask) -> CheckedSlide:
    """Return everything about one slide that does not agree.

    Raises
    ------
    NewerDocumentError
        If a later version wrote its document; whatever else is wrong with it is said, and costs this slide alone.
    """
    ended = task.ended
    if ended is None:
        return _found(task, 0, [("status", "run.json does not say how it ended; run the same command again")], None)
    if ended.status == "failed":
        return _found(task, 0, [], ended)
    layout = RunLayout(task.run).slide(task.slide_id)
    try:
        slide = read_result(layout)
        if not isinstance(slide, CountedSlide):
            is_so = ended.status == "needs_calibration"
            return _found(task, 0, [] if is_so else [("status", f"result.json says {slide.status!r}")], slide)
        require_areas(slide, layout.result_json)
        require_ratios(slide, layout.result_json)
        require_budgets(slide, layout.result_json)
        again = recount(layout, slide, task.threads)
        faults = [*again.faults, *_document_faults(layout, slide, ended), *objects_faults(layout, slide)]
        of_signal = SignalAddedUp() if again.faults or slide.estimate is not None else add_up_signal(layout, slide)
        faults += of_signal.faults
        if not again.faults:
            faults += margins_faults(layout, slide)
            faults += share_faults(layout, slide)
        faults += regions_faults(layout, slide)
        is_torn = any(what == "class map" for what, _ in faults)
        faults += _layer_faults(layout, slide, task, is_torn=is_torn)
        faults += _map_faults(slide, again)
        if task.sealed is not None:
            told = again if again.faults else replace(again, signal_map=of_signal.digest)
            faults += _seal_faults(layout, task.sealed, told, faults)
    except NewerDocumentError:
        raise
    except CountMismatchError as error:
        return _found(task, 0, [("area", str(error))], None)
    except WsiAreaError as error:
        return _found(task, 0, [("record", str(error))], None)
    except Exception as error:  # a boundary: whoever changes a document chooses where it hurts
        _LOG.debug("%s cannot be judged", task.slide_id, exc_info=True)
        return _found(task, 0, [("record", f"{layout.result_json} contradicts itself ({error!r})")], None)
    if task.with_slide:
        faults += _slide_faults(slide)
    return _found(task, again.tiles, faults, slide)


def _found(task: SlideTask, tiles: int, faults: list[tuple[str, str]], result: EndedSlide | None) -> CheckedSlide:
    told = tuple(Disagreement(task.slide_id, what, message) for what, message in faults)
    return CheckedSlide(task.slide_id, tiles, told, result)


def recount(layout: SlideLayout, slide: CountedSlide, threads: int) -> Recounted:
    """Return the outcome of counting a class map again, tile by tile, beside its ledger and its result.

    Raises
    ------
    ResultError
        If class map or ledger cannot be opened.
    """
    grid = OpenedSlide(layout, slide).grid
    columns = LedgerLayout(len(slide.classes))
    rows = ledger_rows(layout)
    if rows.shape[:2] != grid.shape or not columns.fits(rows.shape[2]):
        what = f"{LEDGER_ARRAY} has the shape {rows.shape}, the plan on record {grid.shape} tiles"
        return Recounted(0, [("ledger", what)])
    if slide.estimate is not None:
        return _estimate_again(layout, slide, slide.estimate, rows, threads)
    stored, size = open_class_map(layout), grid.size_px
    if stored.shape != (size.height_px, size.width_px):
        what = f"its shape is {stored.shape}, not {(size.height_px, size.width_px)} as on record"
        return Recounted(0, [("class map", what)])
    found = sparse_class_map(layout)
    sparse = found if isinstance(found, SparseClassMap) and found.tile_px == grid.tile_px else None
    digest = ClassMapDigest(stored.shape, tile_digest if slide.class_map_sha256 is None else codes_digest)
    again = CountedAgain(stored, sparse, grid, columns, rows, digest, threads)
    pictures = _picture_faults(layout, slide, rows, again)
    of_ledger = (*_total_faults(slide, columns, rows), *threshold_faults(slide, columns, rows))
    faults = [*again.faults, *of_ledger, *pictures]
    return Recounted(grid.shape[0] * grid.shape[1], faults, ledger_digest(rows), again.digest.hex)


def _estimate_again(
    layout: SlideLayout, slide: CountedSlide, estimate: EstimateOnRecord, rows: NDArray[np.int64], threads: int
) -> Recounted:
    """Return the outcome of making an estimate again; it has no class map, and its coarse look has one."""
    faults, digest = ([], None) if estimate.coarse is None else coarse_faults(layout, slide, estimate.coarse, threads)
    if not faults:
        faults += estimate_faults(layout, slide, estimate, rows)
    return Recounted(rows.shape[0] * rows.shape[1], faults, ledger_digest(rows), coarse=digest)


def _layer_faults(layout: SlideLayout, slide: CountedSlide, task: SlideTask, *, is_torn: bool) -> list[tuple[str, str]]:
    """Return the faults of a slide's tissue layer that does not agree with itself, with the slide, or with the seal."""
    layer = read_layer(layout, slide)
    if layer is None:
        return []
    again, sealed = recount(layout.tissue, layer, task.threads), task.sealed
    faults = [("tissue layer", f"{what}: {why}") for what, why in again.faults]
    if not faults and not is_torn:
        faults += crossing_faults(layout, slide, layer)
    digest = json_digest([again.ledger, again.class_map])
    if not faults and sealed is not None and sealed.tissue is not None and sealed.tissue != digest:
        faults.append(
            ("tissue layer", f"it is not what was sealed (digest {digest[:12]}, sealed {sealed.tissue[:12]})")
        )
    return faults


def _picture_faults(
    layout: SlideLayout, slide: CountedSlide, rows: NDArray[np.int64], again: CountedAgain
) -> list[tuple[str, str]]:
    """Return the faults of the small pictures of a slide; the class map has been counted then."""
    faults = []
    try:
        frame = read_frame(layout)
    except ResultError as error:
        frame = None
        faults.append((THUMBNAIL_NAME, str(error)))
    kept = None if frame is None else kept_class_thumbnail(layout, slide, frame, rows)
    if frame is None or kept is None:  # there is nothing to compare: the tiles are counted all the same
        for _ in again.tiles_with_content():
            pass
        return faults
    other = np.argwhere(made_class_thumbnail(again, slide, frame) != kept)
    if len(other) and not again.is_torn:
        row, col = other[0]
        told = f"{len(other)} of its {kept.size} pixels are not what the class map shows"
        faults.append((CLASSES_NAME, f"{told}, the first at row {row} col {col}"))
    return faults


def _total_faults(slide: CountedSlide, columns: LedgerLayout, rows: NDArray[np.int64]) -> Iterator[tuple[str, str]]:
    total = columns.total(rows.reshape(-1, rows.shape[-1]))
    counts, slide_px = slide.counts, slide.size_l0_px.area_px
    told = (*counts.n_px_by_class, counts.n_px_unscanned, counts.n_px_outside_roi, counts.n_px_unreadable)
    summed = (*total.px_by_class, total.unscanned_px, total.outside_roi_px, total.unreadable_px)
    if told != summed:
        yield "counts", f"result.json says {told}, the rows of the ledger add up to {summed}"
    if total.total_px != slide_px:
        yield "accounting law", f"{total.total_px} px are accounted for, the slide has {slide_px}"
    by_class = tuple(c.n_px for c in slide.classes)
    if by_class != total.px_by_class:
        yield "classes", f"result.json lists {by_class}, the ledger adds up to {total.px_by_class}"


def _document_faults(layout: SlideLayout, slide: CountedSlide, ended: EndedSlide) -> Iterator[tuple[str, str]]:
    if slide.status != ended.status:
        yield "status", f"result.json says {slide.status!r}, run.json {ended.status!r}"
    of_ledger, of_result = ledger_attributes(layout)["made_from"], slide.made_from.parts
    for part in sorted({*of_ledger, *of_result}):
        then, now = of_ledger.get(part), of_result.get(part)
        if then != now:
            yield "made from", f"the ledger was made from another {part.replace('_', ' ')} ({then}) than told ({now})"
    yield from certificate_faults(slide)


def certificate_faults(slide: CountedSlide) -> Iterator[tuple[str, str]]:
    """Yield what the certificate of a slide and the rest of its result do not agree on."""
    told = slide.certificate
    if told is None:
        return
    if not told.is_sound:
        yield "certificate", f"its hash {told.sha256} is not that of what it says"
    made = certificate_of(slide, told.completeness)
    for block in type(told).model_fields:
        if block != "sha256" and getattr(made, block, None) != getattr(told, block):
            yield "certificate", f"its {block.replace('_', ' ')} is not what the rest of result.json says"


def _map_faults(slide: CountedSlide, again: Recounted) -> Iterator[tuple[str, str]]:
    """Yield that the pixels of a class map are not those on record, where its counts do not say so already."""
    told = slide.class_map_sha256
    if told is not None and not again.faults and again.class_map != told:
        digests = f"digest {str(again.class_map)[:12]}, on record {told[:12]}"
        yield "class map", f"its pixels are not those that were measured ({digests}); their counts are"


def _seal_faults(
    layout: SlideLayout, sealed: SealedSlide, again: Recounted, faults: list[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield what of a slide is not what was sealed, where nothing else has said so yet."""
    named = {what.split()[0] for what, _ in faults}
    now = {
        "document": ("result.json", document_digest(read_json(layout.result_json))),
        "ledger": ("ledger", again.ledger),
        "class_map": ("class map", again.class_map),
        "coarse": ("coarse look", again.coarse),
        "signal_map": ("signal map", again.signal_map),
        "objects": ("objects.parquet", objects_digest(layout)),
    }
    about_counts = bool(named & {"tile", "ledger", "class", "counts", "classes"})
    for field, (what, digest) in now.items():
        told = getattr(sealed, field)
        if field == "class_map" and told is None:  # its result tells it, and has been held against it
            continue
        if digest == told or (about_counts and field in {"ledger", "class_map", "signal_map"}) or what in named:
            continue
        yield what, f"what it says is not what was sealed (digest {str(digest)[:12]}, sealed {str(told)[:12]})"


def _slide_faults(slide: CountedSlide) -> list[tuple[str, str]]:
    path = Path(named_file(slide.path))
    if not path.exists():
        return []  # archived since; the counts can still be verified
    try:
        now = inspect(path, slide_id=slide.slide_id, choice=slide.choice).fingerprint
    except SlideError as error:
        return [("slide file", f"{path} cannot be opened any more ({error})")]
    if now == slide.fingerprint:
        return []
    return [("slide file", f"{path} is no longer the file that was measured: its fingerprint differs")]
