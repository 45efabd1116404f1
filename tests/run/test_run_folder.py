"""What a folder holds decides what may be done with it: every state, every wish, by the commands themselves."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from measuring import FLAT, measure
from synthetic import disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.inputs.collect import SlideInput, collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.results.run_folder import TABLE, Standing, Wish, read_folder
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.earlier_run import difference
from wsi_area.run.events import SlideStarted
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import RunSettings, load

SIZE = Size(300, 250)
ONLY = ArrayTask(1, 1)
SETTINGS: RunSettings = load(None, [*FLAT, "run.executor=serial"])
Slides = tuple[SlideInput, ...]

SAID = {
    "no-run": r"holds no run \(there is no run\.json\); give the folder named by --out",
    "no-tasks": r"holds no shards \(there is no .*plan\.json\); give the folder named by --out",
    "unmerged": r"its tables are not whole: run wsi-area merge ",
    "settings": r"other settings: segmenter\.threshold was 61, is 60; choose another --out, or --force",
    "damaged": r"run\.json is damaged: .* is kept in .*slides\. Remove that one file and ",
    "unreadable": r"run\.json cannot be read \(Is a directory\); ",
    "newer": r"run\.json was written by a newer wsi_area \(9\.9\): it has schema version 99.*install the newer version",
}
"""What each refusal says: the number, and what to do."""

WISHES = (Wish.READ, Wish.RUN, Wish.RUN_AFRESH, Wish.TASK, Wish.TASK_AFRESH, Wish.MERGE, Wish.MERGE_AFRESH)

# By state, for each wish: the slides in the tables when it is done, or what is said where it is refused. An earlier run
# has slide a; slide b is asked for; and b is what a job array's task has, where there is one.
# fmt: off
OUTCOMES = {state: answers.split() for state, answers in {
    #                             READ        RUN         RUN_AFRESH  TASK        TASK_AFRESH MERGE       MERGE_AFRESH
    (Standing.ABSENT, False):     "no-run     b           b           b           b           no-tasks    no-tasks",
    (Standing.EMPTY, False):      "no-run     b           b           b           b           no-tasks    no-tasks",
    (Standing.RUNNING, False):    "ab         ab          ab          ab          ab          no-tasks    no-tasks",
    (Standing.RUNNING, True):     "ab         settings    b           settings    b           no-tasks    no-tasks",
    (Standing.ENDED, False):      "a          ab          ab          ab          ab          no-tasks    no-tasks",
    (Standing.ENDED, True):       "a          settings    b           settings    b           no-tasks    no-tasks",
    (Standing.MERGED, False):     "ab         ab          ab          ab          ab          ab          ab",
    (Standing.MERGED, True):      "ab         settings    b           settings    b           settings    b",
    (Standing.UNMERGED, False):   "unmerged   unmerged    ab          ab          ab          ab          ab",
    (Standing.UNMERGED, True):    "unmerged   unmerged    b           settings    b           settings    b",
    (Standing.DAMAGED, False):    "damaged    damaged     b           damaged     b           damaged     b",
    (Standing.UNREADABLE, False): "unreadable unreadable  unreadable  unreadable  unreadable  unreadable  unreadable",
    (Standing.NEWER, False):      "newer      newer       newer       newer       newer       newer       newer",
}.items()}
# fmt: on
CELLS = [(state, wish) for state in OUTCOMES for wish in WISHES]


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Slides]:
    folder = tmp_path_factory.mktemp("slides")
    for n, name in enumerate("ab"):
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 150, 120, 60 + 30 * n)})
    return {name: collect_slides([str(folder / f"{name}.tif")]) for name in "ab"}


def killed(slides: Slides, out: Path, **further: Any) -> None:
    """A run that is killed when its first slide begins."""

    def die(event: object) -> None:
        if isinstance(event, SlideStarted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_slides(slides, SETTINGS, out, listener=die, **further)


def changed(path: Path, **further: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **further}))


def make(standing: Standing, is_other: bool, slides: dict[str, Slides], out: Path) -> None:
    """Bring a folder into a state by the commands that leave it so; only what no command does is done by hand."""
    if standing is Standing.ABSENT:
        return
    out.mkdir()
    (out / "notes.txt").write_text("not ours")
    if standing is Standing.EMPTY:
        return
    assert run_slides(slides["a"], SETTINGS, out).exit_code == 0
    if standing is Standing.RUNNING:
        killed(slides["b"], out)
    elif standing is not Standing.ENDED:
        assert run_task(slides["b"], SETTINGS, out, ONLY).exit_code == 0
    if standing is Standing.MERGED:
        assert merge_run(out).exit_code == 0
    run_json = out / "run.json"
    if standing is Standing.DAMAGED:
        run_json.write_bytes(run_json.read_bytes()[:200])
    if standing is Standing.NEWER:
        changed(run_json, schema_version=99, wsi_area_version="9.9")
    if standing is Standing.UNREADABLE:
        run_json.unlink()
        run_json.mkdir()
    if is_other:
        settings = json.loads(run_json.read_text())["settings"]
        settings["segmenter"]["threshold"] = 61
        changed(run_json, settings=settings, config_hash="0" * 64)


def done(wish: Wish, slides: Slides, out: Path) -> None:
    """Do what is wanted, as far as it takes until there are tables."""
    if wish in {Wish.RUN, Wish.RUN_AFRESH}:
        run_slides(slides, SETTINGS, out, force=wish is Wish.RUN_AFRESH)
    elif wish in {Wish.TASK, Wish.TASK_AFRESH}:
        run_task(slides, SETTINGS, out, ONLY, force=wish is Wish.TASK_AFRESH)
        merge_run(out)
    elif wish is Wish.READ:
        open_run(out)
    else:
        if wish is Wish.MERGE_AFRESH and (plan := out / "shards/plan.json").exists():
            changed(plan, forced=True)
        merge_run(out)


def content(out: Path) -> dict[str, bytes]:
    """Every file, but for locks and for the mark of a forced plan that a test sets itself."""
    files = [p for p in sorted(out.rglob("*")) if p.is_file() and not p.name.startswith(".") and p.name != "plan.json"]
    return {str(p): p.read_bytes() for p in files}


def test_the_table_has_an_answer_for_every_state_and_every_wish() -> None:
    assert set(OUTCOMES) == set(TABLE)
    assert {standing for standing, _ in TABLE} == set(Standing)
    assert all(set(answers) == set(Wish) for answers in TABLE.values())


@pytest.fixture(scope="module")
def made(slides: dict[str, Slides], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Standing, bool], Path]:
    """Folders in each state, of which a test takes a copy."""
    kept: dict[tuple[Standing, bool], Path] = {}

    def folder(standing: Standing, is_other: bool) -> Path:
        if (standing, is_other) not in kept:
            kept[standing, is_other] = out = tmp_path_factory.mktemp("made") / "out"
            make(standing, is_other, slides, out)
        return kept[standing, is_other]

    return folder


@pytest.mark.parametrize(("state", "wish"), CELLS, ids=lambda v: v.name if isinstance(v, Wish) else v[0].name)
def test_what_a_folder_holds_decides_what_may_be_done_with_it(
    made: Callable[[Standing, bool], Path],
    slides: dict[str, Slides],
    tmp_path: Path,
    state: tuple[Standing, bool],
    wish: Wish,
) -> None:
    out, whole = tmp_path / "out", made(*state)
    if whole.exists():
        shutil.copytree(whole, out)
    found = read_folder(RunLayout(out), lambda earlier: difference(earlier, SETTINGS))
    assert (found.standing, bool(found.difference)) == state
    before, expected = content(out), OUTCOMES[state][WISHES.index(wish)]
    if expected in SAID:
        with pytest.raises((ResultError, NewerDocumentError), match=f"(?s){out}.*{SAID[expected]}"):
            done(wish, slides["b"], out)
        assert content(out) == before  # nothing is lost, and nothing is begun
        return
    done(wish, slides["b"], out)
    run = open_run(out)
    assert list(run.run_record.slides_planned) == list(expected)
    if wish is not Wish.READ:
        assert list(run.summary.index) == list(expected)
        assert set(run.summary["status"]) == {"complete"}
        assert verify_run(out).disagreements == ()


def test_how_another_slide_ended_is_still_known_after_a_run_that_was_killed(tmp_path: Path) -> None:
    out, path = tmp_path / "out", tmp_path / "a.tif"
    write_slide(path, SIZE, {"tissue": disc(SIZE, 150, 120, 60)})
    write_slide(tmp_path / "b.tif", SIZE, {"tissue": disc(SIZE, 150, 120, 90)})
    measure(path, out)
    path.write_bytes(b"II*\0 and then nothing")
    assert measure(path, out).exit_code == 2  # its earlier result lies there still, the tables say failed
    killed(collect_slides([str(tmp_path / "b.tif")]), out)
    measure(tmp_path / "b.tif", out)
    assert dict(open_run(out).summary["status"]) == {"a": "failed", "b": "complete"}


def test_a_report_of_a_run_that_was_killed_is_refused_though_some_slides_have_ended(
    made: Callable[[Standing, bool], Path], tmp_path: Path
) -> None:
    from wsi_area.reports.documents import read_documents

    out = Path(shutil.copytree(made(Standing.RUNNING, False), tmp_path / "out"))
    with pytest.raises(ResultError, match=r"this run has not ended; run the same command again to finish it"):
        read_documents(out)


def test_a_forced_run_that_cannot_start_takes_nothing_back(
    made: Callable[[Standing, bool], Path], slides: dict[str, Slides], tmp_path: Path
) -> None:
    out = Path(shutil.copytree(made(Standing.UNMERGED, False), tmp_path / "out"))
    before = content(out)
    nowhere = load(
        None, [*FLAT, "run.scheduler=tls://127.0.0.1:1", f"tls.ca={tmp_path}/none.pem", "tls.cert=c", "tls.key=k"]
    )
    with pytest.raises(ValueError, match=r"there is no such file"):
        run_slides(slides["b"], nowhere, out, force=True)
    assert content(out) == before
