"""run: a slide copied to a local disk before it is read, checked, and taken away again.

A slide on a network share is read tile by tile in thousands of small pieces; copied once, it is read in one sweep.
One in a bucket can be read in no other way: it is copied to ``run.stage_dir``, or else to the system's own scratch.
"""

import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from wsi_area.errors import ResultError, SettingsError, SlideOpenError
from wsi_area.results.access import Access
from wsi_area.results.object_path import ObjectPath
from wsi_area.results.place import Place, is_object, place_of
from wsi_area.results.processes import is_running
from wsi_area.run.settings import RunSettings
from wsi_area.slides.fingerprint import fingerprint

_LOG = logging.getLogger(__name__)

SPARE_BYTES = 256 << 20
"""Left free on the scratch disk: others write there too."""

COPY_BLOCK_BYTES = 8 << 20
_PREFIX = "wsi-area-stage"
_BESIDE = {  # a slide of several files: those of these kinds that lie beside the one that is named
    ".dcm": (".dcm", ".dicom"),
    ".dicom": (".dcm", ".dicom"),
    ".vms": (".jpg", ".opt", ".ngr", ".vms", ".vmu"),
    ".vmu": (".jpg", ".opt", ".ngr", ".vms", ".vmu"),
}


@dataclass(frozen=True, slots=True)
class CopyRules:
    """How a copy is made, and when it is given up."""

    stage_dir: Path
    retries: int  # times that a file is copied again after an error
    wait_s: float  # before the first of them; doubled each time
    is_stopped: Callable[[], bool] = lambda: False  # asked for every block: a stopped run has no time for a long copy
    access: Access = field(default=Access())  # who asks for a slide in a bucket


class CopyStopped(Exception):
    """The run was stopped while a slide was being copied; nothing is wrong with it."""


