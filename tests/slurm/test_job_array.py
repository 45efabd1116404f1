"""A real SLURM of one node: `wsi-area submit` gives the tables of one process, also after a task was cancelled."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from one_node import missing_programs
from slurm_site import LINE, call, in_queue, same_class_maps_and_ledgers, same_tables, wait_for

CLUSTER = ("--set=cluster.cores=1", "--set=cluster.memory=512M", "--set=cluster.walltime=0:10:00")

pytestmark = [
    pytest.mark.skipif(bool(missing_programs()), reason=f"no SLURM here: {', '.join(missing_programs())} not found"),
    pytest.mark.skipif(os.geteuid() != 0, reason="SLURM's daemons are started as root"),
]


def test_an_array_and_its_merge_give_the_tables_of_one_process(
    place: Path, slurm: dict[str, str], undisturbed: Path
) -> None:
    sent = call(place, slurm, "submit", "slides", "--out=array", "--jobs=2", "--no-report", *LINE, *CLUSTER, "--json")
    assert sent.returncode == 0, sent.stderr
    wait_for("the queue empties", lambda: not in_queue(slurm), slurm)
    out = place / "array"
    assert (out / "run.json").exists(), [p.read_text() for p in (out / "logs").glob("slurm-*")]
    same_tables(out, undisturbed)
    same_class_maps_and_ledgers(out, undisturbed)
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
