"""run: work tried in a process of its own, which may die of it; and which tiles it dies of, found by halving.

A worker that is killed takes with it what it was sent, guilty or not. So whatever was lost with workers again and
again is tried alone, in a process started for it by a worker, which lives on to tell how that process ended.
"""

import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, Any

from wsi_area.compute.grid import batch_tiles_at
from wsi_area.run.slide_job import BatchResult, BatchTask

_LOG = logging.getLogger(__name__)

EXIT_OUT_OF_MEMORY, EXIT_ORPHAN = 97, 98
LEAST_MEMORY_BYTES = 2 << 30
"""What a process of its own may always use: interpreter, libraries and compiled code are part of it."""

MAX_TRIALS = 64
"""Processes started to find the guilty tiles of one batch; what is still suspect then is given up together."""

MAX_REPEATS = 4
"""Times that a batch is tried once more because it died on yet another tile, though each had been tried alone."""

_TILE, _END = b"t", b"e"
_CHILD = "from wsi_area.run.isolation import serve; serve()"


@dataclass(frozen=True, slots=True)
class Apart:
    """A call to be tried in a process of its own."""

    function: Callable[..., Any]
    item: Any
    memory_bytes: int | None = None
    announces: bool = False  # the function takes a second argument, which it tells each tile it begins


@dataclass(frozen=True, slots=True)
class Died:
    """How a process ended that did not come to the end of its work."""

    how: str
    tile: int | None = None  # the last that was announced
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Raised:
    """What a process of its own raised: it did not die, but there is no result either."""

    message: str


def run_apart(call: Apart) -> Any:
    """Return what the function returns in a process of its own, `Died`, or `Raised`."""
    import cloudpickle  # a segmenter that was defined in a script or a notebook travels with it

    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(pickle.dumps(sys.path) + cloudpickle.dumps(call))
            process.stdin.flush()  # and left open: its end tells the process that this one is gone
        except BrokenPipeError:
            pass  # it died at once: its exit code says of what
        tile, answers = _answer(process.stdout)
        code = process.wait()
        process.stdout.close()
        _close(process.stdin)
        if answers:
            return answers[0]
        errors.seek(0)
        _LOG.warning("a process of its own ended with %s: %s", code, errors.read()[-2000:].decode(errors="replace"))
    return Died(_how(code, call.memory_bytes), tile, code == -signal.SIGALRM)


def _answer(stream: IO[bytes]) -> tuple[int | None, list[Any]]:
    """Return the last tile that a process announced, and its result: none if it came to none."""
    tile = None
    while kind := stream.read(1):
        length = int.from_bytes(stream.read(8), "little")
        payload = stream.read(length)
        if len(payload) < length:
            break
        if kind == _END:
            return tile, [pickle.loads(payload)]  # of our own process: nothing from a slide was ever pickled
        tile = int(payload)
    return tile, []


def _close(stream: IO[bytes]) -> None:
    with suppress(BrokenPipeError):  # what was not written was for a process that is gone
        stream.close()


def _how(code: int, memory_bytes: int | None) -> str:
    if code == -signal.SIGALRM:
        return "did not come to an end within run.tile_timeout_s"
    if code == EXIT_OUT_OF_MEMORY:
        return f"needed more than the {_memory_limit(memory_bytes) / 2**20:.0f} MiB it may use"
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL; out of memory?)"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    return f"ended with exit code {code}"


def _memory_limit(memory_bytes: int | None) -> int:
    return max(LEAST_MEMORY_BYTES, memory_bytes or 0)


def serve() -> None:
    """Do the one call that stands on standard input and send its result; what a process of its own runs."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no part of the answer
    sys.path[:] = pickle.load(source)
    call: Apart = pickle.load(source)
    threading.Thread(target=_end_with_parent, args=(source,), daemon=True).start()
    _limit_memory(call.memory_bytes)

    def send(kind: bytes, payload: bytes) -> None:
        sink.write(kind + len(payload).to_bytes(8, "little") + payload)
        sink.flush()

    try:
        if call.announces:
            result = call.function(call.item, lambda tile: send(_TILE, str(tile).encode()))
        else:
            result = call.function(call.item)
    except MemoryError:
        os._exit(EXIT_OUT_OF_MEMORY)
    except Exception as error:  # a task boundary: what was raised is the answer
        result = Raised(f"{type(error).__name__}: {error}")
    send(_END, pickle.dumps(result))
    os._exit(0)  # libraries' own clean-up may hang or crash, and the answer is sent


def _end_with_parent(source: IO[bytes]) -> None:
    source.read(1)
    os._exit(EXIT_ORPHAN)


def _limit_memory(memory_bytes: int | None) -> None:
    """Have this process refused memory beyond its share, and be the first that a machine short of it kills."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except OSError:
        pass  # no Linux, or not allowed: only who is killed first depends on it
    if memory_bytes is not None and hasattr(os, "sched_getaffinity"):  # Linux, where the limit counts what is used
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_memory_limit(memory_bytes),) * 2)


