"""What was fitted on a slide is part of what its result was made from: another fit never goes on with its tiles."""

import json
from pathlib import Path

import pytest
from measuring import measure
from synthetic import SyntheticSlide, disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run
from wsi_area.run import slide_tiles as slide_tiles_module
from wsi_area.run.finished import basis
from wsi_area.run.work.slide_job import BatchResult, BatchTask
from wsi_area.run.work.tile_task import measure_batch
from wsi_area.segmenters.colour import foreground

SIZE = Size(1300, 900)
CUT = ("tiling.tile_px=64", "run.executor=serial", "tiling.skip_glass=false", "segmenter.threshold=otsu")


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    return write_slide(tmp_path_factory.mktemp("fit") / "s.tif", SIZE, {"tissue": disc(SIZE, 600, 450, 300)})


def fit_otherwise(patched: pytest.MonkeyPatch, by: int) -> None:
    """Fit as another version of a library might: the same pixels, the same settings, another threshold."""
    fitted = foreground.otsu_bin
    patched.setattr(foreground, "otsu_bin", lambda histogram: fitted(histogram) + by)
    patched.setattr(basis, "package_versions", lambda: {"scikit-image": f"another by {by}"})


@pytest.mark.parametrize("by", [1, -1, 12])
def test_a_run_that_was_stopped_is_not_continued_with_another_fit(
    slide: SyntheticSlide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_batches: None, by: int
) -> None:
    out, left = tmp_path / "out", [2]

    def stops(task: BatchTask) -> BatchResult:
        left[0] -= 1
        return measure_batch(task) if left[0] >= 0 else BatchResult(task.batch, 0, 0, (), 0.0, "the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(slide_tiles_module, "measure_batch", stops)
        assert measure(slide.path, out, *CUT).exit_code == 2
    ledger = {path: path.read_bytes() for path in out.glob("slides/s/ledger.zarr/counts/c/*/*/0")}
    assert len(ledger) == 2
    with monkeypatch.context() as patched:
        fit_otherwise(patched, by)
        (record,) = measure(slide.path, out, *CUT).documents
    assert record["status"] == "failed"
    assert "made with another fit;" in record["reason"]
    assert {path: path.read_bytes() for path in ledger} == ledger  # what was committed is left as it was
    assert measure(slide.path, out, *CUT).exit_code == 0  # and goes on with the fit that it was made from


def test_a_finished_slide_is_not_taken_for_that_of_another_fit(
    slide: SyntheticSlide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert measure(slide.path, out, *CUT).exit_code == 0
    before = open_run(out)["s"].result.model_dump(mode="json")
    fit_otherwise(monkeypatch, 3)
    (refused,) = measure(slide.path, out, *CUT).documents
    assert (refused["status"], "made with another fit;" in refused["reason"]) == ("failed", True)
    assert measure(slide.path, out, *CUT, force=True).exit_code == 0
    after = open_run(out)["s"].result.model_dump(mode="json")
    assert {part for part in after["made_from"] if after["made_from"][part] != before["made_from"][part]} == {"fit"}
    assert after["key"] != before["key"]


def test_the_same_fit_goes_on_with_what_is_there(slide: SyntheticSlide, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert measure(slide.path, out, *CUT).exit_code == 0
    stores = {path: path.stat().st_mtime_ns for path in out.glob("slides/s/*.zarr/**/*") if path.is_file()}
    assert measure(slide.path, out, *CUT).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in stores} == stores
    assert json.loads((out / "slides/s/result.json").read_text())["made_from"]["fit"]
