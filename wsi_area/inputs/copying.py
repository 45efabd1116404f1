"""inputs: the copy of a slide, all its files, block by block: errors of a share are waited out, a stop is heard."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import field
from pathlib import Path, PurePosixPath

from wsi_area.errors import ResultError, SlideOpenError
from wsi_area.frozen_value import frozen_value
from wsi_area.slides.header.companion_files import files_of
from wsi_area.slides.header.fingerprint import fingerprint
from wsi_area.storage.access import Access
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place

_LOG = logging.getLogger(__name__)

COPY_BLOCK_BYTES = 8 << 20


@frozen_value
class CopyRules:
    """How a copy is made, and when it is given up."""

    stage_dir: Path
    retries: int  # times that a file is copied again after an error
    wait_s: float  # before the first of them; doubled each time
    is_stopped: Callable[[], bool] = lambda: False  # asked for every block: a stopped run has no time for a long copy
    access: Access = field(default=Access())  # who asks for a slide in a bucket


class CopyStopped(Exception):
    """The run was stopped while a slide was being copied; nothing is wrong with it."""


def copied(path: Place, folder: Path, rules: CopyRules) -> Path:
    """Return the copy of a slide, all of whose files are there and whose fingerprint is that of the original."""
    started, copied_bytes = time.perf_counter(), 0
    for part in files_of(path):
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
    """Return the place of a slide's file beside the named one; keys of a bucket may say what leaves a folder."""
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
