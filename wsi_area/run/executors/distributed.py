"""run: the work done by dask workers, wherever they come from, with a bounded number of tasks in their scheduler."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from wsi_area.run.executors.base import StoppableExecutor
from wsi_area.run.executors.bundle import Bundled, bundle_outcome, item_result, run_bundle
from wsi_area.run.executors.contract import R, T, TaskLost
from wsi_area.run.executors.workforce import Workforce
from wsi_area.run.work.isolation import Apart, run_apart
from wsi_area.slides import close_readers

TASKS_AHEAD_PER_WORKER = 4
"""How many tasks of all slides are in the scheduler at once, for each worker: enough that none waits, few enough that
the scheduler never holds more than a bounded number, whatever the number and the size of the slides."""

TASKS_OF_A_SLIDE = 2
"""What a slide may always have in the scheduler, so that none waits for another's end."""

TASK_S, MAX_BUNDLE = 1.0, 16
"""Seconds that a task should take at least, and how many items are put together for that at most."""

MAX_SLIDES_AT_ONCE = 64
"""Slides in flight over a cluster, each with a thread of the coordinator and its plan in memory."""

UNANSWERED = (OSError, TimeoutError, AttributeError, RuntimeError, CancelledError)
"""What dask's client raises where its scheduler is gone: it forgets the address, and says so in many ways."""

DASK_LOGS = ("distributed.client", "distributed.utils", "distributed.batched", "distributed.core")
"""Where dask says that its scheduler is gone, as tracebacks, when that was told already."""

POLL_S, COUNT_S, ASK_S, ANSWER_S, MISSED_S = 1.0, 5.0, 3.0, 60.0, 0.05
"""Seconds between two looks for a worker where no task ends, for which a count of the workers is believed, after
which a scheduler that says nothing is looked at before it is asked again, or at the end given up, and between two
looks whether dask misses one that does not answer."""


