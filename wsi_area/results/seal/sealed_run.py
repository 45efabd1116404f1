"""results: a run put under its seal when it ends, and what is written later added to it."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.model.documented import Table
from wsi_area.model.json_tree import json_digest
from wsi_area.model.record.run_seal import RunSeal, SealedSlide
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.signal_map import signal_map
from wsi_area.results.class_map.sparse_class_map import sparse_class_map, tiles_of
from wsi_area.results.documents import read_seal, run_bytes, write_seal
from wsi_area.results.layout import HEAT_MAP_NAME, HOTSPOTS_NAME, TMA_GRID_NAME, RunLayout, SlideLayout, read_json
from wsi_area.results.seal.contents import (
    ClassMapDigest,
    document_digest,
    ledger_digest,
    run_digest,
    table_digest,
)
from wsi_area.results.tables.object_tables import OBJECTS_TABLE, objects_digest
from wsi_area.results.tables.region_tables import REGIONS_TABLE
from wsi_area.results.tables.run_tables import TABLE_FILES, RunTable
from wsi_area.results.tables.workbook.sheets import WORKBOOK
from wsi_area.results.thumbnail import CLASSES_NAME, THUMBNAIL_NAME
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place
from wsi_area.version import __version__

_AT_ONCE = 8  # slides whose class maps are read at once; unpacking and hashing need no lock of Python's
_LOG = logging.getLogger(__name__)

_Sealed = tuple[SealedSlide, dict[str, str]]
_NOTHING = SealedSlide(document=None, ledger=None, class_map=None, objects=None)

OF_SLIDE = (
    "result.json", OBJECTS_TABLE, REGIONS_TABLE, THUMBNAIL_NAME, CLASSES_NAME, HOTSPOTS_NAME, HEAT_MAP_NAME,
    TMA_GRID_NAME,
    *(f"{store}/{head}" for store in ("mask.ome.zarr", "signal.ome.zarr", "tissue/mask.ome.zarr")
      for head in ("zarr.json", "0/zarr.json")),
)  # fmt: skip
"""Files of a slide that the seal holds byte by byte: those beside its stores, and the scale, names and colours by which
other programs show these."""


def sealed_run(
    layout: RunLayout, run: RunRecord, slides: Sequence[EndedSlide], tables: Mapping[Table, RunTable]
) -> RunSeal:
    """Return the seal of a run that ends: what it is made of, without the digests of the run's own files.

    Whatever was sealed before and is the same still keeps the digests that it had, so that a file exchanged since does
    not pass for the one that was written.

    Parameters
    ----------
    layout, run, slides, tables
        Where it lies, what ran, how each slide ended, and the tables of that.
    """
    earlier = earlier_seal(layout)
    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as threads:
        found = list(threads.map(lambda slide: _sealed_or_why(layout.slide(slide.slide_id), slide, earlier), slides))
    path_of = {slide.slide_id: slide.path for slide in slides}
    seal = RunSeal(
        wsi_area_version=__version__,
        seal="0" * 64,
        run=run_digest(run),
        slides={slide.slide_id: sealed for slide, (sealed, _) in zip(slides, found, strict=True)},
        tables={name: table_digest(table, path_of) for name, table in tables.items()},
        files={place: digest for _, files in found for place, digest in files.items()},
    )
    seal = seal.model_copy(update={"seal": seal.expected_seal})
    for added in () if earlier is None else earlier.later:
        still_there = {place: digest for place, digest in added.files.items() if _lies(layout, place)}
        seal = seal.with_added(added.name, still_there) if still_there else seal
    return seal


def standing_tables(layout: RunLayout, made_of: str | None) -> dict[str, str] | None:
    """Return the SHA-256 of each file of tables, and of the workbook, where they stand as they would be made now.

    None where they were made of something else, or where one of them is not as it was written.

    Parameters
    ----------
    layout : RunLayout
    made_of : str or None
        The digest of all that they would be made of.
    """
    earlier = earlier_seal(layout)
    if earlier is None or earlier.made_of is None or earlier.made_of != made_of or WORKBOOK not in earlier.files:
        return None
    files = {name: earlier.files[name] for name in (*TABLE_FILES, WORKBOOK) if name in earlier.files}
    for name in (*TABLE_FILES, WORKBOOK):
        place = layout.root / name
        if (file_digest(place) if place.is_file() else None) != files.get(name):
            return None
    return files


def add_to_seal(layout: RunLayout, name: str, places: Iterable[Place]) -> RunSeal | None:
    """Return the seal of a run with something written later, as it stands on disk now; None where no run is sealed.

    Parameters
    ----------
    layout : RunLayout
    name : str
        What it is, in a word: ``report``, ``export``.
    places : iterable of Place
        Its files, or folders of files, in the folder of the run.
    """
    earlier = earlier_seal(layout)
    if earlier is None:
        return None
    files = {place: file_digest(layout.root / place) for place in files_below(layout, places)}
    seal = earlier.with_added(name, files)
    if seal is not earlier:
        write_seal(layout, seal)
    return seal


def earlier_seal(layout: RunLayout) -> RunSeal | None:
    """Return the seal that lies in a folder; None where there is none that can be read."""
    try:
        return read_seal(layout)
    except NewerDocumentError:
        raise
    except ResultError:
        return None


def files_below(layout: RunLayout, places: Iterable[Place]) -> list[str]:
    """Return the files among places and in the folders among them, as they are named in a seal."""
    found: list[str] = []
    for place in places:
        inner = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
        found += [place_in(layout, file) for file in inner]
    return sorted(found)


def place_in(layout: RunLayout, file: Place) -> str:
    """Return the place of a file in the folder of a run, as a seal names it."""
    if isinstance(file, ObjectPath):
        return str(file)[len(str(layout.root)) + 1 :]
    return file.relative_to(Path(str(layout.root))).as_posix()


def file_digest(place: Place) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(place.read_bytes()).hexdigest()


def class_map_digest(layout: SlideLayout) -> str:
    """Return the digest of a slide's class map; one pass over it, tile by tile."""
    digest = ClassMapDigest(sparse_class_map(layout).shape)
    for y, x, tile in tiles_of(layout):
        digest.add(y, x, tile)
    return digest.hex


