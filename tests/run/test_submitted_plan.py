"""The plan of a job array is made where it is submitted: tasks go by it, and refuse what it was not made from."""

import logging
import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import Ended, wsi_area
from synthetic import disc, write_slide

from wsi_area.inputs import collect
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout
from wsi_area.run.array import array_plan
from wsi_area.run.array.best_tasks import BYTES_PER_CORE_S, SETTLE_S, best_tasks

SIZE = Size(600, 500)
SETTINGS = ("--set", "segmenter.threshold=60", "--set", "cluster.cores=1", "--mpp", "0.5", "--no-report")
SBATCH = '#!/bin/bash\ncat >> "$SENT"\necho 7\n'


@pytest.fixture(autouse=True)
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The scripts that a stand-in for sbatch was given, one after the other; slides lie in the folder ``slides``."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sbatch").write_text(SBATCH)
    (tmp_path / "bin/sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SENT", str(tmp_path / "sent"))
    (tmp_path / "slides").mkdir()
    for n in range(5):
        paint(tmp_path / f"slides/s{n}.tif", 60 + 30 * n)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "sent"


def paint(path: Path, radius_px: int) -> None:
    write_slide(path, SIZE, {"tissue": disc(SIZE, 300, 250, radius_px)})


def submit(out: str, jobs: int, *words: str, slides: Sequence[str] = ("slides",)) -> Ended:
    return wsi_area("submit", *slides, "--out", out, "--jobs", str(jobs), *SETTINGS, *words)


def arguments(sent: Path) -> list[str]:
    """What the array's script gives to ``wsi-area run`` after the shard."""
    line = next(line for line in sent.read_text().splitlines() if "--shard=" in line)
    return shlex.split(line.partition("--shard=")[2])[1:]


def task(sent: Path, out: str, shard: str, *instead: tuple[str, str]) -> Ended:
    words = arguments(sent)
    for then, now in instead:
        assert then in words
        words[words.index(then)] = now
    return wsi_area("run", "--out", out, "--shard", shard, *words)


