"""inputs: which files on disk or in a bucket are slides; looks at names, at headers only to tell DICOM series apart."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsi_area.errors import ResultError, SettingsError
from wsi_area.inputs.dicom_series import series_of
from wsi_area.slides import SLIDE_SUFFIXES
from wsi_area.slides.header.companion_files import DICOM_SUFFIXES, MRXS_SUFFIX, is_dicom, only_companions
from wsi_area.storage.access import Access
from wsi_area.storage.object_path import ObjectPath, parse_object_path
from wsi_area.storage.place import Place, is_object

IMAGE_SUFFIXES = SLIDE_SUFFIXES | {".tif", ".tiff", ".png", ".jpg", ".jpeg"}


@dataclass(frozen=True, slots=True)
class FoundSlide:
    """One slide on disk, or in a bucket, and what to call it."""

    path: Place
    name: str


@dataclass(frozen=True, slots=True)
class _File:
    """One file, and whether it came up because its whole folder is one or more DICOM slides."""

    path: Place
    by_folder: bool = False


def found_slides(paths: Sequence[str], *, recursive: bool, access: Access | None = None) -> list[FoundSlide]:
    """Return the slides that some paths name, in order, each once.

    Parameters
    ----------
    paths : sequence of str
    recursive : bool
    access : Access or None
        Who asks for what lies at ``s3://``; None: nothing there can be read by who calls.

    Raises
    ------
    SettingsError
        Naming what does not exist, matches nothing or holds no slide.
    """
    if not paths:
        raise SettingsError("no slides were given; name files, folders, a quoted glob, @list.txt or -")
    files: list[_File] = []
    for text in paths:
        listed = text == "-" or text.startswith("@")
        files += _listed(text, recursive, access) if listed else _files(text, Path.cwd(), recursive, access)
    once = {file_key(file.path): file for file in reversed(files)}  # the first spelling of a file wins
    return _grouped([file for file in files if once[file_key(file.path)] is file])


def file_key(path: str | Place) -> str:
    """Return by what a file is known, however it is spelt: where its links lead to; an object by its address."""
    return str(path) if is_object(path) else os.path.realpath(str(path))


def _listed(text: str, recursive: bool, access: Access | None) -> Iterator[_File]:
    """Yield the files that the lines of a list name; empty lines and lines that begin with # say nothing."""
    if text == "-":
        folder, lines, what = Path.cwd(), sys.stdin.read().splitlines(), "standard input"
    else:
        path = Path(os.path.abspath(text[1:]))
        folder, what = path.parent, str(path)
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"the list {path} cannot be read ({error}); give a text file") from error
    entries = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    if not entries:
        raise SettingsError(f"{what} lists no slides; write one path a line")
    for entry in entries:
        yield from _files(entry, folder, recursive, access)


def _files(text: str, start: Path, recursive: bool, access: Access | None) -> list[_File]:
    if is_object(text):
        return _objects(text, recursive, access)
    path = Path(os.path.abspath(start / Path(text).expanduser()))
    if path.is_dir():
        files = list(_in_folder(path, recursive))
        if not files:
            deeper = "" if recursive else "; --recursive looks into folders inside it"
            raise SettingsError(f"{path}: no slides in this folder (looked for {_suffixes()}){deeper}")
        return files
    if path.exists():
        return [_File(path)]
    if not glob.has_magic(text):
        raise SettingsError(f"{path}: no such file or folder; check the path or the mount")
    return _matches(os.path.expanduser(text), start)


def _objects(text: str, recursive: bool, access: Access | None) -> list[_File]:
    """Return the slides that ``s3://bucket/…`` names: an object, a prefix as a folder, or a glob."""
    if access is None:
        raise SettingsError(
            f"{text}: slides in a bucket are read by wsi-area run and plan only; copy them to a disk first"
        )
    place = parse_object_path(text, access)
    try:
        if place.key and place.is_file():  # also one whose name looks like a glob
            return [_File(place)]
        found = _objects_below(place, recursive)
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
    if not slides:
        deeper = "" if recursive else "; --recursive looks into what lies deeper"
        raise SettingsError(f"{place}: no slides there (looked for {_suffixes()}){deeper}")
    return [_File(entry) for entry in sorted(slides, key=str)]


