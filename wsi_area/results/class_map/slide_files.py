"""results: everything that lies in a slide's folder, as one digest, and whether its class maps are whole."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from wsi_area.results.class_map.soundness import shard_fault
from wsi_area.results.layout import (
    AMENDED_FOLDER,
    CLASS_MAP_ARRAY,
    LABELS_NAME,
    NAMED_REGIONS_NAME,
    OUTLINES_NAME,
    SlideLayout,
)
from wsi_area.results.leftovers import PARTIAL
from wsi_area.results.thumbnail import CLASSES_NAME

FINISHED_NAME = "finished.json"
"""What a finished slide rests on; beside its result, and no part of it."""

MADE_LATER = frozenset({FINISHED_NAME, CLASSES_NAME, OUTLINES_NAME, NAMED_REGIONS_NAME, LABELS_NAME, AMENDED_FOLDER})
"""What others write into a slide's folder once its result is there."""

_BROKEN = (OSError, ValueError, LookupError, TypeError)


def slide_files_digest(layout: SlideLayout, *, proven: bool) -> str | None:
    """Return one digest of all that a measurement left in a slide's folder; None where it is torn, or in a bucket.

    Documents, tables, pictures and ledgers count with their bytes. The parts of a class map and of a signal map, which
    are most of it, count with their sizes, since each has checksums of its own.

    Parameters
    ----------
    layout : SlideLayout
    proven : bool
        Hold each part of such a map against its own checksums.
    """
    if not isinstance(layout.root, Path):
        return None
    digest, sides = hashlib.sha256(), dict[str, int]()
    try:
        for place, file in _files(str(layout.root), ""):
            store, within, _ = place.partition(f"/{CLASS_MAP_ARRAY}/c/")
            if not within or not store.endswith((layout.class_map.name, layout.signal_map.name)):
                content = _read(file)
                digest.update(f"{place}\0{hashlib.sha256(content).hexdigest()}\0".encode(errors="surrogateescape"))
                continue
            digest.update(f"{place}\0{os.stat(file).st_size}\0".encode(errors="surrogateescape"))
            if proven:
                if store not in sides:
                    sides[store] = _tiles_per_side(layout.root / store)
                if shard_fault(_read(file), sides[store]) is not None:
                    return None
    except _BROKEN:
        return None
    return digest.hexdigest()


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _files(folder: str, place: str) -> Iterator[tuple[str, str]]:
    """Yield the place below the slide's folder, and the path, of each file in it, in order of their names."""
    with os.scandir(folder) as entries:
        found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    for name, is_folder in found:
        if name in MADE_LATER or name.endswith(PARTIAL):
            continue
        if is_folder:
            yield from _files(f"{folder}/{name}", f"{place}{name}/")
        else:
            yield f"{place}{name}", f"{folder}/{name}"


def _tiles_per_side(store: Path) -> int:
    """Return the tiles on the side of a shard, from the metadata of its array."""
    told = json.loads((store / CLASS_MAP_ARRAY / "zarr.json").read_bytes())
    shard_px = told["chunk_grid"]["configuration"]["chunk_shape"][0]
    tile_px = told["codecs"][0]["configuration"]["chunk_shape"][0]
    return int(shard_px // tile_px)
