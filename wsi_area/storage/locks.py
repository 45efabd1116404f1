"""storage: who writes a run: one coordinator, or the tasks of one job array together, and nobody beside them.

On a disk the system locks a file, and lets go of it whatever happens to the process. In a bucket there are leases.
"""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from wsi_area.errors import ResultError
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place, mending


class Lock(Protocol):
    """Something that one process holds, or several that share it."""

    def take(self, *, shared: bool, waits: bool) -> bool:
        """Take it or change how it is held; return whether that worked. Where not, it is not held any more."""

    def close(self) -> None:
        """Let go of it."""


class FileLock:
    """A file that the system locks for this process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+")  # readable too: over NFS a shared lock asks for that

    def take(self, *, shared: bool, waits: bool) -> bool:
        """Take it or change how it is held; return whether that worked."""
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if waits else fcntl.LOCK_NB)
        try:
            fcntl.flock(self._file, how)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            self.close()
            raise ResultError(
                f"{self._file.name} is on a file system that cannot lock files ({error.strerror}); choose another --out"
            ) from error
        return True

    def close(self) -> None:
        """Let go of it."""
        self._file.close()


@contextmanager
def sole_writer(root: Place) -> Iterator[None]:
    """Hold a run directory for this process; a second coordinator is refused.

    Raises
    ------
    ResultError
        If another process holds it, or the folder cannot be made.
    """
    with held(root / ".lock", busy=_in_use(root)):
        yield


@contextmanager
def joint_writer(root: Place) -> Iterator[Lock]:
    """Hold a run directory together with other tasks of one job array, and keep everybody else out.

    Raises
    ------
    ResultError
        If a process holds it alone, or the folder cannot be made.
    """
    with held(root / ".lock", shared=True, busy=_in_use(root)) as lock:
        yield lock


def _in_use(root: Place) -> str:
    return f"{root} is being written by another wsi-area process; wait for it, or choose another --out"


@contextmanager
def held(path: Place, *, shared: bool = False, waits: bool = False, busy: str = "") -> Iterator[Lock]:
    """Hold a lock: for this process alone, or together with others that share it.

    Raises
    ------
    ResultError
        With the words of ``busy`` if somebody else holds it, unless this waits; or if it cannot be made.
    """
    try:
        lock = FileLock(path) if isinstance(path, Path) else _lease(path)
        relock(lock, shared=shared, waits=waits, busy=busy)
    except OSError as error:
        remedy = "mend its permissions, or choose another folder" if isinstance(path, Path) else mending(path)
        raise ResultError(f"{path.parent} cannot be written ({error.strerror or error}); {remedy}") from error
    try:
        yield lock
    finally:
        lock.close()


def _lease(path: ObjectPath) -> Lock:
    """Return the lock of a place in a bucket."""
    from wsi_area.storage.lease import Lease

    return Lease(path)


def relock(lock: Lock, *, shared: bool, busy: str, waits: bool = False) -> None:
    """Take a lock, or change how it is held; where that fails it is not held any more.

    Raises
    ------
    ResultError
        With the words of ``busy`` if somebody else holds it.
    """
    if not lock.take(shared=shared, waits=waits):
        lock.close()
        raise ResultError(busy)
