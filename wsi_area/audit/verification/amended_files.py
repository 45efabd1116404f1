"""audit: what may lie in the folder of a slide's amended versions; anything else is named."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from wsi_area.results.amended import is_number
from wsi_area.results.class_map.cleaned_store import NOTE
from wsi_area.results.layout import (
    AMENDED_FOLDER,
    CORRECTIONS_NAME,
    LABELS_NAME,
    NAMED_REGIONS_NAME,
    OUTLINES_NAME,
    RAW_FOLDER,
    TISSUE_FOLDER,
    TMA_GRID_NAME,
    SlideLayout,
)
from wsi_area.results.seal.sealed_run import OF_SLIDE
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place

_FILES = frozenset({*OF_SLIDE, "seal.json", CORRECTIONS_NAME, NOTE, TMA_GRID_NAME, OUTLINES_NAME, NAMED_REGIONS_NAME})
_STORES = ("ledger.zarr", "mask.ome.zarr")
_META = frozenset({"ledger.zarr/zarr.json", "ledger.zarr/counts/zarr.json", "mask.ome.zarr/zarr.json",
                   "mask.ome.zarr/0/zarr.json"})  # fmt: skip
_CHUNKS = {"ledger.zarr/counts/c": 3, "mask.ome.zarr/0/c": 2}


def junk_faults(layout: SlideLayout) -> Iterator[tuple[str, str]]:
    """Yield each file below the amended versions of a slide that is none of theirs, and each version without a result.

    Parameters
    ----------
    layout
        Of the slide.
    """
    folder = layout.root / AMENDED_FOLDER
    if not folder.is_dir():
        return
    entries: list[Place] = [*folder.iterdir()]
    for entry in sorted(entries, key=str):
        if not is_number(entry.name) or not entry.is_dir():
            yield f"{AMENDED_FOLDER}/{entry.name}", "it is no amended version; take it out of the folder"
            continue
        version = SlideLayout(entry)
        if not version.result_json.is_file():
            told = "it has no result, so it was never finished: lay the same corrections again, or remove the folder"
            yield f"{AMENDED_FOLDER}/{entry.name}", told
            continue
        for name in _names_below(entry):
            if not _is_ours(name):
                told = "it is no part of an amended version; take it out of the folder"
                yield f"{AMENDED_FOLDER}/{entry.name}/{name}", told


def _names_below(folder: Place) -> Iterator[str]:
    files: list[Place] = [*folder.rglob("*")]
    for file in sorted(files, key=str):
        if file.is_file():
            whole = str(file) if isinstance(file, ObjectPath) else file.as_posix()
            top = str(folder) if isinstance(folder, ObjectPath) else folder.as_posix()
            yield whole[len(top) + 1 :]


def _is_ours(name: str) -> bool:
    """Return True if a file, by its name below a version's folder, is a part of the version.

    >>> [_is_ours(n) for n in ("result.json", "raw/mask.ome.zarr/0/c/3/1", "tissue/ledger.zarr/zarr.json", "a.txt")]
    [True, True, True, False]
    >>> [_is_ours(n) for n in ("mask.ome.zarr/0/c/3/x", "mask.ome.zarr/0/c/3", "raw/result.json", "labels.ome.zarr/0")]
    [False, False, False, True]
    """
    parts = PurePosixPath(name).parts
    within = list(parts)
    if within[0] == TISSUE_FOLDER and len(within) > 1:
        within = within[1:]
    is_raw = within[0] == RAW_FOLDER and len(within) > 1
    if is_raw:
        within = within[1:]
    rest = "/".join(within)
    if within[0] in _STORES:
        return rest in _META or any(_is_chunk(rest, place, count) for place, count in _CHUNKS.items())
    if within[0] == LABELS_NAME:
        return len(parts) > 1 and parts[0] == LABELS_NAME
    return not is_raw and rest in _FILES


def _is_chunk(name: str, place: str, count: int) -> bool:
    numbers = name.removeprefix(f"{place}/").split("/")
    is_below = name.startswith(f"{place}/") and len(numbers) == count
    return is_below and all(number.isascii() and number.isdecimal() for number in numbers)
