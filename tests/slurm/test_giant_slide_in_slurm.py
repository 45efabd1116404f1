"""A real SLURM of one node: the tasks of an array share one giant slide, and one of them is cancelled on its way."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from one_node import missing_programs
from slurm_site import LINE, call, in_queue, same_class_maps_and_ledgers, same_tables, wait_for
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

CLUSTER = ("--set=cluster.cores=1", "--set=cluster.memory=512M", "--set=cluster.walltime=0:10:00")
SIZE = Size(9000, 7000)
GIANT = (*LINE, "--set=run.piece_mib=0", "--no-report")

pytestmark = [
    pytest.mark.skipif(bool(missing_programs()), reason=f"no SLURM here: {', '.join(missing_programs())} not found"),
    pytest.mark.skipif(os.geteuid() != 0, reason="SLURM's daemons are started as root"),
]


@pytest.fixture(scope="module")
def giant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place of work with one slide, of 15 batches."""
    folder = tmp_path_factory.mktemp("giant")
    write_slide(folder / "giant.tif", SIZE, {"tissue": disc(SIZE, 4000, 3500, 2500)})
    return folder


@pytest.fixture(scope="module")
def alone(giant: Path, slurm: dict[str, str]) -> Path:
    assert call(giant, slurm, "run", "giant.tif", "--out=alone", *GIANT).returncode == 0
    return giant / "alone"


def test_three_tasks_share_one_slide_and_come_to_the_bytes_of_one_process(
    giant: Path, slurm: dict[str, str], alone: Path
) -> None:
    sent = call(giant, slurm, "submit", "giant.tif", "--out=array", "--jobs=3", *GIANT, *CLUSTER, "--json")
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["shards"] == 3
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    out = giant / "array"
    assert (out / "run.json").exists(), [p.read_text() for p in (out / "logs").glob("slurm-*")]
    same_tables(out, alone)
    same_class_maps_and_ledgers(out, alone)
    tasks = json.loads((out / "run.json").read_text())["shards"]["tasks"]
    assert {task["exit_code"] for task in tasks.values()} == {0}
    parts = [json.loads((out / f"shards/{n}-of-3.json").read_text())["pieces"]["giant"] for n in (1, 2, 3)]
    assert sum(part["own_batches"] for part in parts) == parts[0]["batches_in_all"]
    assert all(part["own_batches"] for part in parts)


def test_a_cancelled_task_is_named_by_the_merge_and_finished_by_running_it_alone(
    giant: Path, slurm: dict[str, str], alone: Path
) -> None:
    out = giant / "cut"
    asked = ("giant.tif", "--out=cut", *GIANT)
    sent = call(giant, slurm, "submit", *asked, "--jobs=3", *CLUSTER, "--json")
    job = json.loads(sent.stdout)["array_job"]
    wait_for("its task 2 is at work", lambda: (out / "shards/2-of-3.json").exists(), slurm)
    subprocess.run(["scancel", "--full", "--signal=KILL", f"{job}_2"], env=slurm, check=True, capture_output=True)
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    about = json.loads((out / "run.json").read_text())
    assert about["state"] == "interrupted"
    assert about["slides"]["giant"]["status"] == "failed"
    assert "batches are missing" in about["slides"]["giant"]["reason"]
    assert "--shard 2/3" in about["slides"]["giant"]["reason"]
    assert not (out / "slides/giant/result.json").exists()
    assert call(giant, slurm, "run", *asked, "--shard=2/3").returncode == 0
    assert call(giant, slurm, "merge", "cut", "--no-report").returncode == 0
    same_tables(out, alone)
    same_class_maps_and_ledgers(out, alone)
    assert call(giant, slurm, "verify", "cut").returncode == 0
