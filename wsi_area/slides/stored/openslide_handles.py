"""slides: handles of OpenSlide: one is dead after its first error, for every thread that reads through it."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from wsi_area.errors import SlideOpenError
from wsi_area.slides.stored import openslide_calls
from wsi_area.slides.stored.openslide_calls import Handle

_UNSUPPORTED = ("unsupported", "not supported", "unrecognized", "can't handle", "cannot handle")


def open_handle(path: str, kept_bytes: int | None = None) -> Handle:
    """Return a new OpenSlide handle of a file, which keeps so many bytes of decoded tiles: 32 MB by default.

    Raises
    ------
    SlideOpenError
        OpenSlide refuses the file.
    """
    try:
        handle = openslide_calls.open_slide(path)
        if kept_bytes is not None:
            openslide_calls.keep_decoded(handle, kept_bytes)
        return handle
    except openslide_calls.OpenSlideCallError as error:
        unknown = any(word in str(error).lower() for word in _UNSUPPORTED)
        remedy = (
            "it is of a kind that OpenSlide does not read: export it as a tiled TIFF or OME-TIFF"
            if unknown
            else "it may be truncated or damaged, copy it again"
        )
        raise SlideOpenError(f"{path}: OpenSlide cannot open it ({error}); {remedy}") from error


class SharedHandle:
    """One handle of a file for all threads, opened anew once it died; a dead one is closed by the last to leave it."""

    def __init__(self, path: str, kept_bytes: int | None = None) -> None:
        self._path, self._kept_bytes = path, kept_bytes
        self._lock = threading.Lock()
        self._handle: Handle | None = open_handle(path, kept_bytes)
        self._users: Counter[int] = Counter()  # by id of the handle

    @contextmanager
    def lent(self) -> Iterator[Handle]:
        """Lend the handle for the length of a with block."""
        with self._lock:
            if self._handle is None:
                self._handle = open_handle(self._path, self._kept_bytes)
            handle = self._handle
            self._users[id(handle)] += 1
        try:
            yield handle
        finally:
            with self._lock:
                if openslide_calls.get_error(handle) is not None and handle is self._handle:
                    self._handle = None
                self._users[id(handle)] -= 1
                is_left_dead = not self._users[id(handle)] and handle is not self._handle
                if is_left_dead:
                    del self._users[id(handle)]
            if is_left_dead:
                openslide_calls.close(handle)

    def close(self) -> None:
        """Close the handle; nobody may be reading."""
        with self._lock:
            if self._handle is not None:
                openslide_calls.close(self._handle)
            self._handle = None


class OwnHandle:
    """A handle that nobody else can kill; it is opened when it is needed, and anew once it died."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle: Handle | None = None

    def live(self) -> Handle:
        """Return a handle that has seen no error."""
        if self._handle is not None and openslide_calls.get_error(self._handle) is not None:
            self.close()
        if self._handle is None:
            self._handle = open_handle(self._path)
        return self._handle

    def close(self) -> None:
        """Close it."""
        if self._handle is not None:
            openslide_calls.close(self._handle)
        self._handle = None
