"""run: what they have in common: a stop, and for those that work in this process who holds slides open."""

import threading

from wsi_area.run.executors.contract import SLIDES_AT_ONCE
from wsi_area.slides import close_readers


class StoppableExecutor:
    """An executor that can be told to start nothing new."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self.lost = ""
        self.is_abandoned = False

    def stop(self) -> None:
        """Start nothing new; what is running is finished."""
        self._stopped.set()

    def abandon(self) -> None:
        """Wait for nothing any more, neither for what is running; what is committed is kept."""
        self.is_abandoned = True
        self.stop()

    def give_up(self, why: str) -> None:
        """Start nothing new, since nobody is left who could do it, for good."""
        self.lost = self.lost or why
        self.stop()

    @property
    def is_stopped(self) -> bool:
        """Return True once `stop` was called."""
        return self._stopped.is_set()


class InProcessExecutor(StoppableExecutor):
    """An executor whose work is done in this process, with the memory of this machine."""

    is_local = True
    slides_at_once = SLIDES_AT_ONCE
    task_memory_bytes = None

    def close_readers(self) -> None:
        """Close the slides that are held open for the next tile."""
        close_readers()

    def close(self) -> None:
        """Release what was started for the work: here nothing."""