def signal_map_digest(layout: SlideLayout) -> str | None:
    """Return the digest of a slide's signal map; None where none was kept."""
    kept = signal_map(layout)
    if kept is None:
        return None
    digest = ClassMapDigest(kept.shape)
    for y, x, tile in kept.tiles_with_content():
        digest.add(y, x, tile)
    return digest.hex


def layer_digest(layout: SlideLayout) -> str:
    """Return the digest of a tissue layer: of the rows of its ledger and of the pixels of its class map."""
    return json_digest([ledger_digest(ledger_rows(layout)), class_map_digest(layout)])


def _sealed_or_why(layout: SlideLayout, slide: EndedSlide, earlier: RunSeal | None) -> _Sealed:
    """Return the seal of a slide; nothing of one that cannot be read, which costs the others nothing."""
    if slide.status == "failed":
        why = f"slides/{slide.slide_id}/result.json"
        return _NOTHING, {why: file_digest(layout.result_json)} if layout.result_json.is_file() else {}
    try:
        return _sealed_slide(layout, slide, earlier)
    except (ResultError, OSError) as error:
        _LOG.warning("%s is not under the seal of the run: %s", slide.slide_id, error)
        return _NOTHING, {}


def sealed_slide(layout: SlideLayout, slide: EndedSlide) -> tuple[SealedSlide, dict[str, str]]:
    """Return the digests of a slide as it lies on disk now, and that of each file beside its stores, by its name.

    Raises
    ------
    ResultError, OSError
        If something of it cannot be read.
    """
    sealed, files = _sealed_slide(layout, slide, None)
    return sealed, {place.removeprefix(f"slides/{slide.slide_id}/"): digest for place, digest in files.items()}


def _sealed_slide(layout: SlideLayout, slide: EndedSlide, earlier: RunSeal | None) -> _Sealed:
    """Return the seal of a slide, and the digests of its files."""
    before = None if earlier is None else earlier.slides.get(slide.slide_id)
    if not isinstance(slide, CountedSlide) and not layout.result_json.exists():
        return _NOTHING, {}
    document = document_digest(read_json(layout.result_json))
    is_counted = isinstance(slide, CountedSlide)
    has_map = isinstance(slide, CountedSlide) and slide.estimate is None
    tells_map = isinstance(slide, CountedSlide) and slide.class_map_sha256 is not None
    has_look = isinstance(slide, CountedSlide) and slide.estimate is not None and slide.estimate.coarse is not None
    has_layer = isinstance(slide, CountedSlide) and slide.tissue_layer is not None
    ledger = ledger_digest(ledger_rows(layout)) if is_counted else None
    is_same = before is not None and (before.document, before.ledger) == (document, ledger)
    known = before if before is not None and is_same else _NOTHING
    sealed = SealedSlide(
        document=document,
        ledger=ledger,
        class_map=_once(known.class_map, lambda: class_map_digest(layout)) if has_map and not tells_map else None,
        objects=_once(known.objects, lambda: objects_digest(layout)) if is_counted else None,
        coarse=_once(known.coarse, lambda: layer_digest(layout.coarse)) if has_look else None,
        tissue=_once(known.tissue, lambda: layer_digest(layout.tissue)) if has_layer else None,
        signal_map=_once(known.signal_map, lambda: signal_map_digest(layout)) if has_map else None,
    )
    files = {}
    for name in OF_SLIDE:
        place = f"slides/{slide.slide_id}/{name}"
        told = earlier.files.get(place) if earlier is not None and is_same and name != "result.json" else None
        if (layout.root / name).is_file():
            files[place] = told or file_digest(layout.root / name)
    return sealed, files


def _once(known: str | None, find: Callable[[], str | None]) -> str | None:
    return find() if known is None else known


def _lies(layout: RunLayout, place: str) -> bool:
    return (layout.root / place).is_file()


def with_files(seal: RunSeal, run: RunRecord, files: Mapping[str, str]) -> RunSeal:
    """Return a seal with the digests of the run's own files; that of run.json as it is about to be written.

    A file of these that was written again after an earlier end of the run is now what this end made of it.
    """
    own = {**seal.files, **files, "run.json": hashlib.sha256(run_bytes(run)).hexdigest()}
    sealed = seal.model_copy(update={"files": own, "later": ()})
    for added in seal.later:
        others = {place: digest for place, digest in added.files.items() if place not in own}
        sealed = sealed.with_added(added.name, others) if others else sealed
    return sealed