class DistributedExecutor(StoppableExecutor):
    """dask.distributed: worker processes of this machine, of SLURM jobs, or of any scheduler."""

    is_local = False

    def __init__(self, client: Any, workforce: Workforce, logs: Path | None = None) -> None:
        super().__init__()
        self.workforce = workforce
        self._client = client
        self._logs = None if logs is None else str(logs.absolute())
        self._lock = threading.Lock()
        self._in_scheduler = self._maps = 0
        self._counted = -COUNT_S, 1  # when the workers were last counted, and how many there were
        self._address = "" if client is None else client.scheduler.address
        self._item_s: dict[str, float] = {}  # seconds that an item takes, by the function's name

    @property
    def worker_count(self) -> int:
        """Return the number of tasks that are done at once: as planned, else by the workers that are there just now."""
        if self.workforce.planned_workers is not None:
            return self.workforce.planned_workers
        now = time.monotonic()
        if now - self._counted[0] > COUNT_S:
            self._counted = now, max(1, self._threads() or self._counted[1])
        return self._counted[1]

    def _threads(self) -> int:
        """Return the number of threads of all workers; 0 where there is none, or nobody left to say."""
        while not self.is_scheduler_gone():
            try:  # by itself it would wait half a minute for a scheduler that went away a moment ago
                return sum(self._client.nthreads(callback_timeout=ASK_S).values())
            except TimeoutError:
                continue
            except UNANSWERED:
                break
        return 0

    def _is_told(self, record: logging.LogRecord) -> bool:
        return not self.lost

    def is_scheduler_gone(self) -> bool:
        """Return True if the scheduler went away, with all that it knew of this run; then nothing new is started.

        dask gives every task up at the moment at which the connection ends, even if another scheduler answers later.
        """
        if self._client.status != "running" and not self.lost:
            for name in DASK_LOGS:
                logging.getLogger(name).addFilter(self._is_told)
            self.give_up(f"the scheduler at {self._address} is gone")
        return bool(self.lost)

    def is_lost_with_scheduler(self) -> bool:
        """Return True if a task that was lost was lost because the scheduler went away.

        Of two connections that end, dask may hear first of the one over which a result was fetched: then the client
        still says that it is running. So a scheduler that does not answer is given some seconds to be missed.
        """
        if self.is_scheduler_gone():
            return True
        try:
            self._client.nthreads(callback_timeout=ASK_S)
            return False
        except UNANSWERED:
            end = time.monotonic() + ASK_S
        while not self.is_scheduler_gone() and time.monotonic() < end:
            time.sleep(MISSED_S)
        return bool(self.lost)

    @property
    def slides_at_once(self) -> int:
        """Return the number of slides that keep all workers busy, be each of them one task."""
        own = self.workforce.slides_at_once
        return own if own is not None else min(max(2, self.worker_count), MAX_SLIDES_AT_ONCE)

    @property
    def task_memory_bytes(self) -> int | None:
        """Return the bytes that one task may use on the smallest worker, or None where the workers have no limit."""
        if self.workforce.task_memory_bytes is not None:
            return self.workforce.task_memory_bytes
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        limits = [w["memory_limit"] // max(1, w["nthreads"]) for w in workers if w.get("memory_limit")]
        return min(limits, default=None)

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R | TaskLost]]:
        """Yield results as workers return them, with a bounded number of tasks in the scheduler."""
        with self._lock:
            self._maps += 1
        mapped = _Map(self, self._client, function, items, self._logs)
        try:
            yield from mapped.results()
        finally:
            with self._lock:
                self._maps -= 1
                self._in_scheduler -= len(mapped.running)

    def has_room(self, own: int) -> bool:
        """Take a place in the scheduler for one more task of a map that has so many there; False if there is none."""
        places = TASKS_AHEAD_PER_WORKER * self.worker_count
        with self._lock:
            share = max(TASKS_OF_A_SLIDE, places // max(1, self._maps))
            if own >= share or (own >= TASKS_OF_A_SLIDE and self._in_scheduler >= places):
                return False
            self._in_scheduler += 1
            return True

    def take_room(self) -> None:
        """Take a place whether or not there is one: for what was in the scheduler before."""
        with self._lock:
            self._in_scheduler += 1

    def bundle_size(self, function: Callable[..., Any], waiting: int) -> int:
        """Return the number of items that one task should have: one until it is known how long an item takes.

        A task costs the scheduler some milliseconds whatever is in it, so that short ones are put together, up to
        `TASK_S`; fewer towards the end of the work, so that no worker is left without.
        """
        item_s = self._item_s.get(function.__name__)
        if item_s is None:
            return 1
        share = waiting * self._maps / (TASKS_AHEAD_PER_WORKER * self.worker_count)
        return max(1, int(min(MAX_BUNDLE, TASK_S / max(item_s, TASK_S / MAX_BUNDLE), share)))

    def note(self, function: Callable[..., Any], item_s: float) -> None:
        """Note how long an item took, on the mean of those before."""
        before = self._item_s.get(function.__name__, item_s)
        self._item_s[function.__name__] = (before + item_s) / 2

    def leave_room(self) -> None:
        """Give the place of a task back."""
        with self._lock:
            self._in_scheduler -= 1

    def next_done(self, done: "queue.SimpleQueue[Any]") -> Any:
        """Return the next future that ended, or None where nobody is left to end one."""
        alone_s = 0.0
        while True:
            try:
                return done.get(timeout=POLL_S)
            except queue.Empty:
                alone_s = 0.0 if self._threads() else alone_s + POLL_S
                if alone_s > 0 and (self.is_stopped or not self.workforce.may_return(alone_s)):
                    return None

    def close_readers(self) -> None:
        """Close the slides that the workers hold open; a worker that is just being restarted holds none."""
        if not self.lost:
            with suppress(*UNANSWERED):
                self._client.run(close_readers, wait=False, on_error="ignore")

    def close(self) -> None:
        """Leave the scheduler; end the workers that were started for this run."""
        try:
            with suppress(*(UNANSWERED if self.lost or self.is_abandoned else ())):
                self._client.close(timeout=ASK_S if self.is_abandoned else ANSWER_S)
        finally:
            for name in DASK_LOGS:
                logging.getLogger(name).removeFilter(self._is_told)
            self.workforce.close()


class _Map:
    """One function over some items: what is in the scheduler, and what waits here."""

    def __init__(
        self, executor: DistributedExecutor, client: Any, function: Callable[[T], R], items: Sequence[T],
        logs: str | None,
    ) -> None:  # fmt: skip
        self.running: dict[Any, tuple[int, ...]] = {}  # by future: the items of its bundle
        self._executor, self._client, self._logs = executor, client, logs
        self._function, self._items = function, items
        self._waiting = deque(range(len(items)))
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._apart: set[int] = set()

    def results(self) -> Iterator[tuple[int, Any]]:
        self._send()
        while self.running:
            future = self._executor.next_done(self._done)
            if future is None:
                if not self._executor.lost:
                    yield from self._all_lost()
                return
            positions, outcome = self.running.pop(future), bundle_outcome(future)
            future.release()
            self._executor.leave_room()
            if isinstance(outcome, Bundled):
                if self._apart.isdisjoint(positions):
                    self._executor.note(self._function, outcome.seconds / len(positions))
                yield from ((p, item_result(r)) for p, r in zip(positions, outcome.results, strict=True))
            elif outcome.died and self._apart.isdisjoint(positions):
                # they may be innocent: what is queued on a worker is lost with it. Alone it can take nobody along.
                self._try_apart(positions)
            elif self._executor.is_lost_with_scheduler():
                return  # no task is to blame: whatever was not committed is not reached
            else:
                yield from ((position, outcome) for position in positions)
            self._send()

    def _try_apart(self, positions: Sequence[int]) -> None:
        self._apart.update(positions)
        for position in positions:
            if not self._executor.is_stopped:
                self._executor.take_room()
                alone = Apart(self._function, self._items[position], self._executor.task_memory_bytes)
                self._submit((position,), run_apart, [alone])

    def _send(self) -> None:
        """Send what there is room for."""
        while self._waiting and not self._executor.is_stopped and self._executor.has_room(len(self.running)):
            count = min(self._executor.bundle_size(self._function, len(self._waiting)), len(self._waiting))
            positions = tuple(self._waiting.popleft() for _ in range(count))
            self._submit(positions, self._function, [self._items[position] for position in positions])

    def _submit(self, positions: tuple[int, ...], function: Callable[[Any], Any], items: Sequence[Any]) -> None:
        try:
            future = self._client.submit(run_bundle, function, items, self._logs, pure=False)
        except UNANSWERED:
            if self._executor.is_lost_with_scheduler():
                self._executor.leave_room()
                return
            raise
        self.running[future] = positions
        future.add_done_callback(self._done.put)

    def _all_lost(self) -> Iterator[tuple[int, TaskLost]]:
        lost = TaskLost(self._executor.workforce.no_worker())
        never_sent = [] if self._executor.is_stopped else list(self._waiting)
        for position in (*chain.from_iterable(self.running.values()), *never_sent):
            yield position, lost
