"""inputs: which files on disk or in a bucket are slides; headers are looked at where names do not say."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.listed_names import read_names
from wsi_area.inputs.looked_at import IMAGE_SUFFIXES, Looked, is_own_output, suffixes_text
from wsi_area.model.record.left_out import LeftOut
from wsi_area.plain_text import named_file
from wsi_area.slides.file_kinds import NOT_READ, absent_text
from wsi_area.slides.header.companion_files import MRXS_SUFFIX, is_dicom, only_companions
from wsi_area.storage.access import Access
from wsi_area.storage.place import Place, is_object


@frozen_value
class FoundSlide:
    """One slide on disk, or in a bucket, and what to call it."""

    path: Place
    name: str


@frozen_value
class _File:
    """One file, and whether it came up because its whole folder is one or more DICOM slides."""

    path: Place
    by_folder: bool = False


@frozen_value
class Found:
    """The slides that some paths name, in order, each once, and what lies there and is none of them."""

    slides: tuple[FoundSlide, ...]
    left_out: tuple[LeftOut, ...] = ()


def found_slides(paths: Sequence[str], *, recursive: bool, access: Access | None = None) -> Found:
    """Return the slides that some paths name, and what was left out.

    A file that is not there is a slide, of which a run says so; two links to one file are two slides.

    Parameters
    ----------
    paths : sequence of str
    recursive : bool
    access : Access or None
        Who asks for what lies at ``s3://``; None: nothing there can be read by who calls.

    Raises
    ------
    SettingsError
        Nothing of what was named is there, matches anything or holds a slide.
    """
    if not paths:
        raise SettingsError("no slides were given; name files, folders, a quoted glob, @list.txt or -")
    files: list[_File] = []
    looked = Looked()
    for text in paths:
        listed = text == "-" or text.startswith("@")
        files += (
            _listed(text, recursive, access, looked) if listed else _files(text, Path.cwd(), recursive, access, looked)
        )
    once = {file_key(file.path): file for file in reversed(files)}  # the first spelling of a file wins
    slides = _grouped([file for file in files if once[file_key(file.path)] is file])
    _refuse_nothing(slides, looked)
    return Found(tuple(slides), looked.left_out)


def file_key(path: str | Place) -> str:
    """Return by what a file is known, however it is spelt: its absolute path; a link is a file of its own."""
    return str(path) if is_object(path) else os.path.abspath(named_file(str(path)))


def real_file(path: str | Place) -> str:
    """Return the file that a path leads to, through all links; an object by its address."""
    return str(path) if is_object(path) else os.path.realpath(named_file(str(path)))


def is_there(path: str | Place) -> bool:
    """Return True if there is a file or folder; of an object nobody asks until it is copied."""
    return is_object(path) or os.path.exists(str(path))


def _refuse_nothing(slides: Sequence[FoundSlide], looked: Looked) -> None:
    """Refuse paths of which nothing is there to be measured, with all that was found instead.

    Raises
    ------
    SettingsError
    """
    absent = [slide.path for slide in slides if not is_there(slide.path)]
    if len(absent) < len(slides):
        for why in looked.nothing:
            looked.leave_out(Path(why.partition(": ")[0]), why.partition(": ")[2], is_lost="no slides" not in why)
        return
    told = list(looked.nothing)
    if absent:
        one = f"{absent[0]}: {absent_text(Path(str(absent[0])))}; check the path or the mount"
        told.append(
            one if len(absent) == 1 else f"none of the {len(absent)} files that were named is there, first {one}"
        )
    raise SettingsError("; ".join([*told, *(left.line for left in looked.left_out)]))


def _listed(text: str, recursive: bool, access: Access | None, looked: Looked) -> Iterator[_File]:
    """Yield the files that the lines of a list name; empty lines and lines that begin with # say nothing."""
    if text == "-":
        folder, lines, what = Path.cwd(), sys.stdin.read().splitlines(), "standard input"
    else:
        path = Path(os.path.abspath(text[1:]))
        folder, what = path.parent, str(path)
        lines = read_names(path, "the list").splitlines()
    entries = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    if not entries:
        raise SettingsError(f"{what} lists no slides; write one path a line")
    for entry in entries:
        yield from _files(entry, folder, recursive, access, looked)


def _files(text: str, start: Path, recursive: bool, access: Access | None, looked: Looked) -> list[_File]:
    if is_object(text):
        from wsi_area.inputs.in_buckets import objects

        return [_File(place) for place in objects(text, recursive, access, looked)]
    path = Path(os.path.abspath(start / Path(text).expanduser()))
    if path.is_dir():
        files = list(_in_folder(path, recursive, looked))
        if not files:
            deeper = "" if recursive else "; --recursive looks into folders inside it"
            looked.empty(f"{path}: no slides in this folder (looked for {suffixes_text()}){deeper}")
        return files
    if os.path.lexists(path) or not glob.has_magic(text):
        return [_File(path)]
    return _matches(os.path.expanduser(text), start, looked)


