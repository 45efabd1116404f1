"""One giant slide measured by several tasks is, to the byte, the slide that one process measures; killed or not."""

import json
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from command_line import wsi_area
from crash_bench import COMMIT, KILLED, SHARD
from crash_children import RENAME, Fault, struck_program
from measuring import FLAT, SMALL_BATCH_PX
from stopped_runs import StopsAfter
from synthetic import FileForm, disc, everything, write_slide

from wsi_area.errors import IncompleteResultError, ResultError
from wsi_area.inputs.collect import SlideInput, collect_slides
from wsi_area.model.geometry import Region, Size
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.run.array import slide_share
from wsi_area.run.array.agreement import read_array_plan
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import MergeOutcome, merge_run
from wsi_area.run.array.task_run import TaskOutcome, run_task
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import RunSettings, load

pytestmark = pytest.mark.usefixtures("small_batches")  # as many as a slide of a hundred times the pixels has: 35
SIZE = Size(2250, 1750)
CLASSES = '[{id=0,name="background",color="#ffffff"},{id=1,name="tumour",color="#ff0000",is_tissue=true,is_tumor=true}]'
LINE = (*FLAT, f"segmenter.classes={CLASSES}", "run.executor=serial", "run.piece_mib=0", "tiling.tile_px=64")
TABLES = ("summary.csv", "summary.parquet", "areas.parquet", "flags.csv", "failed.csv", "objects.parquet")
Slides = tuple[SlideInput, ...]


def line(*further: str) -> RunSettings:
    return load(None, [*LINE, *further])


@pytest.fixture(scope="module")
def giant(tmp_path_factory: pytest.TempPathFactory) -> Slides:
    """One slide of two islands, so that whole batches of it are bare glass."""
    path = tmp_path_factory.mktemp("slides") / "giant.tif"
    write_slide(path, SIZE, {"tissue": disc(SIZE, 500, 1250, 375), "blue": disc(SIZE, 1625, 450, 300)})
    return collect_slides([str(path)])


@pytest.fixture(scope="module")
def alone(giant: Slides, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    out = tmp_path_factory.mktemp("alone") / "out"
    assert run_slides(giant, line(), out).exit_code == 0
    return out


def tasks(slides: Slides, out: Path, count: int, order: Iterable[int], *further: str, **options: Any) -> list[int]:
    """Run tasks one after the other; how each ended."""
    return [run_task(slides, line(*further), out, ArrayTask(n, count), **options).exit_code for n in order]


def files(out: Path) -> dict[str, bytes]:
    """Every file of class maps and ledgers."""
    found = sorted(p for p in (out / "slides").rglob("*") if p.is_file() and ".zarr" in str(p))
    return {str(p.relative_to(out)): p.read_bytes() for p in found}


def documents(out: Path) -> dict[str, Any]:
    """Every result.json but what it took: seconds, and how many pixels and batches the last try had to do."""
    found = {p.parent.name: json.loads(p.read_text()) for p in sorted((out / "slides").glob("*/result.json"))}
    return {name: {k: v for k, v in record.items() if k != "timing"} for name, record in found.items()}


def same_run(out: Path, alone: Path) -> None:
    assert files(out) == files(alone)
    assert documents(out) == documents(alone)
    for name in TABLES:
        assert (out / name).read_bytes() == (alone / name).read_bytes(), name
    assert (out / "slides/giant/thumb.jpg").read_bytes() == (alone / "slides/giant/thumb.jpg").read_bytes()


def reason_of(merged: MergeOutcome) -> str:
    (record,) = merged.run.documents
    return str(record["reason"])


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_so_many_tasks_give_the_bytes_of_one_process(giant: Slides, alone: Path, tmp_path: Path, count: int) -> None:
    out = tmp_path / "out"
    order = random.Random(count).sample(range(1, count + 1), count)
    assert set(tasks(giant, out, count, order)) == {0}
    if count > 1:
        assert not (out / "slides/giant/result.json").exists()
    assert merge_run(out).exit_code == 0
    same_run(out, alone)
    ours, theirs = (json.loads((folder / "run.json").read_text()) for folder in (out, alone))
    for name in ("slides", "slides_planned", "statuses", "settings", "config_hash", "state", "exit_code"):
        assert ours[name] == theirs[name], name
    whole, parts = (json.loads((f / "slides/giant/result.json").read_text())["timing"] for f in (alone, out))
    assert (parts["decoded_px"], parts["batches"]) == (whole["decoded_px"], whole["batches"])
    assert wsi_area("verify", out).code == 0


def test_merging_again_changes_no_byte(giant: Slides, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tasks(giant, out, 3, (1, 2, 3))
    merge_run(out)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != "merge.jsonl"}
    merge_run(out)
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != "merge.jsonl"} == before


