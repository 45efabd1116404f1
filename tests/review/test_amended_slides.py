"""A slide that somebody corrected: verdicts given before are outdated, and both areas stand beside one another."""

import csv
import io
import json
from pathlib import Path

import pytest
from command_line import wsi_area
from reviewed import ADA, OTTO, decide, verdict

from wsi_area.audit.verify import verify_run
from wsi_area.results.content_hash import content_hash
from wsi_area.results.opened_run import open_run
from wsi_area.review.tables import write_review


@pytest.fixture
def corrections(run: Path, tmp_path: Path) -> Path:
    """A box of 20 × 20 level-0 px in the middle of slide a, which is no tissue."""
    ring = [[190, 140], [210, 140], [210, 160], [190, 160], [190, 140]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"operation": "erase", "class": "tissue", "reviewer": "Otto", "utc": "2026-01-01T00:00:00Z"},
    }
    base = content_hash(open_run(run)["a"].counted)
    path = tmp_path / "corrections.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "base": base, "features": [feature]}))
    return path


def test_an_amended_slide_outdates_what_was_decided_and_is_decided_on_itself(run: Path, corrections: Path) -> None:
    decide(run, ADA, "accept", "a", "b")
    write_review(open_run(run))
    measured_mm2 = verdict(run).measured_mm2
    ended = wsi_area("amend", run, "a", corrections)
    assert ended.code == 0, ended.err
    found = verdict(run)
    assert (found.status, found.amended, found.decided_mm2) == ("outdated", 1, measured_mm2)
    assert found.measured_mm2 == measured_mm2
    # 400 px of 0.25 µm: 25 µm² less
    assert found.amended_mm2 == pytest.approx((measured_mm2 or 0.0) - 400 * 0.25**2 / 1e6, rel=1e-9)
    assert verdict(run, "b").status == "accepted"
    rows = list(csv.DictReader(io.StringIO((run / "review/summary.csv").read_text())))
    assert [(row["verdict"], row["amended_mm2"], row["amended_version"]) for row in rows] == [
        ("outdated", repr(found.amended_mm2), "1"), ("accepted", "", ""), ("unreviewed", "", "")
    ]  # fmt: skip
    assert verify_run(run).disagreements == ()
    (event,) = decide(run, OTTO, "accept", "a")
    assert (event.decided[0].amended, event.decided[0].area_mm2) == (1, found.amended_mm2)
    assert verdict(run).status == "accepted"


def test_an_amended_slide_that_nobody_reviewed_is_told_in_a_notebook(run: Path, corrections: Path) -> None:
    import wsi_area as face

    assert wsi_area("amend", run, "a", corrections).code == 0
    summary = face.open_run(run).summary
    assert summary.amended_version["a"] == 1
    assert summary.amended_mm2["a"] < summary.tissue_area_mm2["a"]
    assert summary.verdict["a"] == "unreviewed"
    assert not (run / "review").exists()
