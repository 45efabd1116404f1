"""Commands in processes of their own that die at a named moment; each is forked from one in which all is loaded.

    with Nursery(folder / "log", ["run", "s.tif", "--out", "warm"]) as nursery:
        fault = Fault("wsi_area.results.class_map.overlaid:write_shard", "after", 2)
        code = nursery.run(["run", "s.tif", "--out", "out"], fault)

The process that forks is this file, run as a script: it has done a command itself, so that the package and its
compiled code are loaded and a child costs a tenth of a fresh interpreter; of its threads only zarr's idle one is left,
which zarr replaces in a child. Batches are small in it, so that small slides have many; its plans agree with one
another only.
"""

import gc
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SMALL_BATCH_PX = 1 << 16
RENAME = "pathlib:Path.replace"
"""By which every file of a run gets to its place: of ours, and of zarr's."""
UNANSWERED = (signal.SIGKILL, signal.SIGSTOP)
"""Signals that a process cannot answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls a process: at the n-th call of a function, before or after it, or after so many seconds."""

    at: str = ""  # module:name
    when: str = "before"  # or "after"
    nth: int = 1
    signal_name: str = "SIGKILL"
    after_s: float | None = None
    file_limit_bytes: int | None = None  # no file may become larger: what a full disk is to a single file
    error: str = ""  # raised instead of a signal: the name of an errno
    errors: int = 1  # how many calls from the n-th on raise it


class Nursery:
    """The process that forks, and the way to ask it."""

    def __init__(self, log: Path, first: Sequence[str | Path]) -> None:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, __file__, *map(str, first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
        )

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def run(self, argv: Sequence[str | Path], fault: Fault | None = None) -> int:
        """Return with which exit code a command ended, or minus the number of the signal that killed it."""
        return self.run_all([(argv, fault)])[0]

    def run_all(self, commands: Sequence[tuple[Sequence[str | Path], Fault | None]]) -> list[int]:
        """Return the exit codes of commands that run at the same time; one that stopped is killed after the others."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        wanted = [{"argv": [str(a) for a in argv], "fault": asdict(fault or Fault())} for argv, fault in commands]
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._process.stdin.flush()
        codes: list[int] = json.loads(self._process.stdout.readline())
        return codes


def main() -> None:
    """Fork a child for each command asked for, line by line, and answer with their exit codes."""
    _warm_up(sys.argv[1:])
    for line in sys.stdin:
        started = [(_begun(c["argv"], fault := Fault(**c["fault"])), fault) for c in json.loads(line)]
        codes = {child: _ended(child) for child, fault in started if fault.signal_name != "SIGSTOP"}
        for child, _ in started:
            if child not in codes:
                os.kill(child, signal.SIGKILL)
                codes[child] = _ended(child)
        print(json.dumps([codes[child] for child, _ in started]), flush=True)


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _begun(argv: list[str], fault: Fault) -> int:
    """Fork a child; one that is to be stopped at some step has stopped there when this returns."""
    child = _forked(argv, fault)
    if fault.signal_name == "SIGSTOP":
        status = os.waitpid(child, os.WUNTRACED)[1]
        assert os.WIFSTOPPED(status), status
    if fault.after_s is not None:
        time.sleep(fault.after_s)
        os.kill(child, getattr(signal, fault.signal_name))
    return child


def _warm_up(first: list[str]) -> None:
    """Do a command in this process, whose pages its children share from then on."""
    from wsi_area.compute.cut import planning

    planning.BATCH_LEVEL_PX_MIN = SMALL_BATCH_PX
    answers = os.dup(1)
    os.dup2(2, 1)  # what commands print goes to the log
    code = _command(first)
    if code != 0:
        sys.exit(f"the first command ended with {code}")
    os.dup2(answers, 1)
    gc.freeze()


def _command(argv: list[str]) -> int:
    from wsi_area.cli.main import main as command

    sys.argv = ["wsi-area", *argv]
    try:
        command()
    except SystemExit as end:
        return int(end.code or 0)
    return 99


def _forked(argv: list[str], fault: Fault) -> int:
    child = os.fork()
    if child:
        return child
    os.dup2(2, 1)
    if fault.file_limit_bytes is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)  # the log would be too large as well
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.file_limit_bytes,) * 2)
    arm(fault)
    code = 98
    try:
        code = _command(argv)
    finally:
        os._exit(code)


def struck_program(fault: Fault, first: str = "") -> str:
    """Return what `python -c` is given to be the command, with something that befalls it."""
    return (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from crash_children import Fault, arm; "
        f"{first}arm({fault!r}); from wsi_area.cli.main import main; main()"
    )


def arm(fault: Fault) -> None:
    """Have the n-th call of a function end in what was asked for; of no function, nothing is changed."""
    if not fault.at:
        return
    module, _, path = fault.at.partition(":")
    owner: Any = importlib.import_module(module)
    *parts, name = path.split(".")
    for part in parts:
        owner = getattr(owner, part)
    function: Callable[..., Any] = getattr(owner, name)
    lock, calls = threading.Lock(), 0
    strike = _striker(getattr(signal, fault.signal_name))

    def faulty(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        with lock:
            calls += 1
            mine = calls
        if fault.error and fault.nth <= mine < fault.nth + fault.errors:
            import errno

            raise OSError(getattr(errno, fault.error), os.strerror(getattr(errno, fault.error)))
        if mine == fault.nth and not fault.error and fault.when == "before":
            strike()
        result = function(*args, **kwargs)
        if mine == fault.nth and not fault.error and fault.when == "after":
            strike()
        return result

    setattr(owner, name, faulty)


def _striker(number: int) -> Callable[[], None]:
    """Return what sends this process a signal, and returns when the process has answered it.

    Python answers a signal in its main thread, when that thread is next given a turn. A small slide is measured to its
    end by another thread meanwhile, and nothing is left to be stopped.
    """
    answered, install = threading.Event(), signal.signal

    def installed(of: int, handler: Any) -> Any:
        if of != number or not callable(handler):
            return install(of, handler)

        def answer(*args: Any) -> None:
            try:
                handler(*args)
            finally:
                answered.set()

        return install(of, answer)

    def strike() -> None:
        os.kill(os.getpid(), number)
        if number not in UNANSWERED:
            answered.wait(60)

    signal.signal = installed  # type: ignore[assignment]
    return strike


if __name__ == "__main__":
    main()
