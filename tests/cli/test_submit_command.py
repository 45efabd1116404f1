"""A job array is submitted as it was asked for, to the letter; its scripts are run here by a stand-in for SLURM."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import wsi_area
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import disc, write_slide

from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Size
from wsi_area.run.executors.sbatch import ArrayJob, array_script, merge_script, submission_script
from wsi_area.settings.cluster_settings import ClusterSettings

SIZE = Size(600, 500)
ODD = "a b'c\"d $HOME `id` %j #é;&*"

SBATCH = """#!/bin/bash
# takes a script as sbatch does: from standard input, its options before it
n=$(( $(ls "$FAKE_SPOOL" | wc -l) / 2 + 1 ))
cat > "$FAKE_SPOOL/$n.sh"
printf '%s\\0' "$@" > "$FAKE_SPOOL/$n.options"
echo "${n}00;fake"
"""


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-in for sbatch, first on the PATH, keeps what it was given."""
    folder, programs = tmp_path / "spool", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (programs / "sbatch").write_text(SBATCH)
    (programs / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SPOOL", str(folder))
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose name a shell would take apart, with three slides."""
    folder = tmp_path / ODD
    (folder / "sl ides").mkdir(parents=True)
    for n in range(3):
        write_slide(folder / "sl ides" / f"s{n}.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 60 + 20 * n)})
    monkeypatch.chdir(folder)
    return folder


ASKED = ("sl ides/*.tif", "--out", f"out {ODD}", "--set", "cluster.jobs=2", "--set", "cluster.cores=1",
         "--set", "segmenter.threshold=60", "--mpp", "0.5", "--mpp-reason", f"it's {ODD}")  # fmt: skip


def options(spool: Path, n: int) -> list[str]:
    return (spool / f"{n}.options").read_text().split("\0")[:-1]


def run_script(path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a script as a node does."""
    return subprocess.run(
        ["bash", str(path)], env={**os.environ, **environment}, capture_output=True, text=True, check=False, cwd="/"
    )


def test_both_jobs_are_sent_the_second_after_the_first_and_running_them_makes_the_run(place: Path, spool: Path) -> None:
    sent = wsi_area("submit", *ASKED, "--json", "--no-report")
    assert sent.code == 0, sent.err
    assert {key: sent.document[key] for key in ("array_job", "merge_job", "shards")} == {
        "array_job": "100", "merge_job": "200", "shards": 2
    }  # fmt: skip
    assert options(spool, 1)[0] == "--parsable"
    assert options(spool, 2)[:2] == ["--parsable", "--dependency=afterany:100"]
    assert "#SBATCH --array=1-2\n" in (spool / "1.sh").read_text()
    for task in ("1", "2"):
        ran = run_script(spool / "1.sh", SLURM_ARRAY_TASK_ID=task)
        assert ran.returncode == 0, ran.stderr
    merged = run_script(spool / "2.sh")
    assert merged.returncode == 0, merged.stderr
    out = place / f"out {ODD}"
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["slide_id"] for row in rows] == ["s0", "s1", "s2"]
    assert {row["status"] for row in rows} == {"complete"}
    assert {row["mpp_note"] for row in rows} == {f"it's {ODD}"}
    assert not (out / "report.html").exists()  # as asked
    assert not list(out.glob("slides/*/classes.png"))  # nor did a task pay for its pictures


def test_a_dry_run_prints_what_a_shell_can_run_to_the_same_end_and_writes_nothing(place: Path, spool: Path) -> None:
    dry = wsi_area("submit", *ASKED, "--dry-run")
    assert dry.code == 0, dry.err
    assert not list(spool.iterdir())
    assert not (place / f"out {ODD}").exists()
    shell = subprocess.run(["bash"], input=dry.out, capture_output=True, text=True, check=False, cwd="/")
    assert (shell.returncode, shell.stderr, shell.stdout) == (0, "", "200;fake\n")
    by_shell = [(spool / f"{n}.sh").read_text() for n in (1, 2)]
    assert options(spool, 2) == ["--parsable", "--dependency=afterany:100"]
    for path in spool.iterdir():
        path.unlink()
    assert wsi_area("submit", *ASKED).code == 0
    assert [(spool / f"{n}.sh").read_text() for n in (1, 2)] == by_shell


