"""run: which objects of a bucket are slides; looks at their names alone."""

import glob

from wsi_area.errors import ResultError, SettingsError
from wsi_area.storage.access import Access
from wsi_area.storage.object_path import ObjectPath, parse_object_path

_BESIDE_A_SLIDE = {".vms": {".jpg", ".jpeg"}, ".vmu": {".jpg", ".jpeg"}}  # Hamamatsu keeps its tiles beside it
_DICOM = {".dcm", ".dicom"}


def slide_objects(text: str, suffixes: frozenset[str], access: Access, *, recursive: bool) -> list[ObjectPath]:
    """Return the slides that ``s3://bucket/…`` names: an object, a prefix as a folder, or a glob.

    Parameters
    ----------
    text : str
        A prefix means what lies right below it, with ``recursive`` all; a glob fits part by part between slashes.
    suffixes : frozenset of str
        Of names that can be slides, in small letters.
    access : Access
        Who asks.

    Raises
    ------
    SettingsError
        Nothing there can be a slide, or the bucket cannot be asked.
    """
    place = parse_object_path(text, access)
    try:
        found, asked_for = _matches(place, recursive)
    except (OSError, ResultError) as error:
        raise SettingsError(f"{place}: cannot be listed ({error})") from error
    if asked_for:
        return found
    kinds = {entry.suffix.casefold() for entry in found}
    parts = set().union(*(_BESIDE_A_SLIDE.get(kind, set()) for kind in kinds))
    slides = [entry for entry in found if entry.suffix.casefold() in suffixes - parts - _DICOM]
    if not slides and kinds & _DICOM:
        raise SettingsError(
            f"{place}: {sum(e.suffix.casefold() in _DICOM for e in found)} DICOM files, which cannot be told apart by "
            "their names; name one file of each slide, that of its finest level: the others beside it are copied too"
        )
    if not slides:
        deeper = "" if recursive else "; --recursive looks into what lies deeper"
        raise SettingsError(f"{place}: no slides there (looked for {' '.join(sorted(suffixes))}){deeper}")
    return sorted(slides, key=str)


def _matches(place: ObjectPath, recursive: bool) -> tuple[list[ObjectPath], bool]:
    """Return the objects that a place stands for, and whether it was asked for by its own name."""
    parts = place.key.split("/")
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), None)
    if fixed is not None:
        start = ObjectPath(place.bucket, "/".join(parts[:fixed]), place.access)
        return list(start.glob("/".join(parts[fixed:]))), False
    if place.key and place.is_file():
        return [place], True
    return list(place.rglob("*") if recursive else place.iterdir()), False