def _matches(pattern: str, start: Path, looked: Looked) -> list[_File]:
    """Return the slides among what a glob matches; of folders only those that hold a DICOM slide."""
    files: list[_File] = []
    for found in sorted(glob.glob(pattern, root_dir=start, recursive=True)):
        match = Path(os.path.abspath(start / found))
        if any(is_own_output(folder) for folder in (match, *match.parents[:4])):
            continue
        if match.is_dir():
            inside = _dicom_files(match, looked)
            files += inside
            if not inside:
                looked.expects(match)
        elif looked.takes(match):
            files.append(_File(match))
    if not files:
        looked.empty(f"{pattern}: nothing matches that could be a slide ({suffixes_text()})")
    return files


def _in_folder(folder: Path, recursive: bool, looked: Looked, above: frozenset[str] = frozenset()) -> Iterator[_File]:
    """Yield the slides of a folder by name: its files, then the DICOM slides (or all slides) of folders inside."""
    names = _names_in(folder, looked)
    if is_own_output(folder):
        return
    inside = [entry for entry in names if entry.is_dir()]
    files = [entry for entry in names if not entry.is_dir()]
    parts = only_companions(file.suffix.casefold() for file in files)
    slides = [file for file in files if file.suffix.casefold() not in parts and looked.takes(file)]
    only_dicom = all(is_dicom(file) for file in slides)
    yield from (_File(file, only_dicom) for file in slides)
    above |= {os.path.realpath(folder)}
    of_mrxs = {file.stem for file in files if file.suffix.casefold() == MRXS_SUFFIX}
    for inner in inside:
        if inner.name.startswith(".") or inner.name in of_mrxs or _leads_back(inner, above):
            continue  # the data of that slide, or a link back up
        if inner.suffix.casefold() in NOT_READ:
            if not is_own_output(folder):
                looked.leave_out(inner, NOT_READ[inner.suffix.casefold()])
            continue
        found = list(_in_folder(inner, recursive, looked, above) if recursive else _dicom_files(inner, looked))
        yield from found
        noted = not recursive and _note_unseen(inner, {file.path for file in found}, looked)
        if not found and not noted:
            looked.expects(inner)


def _leads_back(folder: Path, above: frozenset[str]) -> bool:
    """Return True if a folder is one of those that led to it, or holds one of them."""
    real = os.path.realpath(folder)
    return any(one == real or one.startswith(f"{real.rstrip('/')}/") for one in above)


def _names_in(folder: Path, looked: Looked) -> list[Path]:
    """Return the entries of a folder, by name; of one that cannot be listed nobody knows what it holds."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        looked.leave_out(folder, f"cannot be listed ({error.strerror}): ask for read access", is_lost=True)
        return []


def _note_unseen(folder: Path, taken: set[Place], looked: Looked) -> bool:
    """Return True if a folder inside needs no further word: what it may hold by the names in it is noted."""
    try:
        names = [entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry not in taken]
    except OSError as error:
        looked.leave_out(folder, f"a folder that cannot be listed ({error.strerror}): ask for read access")
        return True
    if is_own_output(folder):
        return True
    known = IMAGE_SUFFIXES | NOT_READ.keys()
    if any(entry.suffix.casefold() in known or (entry.is_dir() and not is_own_output(entry)) for entry in names):
        looked.leave_out(folder, "a folder inside, not looked into: --recursive does")
        return True
    return False


def _dicom_files(folder: Path, looked: Looked) -> list[_File]:
    """Return the DICOM files of a folder that was not asked for by name."""
    try:
        names = sorted(f for f in folder.iterdir() if not f.name.startswith("."))
    except OSError:  # a folder nobody asked for by name; it is noted that it was not looked into
        return []
    return [_File(file, by_folder=True) for file in names if is_dicom(file)]


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
    from wsi_area.inputs.dicom_series import series_of

    paths = [mate.path for mate in mates if isinstance(mate.path, Path)]
    series = [paths] if len(paths) == 1 else series_of(paths)
    for files in series:
        full = max(files, key=_size_bytes)  # the finest level, never a label or an overview
        whole_folder = len(series) == 1 and (len(files) > 1 or mates[0].by_folder)
        slide = FoundSlide(full, full.parent.name if whole_folder else full.stem)
        yield from ((file, slide) for file in files)


def _size_bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
