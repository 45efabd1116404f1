"""A dask scheduler that somebody else started, reached by its address."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from measuring import class_maps_of, counts_of, measure
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

LOOPBACK = ("--host", "127.0.0.1")


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler with two workers, on loopback and free ports; ended by their own process ids."""
    log = tmp_path / "scheduler.log"
    started = []
    try:
        with log.open("w") as out:
            command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *LOOPBACK, "--port", "0"]
            started.append(subprocess.Popen([*command, "--no-dashboard"], stdout=out, stderr=out, cwd=tmp_path))
        address = _address(log, started[0])
        for _ in range(2):
            command = [sys.executable, "-m", "distributed.cli.dask_worker", address, *LOOPBACK, "--nthreads", "1"]
            started.append(
                subprocess.Popen(
                    [*command, "--no-dashboard"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path
                )
            )
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def _address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    for _ in range(300):
        found = re.search(r"Scheduler at:\s+(tcp://127\.0\.0\.1:\d+)", log.read_text())
        if found:
            return found[1]
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"the scheduler did not start: {log.read_text()}")


def test_a_scheduler_by_its_address_gives_the_integers_of_the_serial_run(scheduler: str, tmp_path: Path) -> None:
    size = Size(1500, 1100)
    slide = write_slide(tmp_path / "s.tif", size, {"tissue": disc(size, 700, 500, 300)}, noise_sd=2.0)
    cut = ("tiling.tile_px=100", "tiling.skip_glass=false")
    serial = measure(slide.path, tmp_path / "serial", *cut, "run.executor=serial")
    remote = measure(slide.path, tmp_path / "remote", *cut, f"run.scheduler={scheduler}")
    assert remote.exit_code == 0
    assert counts_of(remote) == counts_of(serial)
    assert (class_maps_of(tmp_path / "remote")["s"] == class_maps_of(tmp_path / "serial")["s"]).all()