def chunks(out: Path) -> dict[str, tuple[int, int]]:
    """Every written shard of a class map and chunk of a ledger, with what changes when it is written again."""
    found = [
        p
        for pattern in ("mask.ome.zarr/0/c/*/*", "ledger.zarr/counts/c/*/*/*")
        for p in out.glob("slides/*/" + pattern)
    ]
    return {str(p.relative_to(out)): (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


def test_no_file_of_pixels_or_rows_has_two_writers(giant: Slides, alone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written: list[set[str]] = []
    for n in (2, 3, 1):
        before = chunks(out)
        tasks(giant, out, 3, [n])
        after = chunks(out)
        assert {name: after[name] for name in before} == before  # nobody else's was touched
        written.append(set(after) - set(before))
        assert not (out / "slides/giant/result.json").exists()
        assert {p.name for p in out.iterdir()} == {".lock", "shards", "slides", "logs"}
    before = chunks(out)
    merge_run(out)
    assert chunks(out) == before == chunks(out)
    assert sum(len(names) for names in written) == len(set().union(*written)) == len(chunks(alone))
    assert all(written)


def test_a_task_says_what_its_part_was_and_that_the_slide_is_not_done(giant: Slides, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome: TaskOutcome = run_task(giant, line(), out, ArrayTask(2, 3))
    (piece,) = outcome.shares
    assert (piece.status, outcome.slides, outcome.exit_code) == ("measured", (), 0)
    document = json.loads((out / "shards/2-of-3.json").read_text())
    assert document["slides"] == {}
    assert document["pieces"]["giant"]["own_batches"] == len(piece.batches) > 0
    assert "complete" not in json.dumps(document["pieces"])
    said = [json.loads(text) for text in (out / "logs/shard-2-of-3.jsonl").read_text().splitlines()]
    assert [row["batches"] for row in said if row["event"] == "part done"] == [len(piece.batches)]
    assert said[-1]["what_to_do"] == "wsi-area merge, once every shard has ended"
    with pytest.raises(IncompleteResultError, match=r"shards 1, 3 left no result.*--shard 1/3"):
        merge_run(out)


def test_small_slides_beside_the_giant_are_whole_and_go_to_those_who_have_less(giant: Slides, tmp_path: Path) -> None:
    small = Size(400, 300)
    for n in range(3):
        write_slide(tmp_path / f"s{n}.tif", small, {"tissue": disc(small, 200, 150, 30 + 30 * n)})
    write_slide(tmp_path / "unsized.tif", small, {"tissue": disc(small, 200, 150, 60)}, FileForm(mpp=None))
    slides = (*collect_slides([str(tmp_path)]), *giant)
    out, by_one = tmp_path / "out", tmp_path / "by_one"
    assert run_slides(slides, line(), by_one).exit_code == 3
    tasks(slides, out, 4, (4, 2, 3, 1))
    plan = read_array_plan(RunLayout(out))
    shares = plan.shares()
    assert len(shares["giant"]) > 1
    assert all(len(shares[slide.slide_id]) == 1 for slide in slides[:4])
    assert merge_run(out).exit_code == 3
    same_run(out, by_one)


@pytest.mark.parametrize(
    "further",
    [
        ("tiling.skip_glass=false",),
        ("objects.max_hole_um2=2000", "objects.min_focus_um2=3000"),
        ("tiling.work_mpp=0.5", "tiling.tile_px=32", "run.executor=threads", "run.workers=2"),
    ],
)
def test_filters_scales_and_threads_make_no_difference(giant: Slides, tmp_path: Path, further: tuple[str, ...]) -> None:
    out, by_one = tmp_path / "out", tmp_path / "by_one"
    assert run_slides(giant, line(*further), by_one).exit_code == 0
    assert set(tasks(giant, out, 3, (3, 1, 2), *further)) == {0}
    assert merge_run(out).exit_code == 0
    same_run(out, by_one)


def test_a_region_of_interest_and_a_pixel_size_that_somebody_vouches_for_reach_every_task(
    giant: Slides, tmp_path: Path
) -> None:
    ring = [[250, 250], [2000, 250], [2000, 1500], [250, 1500], [250, 250]]
    roi = tmp_path / "giant.geojson"
    shape = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    roi.write_text(json.dumps({"type": "FeatureCollection", "features": [shape]}))
    slides = collect_slides([giant[0].path], roi=roi, mpp="0.3", mpp_reason="from the scanner's log")
    out, by_one = tmp_path / "out", tmp_path / "by_one"
    assert run_slides(slides, line(), by_one).exit_code == 0
    tasks(slides, out, 3, (3, 1, 2))
    assert merge_run(out).exit_code == 0
    same_run(out, by_one)


def test_tiles_that_cannot_be_read_are_counted_as_one_process_counts_them(tmp_path: Path) -> None:
    path, size = tmp_path / "giant.tif", Size(1250, 1250)
    spots = [Region(128, 128, 64, 64), Region(1024, 1152, 64, 64)]
    write_slide(
        path, size, {"tissue": everything(size)}, FileForm("aperio", compression="jpeg", tile_px=64), garbage=spots
    )
    slides, out, by_one = collect_slides([str(path)]), tmp_path / "out", tmp_path / "by_one"
    assert run_slides(slides, line(), by_one).exit_code == 2
    assert tasks(slides, out, 3, (1, 2, 3)) == [2, 0, 2]  # the first and the last spot
    assert merge_run(out).exit_code == 2
    same_run(out, by_one)
    record = open_run(out)["giant"].result.model_dump(mode="json")
    assert record["status"] == "incomplete"
    assert [(tile["row"], tile["col"]) for tile in record["tile_errors"]] == [(2, 2), (18, 16)]
    assert "could not be read; the first:" in record["reason"]


def test_a_slide_that_nobody_can_open_is_failed_as_it_would_be_alone(tmp_path: Path) -> None:
    path = tmp_path / "giant.tif"
    path.write_bytes(b"II*\0 and then nothing" * 1000)
    slides, out, by_one = collect_slides([str(path)]), tmp_path / "out", tmp_path / "by_one"
    assert run_slides(slides, line(), by_one).exit_code == 2
    assert set(tasks(slides, out, 2, (1, 2))) == {2}
    assert merge_run(out).exit_code == 2
    assert documents(out) == documents(by_one)
    assert (out / "failed.csv").read_bytes() == (by_one / "failed.csv").read_bytes()


def test_a_task_that_ended_early_leaves_batches_that_the_merge_names_with_the_command(
    giant: Slides, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    tasks(giant, out, 3, (1, 3))
    assert tasks(giant, out, 3, [2], listener=StopsAfter(1, signal.SIGUSR1)) == [130]
    merged = merge_run(out)
    assert (merged.exit_code, merged.unfinished) == (2, (2,))
    assert "batches are missing; run the same command with --shard 2/3, then wsi-area merge again" in reason_of(merged)
    assert not (out / "slides/giant/result.json").exists()
    assert open_run(out).summary.loc["giant", "status"] == "failed"
    assert json.loads((out / "run.json").read_text())["state"] == "interrupted"
    assert tasks(giant, out, 3, [2]) == [0]
    assert merge_run(out).exit_code == 0
    same_run(out, alone)


def test_a_row_that_is_gone_is_missed_by_the_merge_and_made_again_by_its_owner_alone(
    giant: Slides, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    tasks(giant, out, 3, (1, 2, 3))
    shutil.rmtree(out / "slides/giant/ledger.zarr/counts/c/0")  # the first batches: task 1 has them
    assert "--shard 1/3" in reason_of(merge_run(out))
    assert tasks(giant, out, 3, (2, 3, 1)) == [0, 0, 0]
    merge_run(out)
    same_run(out, alone)


@pytest.mark.parametrize(
    ("chunks", "merged_first"), [("ledger.zarr/counts/c/*/*/0", False), ("mask.ome.zarr/0/c/*/*", True)]
)
def test_what_a_bad_disk_tore_is_found_by_its_owner_or_by_the_merge_and_nobody_else_minds(
    giant: Slides, alone: Path, tmp_path: Path, chunks: str, merged_first: bool
) -> None:
    out = tmp_path / "out"
    tasks(giant, out, 3, (1, 2, 3))
    written = sorted((out / "slides/giant").glob(chunks))
    path = written[len(written) // 2]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    if merged_first:
        assert "1 of its" in reason_of(merge_run(out))
    assert tasks(giant, out, 3, (3, 2, 1)) == [0, 0, 0]
    assert merge_run(out).exit_code == 0
    same_run(out, alone)


def test_a_slide_that_changes_between_two_tasks_is_never_mixed(giant: Slides, tmp_path: Path) -> None:
    path, out = tmp_path / "giant.tif", tmp_path / "out"
    shutil.copyfile(giant[0].path, path)
    slides = collect_slides([str(path)])
    tasks(slides, out, 2, [1])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF  # as long as before, so that the plan of the shards is the same
    path.write_bytes(content)
    outcome = run_task(slides, line(), out, ArrayTask(2, 2))
    assert outcome.exit_code == 2
    assert "another slide file" in outcome.shares[0].reason
    assert "another slide file" in reason_of(merge_run(out))
    assert tasks(slides, out, 2, [2], force=True)[0] in {0, 2}  # afresh, which takes away what task 1 did …
    assert "--shard 1/2" in reason_of(merge_run(out))  # … and the merge says so
    tasks(slides, out, 2, [1])
    by_one = tmp_path / "by_one"
    run_slides(slides, line(), by_one)
    merge_run(out)
    same_run(out, by_one)


def test_a_fit_that_comes_out_otherwise_in_one_task_is_refused(
    giant: Slides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    fitting = [f for f in LINE if "threshold" not in f]  # a threshold of its own, from the overview
    run_task(giant, load(None, fitting), out, ArrayTask(1, 2))
    origin_of = slide_share.origin_of

    def otherwise(*arguments: Any) -> Any:
        from dataclasses import replace

        return replace(origin_of(*arguments), fit="0" * 64)

    monkeypatch.setattr(slide_share, "origin_of", otherwise)
    outcome = run_task(giant, load(None, fitting), out, ArrayTask(2, 2))
    assert "another fit" in outcome.shares[0].reason
    monkeypatch.undo()
    assert run_task(giant, load(None, fitting), out, ArrayTask(2, 2)).exit_code == 0
    assert merge_run(out).exit_code == 0


def test_force_measures_a_task_s_own_part_afresh_and_leaves_the_others_theirs(
    giant: Slides, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    tasks(giant, out, 2, (1, 2))
    merge_run(out)
    before = chunks(out)
    assert tasks(giant, out, 2, [2], force=True) == [0]
    after = chunks(out)
    assert set(after) == set(before)
    assert 0 < sum(after[name] != before[name] for name in before) < len(before)
    assert not (out / "slides/giant/result.json").exists()
    merge_run(out)
    same_run(out, alone)


def test_a_run_of_one_process_after_the_merge_finds_nothing_to_do(giant: Slides, alone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tasks(giant, out, 3, (1, 2, 3))
    with pytest.raises(ResultError, match="wsi-area merge"):
        run_slides(giant, line(), out)
    merge_run(out)
    before = chunks(out)
    assert run_slides(giant, line(), out).exit_code == 0
    assert chunks(out) == before
    same_run(out, alone)


def test_a_run_of_one_process_that_was_cut_short_is_finished_by_tasks(
    giant: Slides, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run_slides(giant, line(), out, listener=StopsAfter(3, signal.SIGUSR1)).exit_code == 130
    tasks(giant, out, 3, (1, 2, 3))
    merge_run(out)
    same_run(out, alone)


# --- tasks in processes of their own, side by side and killed


def started(slides: Slides, out: Path, shard: str, fault: Fault | None = None) -> "subprocess.Popen[str]":
    """Start one task as a cluster does; something may befall it."""
    small = f"import wsi_area.compute.cut.planning as p; p.BATCH_LEVEL_PX_MIN = {SMALL_BATCH_PX}; "
    command = [sys.executable, "-c", struck_program(fault or Fault(), small), "run", f"--out={out}"]
    command += [f"--set={text}" for text in LINE] + [f"--shard={shard}", "--", *(s.path for s in slides)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_tasks_side_by_side_of_which_one_is_started_twice(giant: Slides, alone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = [started(giant, out, f"{n}/3") for n in (1, 2, 3, 1)]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in running]
    codes = [code for _, _, code in ended]
    assert codes[1:3] == [0, 0]
    refused = [err for _, err, code in ended if code == 1]
    # the second task of shard 1 was refused, unless the first had ended before it came
    assert len(refused) <= 1
    assert all("shard 1/3" in err and "by another task" in err for err in refused)
    assert "giant: a part of it" in ended[1][0]
    merge_run(out)
    same_run(out, alone)


def test_two_tasks_with_one_number_at_once_are_refused(giant: Slides, tmp_path: Path) -> None:
    out, refusals = tmp_path / "out", []

    def second(event: object) -> None:
        if type(event).__name__ == "BatchDone" and not refusals:
            with pytest.raises(ResultError, match=r"shard 2/3 .* by another task") as refusal:
                run_task(giant, line(), out, ArrayTask(2, 3))
            refusals.append(refusal)

    run_task(giant, line(), out, ArrayTask(2, 3), listener=second)
    assert len(refusals) == 1


def test_tasks_killed_at_many_points_and_run_again_end_the_same_to_the_byte(
    giant: Slides, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for shard, fault in (
        ("2/2", Fault(COMMIT, "before", 1)),
        ("1/2", Fault(SHARD, "after", 2)),
        ("2/2", Fault(COMMIT, "after", 3)),
        ("1/2", Fault(COMMIT, "before", 2)),
        ("2/2", Fault(RENAME, "before", 5)),
    ):
        process = started(giant, out, shard, fault)
        process.communicate(timeout=240)
        assert process.returncode == KILLED
        if all((out / f"shards/{n}-of-2.json").exists() for n in (1, 2)):
            merge_run(out)
            missing = not set(files(alone)) <= set(files(out))
            assert (out / "slides/giant/result.json").exists() != missing
    assert tasks(giant, out, 2, (2, 1)) == [0, 0]
    assert merge_run(out).exit_code == 0
    same_run(out, alone)
    assert wsi_area("verify", out).code == 0
