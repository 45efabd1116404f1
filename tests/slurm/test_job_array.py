"""A real SLURM of one node: `wsi-area submit` gives the tables of one process, also after a task was cancelled."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from one_node import missing_programs, one_node
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

ENDED_S = 240.0
SIZE = Size(3000, 2400)
LINE = ("--set=segmenter.threshold=60", "--set=tiling.tile_px=128", "--set=tiling.skip_glass=false")
CLUSTER = ("--set=cluster.cores=1", "--set=cluster.memory=512M", "--set=cluster.walltime=0:10:00")
TABLES = ("summary.csv", "summary.parquet", "areas.parquet", "flags.csv", "failed.csv")

pytestmark = [
    pytest.mark.skipif(bool(missing_programs()), reason=f"no SLURM here: {', '.join(missing_programs())} not found"),
    pytest.mark.skipif(os.geteuid() != 0, reason="SLURM's daemons are started as root"),
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with one_node(tmp_path_factory.mktemp("slurm"), cpus=2, memory_mib=4096) as environment:
        yield environment


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place of work")
    (folder / "slides").mkdir()
    for n in range(4):
        write_slide(folder / "slides" / f"s{n}.tif", SIZE, {"tissue": disc(SIZE, 1500, 1200, 500 + 100 * n)})
    return folder


def call(place: Path, environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).parent / "wsi-area"  # of this very installation, as `submit` takes it too
    command = [str(program), *arguments]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def undisturbed(place: Path, slurm: dict[str, str]) -> Path:
    assert call(place, slurm, "run", "slides", "--out=alone", "--no-report", *LINE).returncode == 0
    return place / "alone"


def in_queue(environment: dict[str, str]) -> str:
    return subprocess.run(["squeue", "-h"], env=environment, capture_output=True, text=True, check=True).stdout


def wait_for(what: str, condition: object, environment: dict[str, str]) -> None:
    end = time.monotonic() + ENDED_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, f"{what}: {in_queue(environment)}"
        time.sleep(0.1)


def same_tables(out: Path, undisturbed: Path) -> None:
    for name in TABLES:
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_an_array_and_its_merge_give_the_tables_of_one_process(
    place: Path, slurm: dict[str, str], undisturbed: Path
) -> None:
    sent = call(place, slurm, "submit", "slides", "--out=array", "--jobs=2", "--no-report", *LINE, *CLUSTER, "--json")
    assert sent.returncode == 0, sent.stderr
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    out = place / "array"
    assert (out / "run.json").exists(), [p.read_text() for p in (out / "logs").glob("slurm-*")]
    same_tables(out, undisturbed)
    about = json.loads((out / "run.json").read_text())
    job = json.loads(sent.stdout)["array_job"]
    assert {task["slurm"]["SLURM_ARRAY_JOB_ID"] for task in about["shards"]["tasks"].values()} == {job}
    assert sorted(task["slurm"]["SLURM_ARRAY_TASK_ID"] for task in about["shards"]["tasks"].values()) == ["1", "2"]


def test_a_task_that_slurm_warned_or_cancelled_is_named_by_the_merge_and_finished_by_a_second_submit(
    place: Path, slurm: dict[str, str], undisturbed: Path
) -> None:
    asked = ("submit", "slides", "--out=cut", "--jobs=1", "--no-report", *LINE, *CLUSTER, "--json")
    out = place / "cut"
    job = json.loads(call(place, slurm, *asked).stdout)["array_job"]
    wait_for("it is at work", lambda: list(out.glob("slides/*/ledger.zarr/counts/c/*/*/0")), slurm)
    # as SLURM itself does it two minutes before the end of the walltime
    warn = ["scancel", "--batch", "--signal=USR1", f"{job}_1"]
    subprocess.run(warn, env=slurm, check=True, capture_output=True)
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    about = json.loads((out / "run.json").read_text())
    assert about["shards"]["tasks"]["1"]["exit_code"] == 130
    assert about["state"] == "interrupted"
    assert about["not_reached"] > 0
    job = json.loads(call(place, slurm, *asked).stdout)["array_job"]
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    same_tables(out, undisturbed)
    assert json.loads((out / "run.json").read_text())["state"] == "finished"
