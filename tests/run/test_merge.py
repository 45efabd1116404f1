"""Shards merged are one run: tables to the byte as one process writes them, nothing incomplete reads as complete."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import wsi_area
from crash_bench import COMMIT, KILLED, SHARD
from crash_children import Fault, struck_program
from measuring import FLAT
from synthetic import FileForm, disc, write_slide

from wsi_area.errors import IncompleteResultError, ResultError, StaleResultError
from wsi_area.inputs.collect import SlideInput, collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.results.run_folder import Standing, read_folder, require_readable
from wsi_area.run import closing
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import RunSettings, load

SIZE = Size(900, 700)
CLASSES = '[{id=0,name="background",color="#ffffff"},{id=1,name="tumour",color="#ff0000",is_tissue=true,is_tumor=true}]'
# tumour, so that there are foci; small tiles, so that there is something to be killed in
LINE = (*FLAT, f"segmenter.classes={CLASSES}", "run.executor=serial", "tiling.tile_px=128", "tiling.skip_glass=false")
TABLES = ("summary.csv", "summary.parquet", "areas.parquet", "flags.csv", "failed.csv", "objects.parquet")


def line(*further: str) -> RunSettings:
    return load(None, [*LINE, *further])


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> tuple[SlideInput, ...]:
    """Good slides of several sizes, one without a pixel size, one that is no slide."""
    folder = tmp_path_factory.mktemp("slides")
    for n in range(4):
        size = Size(SIZE.width_px - 100 * n, SIZE.height_px)
        write_slide(folder / f"s{n}.tif", size, {"tissue": disc(size, 300, 250, 60 + 30 * n)})
    write_slide(folder / "unsized.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 100)}, FileForm(mpp=None))
    (folder / "broken.tif").write_bytes(b"II*\0 and then nothing")
    return collect_slides([str(folder)])[::-1]  # in an order of one's own, which the tables keep


@pytest.fixture(scope="module")
def undisturbed(slides: tuple[SlideInput, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert run_slides(slides, line(), out).exit_code == 2
    return out


@pytest.fixture(scope="module")
def sharded(slides: tuple[SlideInput, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards that are not merged."""
    out = tmp_path_factory.mktemp("sharded") / "out"
    for index in (3, 1, 2):
        run_task(slides, line(), out, ArrayTask(index, 3))
    return out


@pytest.fixture
def shards(sharded: Path, tmp_path: Path) -> Path:
    """A copy of the three shards that a test may spoil."""
    return Path(shutil.copytree(sharded, tmp_path / "out"))


def tables(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in TABLES}


def documents(out: Path) -> dict[str, Any]:
    """Every result.json without what it took."""
    found = {p.parent.name: json.loads(p.read_text()) for p in sorted((out / "slides").glob("*/result.json"))}
    return {name: {k: v for k, v in record.items() if k != "timing"} for name, record in found.items()}


def stores(out: Path) -> dict[str, bytes]:
    files = sorted(p for p in (out / "slides").rglob("*") if p.is_file() and ".zarr" in str(p))
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


def same_run(out: Path, undisturbed: Path) -> None:
    assert tables(out) == tables(undisturbed)
    assert documents(out) == documents(undisturbed)
    assert stores(out) == stores(undisturbed)


def is_unmerged(layout: RunLayout) -> bool:
    return read_folder(layout).standing is Standing.UNMERGED


def about(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "run.json").read_text()))


@pytest.mark.parametrize("count", [1, 3, 9])
def test_the_tables_are_to_the_byte_those_of_one_process(
    slides: tuple[SlideInput, ...], undisturbed: Path, tmp_path: Path, count: int
) -> None:
    out = tmp_path / "out"
    for index in random.Random(count).sample(range(1, count + 1), count):
        run_task(slides, line(), out, ArrayTask(index, count))
    merged = merge_run(out)
    same_run(out, undisturbed)
    assert merged.exit_code == 2  # one slide is broken, as in the run of one process
    for name in ("slides", "slides_planned", "statuses", "settings", "config_hash", "state", "exit_code"):
        assert about(out)[name] == about(undisturbed)[name], name
    assert set(about(undisturbed)) - set(about(out)) == set()


