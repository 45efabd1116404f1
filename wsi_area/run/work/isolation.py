"""run: work tried in a process of its own, which may die of it.

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
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from wsi_area.frozen_value import frozen_value

_LOG = logging.getLogger(__name__)

EXIT_OUT_OF_MEMORY, EXIT_ORPHAN = 97, 98
LEAST_MEMORY_BYTES = 2 << 30
"""What a process of its own may always use: interpreter, libraries and compiled code are part of it."""

_TILE, _END = b"t", b"e"
_CHILD = "from wsi_area.run.work.isolation import serve; serve()"


@frozen_value
class Apart:
    """A call to be tried in a process of its own."""

    function: Callable[..., Any]
    item: Any
    memory_bytes: int | None = None
    announces: bool = False  # the function takes a second argument, which it tells each tile it begins


@frozen_value
class Died:
    """How a process ended that did not come to the end of its work."""

    how: str
    tile: int | None = None  # the last that was announced
    timed_out: bool = False


@frozen_value
class Raised:
    """What a process of its own raised: it did not die, but there is no result either."""

    message: str


def run_apart(call: Apart) -> Any:
    """Return the result of the function in a process of its own, `Died`, or `Raised`."""
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