def table(out: str | Path) -> bytes:
    return Path(out, "summary.csv").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """A folder of slides, and the table that one process makes of them."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for n in range(5):
        paint(folder / f"s{n}.tif", 60 + 30 * n)
    assert wsi_area("run", folder, "--out", folder / "out", *SETTINGS).code == 0
    return str(folder), table(folder / "out")


@pytest.mark.parametrize("jobs", [1, 3, 7])
def test_tasks_that_list_no_slide_come_to_the_tables_of_one_process(
    jobs: int, sent: Path, undisturbed: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, wanted = undisturbed
    done = submit("out", jobs, "--json", slides=(folder,))
    assert done.code == 0, done.err
    monkeypatch.setattr(collect, "found_slides", None)  # whoever listed the folder again would end in an error
    for index in range(1, done.document["shards"] + 1):
        assert task(sent, "out", f"{index}/{done.document['shards']}").code == 0
    assert wsi_area("merge", "out", "--no-report").code == 0
    assert table("out") == wanted
    assert wsi_area("verify", "out").code == 0


def test_a_task_looks_at_the_files_of_its_own_slides_alone(sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert submit("out", 3).code == 0
    looked: list[str] = []
    whole = array_plan.files_of
    monkeypatch.setattr(array_plan, "files_of", lambda path: looked.append(path.name) or whole(path))
    assert task(sent, "out", "2/3").code == 0
    own = {path.name for path in Path("out/slides").iterdir()}
    assert {name.removesuffix(".tif") for name in looked} == own
    assert 0 < len(own) < 5


def test_a_slide_that_comes_later_is_not_in_the_run_and_stops_nobody(sent: Path) -> None:
    assert submit("out", 2).code == 0
    paint(Path("slides/s9.tif"), 50)
    assert [task(sent, "out", f"{n}/2").code for n in (1, 2)] == [0, 0]
    assert wsi_area("merge", "out", "--no-report").code == 0
    assert b"s9" not in table("out")


def test_a_slide_that_is_gone_fails_alone(sent: Path) -> None:
    assert submit("out", 2).code == 0
    Path("slides/s1.tif").unlink()
    assert sorted(task(sent, "out", f"{n}/2").code for n in (1, 2)) == [0, 2]
    assert wsi_area("merge", "out", "--no-report").code == 2
    rows = table("out").decode().splitlines()[1:]
    assert sorted("complete" in row for row in rows) == [False, True, True, True, True]


def test_a_slide_of_other_bytes_is_measured_as_it_is_and_told(sent: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert submit("out", 1).code == 0
    with Path("slides/s3.tif").open("ab") as file:
        file.write(bytes(100))
    with caplog.at_level(logging.WARNING):
        assert task(sent, "out", "1/1").code == 0
    told = [record.getMessage() for record in caplog.records if "when it was submitted" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("s3: its file had")


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ("--set=segmenter.threshold=60", "--set=segmenter.threshold=70", "segmenter.threshold was 60, is 70"),
        ("--mpp=0.5", "--mpp=0.25", "mpp was '0.5', is '0.25'"),
        ("slides", "slides/s1.tif", "slides was 'slides', is 'slides/s1.tif'"),
        ("--no-report", "--force", "--force was not given"),
    ],
)
def test_a_task_that_is_told_something_else_is_refused_and_writes_nothing(
    then: str, now: str, told: str, sent: Path
) -> None:
    assert submit("out", 2).code == 0
    before = sorted(path.name for path in Path("out").rglob("*"))
    refused = task(sent, "out", "1/2", (then, now))
    assert refused.code == 1
    assert told in refused.err
    assert "submit again" in refused.err
    assert sorted(path.name for path in Path("out").rglob("*")) == before


def test_another_number_of_tasks_is_refused(sent: Path) -> None:
    assert submit("out", 2).code == 0
    refused = task(sent, "out", "1/3")
    assert (refused.code, "split into 2 shards" in refused.err) == (1, True)


@pytest.mark.parametrize("kind", ["list", "manifest"])
def test_a_list_that_changed_since_is_refused_by_name(kind: str, sent: Path) -> None:
    given = Path("given.csv" if kind == "manifest" else "given.txt").absolute()
    given.write_text(("path\n" if kind == "manifest" else "") + "slides/s1.tif\nslides/s2.tif\n")
    words = ("--manifest", str(given)) if kind == "manifest" else ()
    assert submit("out", 2, *words, slides=() if kind == "manifest" else (f"@{given}",)).code == 0
    assert task(sent, "out", "1/2").code == 0
    with given.open("a") as file:
        file.write("slides/s3.tif\n")
    refused = task(sent, "out", "2/2")
    assert refused.code == 1
    assert f"{given.name} has changed" in refused.err.replace("\n", "")


def test_a_plan_that_was_changed_is_refused_and_one_that_is_gone_is_made_by_each_task_again(sent: Path) -> None:
    assert submit("out", 2).code == 0
    (file,) = Path("out/shards").glob("submitted-*.json")
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"s1.tif", b"s9.tif"))
    refused = task(sent, "out", "1/2")
    assert (refused.code, "damaged or was changed" in refused.err) == (1, True)
    file.unlink()
    assert [task(sent, "out", f"{n}/2").code for n in (1, 2)] == [0, 0]
    assert wsi_area("merge", "out", "--no-report").code == 0


@pytest.mark.parametrize(
    "words", [("--out", "out"), ("--out", "out", "--shard", "all"), ("--out", "s3://some-bucket/out", "--shard", "1/2")]
)
def test_a_plan_goes_with_a_shard_and_a_folder(words: tuple[str, ...]) -> None:
    refused = wsi_area("run", "slides", *words, "--plan", "0123456789abcdef")
    assert (refused.code, "--plan goes with --shard" in refused.err) == (1, True)


def test_what_the_tasks_would_refuse_is_refused_where_it_is_submitted(sent: Path) -> None:
    assert submit("out", 2).code == 0
    assert task(sent, "out", "1/2").code == 0
    sent.unlink()
    refused = submit("out", 2, "--set", "segmenter.threshold=70")
    assert refused.code == 1
    assert "segmenter.threshold was 60, is 70" in refused.err
    assert not sent.exists()  # nothing was sent
    assert submit("out", 2, "--set", "segmenter.threshold=70", "--force").code == 0


def test_submitting_again_goes_on_by_the_same_plan(sent: Path, undisturbed: tuple[str, bytes]) -> None:
    folder, wanted = undisturbed
    first = submit("out", 2, "--json", slides=(folder,)).document
    assert task(sent, "out", "2/2").code == 0
    again = submit("out", 2, "--json", slides=(folder,)).document
    assert again["plan"] == first["plan"]
    assert [path.name for path in RunLayout(Path("out")).tasks.glob("submitted-*")] == [
        f"submitted-{first['plan']}.json"
    ]
    assert task(sent, "out", "1/2").code == 0
    assert wsi_area("merge", "out", "--no-report").code == 0
    assert table("out") == wanted


def test_a_name_that_is_no_utf8_goes_through_the_plan(sent: Path) -> None:
    odd = Path(os.fsdecode(b"slides/caf\xe9.tif"))
    shutil.move("slides/s2.tif", odd)
    assert submit("out", 1).code == 0
    assert task(sent, "out", "1/1").code == 0


def test_submit_tells_the_number_of_tasks_that_ends_soonest(sent: Path) -> None:
    done = submit("out", 2)
    assert "T(n) = W/n + n·a is least with 1 task" in " ".join(done.out.split())


@pytest.mark.parametrize("read_gb", [10, 300, 14_000])
def test_no_other_number_of_tasks_would_end_sooner(read_gb: int) -> None:
    work_s = read_gb * 1e9 / BYTES_PER_CORE_S
    best = best_tasks({"a": read_gb * 10**9}).tasks

    def ends_s(tasks: float) -> float:
        return work_s / tasks + tasks * SETTLE_S

    assert all(ends_s(best) < ends_s(best * share) for share in (0.5, 0.9, 1.1, 2))
