"""Reviews and the runs that they are of: job arrays, runs at work, damaged reviews that stop nothing."""

import json
import logging
from pathlib import Path

import openpyxl
import pytest
from command_line import wsi_area
from measuring import FLAT, measure
from reviewed import ADA, decide, state, verdict

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.results.opened_run import open_run
from wsi_area.review.tables import write_review
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.settings.run_settings import load


def merged(slides: list[Path], out: Path, *settings: str) -> None:
    inputs = collect_slides([str(path) for path in slides])
    for task in (1, 2):
        run_task(inputs, load(None, [*FLAT, *settings]), out, ArrayTask(task, 2))
    merge_run(out)


def test_a_job_array_that_is_merged_again_keeps_verdicts(slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    merged(slides, out)
    decide(out, ADA, "accept", "a", "b", "c")
    write_review(open_run(out))
    merged(slides, out)
    assert {one.status for one in state(out).verdicts.values()} == {"accepted"}
    assert openpyxl.load_workbook(out / "summary.xlsx")["review"]["C2"].value == "accepted"
    assert verify_run(out).disagreements == ()


def test_a_decision_on_a_run_at_work_waits_for_its_end_with_the_workbook_alone(
    slides: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measure(slides, out)
    ended = (out / "run.json").read_text()
    (out / "run.json").write_text(json.dumps({**json.loads(ended), "state": "running"}))
    before = (out / "summary.xlsx").read_bytes()
    assert wsi_area("review", out, "--accept", "a", "--by", "Ada").code == 0
    assert (out / "summary.xlsx").read_bytes() == before
    assert (out / "review/summary.csv").is_file()
    (out / "run.json").write_text(ended)
    measure(slides, out)
    assert openpyxl.load_workbook(out / "summary.xlsx")["review"]["C2"].value == "accepted"
    assert verify_run(out).disagreements == ()


@pytest.mark.parametrize("harm", ["review.json", "events"])
def test_a_damaged_review_stops_no_run_and_is_named(
    slides: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    out = tmp_path / "out"
    measure(slides[:2], out)
    decide(out, ADA, "accept", "a")
    write_review(open_run(out))
    if harm == "review.json":
        (out / "review/review.json").write_text("{")
    else:
        (path,) = (out / "review/events").iterdir()
        path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 9'))
    with caplog.at_level(logging.WARNING):
        assert measure(slides, out).exit_code == 0
    assert "the review of the run cannot be read" in caplog.text
    if harm == "review.json":
        assert any(fault.what.startswith("review/") for fault in verify_run(out).disagreements)


def test_a_run_without_a_seal_is_reviewed_too(run: Path) -> None:
    (run / "seal.json").unlink()
    document = json.loads((run / "run.json").read_text())
    del document["seal"]
    (run / "run.json").write_text(json.dumps(document))
    before = (run / "summary.xlsx").read_bytes()
    assert wsi_area("review", run, "--accept", "a", "--by", "Ada").code == 0
    assert verdict(run).status == "accepted"
    assert (run / "summary.xlsx").read_bytes() == before
