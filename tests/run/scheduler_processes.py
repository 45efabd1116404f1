"""A dask scheduler and workers as somebody else would start them: own processes, on loopback, with or without TLS."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from dies_with_parent import dies_with_parent

LOOPBACK = ("--host", "127.0.0.1")


@dataclass(frozen=True)
class Certificates:
    """What one authority signed."""

    ca: Path
    cert: Path
    key: Path

    @property
    def of_dask(self) -> list[str]:
        """As dask's commands take them."""
        return [f"--tls-ca-file={self.ca}", f"--tls-cert={self.cert}", f"--tls-key={self.key}"]

    @property
    def settings(self) -> list[str]:
        """As our settings take them."""
        return [f"tls.ca={self.ca}", f"tls.cert={self.cert}", f"tls.key={self.key}"]


def made_certificates(folder: Path) -> Certificates:
    """An authority of its own, and one certificate that it signed; by openssl."""
    folder.mkdir()
    made = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for words in (
        ("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=a test's authority"),
        ("req", *new_key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=a node"),
        ("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
         "-out", "cert.pem"),
    ):  # fmt: skip
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    return made


@dataclass(frozen=True)
class Running:
    """Where the scheduler is, and the processes: the scheduler first, then each worker's."""

    address: str
    processes: list["subprocess.Popen[bytes]"]

    def kill_worker(self, number: int) -> None:
        """End a worker with its nanny, as a node that loses its power does."""
        nanny = psutil.Process(self.processes[1 + number].pid)
        for process in [nanny, *nanny.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.processes[1 + number].wait(30)


@contextmanager
def started_scheduler(folder: Path, workers: int = 2, certificates: Certificates | None = None) -> Iterator[Running]:
    """A scheduler with workers on free ports; ended by their own process ids."""
    log = folder / "scheduler.log"
    tls = [] if certificates is None else certificates.of_dask
    protocol = "tcp" if certificates is None else "tls"
    with contextlib.ExitStack() as ending, log.open("w") as out:
        words = [sys.executable, "-m", "distributed.cli.dask_scheduler", *LOOPBACK, f"--protocol={protocol}", *tls]
        scheduler = subprocess.Popen(
            [*words, "--port=0", "--no-dashboard"], stdout=out, stderr=out, cwd=folder, preexec_fn=dies_with_parent
        )
        ending.callback(_ended, scheduler)
        running = Running(_address(log, scheduler, protocol), [scheduler])
        for _ in range(workers):
            words = [sys.executable, "-m", "distributed.cli.dask_worker", running.address, *LOOPBACK, "--nthreads=1"]
            words += [f"--protocol={protocol}", "--no-dashboard", *tls]
            worker = subprocess.Popen(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, preexec_fn=dies_with_parent
            )
            ending.callback(_ended, worker)
            running.processes.append(worker)
        yield running


def _ended(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(30)


def _address(log: Path, process: "subprocess.Popen[bytes]", protocol: str) -> str:
    for _ in range(600):
        found = re.search(rf"Scheduler at:\s+({protocol}://127\.0\.0\.1:\d+)", log.read_text())
        if found:
            return found[1]
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"the scheduler did not start: {log.read_text()}")
