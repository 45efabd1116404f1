"""A real SLURM of one node: `run.executor=slurm` gives the bytes of one process, also when a job is cancelled."""

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import psutil
import pytest
from one_node import missing_programs
from slurm_site import ENDED_S, LINE, call, command, in_queue, same_class_maps_and_ledgers, same_tables, wait_for

from wsi_area.results.opened_run import open_run

pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed: pip install 'wsi-area[slurm]'")
pytest.importorskip("cryptography", reason="cryptography is not installed: pip install 'wsi-area[slurm]'")

pytestmark = [
    pytest.mark.skipif(bool(missing_programs()), reason=f"no SLURM here: {', '.join(missing_programs())} not found"),
    pytest.mark.skipif(os.geteuid() != 0, reason="SLURM's daemons are started as root"),
]
CLUSTER = (
    "--set=run.executor=slurm", "--set=cluster.cores=1", "--set=cluster.memory=1500M", "--set=cluster.jobs=2",
    "--set=cluster.min_jobs=2", "--set=cluster.walltime=0:10:00", "--set=cluster.interface=lo",
)  # fmt: skip


def lines(out: Path) -> list[dict[str, object]]:
    """What all workers said."""
    return [json.loads(line) for path in out.glob("logs/worker-*.jsonl") for line in path.read_text().splitlines()]


def jobs_at_work(out: Path) -> set[str]:
    """The jobs of which a worker has begun a task."""
    started = [line for line in lines(out) if line["event"] == "worker started"]
    return {line["slurm"]["SLURM_JOB_ID"] for line in started}  # type: ignore[index]


def test_a_cancelled_worker_job_costs_nothing_but_time_and_no_job_is_left(
    place: Path, slurm: dict[str, str], undisturbed: Path
) -> None:
    out = place / "jobs"
    run = subprocess.Popen(
        command("run", "slides", "--out=jobs", "--no-report", *LINE, *CLUSTER),
        cwd=place, env=slurm, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for("a batch is committed", lambda: list(out.glob("slides/*/ledger.zarr/counts/c/*/*/0")), slurm)
    listening = [c for c in psutil.Process(run.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert {socket.laddr.ip for socket in listening} == {"127.0.0.1"}  # of the interface that was asked for
    cancelled = sorted(jobs_at_work(out))[0]
    subprocess.run(["scancel", cancelled], env=slurm, check=True, capture_output=True)
    assert run.poll() is None, "it was over before"
    said, _ = run.communicate(timeout=ENDED_S)
    assert run.returncode == 0, said
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    same_tables(out, undisturbed)
    same_class_maps_and_ledgers(out, undisturbed)
    assert len(jobs_at_work(out)) > 1
    assert "tls://127.0.0.1" in (place / f"slurm-{cancelled}.out").read_text()
    assert {line["slide"] for line in lines(out) if line["event"] == "task done"} == {"s0", "s1", "s2", "s3"}
    assert not list(out.glob(".tls-*")), "certificates are left behind"


def test_jobs_that_cannot_work_end_the_run_with_what_to_read(place: Path, slurm: dict[str, str]) -> None:
    # no folder can be made there, so that each worker ends at once
    broken = (*CLUSTER, "--set=cluster.scratch=/proc/no/such")
    ended = call(place, slurm, "run", "slides/s0.tif", "--out=broken", "--no-report", *LINE, *broken)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "ended before they had done anything" in (place / "broken/failed.csv").read_text()
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)


def test_ctrl_c_leaves_no_job_behind(place: Path, slurm: dict[str, str], undisturbed: Path) -> None:
    arguments = command("run", "slides", "--out=stopped", "--no-report", *LINE, *CLUSTER)
    run = subprocess.Popen(arguments, cwd=place, env=slurm, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    out = place / "stopped"
    wait_for("a batch is committed", lambda: list(out.glob("slides/*/ledger.zarr/counts/c/*/*/0")), slurm)
    run.send_signal(signal.SIGINT)
    assert run.wait(ENDED_S) == 130
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    assert call(place, slurm, "run", "slides", "--out=stopped", "--no-report", *LINE).returncode == 0
    same_tables(out, undisturbed)


def test_more_jobs_are_asked_for_while_tasks_wait(place: Path, slurm: dict[str, str], undisturbed: Path) -> None:
    fewer = [option for option in CLUSTER if "min_jobs" not in option]
    run = subprocess.Popen(
        command(
            "run", "slides", "--out=adaptive", "--no-report", *LINE, "--set=tiling.tile_px=16", *fewer,
            "--set=cluster.min_jobs=1",
        ),
        cwd=place, env=slurm, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    most = 0

    def at_once() -> int:
        nonlocal most
        most = max(most, len(in_queue(slurm).splitlines()))  # waiting ones too: it is what was asked for
        return most

    wait_for("there are two jobs", lambda: at_once() == 2 or run.poll() is not None, slurm)
    said, _ = run.communicate(timeout=ENDED_S)
    assert run.returncode == 0, said
    assert most == 2
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    ours, theirs = open_run(place / "adaptive"), open_run(undisturbed)
    for name in theirs:
        assert np.array_equal(ours[name].class_map(), theirs[name].class_map()), name
