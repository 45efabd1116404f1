"""inputs: a slide copied to a local disk before it is read, checked, and taken away again.

A slide on a network share is read tile by tile in thousands of small pieces; copied once, it is read in one sweep.
One in a bucket can be read in no other way: it is copied to ``run.stage_dir``, or else to the system's own scratch.
"""

import logging
import os
import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from wsi_area.errors import ResultError, SettingsError, SlideOpenError
from wsi_area.inputs.copying import CopyRules, copied
from wsi_area.settings.run_settings import RunSettings
from wsi_area.slides.header.companion_files import files_of
from wsi_area.storage.place import Place, is_object, place_of
from wsi_area.storage.processes import is_running

_LOG = logging.getLogger(__name__)

SPARE_BYTES = 256 << 20
"""Left free on the scratch disk: others write there too."""

_PREFIX = "wsi-area-stage"


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
        folder, held = _new_folder(rules.stage_dir)
        is_staged = False
        try:
            with self._changed:  # one copy at a time: two would only share one wire, and the free space
                self._wait_for_room(path, files_of(path), rules)
                copy = copied(path, folder, rules)
                self._staged += 1
                is_staged = True
            yield copy
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)
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


def _new_folder(stage_dir: Path) -> tuple[Path, int]:
    """Return a new folder and the descriptor that holds it, after taking away what killed processes left.

    Of processes of this machine: the locks of another may not be seen here.
    """
    from wsi_area.storage.living import is_nobodys, made_and_held

    host = socket.gethostname()
    try:
        stage_dir.mkdir(parents=True, exist_ok=True)
        for left in stage_dir.glob(f"{_PREFIX}-{host}-*"):
            pid = left.name.removeprefix(f"{_PREFIX}-{host}-").partition("-")[0]
            if not pid.isdigit() or is_running(int(pid)):
                continue
            with suppress(OSError):  # gone meanwhile, or somebody else's
                if is_nobodys(left):  # of a container on this machine the number says nothing here
                    _LOG.info("%s: left by a killed run, taken away", left)
                    shutil.rmtree(left, ignore_errors=True)
        folder = stage_dir / f"{_PREFIX}-{host}-{os.getpid()}-{uuid.uuid4().hex}"
        return folder, made_and_held(folder, is_folder=True, mode=0o700)
    except OSError as error:
        raise ResultError(
            f"run.stage_dir {stage_dir} cannot be written ({error.strerror}); choose another folder, or leave it out"
        ) from error


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