# --- which tiles a batch dies of


Trial = Callable[[Sequence[int]], Died | None]
"""Tries some tiles in a process of its own: how it died, or None."""


def guilty_tiles(tiles: Sequence[int], trial: Trial, max_trials: int = MAX_TRIALS) -> dict[int, str]:
    """Return the tiles that a process dies of, and how; by halving, the last announced tile first.

    Parameters
    ----------
    tiles
        The suspects; that they die together is tried first, since what killed a worker may be gone.
    trial
        What tries some of them.
    max_trials
        After so many, whatever is still suspect is guilty: it is counted as unreadable, never as something else.

    >>> guilty_tiles(range(8), lambda some: Died("crashed") if 5 in some else None)
    {5: 'crashed'}
    """
    guilty: dict[int, str] = {}
    suspects: list[Sequence[int]] = [list(tiles)]
    trials = 0
    while suspects:
        group = suspects.pop()
        if not group:
            continue
        if trials >= max_trials:
            guilty.update(
                dict.fromkeys(group, f"one of {len(group)} tiles that together end a process; not told apart")
            )
            continue
        died, trials = trial(group), trials + 1
        if died is None:
            continue
        if len(group) == 1 or (died.timed_out and died.tile in group):
            one = group[0] if len(group) == 1 else died.tile
            assert one is not None
            guilty[one] = died.how
            suspects.append([tile for tile in group if tile != one])
        elif died.tile is not None and died.tile in group and _dies_alone(died.tile, trial, guilty):
            trials += 1
            suspects.append([tile for tile in group if tile != died.tile])
        else:
            trials += died.tile in group
            suspects += [group[: len(group) // 2], group[len(group) // 2 :]]
    return guilty


def _dies_alone(tile: int, trial: Trial, guilty: dict[int, str]) -> bool:
    died = trial([tile])
    if died is not None:
        guilty[tile] = died.how
    return died is not None


@dataclass(frozen=True, slots=True)
class IsolateTask:
    """A batch that killed its worker again and again."""

    batch: BatchTask
    memory_bytes: int | None


def isolate_batch(task: IsolateTask) -> BatchResult:
    """Return what became of a batch: its guilty tiles given up as unreadable, the others measured; never raises."""
    # imported here: this module is what a process of its own loads first, whatever it is to do
    from wsi_area.run.tile_task import announced_batch, try_tiles

    batch = task.batch
    plan, where = batch.job.plan, f"{batch.job.plan.slide.slide_id}, batch {batch.batch}"

    def trial(tiles: Sequence[int]) -> Died | None:
        outcome = run_apart(Apart(try_tiles, (batch, frozenset(tiles)), task.memory_bytes, announces=True))
        return outcome if isinstance(outcome, Died) else None

    rows, cols = batch_tiles_at(plan, batch.batch)
    numbers = [row * plan.grid_cols + col for row in rows for col in cols]
    guilty = guilty_tiles([n for n in numbers if plan.is_read(n)], trial)
    outcome: Any = None
    for _ in range(MAX_REPEATS):
        given_up = tuple((n, _message(where, n, plan.grid_cols, how)) for n, how in sorted(guilty.items()))
        call = Apart(announced_batch, replace(batch, given_up=given_up), task.memory_bytes, announces=True)
        outcome = run_apart(call)
        if not isinstance(outcome, Died) or outcome.tile is None or outcome.tile in guilty:
            break
        guilty[outcome.tile] = outcome.how
    if isinstance(outcome, BatchResult):
        return outcome
    said = outcome.message if isinstance(outcome, Raised) else f"its process {outcome.how}"
    return BatchResult(batch.batch, 0, 0, (), 0.0, f"{where}: {said}, and no single tile is to blame")


def _message(where: str, tile: int, grid_cols: int, how: str) -> str:
    row, col = divmod(tile, grid_cols)
    return f"{where}, tile row {row} col {col}: the process that measured it {how}; it is counted as unreadable"
