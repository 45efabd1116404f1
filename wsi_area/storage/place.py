"""storage: where a run lies: in a folder of a disk or below a prefix of a bucket; the one module that asks which.

Everybody else speaks in the verbs that `pathlib.Path` and `ObjectPath` share. On a disk a file is written beside its
place and renamed; in a bucket an object is put, which is as whole. Both leave what was there before, or what is new.
"""

import logging
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from wsi_area.storage.access import Access
from wsi_area.storage.object_key import SCHEME
from wsi_area.storage.object_path import ObjectPath, parse_object_path

_LOG = logging.getLogger(__name__)

Place = Path | ObjectPath

PUBLISH_EVERY_S = 30.0
"""How old a growing file in a bucket may be: an object cannot be appended to, only put again."""


def is_object(text: str | Place) -> bool:
    """Return True if a place is in a bucket.

    >>> is_object("s3://lab/run"), is_object("run"), is_object(Path("s3:/lab"))
    (True, False, False)
    """
    return isinstance(text, ObjectPath) or (isinstance(text, str) and text.startswith(SCHEME))


def place_of(place: str | Place, access: Access | None = None) -> Place:
    """Return the place that a text names: ``s3://bucket/prefix``, or else a path.

    >>> place_of("s3://lab/runs/7")
    ObjectPath(bucket='lab', key='runs/7')

    Raises
    ------
    SettingsError
        It begins like an address in a bucket and is none.
    """
    if isinstance(place, str):
        return parse_object_path(place, access or Access()) if is_object(place) else Path(place)
    return place


def reached_by(place: Place, access: Access) -> Place:
    """Return a place with who asks for it; on a disk nobody is asked."""
    return replace(place, access=access) if isinstance(place, ObjectPath) else place


def commit(place: Place, pieces: Sequence[bytes], *, flushed: bool) -> None:
    """Write a whole file or object, or leave what was there.

    Parameters
    ----------
    place : Place
    pieces : sequence of bytes
        Its content, one after the other.
    flushed : bool
        Wait until a disk has it; a bucket answers only once it has.

    Raises
    ------
    OSError
    """
    if isinstance(place, ObjectPath):
        place.write_bytes(b"".join(pieces))
        return
    beside = f"{place.parent}/.{place.name}.{os.urandom(16).hex()}.partial"  # a text: paths take longer than the disk
    try:
        with _opened_anew(beside) as file:
            file.writelines(pieces)
            if flushed:
                file.flush()
                os.fsync(file.fileno())
        Path(beside).replace(place)
    except OSError:
        with suppress(OSError):
            Path(beside).unlink(missing_ok=True)  # it would keep the space that the tables need to say so
        raise


def _opened_anew(path: str) -> BinaryIO:
    """Return a file to write, open; its folder is made only where it is missing, which is once for many files."""
    try:
        return open(path, "wb")
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "wb")


def remove_tree(place: Place) -> None:
    """Remove a folder and all in it; one that is not there is as good as removed.

    Raises
    ------
    OSError
    """
    if isinstance(place, ObjectPath):
        place.rmtree()
    elif place.exists():
        shutil.rmtree(place)


def zarr_store(place: Place) -> Any:
    """Return a place as zarr takes it."""
    return place.zarr_store() if isinstance(place, ObjectPath) else place


def free_bytes(place: Place) -> int | None:
    """Return the bytes that still fit; None where nobody can say."""
    return None if isinstance(place, ObjectPath) else shutil.disk_usage(place).free


def total_bytes(place: Place) -> int:
    """Return the size of everything below a place."""
    if isinstance(place, ObjectPath):
        return sum(size for _, size in place.sizes())
    return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())


def mending(place: Place) -> str:
    """Return the remedy where something cannot be written there."""
    if isinstance(place, ObjectPath):
        return "check that the keys may write there (s3:PutObject, s3:DeleteObject) and that the server answers"
    return "free some space or choose another --out"


def scratch_folder(place: Place) -> Path | None:
    """Return the folder for large scratch files of a place: into it on a disk; None, the system's own, for a bucket."""
    return None if isinstance(place, ObjectPath) else place


@contextmanager
def draft_of(place: Place) -> Iterator[Path]:
    """Lend a path on a disk for a file or folder that `settle` puts in its place; what is left of it is taken away."""
    name = f".{place.name}.{uuid.uuid4().hex}.partial"
    if isinstance(place, ObjectPath):
        with tempfile.TemporaryDirectory(prefix="wsi-area-") as folder:
            yield Path(folder) / name
        return
    draft = place.with_name(name)
    try:
        yield draft
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True) if not draft.is_dir() else shutil.rmtree(draft)


def settle(draft: Path, place: Place) -> None:
    """Put a whole file or folder where it belongs, over what was there.

    In a bucket the objects of a folder follow one another, those at its top last: a zarr group that was not finished
    does not open.

    Raises
    ------
    OSError
    """
    if isinstance(place, ObjectPath):
        _upload(draft, place)
    elif draft.is_dir() and place.exists():
        with draft_of(place) as old:
            place.rename(old)
            draft.rename(place)
    else:
        draft.replace(place)


def _upload(draft: Path, place: ObjectPath) -> None:
    if draft.is_file():
        place.upload(draft)
        return
    place.rmtree()
    files = [file for file in draft.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: (-len(file.parts), file)):
        (place / file.relative_to(draft).as_posix()).upload(file)


@contextmanager
def grown(place: Place) -> Iterator[Path]:
    """Lend a file on a disk that grows; one in a bucket is put again every half minute, and at the end.

    For logs: what a killed process wrote since the last time is lost, and one that cannot be put is warned of.
    """
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="wsi-area-log-") as folder:
        file, ended = Path(folder) / place.name, threading.Event()
        with suppress(OSError):
            file.write_bytes(place.read_bytes())
        published = file.stat().st_size if file.exists() else 0

        def publish() -> None:
            nonlocal published
            content = file.read_bytes() if file.exists() else b""
            if len(content) != published:
                place.write_bytes(content)
                published = len(content)

        def keep_publishing() -> None:
            while not ended.wait(PUBLISH_EVERY_S):
                with suppress(OSError):  # tried again in half a minute
                    publish()

        publisher = threading.Thread(target=keep_publishing, name="wsi-area-log", daemon=True)
        publisher.start()
        try:
            yield file
        finally:
            ended.set()
            publisher.join()
            try:
                publish()
            except OSError as error:
                _LOG.warning("%s could not be put (%s); the run goes on without it", place, error.strerror or error)
