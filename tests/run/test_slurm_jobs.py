"""What is asked of SLURM for dask, and what becomes of jobs that end; without a SLURM (tests/slurm has a real one)."""

import itertools
import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command_line import wsi_area
from synthetic import disc, write_slide

from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Size
from wsi_area.run.executors import slurm, slurm_keeper
from wsi_area.run.executors.choice import make_executor
from wsi_area.run.executors.sbatch import ArrayJob, array_script
from wsi_area.run.executors.slurm_keeper import MAX_FAILED_IN_A_ROW, Keeper
from wsi_area.settings.cluster_settings import ClusterSettings
from wsi_area.settings.run_settings import RunSection, load

ASKED = ClusterSettings(
    cores=3, memory="6G", jobs=5, walltime="1-02:00:00", queue="long", account="lab", scratch="/local/my scratch"
)


def script(asked: ClusterSettings, logs: Path) -> str:
    jobs = pytest.importorskip("dask_jobqueue.slurm", reason="pip install 'wsi-area[slurm]'")
    return str(jobs.SLURMJob("tls://node:1", "wsi-area-0", **slurm.job_options(asked, logs)).job_script())


def directives(text: str) -> dict[str, str]:
    """Short and long options alike, by SLURM's long names."""
    long = {"-J": "job-name", "-p": "partition", "-A": "account", "-n": "ntasks", "-t": "time"}
    found = {}
    for line in re.findall(r"^#SBATCH (.+)$", text, re.MULTILINE):
        name, _, value = line.replace("=", " ", 1).partition(" ")
        found[long.get(name, name.removeprefix("--"))] = value
    return found


def test_both_ways_over_slurm_ask_for_the_same_by_the_same_names(tmp_path: Path) -> None:
    workers = directives(script(ASKED, tmp_path))
    array = directives(array_script(ArrayJob(ASKED, ("wsi-area",), (), Path("out"), tmp_path, 5)))
    for name in ("cpus-per-task", "mem", "time", "partition", "account", "ntasks"):
        assert workers[name] == array[name], name
    assert (workers["mem"], workers["time"], workers["cpus-per-task"]) == ("6G", "1-02:00:00", "3")
    assert workers["output"] == f"{tmp_path}/slurm-worker-%j.out"


def test_a_job_has_one_process_for_each_core_and_shares_its_memory_among_them(tmp_path: Path) -> None:
    text = script(ASKED, tmp_path)
    command = next(line for line in text.splitlines() if "dask_worker" in line)
    words = shlex.split(command)
    asked = dict(itertools.pairwise(words))
    assert (asked["--nworkers"], asked["--nthreads"], asked["--memory-limit"]) == ("3", "1", "2.00GiB")
    assert asked["--local-directory"] == "/local/my scratch"  # one word, as the shell will have it
    assert "mkdir -p -- '/local/my scratch'" in text
    assert "--no-dashboard" in words
    lifetime_s = int(asked["--lifetime"].removesuffix("s"))
    assert 26 * 3600 - 300 <= lifetime_s <= 26 * 3600 - 120  # tasks are given back before the walltime's end


def test_a_short_job_has_no_lifetime_to_give_its_tasks_back_in(tmp_path: Path) -> None:
    assert "--lifetime" not in script(ClusterSettings(walltime="0:05:00"), tmp_path)


def test_an_output_path_that_slurm_would_misread_is_not_given(tmp_path: Path) -> None:
    assert "output" not in directives(script(ASKED, tmp_path / "out %j"))


def test_without_slurm_here_the_run_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask_jobqueue", reason="pip install 'wsi-area[slurm]'")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="there is no sbatch on this machine"):
        make_executor(RunSection(executor="slurm"), out=tmp_path)
    assert not list(tmp_path.glob(".tls-*"))


def test_without_a_folder_that_nodes_see_it_is_refused() -> None:
    with pytest.raises(SettingsError, match="needs a folder that the nodes see"):
        make_executor(RunSection(executor="slurm"))


def test_two_ways_over_one_cluster_at_once_are_refused(tmp_path: Path) -> None:
    size = Size(96, 80)
    write_slide(tmp_path / "s.tif", size, {"tissue": disc(size, 48, 40, 20)})
    both = ("--set", "run.executor=slurm", "--out", tmp_path / "out")
    for command in (("submit", "--dry-run"), ("run", "--shard", "1/2")):
        ended = wsi_area(*command, tmp_path / "s.tif", *both)
        assert ended.code == 1
        assert "two ways over the same cluster" in ended.err
    assert not (tmp_path / "out/run.json").exists()


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["cluster.min_jobs=9"], "more than cluster.jobs"),
        (["cluster.interface=eth0; rm"], "cluster.interface"),
        (["run.executor=slurm", "run.stage_dir=/scratch"], "cannot see"),
    ],
)
def test_settings_that_cannot_be_are_refused(assignments: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(None, assignments)


# --- jobs that end


class Cluster:
    """The books of dask-jobqueue: jobs by name, workers that reported; what was forgotten was asked for again."""

    def __init__(self, **job_ids: str) -> None:
        self.workers: dict[str, Any] = {name: SimpleNamespace(job_id=job_id) for name, job_id in job_ids.items()}
        self.scheduler = SimpleNamespace(workers={})
        self.forgotten: list[str] = []

    def report(self, *names: str) -> None:
        self.scheduler.workers = {name: SimpleNamespace(name=name) for name in names}

    def sync(self, function: Any, cluster: "Cluster", name: str) -> None:
        self.forgotten.append(name)
        del self.workers[name]


def test_a_job_that_ended_is_replaced_whether_or_not_its_workers_had_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(a="1", b="2", c="3")
    keeper = Keeper(cluster)
    cluster.report("a-0", "a-1", "b-0")
    monkeypatch.setattr(slurm_keeper, "queued_jobs", lambda: {"1", "2", "3", "99"})
    keeper.look()
    assert cluster.forgotten == []
    cluster.report("b-0")
    monkeypatch.setattr(slurm_keeper, "queued_jobs", lambda: {"2"})
    keeper.look()
    assert sorted(cluster.forgotten) == ["a", "c"]
    assert keeper.may_still_start


def test_jobs_that_all_end_before_they_work_are_not_asked_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    keeper = Keeper(cluster)
    monkeypatch.setattr(slurm_keeper, "queued_jobs", set)
    for number in range(MAX_FAILED_IN_A_ROW):
        assert keeper.may_still_start
        cluster.workers["a"] = SimpleNamespace(job_id=str(number))
        keeper.look()
    assert not keeper.may_still_start
    assert len(cluster.forgotten) == MAX_FAILED_IN_A_ROW - 1


def test_one_job_that_works_is_hope_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(a="1", b="2", c="3", d="4", works="5")
    keeper = Keeper(cluster)
    cluster.report("works")
    monkeypatch.setattr(slurm_keeper, "queued_jobs", lambda: {"5"})
    keeper.look()
    assert keeper.may_still_start
    assert sorted(cluster.forgotten) == ["a", "b", "c", "d"]


def test_a_queue_that_cannot_be_asked_says_nothing_of_jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cluster = Cluster(a="1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm_keeper.queued_jobs() is None
    Keeper(cluster).look()
    assert cluster.forgotten == []
