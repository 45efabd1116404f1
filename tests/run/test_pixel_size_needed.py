"""A segmenter that looks so many µm round a pixel cannot even count without a pixel size: that slide waits for one."""

from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, disc, write_slide

from wsi_area.audit.difference import compare_runs
from wsi_area.audit.recorded_areas import recorded_slide
from wsi_area.audit.verify import verify_run
from wsi_area.errors import ResultError
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run
from wsi_area.run.run_document import EXIT_CALIBRATION

SIZE = Size(700, 500)
LOOKS_ROUND = ("exclusions.pen=true",)


@pytest.fixture
def slides(tmp_path: Path) -> list[Path]:
    shapes = {"tissue": disc(SIZE, 300, 250, 150)}
    known = write_slide(tmp_path / "known.tif", SIZE, shapes, FileForm(mpp=Mpp(1.0, 1.0)))
    unknown = write_slide(tmp_path / "unknown.tif", SIZE, shapes, FileForm(mpp=None))
    return [known.path, unknown.path]


def test_it_needs_calibration_and_the_others_are_measured(slides: list[Path], tmp_path: Path) -> None:
    outcome = measure(slides, tmp_path / "out", *LOOKS_ROUND)
    assert outcome.exit_code == EXIT_CALIBRATION
    statuses = {r["slide_id"]: r["status"] for r in outcome.documents}
    assert statuses == {"known": "complete", "unknown": "needs_calibration"}
    assert "--mpp" in outcome.documents[1]["reason"]


def test_everything_that_reads_a_run_copes_with_a_slide_without_counts(slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(slides, out, *LOOKS_ROUND)
    assert verify_run(out).disagreements == ()
    assert compare_runs(out, out).is_same
    assert open_run(out)["unknown"].tissue_area_mm2 is None
    assert open_run(out).summary.loc["unknown", "status"] == "needs_calibration"
    with pytest.raises(ResultError, match="needs_calibration and has no areas"):
        recorded_slide(out, "unknown")
    assert wsi_area("report", out).code == 0
    assert "unknown" in (out / "report.html").read_text(encoding="utf-8")


def test_with_a_pixel_size_the_same_folder_goes_on(slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(slides, out, *LOOKS_ROUND)
    outcome = measure(slides, out, *LOOKS_ROUND, mpp="1.0", mpp_reason="stage micrometer")
    assert outcome.documents[1]["status"] == "complete"
    assert verify_run(out).disagreements == ()