def test_tasks_at_the_same_time_come_to_the_same_run(
    slides: tuple[SlideInput, ...], undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    tasks = [started(slides, out, f"{index}/3") for index in (1, 2, 3)]
    for task in tasks:
        task.communicate(timeout=120)
    merge_run(out)
    same_run(out, undisturbed)


def test_merging_again_changes_nothing(shards: Path) -> None:
    merge_run(shards)
    before = {**tables(shards), "run.json": (shards / "run.json").read_bytes()}
    merge_run(shards)
    assert {**tables(shards), "run.json": (shards / "run.json").read_bytes()} == before


@pytest.mark.parametrize(
    ("gone", "named"), [([2], ": shard 2 left no result, of 3 in all"), ([1, 2, 3], "1-3 left"), ([1, 3], "1, 3 left")]
)
def test_missing_shards_are_named_and_nothing_is_written(shards: Path, gone: list[int], named: str) -> None:
    for index in gone:
        RunLayout(shards).task(index, 3).unlink()
    with pytest.raises(IncompleteResultError, match=named):
        merge_run(shards)
    assert not (shards / "run.json").exists()
    assert not (shards / "summary.csv").exists()


def test_a_damaged_shard_counts_as_missing(shards: Path) -> None:
    RunLayout(shards).task(2, 3).write_bytes(b'{"state": ')
    with pytest.raises(IncompleteResultError, match="--shard 2/3"):
        merge_run(shards)


@pytest.mark.parametrize(
    ("others", "named"),
    [
        ([3], "shard 3, of 3 in all, was measured from other slides or settings than the run's plan has; run the "
         "same command with --shard 3/3 --force, then merge again"),
        ([2, 3], "shards 2-3, of 3 in all, were measured from other slides or settings than the run's plan has; "
         "run the same command with --shard 2/3 --force, and so for each of 2-3, then merge again"),
    ],
)  # fmt: skip
def test_shards_of_another_plan_are_named(shards: Path, others: list[int], named: str) -> None:
    for index in others:
        path = RunLayout(shards).task(index, 3)
        path.write_text(json.dumps({**json.loads(path.read_text()), "plan": "of another list"}))
    with pytest.raises(StaleResultError) as refused:
        merge_run(shards)
    assert str(refused.value) == f"{shards}: {named}"


def test_the_missing_shard_and_then_the_merge_finish_it(
    slides: tuple[SlideInput, ...], shards: Path, undisturbed: Path
) -> None:
    RunLayout(shards).task(2, 3).unlink()
    with pytest.raises(IncompleteResultError):
        merge_run(shards)
    run_task(slides, line(), shards, ArrayTask(2, 3))
    merge_run(shards)
    same_run(shards, undisturbed)


def test_a_folder_without_shards_is_no_thing_to_merge(undisturbed: Path, tmp_path: Path) -> None:
    for folder in (undisturbed, tmp_path / "nothing"):
        with pytest.raises(ResultError, match="holds no shards"):
            merge_run(folder)
    assert not (tmp_path / "nothing").exists()


def test_slides_that_a_shard_did_not_come_to_are_failed_with_the_command_that_measures_them(shards: Path) -> None:
    path = RunLayout(shards).task(1, 3)
    document = json.loads(path.read_text())
    running = {k: v for k, v in document.items() if k not in {"slides", "uncounted", "results", "ended"}}
    path.write_text(json.dumps({**running, "state": "running"}))  # as a task leaves it that was killed
    merged = merge_run(shards)
    assert (merged.unfinished, merged.exit_code) == ((1,), 2)
    run = open_run(shards)
    assert len(run.summary) == 6
    for name in document["slides"]:
        assert run.summary.loc[name, "status"] == "failed"
        assert "--shard 1/3" in str(run.summary.loc[name, "reason"])
    assert about(shards)["state"] == "interrupted"
    assert about(shards)["not_reached"] == len(document["slides"])


def test_a_result_that_was_changed_since_its_shard_ended_is_not_believed(shards: Path) -> None:
    path = shards / "slides/s1/result.json"
    path.write_text(path.read_text().replace('"area_mm2"', '"area_mm2" ', 1))
    merge_run(shards)
    assert open_run(shards).summary.loc["s1", "status"] == "failed"
    assert "changed since" in str(open_run(shards).summary.loc["s1", "reason"])


def test_a_run_that_is_not_merged_is_refused_by_name_until_it_is(slides: tuple[SlideInput, ...], shards: Path) -> None:
    layout = RunLayout(shards)
    with pytest.raises(ResultError, match=r"wsi-area merge .*out"):
        require_readable(layout)
    merge_run(shards)
    assert not is_unmerged(layout)
    run_task(slides, line(), shards, ArrayTask(2, 3))  # measured again: what the tables say is of before
    assert is_unmerged(layout)
    merge_run(shards)
    require_readable(layout)


@pytest.mark.parametrize("step", ["write_tables", "write_objects", "write_run"])
def test_a_merge_that_dies_at_any_step_leaves_a_run_that_asks_for_the_merge(
    shards: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(closing, step, die)
        with pytest.raises(KeyboardInterrupt):
            merge_run(shards)
    assert is_unmerged(RunLayout(shards))
    merge_run(shards)
    same_run(shards, undisturbed)


@pytest.mark.parametrize("command", ["report", "verify"])
def test_report_verify_and_open_run_ask_for_the_merge(shards: Path, command: str) -> None:
    with pytest.raises(ResultError, match="wsi-area merge"):
        open_run(shards)
    ended = wsi_area(command, shards)
    assert ended.code == 1
    assert "wsi-area merge" in ended.err
    merge_run(shards)
    assert wsi_area(command, shards).code == 0


def test_further_slides_may_join_a_merged_run_and_stay_when_it_is_merged_again(
    slides: tuple[SlideInput, ...], shards: Path, tmp_path: Path
) -> None:
    merge_run(shards)
    more = tmp_path / "more.tif"
    write_slide(more, SIZE, {"tissue": disc(SIZE, 300, 250, 100)})
    assert run_slides(collect_slides([str(more)]), line(), shards).exit_code == 0
    require_readable(RunLayout(shards))
    before = set(open_run(shards).summary.index)
    assert before == {s.slide_id for s in slides} | {"more"}
    merge_run(shards)
    assert set(open_run(shards).summary.index) == before
    assert set(open_run(shards).summary["status"]) == {"complete", "failed", "needs_calibration"}


def test_a_slide_that_was_mended_after_the_merge_stays_mended(tmp_path: Path) -> None:
    path, out = tmp_path / "s.tif", tmp_path / "out"
    write_slide(path, SIZE, {"tissue": disc(SIZE, 300, 250, 100)}, FileForm(mpp=None))
    slides = collect_slides([str(path)])
    run_task(slides, line(), out, ArrayTask(1, 1))
    assert merge_run(out).exit_code == 3
    known = collect_slides([str(path)], mpp="0.5", mpp_reason="from the scanner's log")
    assert run_slides(known, line(), out).exit_code == 0
    for _ in range(2):
        assert merge_run(out).exit_code == 0
        assert open_run(out).summary.loc["s", "mpp_x_um"] == 0.5


def test_a_forced_run_of_shards_replaces_a_run_with_other_settings(
    slides: tuple[SlideInput, ...], shards: Path
) -> None:
    merge_run(shards)
    other = line("segmenter.threshold=61")
    with pytest.raises(StaleResultError, match=r"segmenter\.threshold was 60, is 61"):
        run_task(slides, other, shards, ArrayTask(1, 3))
    run_task(slides, other, shards, ArrayTask(1, 2), force=True)
    run_task(slides, other, shards, ArrayTask(2, 2), force=True)
    merge_run(shards)
    assert about(shards)["config_hash"] == other.measurement_hash
    run_task(slides, other, shards, ArrayTask(1, 2))  # again, and without force: it is the same by now


def started(
    slides: tuple[SlideInput, ...], out: Path, shard: str, fault: Fault | None = None
) -> "subprocess.Popen[str]":
    """Start one task in a process of its own, as a cluster does; something may befall it."""
    command = [sys.executable, "-c", struck_program(fault or Fault()), "run", f"--out={out}"]
    command += [f"--set={text}" for text in LINE] + [f"--shard={shard}", "--", *(s.path for s in slides)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[SlideInput, ...]:
    folder = tmp_path_factory.mktemp("large")
    size = Size(3000, 2400)
    for n in range(4):
        write_slide(folder / f"k{n}.tif", size, {"tissue": disc(size, 1500, 1200, 500 + 100 * n)})
    return collect_slides([str(folder)])


@pytest.fixture(scope="module")
def large_undisturbed(large: tuple[SlideInput, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("large_undisturbed") / "out"
    assert run_slides(large, line(), out).exit_code == 0
    return out


def batches_in(out: Path) -> int:
    return len(list(out.glob("slides/*/ledger.zarr/counts/c/*/*/0")))


def test_tasks_killed_at_many_points_and_run_again_end_the_same_to_the_byte(
    large: tuple[SlideInput, ...], large_undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    # of 8 batches in the shard: before the first, after a part of a second, before and after another, before a result
    for fault in (
        Fault(COMMIT, "before", 1),
        Fault(SHARD, "after", 2),
        Fault(COMMIT, "before", 2),
        Fault(COMMIT, "after", 1),
        Fault("wsi_area.run.measure_slide:slide_document", "before"),
    ):
        process = started(large, out, "1/2", fault)
        process.communicate(timeout=240)
        assert process.returncode == KILLED
        with pytest.raises(IncompleteResultError):  # shard 2 never ran
            merge_run(out)
    run_task(large, line(), out, ArrayTask(2, 2))
    if json.loads((out / "shards/1-of-2.json").read_text())["state"] == "running":
        assert merge_run(out).unfinished == (1,)
    run_task(large, line(), out, ArrayTask(1, 2))
    assert merge_run(out).exit_code == 0
    same_run(out, large_undisturbed)
    assert wsi_area("verify", out).code == 0


def test_a_warned_task_says_130_and_goes_on_later(
    large: tuple[SlideInput, ...], large_undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = started(large, out, "1/1", Fault(COMMIT, "after", 3, "SIGUSR1"))
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert batches_in(out) < batches_in(large_undisturbed)
    assert merge_run(out).exit_code == 2
    run_task(large, line(), out, ArrayTask(1, 1))
    assert merge_run(out).exit_code == 0
    same_run(out, large_undisturbed)
