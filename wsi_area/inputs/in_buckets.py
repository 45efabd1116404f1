"""inputs: which objects of a bucket are slides; by their names, since headers cost a request each."""

import glob
from collections.abc import Iterable

from wsi_area.errors import ResultError, SettingsError
from wsi_area.inputs.looked_at import IMAGE_SUFFIXES, Looked, suffixes_text
from wsi_area.slides.file_kinds import NOT_READ
from wsi_area.slides.header.companion_files import DICOM_SUFFIXES, only_companions
from wsi_area.storage.access import Access
from wsi_area.storage.object_path import ObjectPath, parse_object_path


def objects(text: str, recursive: bool, access: Access | None, looked: Looked) -> list[ObjectPath]:
    """Return the slides that ``s3://bucket/…`` names: an object, a prefix as a folder, or a glob.

    Raises
    ------
    SettingsError
        Nobody may look there, nothing can be listed, or DICOM lies there.
    """
    if access is None:
        raise SettingsError(
            f"{text}: slides in a bucket are read by wsi-area run and plan only; copy them to a disk first"
        )
    place = parse_object_path(text, access)
    try:
        if place.key and place.is_file():  # also one whose name looks like a glob
            return [place]
        found = _without_own_outputs(_objects_below(place, recursive))
    except (OSError, ResultError) as error:
        raise SettingsError(f"{place}: cannot be listed ({error})") from error
    kinds = {entry.suffix.casefold() for entry in found}
    slides = [e for e in found if e.suffix.casefold() in IMAGE_SUFFIXES - only_companions(kinds) - DICOM_SUFFIXES]
    if not slides and kinds & DICOM_SUFFIXES:
        raise SettingsError(
            f"{place}: {sum(e.suffix.casefold() in DICOM_SUFFIXES for e in found)} DICOM files, which cannot be told "
            "apart by their names; name one file of each slide, that of its finest level: the others beside it are "
            "copied too"
        )
    for entry in sorted(found, key=str):
        suffix = entry.suffix.casefold()
        if suffix in NOT_READ:
            looked.leave_out(entry, NOT_READ[suffix])
        elif suffix in DICOM_SUFFIXES:
            looked.leave_out(entry, "DICOM in a bucket among other slides: name one file of each slide")
    if not slides:
        deeper = "" if recursive else "; --recursive looks into what lies deeper"
        looked.empty(f"{place}: no slides there (looked for {suffixes_text()}){deeper}")
    return sorted(slides, key=str)


def _objects_below(place: ObjectPath, recursive: bool) -> list[ObjectPath]:
    """Return the names that a glob matches part by part, or those below a prefix: all, or those right below it."""
    parts = place.key.split("/")
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), None)
    if fixed is None:
        return list(place.rglob("*") if recursive else place.iterdir())
    start = ObjectPath(place.bucket, "/".join(parts[:fixed]), place.access)
    return list(start.glob("/".join(parts[fixed:])))


def _without_own_outputs(found: Iterable[ObjectPath]) -> list[ObjectPath]:
    """Return objects without those in the folders of slides that a run wrote below its run.json."""
    listed = list(found)
    keys = {entry.key for entry in listed}
    own = {
        folder
        for folder, _, name in (key.rpartition("/") for key in keys)
        if name == "result.json" and f"{folder.rpartition('/slides/')[0]}/run.json".lstrip("/") in keys
    }
    return [entry for entry in listed if not any(entry.key.startswith(f"{folder}/") for folder in own)]