def _objects_below(place: ObjectPath, recursive: bool) -> list[ObjectPath]:
    """Return what a glob matches, part by part between slashes, or what lies below a prefix; all or right below it."""
    parts = place.key.split("/")
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), None)
    if fixed is None:
        return list(place.rglob("*") if recursive else place.iterdir())
    start = ObjectPath(place.bucket, "/".join(parts[:fixed]), place.access)
    return list(start.glob("/".join(parts[fixed:])))


def _matches(pattern: str, start: Path) -> list[_File]:
    """Return the slides among what a glob matches; of folders only those that hold a DICOM slide."""
    files: list[_File] = []
    for found in sorted(glob.glob(pattern, root_dir=start, recursive=True)):
        match = Path(os.path.abspath(start / found))
        if match.is_dir():
            files += _dicom_files(match)
        elif _is_slide_name(match):
            files.append(_File(match))
    if not files:
        raise SettingsError(f"{pattern}: nothing matches that could be a slide ({_suffixes()})")
    return files


def _in_folder(folder: Path, recursive: bool) -> Iterator[_File]:
    """Yield the slides of a folder by name: its files, then the DICOM slides (or all slides) of folders inside."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise SettingsError(f"{folder}: cannot be listed ({error.strerror}); ask for read access") from error
    names = [entry for entry in entries if not entry.name.startswith(".")]
    files = [entry for entry in names if entry.is_file()]
    parts = only_companions(file.suffix.casefold() for file in files)
    slides = [f for f in files if (_is_slide_name(f) and f.suffix.casefold() not in parts) or is_dicom(f)]
    only_dicom = all(is_dicom(file) for file in slides)
    yield from (_File(file, only_dicom) for file in slides)
    of_mrxs = {file.stem for file in files if file.suffix.casefold() == MRXS_SUFFIX}
    for inner in (entry for entry in names if entry.is_dir()):
        if inner.name in of_mrxs or folder.resolve().is_relative_to(inner.resolve()):
            continue  # the data of that slide, or a link back up
        yield from _in_folder(inner, recursive) if recursive else _dicom_files(inner)


def _dicom_files(folder: Path) -> list[_File]:
    """Return the DICOM files of a folder that was not asked for by name."""
    try:
        names = sorted(f for f in folder.iterdir() if not f.name.startswith("."))
    except PermissionError:  # a folder nobody asked for by name
        return []
    return [_File(file, by_folder=True) for file in names if is_dicom(file)]


def _is_slide_name(file: Path) -> bool:
    return file.suffix.casefold() in IMAGE_SUFFIXES and not file.name.startswith(".")


def _grouped(files: Sequence[_File]) -> list[FoundSlide]:
    """Return the files as slides, the files of one DICOM series in a folder as one, where the first stood."""
    folders: dict[Path, list[_File]] = {}
    for file in files:
        if isinstance(file.path, Path) and is_dicom(file.path):
            folders.setdefault(file.path.parent, []).append(file)
    slide_of: dict[Place, FoundSlide] = {
        path: slide for mates in folders.values() for path, slide in _dicom_slides(mates)
    }
    slides = [slide_of.get(file.path) or FoundSlide(file.path, file.path.stem) for file in files]
    return list(dict.fromkeys(slides))


def _dicom_slides(mates: Sequence[_File]) -> Iterator[tuple[Path, FoundSlide]]:
    """Yield each DICOM file of a folder with the slide it belongs to."""
    paths = [mate.path for mate in mates if isinstance(mate.path, Path)]
    series = [paths] if len(paths) == 1 else series_of(paths)
    for files in series:
        full = max(files, key=lambda file: file.stat().st_size)  # the finest level, never a label or an overview
        whole_folder = len(series) == 1 and (len(files) > 1 or mates[0].by_folder)
        slide = FoundSlide(full, full.parent.name if whole_folder else full.stem)
        yield from ((file, slide) for file in files)


def _suffixes() -> str:
    return " ".join(sorted(IMAGE_SUFFIXES))
