"""run: how long a piece of work may take; what hangs ends its worker process, since no thread can be ended."""

import logging
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

_LOG = logging.getLogger(__name__)

LOOKS_PER_TIMEOUT = 4
"""How often within a timeout the threads of this process are looked at."""


class Deadlines:
    """What the threads of one process are at, and until when each may be."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fatal: dict[int, float] = {}  # by thread: the moment at which this process ends
        self._watched: dict[int, tuple[float, float, str]] = {}  # by thread: begun, timeout, what
        self._watcher: threading.Thread | None = None
        self._period_s = math.inf  # between two looks of the watcher
        self._sooner = threading.Event()  # set where that became shorter

    @contextmanager
    def ending_process(self, timeout_s: float) -> Iterator[None]:
        """End this process by SIGALRM if the block takes longer: also one that hangs in C and holds the GIL."""
        me = threading.get_ident()
        with self._lock:
            self._fatal[me] = time.monotonic() + timeout_s
            self._arm()
        try:
            yield
        finally:
            with self._lock:
                del self._fatal[me]
                self._arm()

    def _arm(self) -> None:
        """Set the kernel's timer to the next deadline; nobody handles SIGALRM, so that it ends the process."""
        if not self._fatal:
            signal.setitimer(signal.ITIMER_REAL, 0)
            return
        signal.setitimer(signal.ITIMER_REAL, max(1e-3, min(self._fatal.values()) - time.monotonic()))

    @contextmanager
    def reporting(self, timeout_s: float, what: str) -> Iterator[None]:
        """Log a warning if the block takes longer; it goes on, because a thread cannot be ended."""
        me = threading.get_ident()
        self._watched[me] = time.monotonic(), timeout_s, what
        if self._watcher is None or timeout_s < LOOKS_PER_TIMEOUT * self._period_s:
            self._have_watched(timeout_s / LOOKS_PER_TIMEOUT)
        try:
            yield
        finally:
            self._watched.pop(me, None)

    def _have_watched(self, period_s: float) -> None:
        with self._lock:
            self._period_s = min(self._period_s, period_s)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="wsi-area-deadlines", daemon=True)
                self._watcher.start()
            else:
                self._sooner.set()

    def _watch(self) -> None:
        """Look at the threads until none is at work for a whole period."""
        reported: set[tuple[int, float]] = set()
        while True:
            woken = self._sooner.wait(self._period_s)
            self._sooner.clear()
            at_work = list(self._watched.items())
            if not at_work and not woken:
                with self._lock:
                    self._watcher = None
                    if not self._watched:
                        self._period_s = math.inf
                        return
                    self._watcher = threading.current_thread()  # for a thread that began meanwhile, and saw it there
            for thread, (begun, timeout_s, what) in at_work:
                if time.monotonic() - begun > timeout_s and (thread, begun) not in reported:
                    reported.add((thread, begun))
                    _LOG.warning(
                        "%s has taken more than %g s (run.tile_timeout_s) and cannot be ended in a thread: wait, or "
                        "start this run again with run.executor=processes, which gives such a tile up",
                        what,
                        timeout_s,
                    )


_of_this_process = Deadlines()


def deadline(timeout_s: float, what: str, *, ends_process: bool) -> AbstractContextManager[None]:
    """Return the context that holds a block to a time: beyond it this process ends, or a warning tells. 0 s: no limit.

    Parameters
    ----------
    timeout_s
        Seconds that the block may take.
    what
        For the warning: which slide, which tile.
    ends_process
        In a worker process, whose work another one takes up.
    """
    if timeout_s == 0:
        return nullcontext()
    if ends_process and hasattr(signal, "setitimer"):
        return _of_this_process.ending_process(timeout_s)
    return _of_this_process.reporting(timeout_s, what)