class Stage:
    """The scratch folders of this process: one copy at a time, and none that does not fit."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._staged = 0  # slides that lie there now

    @contextmanager
    def staged(self, path: Place, rules: CopyRules) -> Iterator[Path]:
        """Copy a slide with all its files, lend the path of the copy, and take the copy away.

        Raises
        ------
        SlideOpenError
            If the slide cannot be read, or not twice alike.
        ResultError
            If the scratch folder cannot be written or has no room.
        CopyStopped
        """
        folder, is_staged = _new_folder(rules.stage_dir), False
        try:
            with self._changed:  # one copy at a time: two would only share one wire, and the free space
                self._wait_for_room(path, parts_of(path), rules)
                copy = _copied(path, folder, rules)
                self._staged += 1
                is_staged = True
            yield copy
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with self._changed:
                self._staged -= is_staged
                self._changed.notify_all()

    def _wait_for_room(self, path: Place, parts: Sequence[Place], rules: CopyRules) -> None:
        """Return once the slide fits; another slide of this run that lies there is waited for."""
        try:
            needed = sum(part.stat().st_size for part in parts)
        except OSError as error:
            raise SlideOpenError(f"{path}: {error.strerror}; check the path or the mount") from error
        while needed + SPARE_BYTES > (free := shutil.disk_usage(rules.stage_dir).free):
            if not self._staged:
                raise ResultError(
                    f"{path}: {needed / 2**20:.1f} MiB in {len(parts)} files are to be copied to {rules.stage_dir}, "
                    f"{free / 2**20:.1f} MiB are free there and {SPARE_BYTES / 2**20:.0f} MiB are kept free; free some "
                    "space, choose another run.stage_dir, or leave it out"
                )
            self._changed.wait()


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


def _new_folder(stage_dir: Path) -> Path:
    """Return a new folder of this process, after taking away what killed processes of this machine left."""
    host = socket.gethostname()
    try:
        stage_dir.mkdir(parents=True, exist_ok=True)
        for left in stage_dir.glob(f"{_PREFIX}-{host}-*"):
            pid = left.name.removeprefix(f"{_PREFIX}-{host}-").partition("-")[0]
            if pid.isdigit() and not is_running(int(pid)):
                _LOG.info("%s: left by a killed run, taken away", left)
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{host}-{os.getpid()}-", dir=stage_dir))
    except OSError as error:
        raise ResultError(
            f"run.stage_dir {stage_dir} cannot be written ({error.strerror}); choose another folder, or leave it out"
        ) from error


def _copied(path: Place, folder: Path, rules: CopyRules) -> Path:
    """Return the copy of a slide, all of whose files are there and whose fingerprint is that of the original."""
    started, copied_bytes = time.perf_counter(), 0
    for part in parts_of(path):
        target = folder / _name_within(path, part)
        target.parent.mkdir(parents=True, exist_ok=True)
        copied_bytes += _copy_patiently(part, target, rules)
    copy = folder / path.name
    # an object is copied as the one version that its tag names, so it cannot change meanwhile
    if isinstance(path, Path) and fingerprint(copy, None) != fingerprint(path, None):
        raise SlideOpenError(f"{path}: changed while it was copied to {folder}; wait until it is whole, then run again")
    _LOG.info("%s: %.0f MiB staged in %.1f s", path, copied_bytes / 2**20, time.perf_counter() - started)
    return copy


def _name_within(path: Place, part: Place) -> str:
    """Return where a file of a slide lies beside the named one; keys of a bucket may say what leaves a folder."""
    name = PurePosixPath(str(part).removeprefix(f"{path.parent}/"))
    if name.is_absolute() or ".." in name.parts:
        raise SlideOpenError(f"{part}: leaves the folder of {path}; rename it in the bucket")
    return str(name)


def _copy_patiently(part: Place, target: Path, rules: CopyRules) -> int:
    """Return the size of a file after copying it, with its time; an error is waited out as often as asked for."""
    for attempt in range(rules.retries + 1):
        try:
            return _copy(part, target, rules)
        except OSError as error:
            if _is_full(target.parent, part):
                raise ResultError(
                    f"{target}: no space is left for {part.name}; free some, choose another run.stage_dir, or leave it "
                    "out"
                ) from error
            if attempt == rules.retries:
                raise SlideOpenError(
                    f"{part}: could not be copied in {attempt + 1} tries ({error.strerror or error}); check the mount "
                    "or the server, or raise run.read_retries and run.retry_wait_s"
                ) from error
            wait_s = rules.wait_s * 2**attempt
            _LOG.warning("%s: %s; tried again in %g s", part, error.strerror or error, wait_s)
            time.sleep(wait_s)
    raise AssertionError("unreachable: the last try returns or raises")


def _copy(part: Place, target: Path, rules: CopyRules) -> int:
    with target.open("wb") as sink:
        for block in _blocks(part):
            if rules.is_stopped():
                raise CopyStopped(f"{part}: the run was stopped while it was copied")
            sink.write(block)
    status, found = part.stat(), target.stat().st_size
    if found != status.st_size:
        raise OSError(f"{found} of {status.st_size} bytes came over")
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))  # the time is part of what a slide is known by
    return found


def _blocks(part: Place) -> Iterator[bytes]:
    if isinstance(part, ObjectPath):
        yield from part.blocks(COPY_BLOCK_BYTES, part.stat().etag)
        return
    with part.open("rb") as source:
        while block := source.read(COPY_BLOCK_BYTES):
            yield block


def _is_full(folder: Path, part: Place) -> bool:
    if shutil.disk_usage(folder).free >= COPY_BLOCK_BYTES:
        return False
    with suppress(OSError):
        return part.exists()
    return False


_of_this_process = Stage()


@contextmanager
def staged(path: str, rules: CopyRules) -> Iterator[str]:
    """Lend the path of a local copy of a slide for the length of a with block.

    Raises
    ------
    SlideOpenError
        If the slide cannot be read, or not twice alike.
    ResultError
        If the scratch folder cannot be written or has no room.
    CopyStopped
        If the run was stopped before the copy was whole.
    """
    with _of_this_process.staged(place_of(path, rules.access), rules) as copy:
        yield str(copy)


@contextmanager
def wherever_it_is_read(
    path: str, settings: RunSettings, is_stopped: Callable[[], bool] = lambda: False
) -> Iterator[str | None]:
    """Lend the path of a local copy of a slide, None where it is read where it lies.

    Raises
    ------
    SlideOpenError, ResultError, CopyStopped
        As `staged` does.
    """
    run = settings.run
    if run.stage_dir is None and not is_object(path):
        yield None
        return
    folder = run.stage_dir or Path(tempfile.gettempdir())
    rules = CopyRules(folder.absolute(), run.read_retries, run.retry_wait_s, is_stopped, settings.storage.access)
    with staged(path, rules) as copy:
        yield copy


def refuse_unreachable(paths: Sequence[str], settings: RunSettings) -> None:
    """Refuse slides in a bucket where the workers cannot see what is copied for them.

    Raises
    ------
    SettingsError
    """
    named = next((path for path in paths if is_object(path)), None)
    if named is not None and (settings.run.scheduler is not None or settings.run.executor == "slurm"):
        raise SettingsError(
            f"{named} is copied to a disk of this machine, which the workers of run.scheduler or run.executor=slurm "
            "cannot see; use a job array (wsi-area submit, --shard), which copies on each of its nodes"
        )
