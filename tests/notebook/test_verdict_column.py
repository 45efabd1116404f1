"""Verdicts in a notebook: beside what was measured, and as a frame of their own."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from reviewed import ADA, OTTO, decide

import wsi_area
from wsi_area.errors import ResultError
from wsi_area.model.review.event import Reviewer


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_a_run_that_nobody_reviewed_says_so(run: Path) -> None:
    summary = wsi_area.open_run(run).summary
    assert set(summary.verdict) == {"unreviewed"}
    assert summary.amended_mm2.isna().all()
    assert not (run / "review").exists()


def test_the_summary_has_the_verdict_beside_the_area(run: Path) -> None:
    before = wsi_area.open_run(run).summary
    decide(run, ADA, "accept", "disc")
    decide(run, OTTO, "reject", "text", reason="incomplete")
    summary = wsi_area.open_run(run).summary
    assert summary.verdict["disc"] == "accepted"
    assert summary.verdict["text"] == "rejected"
    assert summary.verdict["bare"] == "unreviewed"
    measured = [name for name in before.columns if name not in {"verdict", "is_outdated"}]
    pd.testing.assert_frame_equal(summary[measured], before[measured])


def test_the_frame_of_the_review_has_who_and_when(run: Path) -> None:
    decide(run, ADA, "accept_with_remark", "disc", remark="thin")
    frame = wsi_area.open_run(run).review
    assert tuple(frame.loc["disc", ["verdict", "reviewer", "remark"]]) == ("accepted_with_remark", "Ada Miller", "thin")
    assert frame.measured_mm2.dtype == "float64"
    assert frame.loc["disc", "measured_mm2"] == wsi_area.open_run(run)["disc"].tissue_area_mm2


def test_the_table_of_a_run_has_verdicts_once_somebody_decided(run: Path) -> None:
    assert "verdict" not in wsi_area.open_run(run)._repr_html_()
    decide(run, ADA, "accept", "disc")
    decide(run, Reviewer(name="<b>Otto</b>", role=""), "reject", "text", reason="incomplete")
    page = wsi_area.open_run(run)._repr_html_()
    cells = {name: page.split(f">{name}</th>")[1].split("</tr>")[0] for name in ("disc", "text", "bare")}
    assert "verdict</th>" in page
    assert ">accepted (Ada Miller (pathologist), " in cells["disc"]
    assert ">rejected (&lt;b&gt;Otto&lt;/b&gt;, " in cells["text"]
    assert "Miller" not in cells["bare"]


def test_the_table_of_a_run_says_what_of_the_review_cannot_be_read(run: Path) -> None:
    decide(run, ADA, "accept", "disc")
    (run / "review/review.json").unlink()
    page = wsi_area.open_run(run)._repr_html_()
    assert "mm²" in page
    assert "review.json" in page


def test_a_review_whose_identity_is_gone_is_named(run: Path) -> None:
    decide(run, ADA, "accept", "disc")
    (run / "review/review.json").unlink()
    with pytest.raises(ResultError, match=r"review\.json"):
        _ = wsi_area.open_run(run).review