def test_what_a_job_gets_stands_under_slurms_names(configs: Path, place: Path) -> None:
    asked = ("--set", "cluster.queue=long", "--set", "cluster.scratch=/tmp/my scratch", "--set", "cluster.account=lab")
    dry = wsi_area("submit", "sl ides", "--config", configs / "slurm.toml", "--out", "out", *asked, "--dry-run")
    assert dry.code == 0, dry.err
    for line in (
        "#SBATCH --cpus-per-task=4", "#SBATCH --mem=16G", "#SBATCH --time=12:00:00", "#SBATCH --partition=long",
        "#SBATCH --account=lab", "#SBATCH --array=1-3", "#SBATCH --signal=B:USR1@120",
        "export TMPDIR='/tmp/my scratch'",
    ):  # fmt: skip
        assert f"\n{line}\n" in dry.out
    assert "--workers=4" in dry.out
    assert "--set=run.memory_limit_mb=2867" in dry.out  # 70 % of a quarter of 16 GiB


def test_plain_paths_have_slurms_own_output_beside_the_logs(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 60)})
    monkeypatch.chdir(tmp_path)
    assert wsi_area("submit", "s.tif", "--out", "out").code == 0
    assert options(spool, 1)[1] == f"--output={tmp_path}/out/logs/slurm-%A_%a.out"
    assert (tmp_path / "out/logs").is_dir()  # SLURM makes no folder


def test_without_sbatch_it_is_told_where_to_submit(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(place))
    ended = wsi_area("submit", *ASKED)
    assert ended.code == 1
    assert "no sbatch on this machine" in ended.err
    assert "--dry-run" in ended.err


@pytest.mark.parametrize(("script", "told"), [("echo no such partition >&2; exit 1", "no such partition"),
                                              ("echo what", "what"), ("true", "nothing was said")])  # fmt: skip
def test_what_sbatch_refuses_is_told_in_its_words(place: Path, spool: Path, script: str, told: str) -> None:
    sbatch = Path(shutil.which("sbatch") or "")
    assert sbatch.parent.parent == spool.parent
    sbatch.write_text(f"#!/bin/bash\ncat >/dev/null\n{script}\n")
    ended = wsi_area("submit", *ASKED)
    assert ended.code == 1
    assert f"sbatch did not take the job (exit code {1 if 'exit' in script else 0}): {told}" in ended.err


@pytest.mark.parametrize("arguments", [("-",), ("missing.svs",), ("sl ides", "--set", "cluster.memory=lots"),
                                       ("sl ides", "--set", "cluster.walltime=12h"),
                                       ("sl ides", "--set", "cluster.queue=a\nb")])  # fmt: skip
def test_what_cannot_work_on_a_node_is_refused_before_anything_is_sent(
    place: Path, spool: Path, arguments: tuple[str, ...]
) -> None:
    assert wsi_area("submit", *arguments, "--out", "out").code == 1
    assert not list(spool.iterdir())
    assert not Path("out").exists()


def test_in_an_array_run_takes_its_own_part_and_says_so(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ID": 4, "COUNT": 2, "MIN": 3, "MAX": 4, "STEP": 1}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", str(value))
    ended = wsi_area("run", "sl ides", "--out", "out", "--set", "segmenter.threshold=60", "--json")
    assert ended.code == 0, ended.err
    assert ended.document["shard"] == "2/2"
    assert Path("out/shards/2-of-2.json").exists()
    assert not Path("out/run.json").exists()
    whole = wsi_area("run", "sl ides", "--out", "whole", "--shard", "all", "--set", "segmenter.threshold=60")
    assert whole.code == 0
    assert Path("whole/run.json").exists()


def test_merge_says_2_and_names_the_missing_shard_and_0_when_all_are_there(place: Path) -> None:
    asked = ("sl ides", "--out", "out", "--set", "segmenter.threshold=60")
    one = wsi_area("run", *asked, "--shard", "1/2")
    assert one.code == 0, one.err
    assert "wsi-area merge out" in one.out
    missing = wsi_area("merge", "out")
    assert missing.code == 2
    assert "--shard 2/2" in missing.err
    assert wsi_area("run", *asked, "--shard", "2/2").code == 0
    merged = wsi_area("merge", "out", "--json")
    assert merged.code == 0
    assert [record["slide_id"] for record in merged.document["slides"]] == ["s0", "s1", "s2"]
    assert Path("out/report.html").exists()
    assert wsi_area("merge", "nowhere").code == 1


