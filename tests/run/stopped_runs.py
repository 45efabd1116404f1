"""Runs that are asked to stop at a batch, and have heard it before that batch goes on."""

import os
import signal
import threading

from wsi_area.run.events import BatchDone, Event, Stopping


class StopsAfter:
    """A listener that sends this process signals once so many batches are done.

    Python answers a signal in its main thread, when that thread is next given a turn. Batches of another thread go on
    meanwhile, and could all be done: so each signal is waited for until the run says that it stops.
    """

    def __init__(self, batches: int, *numbers: int) -> None:
        self._batches, self._numbers = batches, numbers
        self._done, self._guard = 0, threading.Lock()
        self._heard = threading.Semaphore(0)

    def __call__(self, event: Event) -> None:
        """Count a batch that is done, and note that the run stops."""
        if isinstance(event, Stopping):
            self._heard.release()
        if not isinstance(event, BatchDone):
            return
        with self._guard:
            self._done += 1
            due = self._done == self._batches
        for number in self._numbers if due else ():
            os.kill(os.getpid(), number)
            assert self._heard.acquire(timeout=60), f"{signal.Signals(number).name} was not answered"
