"""slides: the files of a slide that is kept in several: one table for lists of slides, copies and fingerprints."""

from collections.abc import Iterable, Sequence

from wsi_area.errors import SlideOpenError
from wsi_area.frozen_value import frozen_value
from wsi_area.slides.file_kinds import DICOM_HEAD_BYTES, has_dicom_magic
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place

MRXS_SUFFIX = ".mrxs"
DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})
HAMAMATSU_SUFFIXES = frozenset({".vms", ".vmu"})
_BESIDE = {  # a slide of several files: the suffixes of all of them, by the suffix of the one that is named
    **dict.fromkeys(DICOM_SUFFIXES, DICOM_SUFFIXES),
    **dict.fromkeys(HAMAMATSU_SUFFIXES, HAMAMATSU_SUFFIXES | {".jpg", ".jpeg", ".opt", ".ngr"}),
}


@frozen_value
class Companions:
    """Where the other files of a slide lie, and which files there are its own."""

    folder: Place
    suffixes: frozenset[str] | None = None  # in small letters; None: every file there

    def include(self, name: str) -> bool:
        """Return True if a file of the folder belongs to the slide.

        >>> from pathlib import Path
        >>> Companions(Path("."), frozenset({".jpg"})).include("tile_1.JPG")
        True
        """
        return self.suffixes is None or name.lower().endswith(tuple(self.suffixes))


def companions_of(path: Place) -> Companions | None:
    """Return the place of the other files of a slide, None for a slide of one file.

    Raises
    ------
    OSError
        A file whose name says nothing cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == MRXS_SUFFIX:
        return Companions(path.with_suffix(""))
    if suffix in _BESIDE:
        return Companions(path.parent, _BESIDE[suffix])
    return Companions(path.parent) if _may_be_bare_dicom(path) and _has_magic(path) else None


def files_of(path: Place) -> Sequence[Place]:
    """Return every file of a slide, the named one first: its folder (MRXS), or what lies beside it (DICOM, VMS).

    Raises
    ------
    SlideOpenError
        If the folder cannot be listed.
    """
    try:
        companions = companions_of(path)
        if companions is None or not companions.folder.is_dir():
            return [path]
        inside = companions.folder != path.parent
        listed: Iterable[Place] = companions.folder.rglob("*") if inside else companions.folder.iterdir()
        others = [other for other in listed if other != path and companions.include(other.name) and other.is_file()]
    except OSError as error:
        raise SlideOpenError(f"{path}: {error.strerror}; check the path or the mount") from error
    return [path, *sorted(others, key=str)]


def only_companions(suffixes: Iterable[str]) -> frozenset[str]:
    """Return the suffixes that never name a slide beside slides of the given suffixes: the tiles of a VMS slide.

    >>> sorted(only_companions([".vms", ".svs", ".dcm"]))
    ['.jpeg', '.jpg', '.ngr', '.opt']
    """
    return frozenset().union(*(_BESIDE.get(suffix, frozenset()) for suffix in suffixes)) - _BESIDE.keys()


def is_dicom(path: Place) -> bool:
    """Return True if a file is DICOM by its name, or by its first bytes where the name says nothing."""
    if path.suffix.casefold() in DICOM_SUFFIXES:
        return True
    try:
        return _may_be_bare_dicom(path) and path.is_file() and _has_magic(path)
    except OSError:
        return False


def _may_be_bare_dicom(path: Place) -> bool:
    """Return True if a file has no suffix, or is named by a UID, whose last number looks like one."""
    bare = not path.suffix or path.suffix[1:].isdigit()
    return bare and path.name.upper() != "DICOMDIR"


def _has_magic(path: Place) -> bool:
    if isinstance(path, ObjectPath):
        return has_dicom_magic(path.first_bytes(DICOM_HEAD_BYTES))
    with path.open("rb") as stream:
        return has_dicom_magic(stream.read(DICOM_HEAD_BYTES))
