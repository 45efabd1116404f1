"""slides: open readers, lent and taken back; a small cache per process, never pickled."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wsi_area.errors import LaneError, SlideOpenError
from wsi_area.model.picture import PictureChoice
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.lanes.reading import SlideReader

MAX_OPEN_READERS = 4
Key = tuple[str, int, int, str, PictureChoice]


@dataclass(slots=True)
class _Entry:
    """A reader, who holds it, and the lock under which it is opened."""

    opening: threading.Lock = field(default_factory=threading.Lock)
    reader: SlideReader | None = None
    borrowers: int = 0
    is_dropped: bool = False  # no longer in the cache: the last borrower closes it


class ReaderCache:
    """Least-recently-used readers; one that is lent out is never closed."""

    def __init__(self, capacity: int = MAX_OPEN_READERS) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    @contextmanager
    def borrow(self, info: SlideInfo, lane: str) -> Iterator[SlideReader]:
        """Lend a reader for the length of a with block."""
        key = (info.path, info.mtime_ns, info.file_bytes, lane, info.choice)
        entry = self._join(key)
        try:
            with entry.opening:
                if entry.reader is None:
                    entry.reader = open_reader(info, lane)
                reader = entry.reader
            yield reader
        finally:
            self._leave(key, entry)

    def close(self) -> None:
        """Close every reader that nobody holds, and have the others closed by their last borrower."""
        with self._lock:
            entries = list(self._entries.values())
            self._entries.clear()
            for entry in entries:
                entry.is_dropped = True
            idle = [entry for entry in entries if entry.borrowers == 0]
        _close_all(idle)

    def __len__(self) -> int:
        return len(self._entries)

    def _join(self, key: Key) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.reader is not None and entry.reader.is_broken:
                entry.is_dropped = True
                entry = None
            if entry is None:
                entry = self._entries[key] = _Entry()
            entry.borrowers += 1
            self._entries.move_to_end(key)
            surplus = self._pop_surplus()
        _close_all(surplus)
        return entry

    def _leave(self, key: Key, entry: _Entry) -> None:
        with self._lock:
            entry.borrowers -= 1
            if entry.reader is None or entry.reader.is_broken:
                entry.is_dropped = True
                if self._entries.get(key) is entry:
                    del self._entries[key]
            closable = self._pop_surplus()
            if entry.is_dropped and entry.borrowers == 0:
                closable.append(entry)
        _close_all(closable)

    def _pop_surplus(self) -> list[_Entry]:
        """Take idle readers out, oldest first, until the cache fits; call with the lock held."""
        too_many = len(self._entries) - self._capacity
        if too_many <= 0:  # all but always
            return []
        idle = [key for key, entry in self._entries.items() if entry.borrowers == 0]
        surplus = [self._entries.pop(key) for key in idle[:too_many]]
        for entry in surplus:
            entry.is_dropped = True
        return surplus


def _close_all(entries: list[_Entry]) -> None:
    for entry in entries:
        if entry.reader is not None:
            entry.reader.close()
            entry.reader = None


def open_reader(info: SlideInfo, lane: str) -> SlideReader:
    """Return a new reader in a decided lane; it is the caller's to close.

    Raises
    ------
    SlideOpenError
        The file is gone, or is not the file that was inspected.
    LaneError
        There is no such lane, or the slide is not one for it.
    """
    require_unchanged(info)
    if lane == "openslide":
        return OpenSlideReader(info)
    # imported here: tifffile takes 0.25 s to load, which a run through OpenSlide need not pay
    if lane == "direct":
        from wsi_area.slides.lanes.direct_lane import DirectReader

        return DirectReader(info)
    if lane == "plain":
        from wsi_area.slides.lanes.plain_lane import PlainReader

        return PlainReader(info)
    if lane == "stored":
        from wsi_area.slides.lanes.stored_lane import StoredReader

        return StoredReader(info)
    raise LaneError(
        f"there is no lane {lane!r} to read slide {info.slide_id!r}; use openslide, direct, plain or stored"
    )


def require_unchanged(info: SlideInfo) -> None:
    """Make sure that the file is still the one that was inspected.

    Raises
    ------
    SlideOpenError
        It is gone, or its size or time differ.
    """
    try:
        status = os.stat(info.path)
    except OSError as error:
        raise SlideOpenError(f"{info.path}: {error.strerror}; bring the file back or take it off the list") from error
    if (status.st_size, status.st_mtime_ns) != (info.file_bytes, info.mtime_ns):
        raise SlideOpenError(
            f"{info.path}: changed since it was inspected ({_as_stated(info.file_bytes, info.mtime_ns)} then, "
            f"{_as_stated(status.st_size, status.st_mtime_ns)} now); start the run again"
        )


def _as_stated(file_bytes: int, mtime_ns: int) -> str:
    """Return size and time of a file in words, the time as UTC to the microsecond.

    >>> _as_stated(9, 1_000_000_000_123_456_789)
    '9 bytes of 2001-09-09 01:46:40.123456'
    """
    written = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=mtime_ns // 1000)
    return f"{file_bytes} bytes of {written:%Y-%m-%d %H:%M:%S.%f}"


_cache = ReaderCache()


def _forget_parent_readers() -> None:
    # a forked child shares file positions and locks with its parent: it must open its own
    global _cache
    _cache = ReaderCache()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent_readers)


def borrow_reader(info: SlideInfo, lane: str) -> AbstractContextManager[SlideReader]:
    """Return the context that lends a reader of this process's cache for the length of a with block.

    ``lane`` is the decided one: ``openslide``, ``direct``, ``plain`` or ``stored``.

    Raises
    ------
    SlideOpenError
        The file is gone, or is not the file that was inspected.
    LaneError
        There is no such lane.
    """
    return _cache.borrow(info, lane)


def close_readers() -> None:
    """Close every open reader of this process; one that is lent out closes when it comes back."""
    _cache.close()
