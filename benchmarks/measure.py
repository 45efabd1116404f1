"""benchmarks: what a command cost, told by the operating system when it ended; standard library only.

The peak is of the largest single process. Linux lets a child start with its parent's peak, so this module and
whatever imports it must stay small: no numpy in the process that measures.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sse4_2": "SSE4.2"}
"""What a processor may compute with at once, the widest first, by its flag."""


@dataclass(frozen=True)
class Cost:
    """One finished command."""

    cpu_s: float  # user + system, of the command and of every child it waited for
    wall_s: float
    peak_mb: float  # MiB, resident, of its largest process
    exit_code: int
    stdout: str
    last_error: str  # the last line on stderr, without paths; "" if all went well


def run_measured(command: Sequence[str | Path], timeout_s: float = 3600, **env: str) -> Cost:
    """Return the cost of a command; its output goes to files, so that no pipe slows it."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.perf_counter()
        process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=err, env=_environment(env), cwd=ROOT)
        timer = threading.Timer(timeout_s, process.send_signal, [signal.SIGKILL])
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait again
        out.seek(0)
        err.seek(0)
        last = "" if process.returncode == 0 else last_line(err.read()) or f"ended with {process.returncode}"
        return Cost(
            usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss / 1024, process.returncode, out.read(), last
        )


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DASK_"))}
    return {**inherited, **extra}


def ship_kernels() -> None:
    """Make again what an installation carries of compiled kernels, where sources changed since: a bench is of that."""
    made = run_measured([sys.executable, "-m", "wsi_area.compute.shipping", ROOT / "wsi_area" / "shipped_code"])
    if made.exit_code:
        raise SystemExit(f"the kernels that an installation carries could not be made: {made.last_error}")


def code_version() -> str:
    """Return the hash of the package as it is committed; "" where there is no repository."""
    told = subprocess.run(["git", "rev-parse", "HEAD:wsi_area"], cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() if told.returncode == 0 else ""


def warm(file: Path) -> None:
    """Bring a file into the page cache, piece by piece: held whole, it would be in every peak measured after it."""
    with file.open("rb") as content, open(os.devnull, "wb") as nowhere:
        shutil.copyfileobj(content, nowhere, 1 << 20)


def last_line(text: str) -> str:
    """Return the last line that says something, with folders cut from its paths."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"(?:/[\w.+-]+)+/", "…/", lines[-1])[:300] if lines else ""


def machine() -> dict[str, object]:
    """Return the facts that a reader must know of this machine; no name, no address, no path."""
    first = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    told = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", first, re.MULTILINE))
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    uname = os.uname()
    return {
        "cpu": told.get("model name", uname.machine).strip(),
        # a rented machine often hides the model's name: family and model tell the generation
        "kind": f"family {told['cpu family']} model {told['model']}" if "cpu family" in told else "",
        "cache": f"cache {told['cache size']}" if "cache size" in told else "",
        "vectors": next((name for flag, name in VECTORS.items() if flag in told.get("flags", "").split()), ""),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory.group(1)) / 2**20, 1) if memory else None,
        "system": f"{uname.sysname} {uname.machine}",
        "load_before": round(os.getloadavg()[0], 2),
    }
