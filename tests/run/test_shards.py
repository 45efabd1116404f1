"""A list of slides is split without talking: every slide has one owner, and no task touches another's."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measuring import FLAT
from stopped_runs import StopsAfter
from synthetic import disc, write_slide

from wsi_area.errors import ResultError, SettingsError, StaleResultError
from wsi_area.inputs.collect import SlideInput, collect_slides
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout
from wsi_area.run.array.agreement import read_array_plan
from wsi_area.run.array.array_plan import array_plan
from wsi_area.run.array.division import ArrayTask, parse_array_task, split, task_of_array
from wsi_area.run.array.task_run import run_task
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.run_settings import RunSettings, load
from wsi_area.storage.locks import sole_writer

SIZE = Size(600, 500)
QUICK = (*FLAT, "run.executor=serial")


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> tuple[SlideInput, ...]:
    folder = tmp_path_factory.mktemp("slides")
    for n in range(5):
        write_slide(folder / f"s{n}.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 60 + 30 * n)})
    return collect_slides([str(folder)])


def measured(slides: tuple[SlideInput, ...], out: Path, shard: str, *further: str, force: bool = False) -> RunOutcome:
    return run_task(slides, load(None, [*QUICK, *further]), out, parse_array_task(shard), force=force)


names = st.text("abcdefghij", min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, st.integers(0, 10**10), max_size=40), st.integers(1, 12), st.randoms())
def test_every_slide_has_exactly_one_owner_whatever_the_order(weights: dict[str, int], count: int, random) -> None:  # type: ignore[no-untyped-def]
    owner = split(weights, count)
    assert set(owner) == set(weights)
    assert set(owner.values()) <= set(range(1, count + 1))
    shuffled = list(weights)
    random.shuffle(shuffled)
    assert split({name: weights[name] for name in shuffled}, count) == owner


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40), st.integers(1, 8))
def test_no_shard_is_heavier_than_the_longest_processing_time_bound(sizes: list[int], count: int) -> None:
    owner = split({str(n): size for n, size in enumerate(sizes)}, count)
    loads = [sum(size for n, size in enumerate(sizes) if owner[str(n)] == shard) for shard in range(1, count + 1)]
    descending = sorted(sizes, reverse=True)
    at_best = max(
        sum(sizes) / count, descending[0], sum(descending[count - 1 : count + 1]) if len(sizes) > count else 0
    )
    # at_best is only a lower bound of the optimum, so Graham's list-scheduling bound is what can be held against it
    assert max(loads) <= sum(sizes) / count + (1 - 1 / count) * at_best + 1e-9


def test_slides_of_unknown_size_are_dealt_out_evenly() -> None:
    owner = split(dict.fromkeys("abcdefghi", 0), 3)
    assert sorted(owner.values()) == [1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "a/b", "1/", "/2", "-1/2", "1/2/3", "1.0/2", "٣/٤", "1 /2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="counted from 1"):
        parse_array_task(text)


def array(task: int, ids: list[int], step: int = 1) -> dict[str, str]:
    """What SLURM sets in a task of an array."""
    facts = {"ID": task, "COUNT": len(ids), "MIN": min(ids), "MAX": max(ids), "STEP": step}
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in facts.items()}


@pytest.mark.parametrize(
    ("ids", "step"), [([0, 1, 2, 3], 1), ([1, 2, 3, 4], 1), ([10, 20, 30, 40], 10), ([7], 1), ([3, 5], 2)]
)
def test_an_array_may_be_numbered_as_it_likes(ids: list[int], step: int) -> None:
    found = [task_of_array(array(task, ids, step)) for task in ids]
    assert found == [ArrayTask(n + 1, len(ids)) for n in range(len(ids))]


def test_an_array_with_gaps_is_refused_and_told_what_to_do() -> None:
    for task in (1, 3, 7):
        with pytest.raises(SettingsError, match=r"with gaps.*--shard"):
            task_of_array(array(task, [1, 3, 7]))
    with pytest.raises(SettingsError, match="not a whole number"):
        task_of_array({**array(1, [1, 2]), "SLURM_ARRAY_TASK_ID": "one"})


def test_outside_an_array_nothing_is_split() -> None:
    assert task_of_array({"SLURM_JOB_ID": "5"}) is None
    assert task_of_array({}) is None


def test_each_task_writes_its_own_slides_and_its_own_file_and_no_table(
    slides: tuple[SlideInput, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    plan = array_plan(slides, load(None, QUICK), 2)
    for index in (1, 2):
        before = {p.name for p in (out / "slides").glob("*")}
        outcome = measured(slides, out, f"{index}/2")
        assert outcome.exit_code == 0
        mine = {s.slide_id for s in plan.slides_of(index)}
        assert {p.name for p in (out / "slides").glob("*")} - before == mine
        document = json.loads((out / f"shards/{index}-of-2.json").read_text())
        assert document["state"] == "finished"
        assert set(document["slides"]) == mine == set(document["slides_planned"])
    everything = {p.name for p in out.iterdir()}
    assert everything == {".lock", "shards", "slides", "logs"}
    assert {s.slide_id for s in (*plan.slides_of(1), *plan.slides_of(2))} == {f"s{n}" for n in range(5)}


def test_more_shards_than_slides_leave_some_with_nothing_to_do(slides: tuple[SlideInput, ...], tmp_path: Path) -> None:
    outcome = measured(slides, tmp_path / "out", "9/9")
    assert (outcome.slides, outcome.exit_code) == ((), 0)


def test_the_plan_on_record_is_read_back_the_same(tmp_path: Path) -> None:
    drawn = DrawnSource("/d/a.json", 0.1)
    override = MppCandidate(Mpp(0.1, 0.3), "--mpp", "override", "A", "as measured")
    some = (SlideInput("/x/ä b.svs", "b", override, drawn, None), SlideInput("/x/a.svs", "a"))
    plan = array_plan(some, load(None, QUICK), 3, forced=True)
    layout = RunLayout(tmp_path)
    layout.tasks.mkdir()
    layout.array_plan.write_text(json.dumps(plan.document()))
    assert read_array_plan(layout) == plan
    assert array_plan(some[::-1], load(None, QUICK), 3).key == plan.key  # the order is no part of it


@pytest.mark.parametrize("change", [{"count": 3}, {"config_hash": "0"}, {"slides": []}, {"key": "1"}, {"settings": 3}])
def test_a_plan_that_was_changed_is_refused(
    slides: tuple[SlideInput, ...], tmp_path: Path, change: dict[str, object]
) -> None:
    out = tmp_path / "out"
    measured(slides, out, "1/9")
    path = RunLayout(out).array_plan
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ResultError, match=r"plan\.json.*damaged"):
        measured(slides, out, "2/9")


def test_a_slide_id_that_leaves_its_folder_is_refused_on_reading(tmp_path: Path) -> None:
    layout = RunLayout(tmp_path)
    layout.tasks.mkdir()
    evil = array_plan([SlideInput("/x/a.svs", "../../a")], load(None, QUICK), 1)
    layout.array_plan.write_text(json.dumps(evil.document()))
    with pytest.raises(ResultError, match="damaged or was changed"):
        read_array_plan(layout)


def test_tasks_that_do_not_agree_are_refused_and_told_why(slides: tuple[SlideInput, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measured(slides, out, "1/9")
    with pytest.raises(StaleResultError, match=r"split into 9 shards.*one of 2"):
        measured(slides, out, "1/2")
    with pytest.raises(StaleResultError, match=r"settings differ: segmenter\.threshold was 60, is 70"):
        measured(slides, out, "2/9", "segmenter.threshold=70")
    with pytest.raises(StaleResultError, match="s4 was in the list"):
        measured(slides[:4], out, "2/9")
    measured(slides[:4], tmp_path / "fewer", "9/9")
    with pytest.raises(StaleResultError, match="s4 is in the list"):
        measured(slides, tmp_path / "fewer", "2/9")
    assert sorted(p.name for p in (out / "shards").glob("*.json")) == ["1-of-9.json", "plan.json"]
    assert measured(slides, out, "2/9", "run.workers=1", "run.slides_in_flight=1").exit_code == 0  # who does the work


def test_force_begins_the_shards_afresh(slides: tuple[SlideInput, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measured(slides, out, "1/2")
    assert measured(slides, out, "1/1", force=True).exit_code == 0
    assert sorted(p.name for p in (out / "shards").glob("*.json")) == ["1-of-1.json", "plan.json"]


HOLD = """
import sys, time
from pathlib import Path
from wsi_area.results.layout import RunLayout
from wsi_area.inputs.collect import collect_slides
from wsi_area.settings.run_settings import load
from wsi_area.run.array.array_plan import array_plan
from wsi_area.run.array.task_run import _held_task
from wsi_area.run.array.division import parse_array_task
out, shard, folder, *assignments = sys.argv[1:]
shard, settings = parse_array_task(shard), load(None, assignments)
plan = array_plan(collect_slides([folder]), settings, shard.count)
with _held_task(RunLayout(Path(out)), shard, plan, settings):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(slides: tuple[SlideInput, ...], tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that is at shard 1/9."""
    folder = str(Path(slides[0].path).parent)
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out"), "1/9", folder, *QUICK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_one_shard_has_one_task_and_different_shards_run_side_by_side(
    holder: "subprocess.Popen[str]", slides: tuple[SlideInput, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(ResultError, match=r"shard 1/9 .* by another task"):
        measured(slides, out, "1/9")
    assert measured(slides, out, "2/9").exit_code == 0
    with pytest.raises(ResultError, match="being written by another"), sole_writer(out):  # a merge, or a run
        pass
    with pytest.raises(ResultError, match=r"other shards of .* another plan"):
        measured(slides, out, "1/2", force=True)
    holder.kill()
    holder.wait()
    assert measured(slides, out, "1/9").exit_code == 0  # a dead task holds nothing


def test_a_run_of_all_slides_does_not_go_over_shards_that_are_not_merged(
    slides: tuple[SlideInput, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measured(slides, out, "1/2")
    with pytest.raises(ResultError, match="wsi-area merge"):
        run_slides(slides, load(None, QUICK), out)
    assert run_slides(slides, load(None, QUICK), out, force=True).exit_code == 0
    assert not RunLayout(out).array_plan.exists()


def test_a_path_that_the_folder_holds_under_another_id_is_refused(
    slides: tuple[SlideInput, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run_slides(slides[:1], load(None, QUICK), out).exit_code == 0
    renamed = (SlideInput(slides[0].path, "other"), *slides[1:])
    with pytest.raises(StaleResultError, match="counted twice"):
        measured(renamed, out, "1/2")


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_a_warning_of_the_walltime_drains_commits_and_ends_with_130(
    slides: tuple[SlideInput, ...], tmp_path: Path, number: signal.Signals
) -> None:
    settings_: RunSettings = load(None, [*QUICK, "run.slides_in_flight=1"])
    out = tmp_path / "out"
    outcome = run_task(slides, settings_, out, ArrayTask(1, 1), listener=StopsAfter(1, number))
    assert outcome.exit_code == 130
    assert 0 < len(outcome.slides) + 1 <= len(slides)
    document = json.loads((out / "shards/1-of-1.json").read_text())
    assert document["state"] == "interrupted"
    assert document["not_reached"] == len(slides) - len(outcome.slides)
    assert run_task(slides, settings_, out, ArrayTask(1, 1)).exit_code == 0


def test_the_sigterm_after_a_walltime_warning_does_not_give_up_the_tables(
    slides: tuple[SlideInput, ...], tmp_path: Path
) -> None:
    warned = StopsAfter(1, signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM)
    out = tmp_path / "out"
    outcome = run_slides(slides, load(None, [*QUICK, "run.slides_in_flight=1"]), out, listener=warned)
    assert outcome.exit_code == 130
    assert (out / "summary.csv").exists()
    assert json.loads((out / "run.json").read_text())["state"] == "interrupted"
