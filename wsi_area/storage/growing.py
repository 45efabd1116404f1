"""storage: a file that one writer alone makes longer, and a file that whoever comes first makes.

On a disk what is added is appended and flushed: a kill can tear its last line and touches nothing before it. An object
cannot be appended to, so it is put again, whole, over the very version that this writer put last.
"""

import os
from contextlib import suppress
from pathlib import Path

from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place


class GrowingFile:
    """A new file of one writer."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._content = b""  # of an object; of a file only its size is kept
        self._size_bytes = 0
        self._tag: str | None = None

    def add(self, content: bytes) -> None:
        """Add to it: all of it and flushed, or nothing.

        Raises
        ------
        OSError
            It cannot be written. FileExistsError where somebody else wrote it.
        """
        if isinstance(self.place, ObjectPath):
            self._put(self.place, self._content + content)
            self._content += content
        else:
            self._append(self.place, content)
        self._size_bytes += len(content)

    def _put(self, place: ObjectPath, whole: bytes) -> None:
        try:
            self._tag = place.write_bytes(whole, only_new=self._tag is None, over=self._tag)
        except FileExistsError:
            if place.read_bytes() != whole:  # else the answer to our first try was lost on the way
                raise
            self._tag = place.stat().etag

    def _append(self, place: Path, content: bytes) -> None:
        is_new = self._size_bytes == 0
        place.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT | os.O_EXCL if is_new else 0)
        descriptor = os.open(place, flags, 0o666)
        try:
            if os.fstat(descriptor).st_size != self._size_bytes:
                raise FileExistsError(f"{place} was written by somebody else")
            try:
                _write_all(descriptor, content)
            except OSError:
                with suppress(OSError):  # a torn line would be named, and is in nobody's way
                    os.ftruncate(descriptor, self._size_bytes)
                raise
        finally:
            os.close(descriptor)
        if is_new:
            _flush_folder(place.parent)


def make_once(place: Place, content: bytes) -> bool:
    """Return True if this writer made a file; False where there is one, which stays. It is there whole, or not at all.

    Raises
    ------
    OSError
    """
    if isinstance(place, ObjectPath):
        try:
            place.write_bytes(content, only_new=True)
        except FileExistsError:
            return place.read_bytes() == content
        return True
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}-{os.urandom(4).hex()}.partial")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            _write_all(descriptor, content)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, place)
        except FileExistsError:
            return False
        except OSError:  # a file system without links: there a reader may see it begun
            return _made_in_place(place, content)
        return True
    finally:
        draft.unlink(missing_ok=True)


def _made_in_place(place: Path, content: bytes) -> bool:
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    try:
        _write_all(descriptor, content)
    finally:
        os.close(descriptor)
    return True


def _write_all(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems flush no folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