PRINT = ("printf", "%s\\0")  # a program that says what it was given
words = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=("Cs",)), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(st.lists(words, min_size=1, max_size=4), words)
def test_words_reach_the_program_as_they_were_whatever_they_hold(
    tmp_path_factory: pytest.TempPathFactory, arguments: list[str], out: str
) -> None:
    folder = tmp_path_factory.mktemp("words")
    job = ArrayJob(ClusterSettings(scratch=str(folder / "tmp")), PRINT, ("--", *arguments), Path(out), folder, 7)
    path = folder / "job.sh"
    path.write_text(array_script(job), newline="")
    printed = run_script(path, SLURM_ARRAY_TASK_ID="3").stdout.split("\0")[:-1]
    assert printed == ["run", f"--out={Path(out)}", "--shard=3/7", "--", *arguments]
    path.write_text(merge_script(job), newline="")
    assert run_script(path).stdout.split("\0")[:-1] == ["merge", "--workers=1", "--report", "--", str(Path(out))]


def test_a_script_that_no_queue_takes_is_refused_and_told_why() -> None:
    many = ArrayJob(
        ClusterSettings(), ("wsi-area",), tuple(f"/{n:0200d}" for n in range(6000)), Path("o"), Path("/"), 2
    )
    with pytest.raises(SettingsError, match=r"@list\.txt"):
        array_script(many)


def test_a_slide_named_like_the_end_of_the_script_does_not_end_it() -> None:
    job = ArrayJob(ClusterSettings(), ("echo",), ("--", "END_OF_JOB\nEND_OF_JOB_"), Path("o"), Path("/"), 2)
    script = submission_script(job)
    assert script.count("<<'END_OF_JOB__'") == 1


def test_one_slide_for_many_jobs_is_submitted_whole_or_divided_and_the_script_says_which(
    place: Path, spool: Path
) -> None:
    asked = ("sl ides/s0.tif", "--out", "out", "--jobs", "4", "--set", "cluster.cores=2")
    small = wsi_area("submit", *asked, "--dry-run").out
    assert "#SBATCH --array=1-1\n" in small
    assert "divided" not in small
    giant = wsi_area("submit", *asked, "--set", "run.piece_mib=0", "--dry-run").out
    assert "#SBATCH --array=1-4\n" in giant
    assert "# Slides divided among the shards: 1" in giant
    assert " merge --workers=2 --report -- out" in giant  # which puts the slide together, on as many cores as a task
    assert giant.count("#SBATCH --cpus-per-task=2\n") == 2
    told = wsi_area("submit", *asked, "--set", "run.piece_mib=0")
    assert "(4 shards, 1 slides, 1 of them divided)" in told.out


def test_fail_fast_goes_with_the_tasks(place: Path) -> None:
    asked = ("sl ides/*.tif", "--out", "out", "--dry-run")
    assert "--fail-fast" in wsi_area("submit", *asked, "--fail-fast").out
    assert "--fail-fast" not in wsi_area("submit", *asked).out


def test_a_task_of_a_divided_slide_says_what_it_measured_and_the_merge_what_is_missing(place: Path) -> None:
    asked = ("sl ides/s0.tif", "--out", "out", "--set", "run.piece_mib=0", "--set", "segmenter.threshold=60")
    one = wsi_area("run", *asked, "--shard", "1/2")
    assert one.code == 0, one.err
    assert "s0: a part of it, " in one.out
    assert "this was shard 1/2: 0 of 1 slides and parts of 1 more; after the last: wsi-area merge out" in one.out
    two = wsi_area("run", *asked, "--shard", "2/2", "--json")
    assert [part["status"] for part in two.document["parts"]] == ["measured"]
    for chunk in Path("out/slides/s0/ledger.zarr/counts/c").rglob("0/0/0"):
        chunk.unlink()
    missing = wsi_area("merge", "out")
    assert missing.code == 2
    assert "batches are missing; run the same command with --shard" in missing.out
    for shard in ("1/2", "2/2"):
        assert wsi_area("run", *asked, "--shard", shard).code == 0
    merged = wsi_area("merge", "out", "--workers", "1", "--json")
    assert merged.code == 0
    assert [record["status"] for record in merged.document["slides"]] == ["complete"]
