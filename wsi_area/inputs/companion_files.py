"""run: every file of a slide that is kept in several: the one that is named, and what lies beside it."""

from collections.abc import Sequence

from wsi_area.errors import SlideOpenError
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place

_BESIDE = {  # a slide of several files: those of these kinds that lie beside the one that is named
    ".dcm": (".dcm", ".dicom"),
    ".dicom": (".dcm", ".dicom"),
    ".vms": (".jpg", ".opt", ".ngr", ".vms", ".vmu"),
    ".vmu": (".jpg", ".opt", ".ngr", ".vms", ".vmu"),
}


def parts_of(path: Place) -> Sequence[Place]:
    """Return every file of a slide, the named one first: its folder (MRXS), or what lies beside it (DICOM, VMS).

    Raises
    ------
    SlideOpenError
        If the folder cannot be listed.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".mrxs":
            inside = path.with_suffix("")
            others: list[Place] = [p for p in inside.rglob("*") if p.is_file()] if inside.is_dir() else []
        elif suffix in _BESIDE:
            others = [p for p in path.parent.iterdir() if p.is_file() and p.suffix.lower() in _BESIDE[suffix]]
        elif suffix == "" and _is_dicom(path):
            others = [p for p in path.parent.iterdir() if p.is_file()]
        else:
            others = []
    except OSError as error:
        raise SlideOpenError(f"{path}: {error.strerror}; check the path or the mount") from error
    return [path, *sorted((p for p in others if p != path), key=str)]


def _is_dicom(path: Place) -> bool:
    if isinstance(path, ObjectPath):
        return path.first_bytes(132)[128:] == b"DICM"
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"
