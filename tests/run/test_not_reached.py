"""A slide that a run did not come to has a row that says why and what to do: in tables, run.json, log, on screen."""

import csv
import json
from pathlib import Path

import pytest
from command_line import wsi_area
from synthetic import disc, write_slide, write_text_slide

from wsi_area.compute.cut import planning
from wsi_area.model.geometry import Size

SIZE = Size(300, 200)
FAST = ("--set", "run.fail_fast=true", "--set", "run.slides_in_flight=1", "--set", "run.executor=serial",
        "--no-report")  # fmt: skip
SLOW = FAST[2:]
WHY = "not reached: another slide failed, and run.fail_fast ended the run"
WHAT_TO_DO = "mend that one or leave run.fail_fast out, then run the same command again"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Slides of which the first is none."""
    folder = tmp_path / "slides"
    folder.mkdir()
    write_text_slide(folder / "a.svs")
    for name in ("b", "c"):
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 60)})
    return folder


def reasons(out: Path) -> dict[str, str]:
    with (out / "failed.csv").open(newline="", encoding="utf-8") as file:
        return {row["slide_id"]: row["reason"] for row in csv.DictReader(file)}


def test_after_a_failure_that_ended_the_run_the_others_say_so(folder: Path, tmp_path: Path) -> None:
    options = (*FAST, "--out", tmp_path / "out")
    assert wsi_area("run", folder, *options).code == 2
    found = reasons(tmp_path / "out")
    assert list(found) == ["a", "b", "c"]
    for name in ("b", "c"):
        assert found[name].startswith(WHY)
        assert "interrupted" not in found[name]
    (folder / "a.svs").unlink()
    write_slide(folder / "a.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 60)})
    again = wsi_area("run", folder / "b.tif", folder / "c.tif", *options)
    assert again.code == 0


def test_what_was_not_reached_is_said_wherever_a_run_says_how_it_ended(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = wsi_area("run", folder, *FAST, "--out", out, "--json")
    assert ended.code == 2
    assert [(s["slide_id"], s["status"]) for s in ended.document["slides"]] == [(n, "failed") for n in "abc"]
    about = json.loads((out / "run.json").read_text())
    assert (about["not_reached"], about["slides_not_reached"]) == (2, ["b", "c"])
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["slide_id"]: row for row in csv.DictReader(file)}
    lines = [json.loads(line) for line in (out / "logs/run.jsonl").read_text().splitlines()]
    told = {entry["slide"]: entry for entry in lines[-1]["not_complete"]}
    for name in ("b", "c"):
        for reason in (rows[name]["reason"], about["slides"][name]["reason"], told[name]["reason"]):
            assert reason == f"{WHY}; {WHAT_TO_DO}"
        assert rows[name]["status"] == "failed"
        assert "leave run.fail_fast out" in told[name]["remedy"]


def test_on_the_screen_each_is_named_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    shown = " ".join(wsi_area("run", folder, *FAST, "--out", tmp_path / "out").out.split())
    assert "0 of 3 slides are complete; 1 failed, 2 not reached" in shown
    assert "not reached (b, c): mend the slide that failed or leave run.fail_fast out" in shown
    assert WHY in shown


def test_without_it_the_same_command_reaches_them(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    wsi_area("run", folder, *FAST, "--out", out)
    assert wsi_area("run", folder, *SLOW, "--out", out).code == 2
    assert list(reasons(out)) == ["a"]
    assert json.loads((out / "run.json").read_text())["slides_not_reached"] == []


def test_the_merge_says_which_task_it_ended_and_that_it_would_again(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert wsi_area("run", folder, *FAST, "--out", out, "--shard", "1/1").code == 2
    ended = wsi_area("merge", out, "--no-report", "--json")
    assert ended.code == 2
    for name in ("b", "c"):
        assert reasons(out)[name].startswith(
            "shard 1/1 did not come to this slide before it was stopped, since another"
        )
        assert "leave run.fail_fast out; run the same command with --shard 1/1" in reasons(out)[name]
    assert json.loads((out / "run.json").read_text())["slides_not_reached"] == ["b", "c"]
    assert wsi_area("run", folder, *SLOW, "--out", out, "--shard", "1/1").code == 2
    wsi_area("merge", out, "--no-report")
    assert list(reasons(out)) == ["a"]


def test_a_part_of_a_slide_that_a_task_never_came_to_is_said_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 16)  # so that there are batches to be divided
    (folder / "c.tif").unlink()
    slide = write_slide(folder / "b.tif", Size(1500, 1200), {"tissue": disc(Size(1500, 1200), 700, 600, 400)}).path
    broken = b"II*\0 and then nothing"
    (folder / "a.svs").write_bytes(broken * -(-slide.stat().st_size // len(broken)))  # as heavy: both are divided
    options = (*FAST, "--set", "run.piece_mib=0", "--set", "tiling.tile_px=64")
    out = tmp_path / "out"
    codes = [wsi_area("run", folder, *options, "--out", out, "--shard", f"{n}/3").code for n in (1, 2, 3)]
    assert 2 in codes
    wsi_area("merge", out, "--no-report")
    shared = json.loads((out / "shards/plan.json").read_text())["slides"]
    assert len(next(s["shards"] for s in shared if s["slide_id"] == "b")) > 1
    assert "batches are missing" in reasons(out)["b"]
    assert "since another slide failed and run.fail_fast is set" in reasons(out)["b"]
