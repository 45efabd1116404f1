"""A run that is stopped goes on; one made from something else is never mixed in."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from measuring import class_maps_of, counts_of, measure
from stopped_runs import StopsAfter
from synthetic import FileForm, SyntheticSlide, disc, write_slide

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.run import slide_tiles as slide_tiles_module
from wsi_area.run.events import BatchDone, Event, SlideStarted
from wsi_area.run.work.slide_job import BatchResult, BatchTask
from wsi_area.run.work.tile_task import measure_batch

# tiles of 16 px and a small slide still make several batches only if batches are small
CUT = ("tiling.tile_px=256", "run.executor=serial", "tiling.skip_glass=false")
SIZE = Size(6100, 4100)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    path = tmp_path_factory.mktemp("resume") / "s.tif"
    return write_slide(path, SIZE, {"tissue": disc(SIZE, 3000, 2000, 1500)})


@pytest.fixture(scope="module")
def undisturbed(slide: SyntheticSlide, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert measure(slide.path, out, *CUT).exit_code == 0
    return out


class Stop:
    """A measure_batch that works for a while and then finds the disk full."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, task: BatchTask) -> BatchResult:
        self.left -= 1
        if self.left < 0:
            return BatchResult(task.batch, 0, 0, (), 0.0, "the disk is full")
        return measure_batch(task)


@pytest.mark.parametrize("batches_done", [0, 1, 3, 5])
def test_only_what_is_missing_is_measured_and_the_end_is_the_same_to_the_byte(
    slide: SyntheticSlide, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches_done: int
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(slide_tiles_module, "measure_batch", Stop(batches_done))
        broken = measure(slide.path, out, *CUT)
    assert broken.exit_code == 2
    assert broken.documents[0]["status"] == "failed"
    assert "the disk is full" in broken.documents[0]["reason"]
    events: list[Event] = []
    resumed = measure(slide.path, out, *CUT, listener=events.append)
    assert resumed.exit_code == 0
    started = next(e for e in events if isinstance(e, SlideStarted))
    assert (started.tiles_done > 0) == (batches_done > 0)
    assert sum(e.tiles for e in events if isinstance(e, BatchDone)) == started.tiles - started.tiles_done
    assert json.loads((out / "slides/s/result.json").read_text())["counts"] == _counts(undisturbed)
    assert _files(out / "slides/s/ledger.zarr") == _files(undisturbed / "slides/s/ledger.zarr")
    assert _files(out / "slides/s/mask.ome.zarr") == _files(undisturbed / "slides/s/mask.ome.zarr")


def _counts(out: Path) -> object:
    return json.loads((out / "slides/s/result.json").read_text())["counts"]


def _files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_a_finished_slide_is_not_measured_again(slide: SyntheticSlide, undisturbed: Path) -> None:
    events: list[Event] = []
    again = measure(slide.path, undisturbed, *CUT, listener=events.append)
    assert again.exit_code == 0
    assert not [e for e in events if isinstance(e, BatchDone)]


def test_another_setting_is_refused_by_name_and_the_old_result_is_kept(
    slide: SyntheticSlide, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed, out)
    before = _files(out)
    with pytest.raises(StaleResultError, match=r"tiling\.work_mpp was None, is 1\.0.*--force"):
        measure(slide.path, out, *CUT, "tiling.work_mpp=1")
    assert _files(out) == before
    forced = measure(slide.path, out, *CUT, "tiling.work_mpp=1", force=True)
    assert forced.exit_code == 0
    assert forced.documents[0]["work"]["reduce_factor"] == 4


def test_further_slides_join_a_run_and_nobody_vanishes_from_its_tables(tmp_path: Path) -> None:
    size = Size(600, 500)
    paths = [tmp_path / f"{name}.tif" for name in ("a", "b")]
    for path in paths:
        write_slide(path, size, {"tissue": disc(size, 300, 250, 100)})
        assert measure(path, tmp_path / "out", *CUT).exit_code == 0
    run = open_run(tmp_path / "out")
    assert list(run) == list(run.summary.index) == ["a", "b"]
    assert set(run.summary["status"]) == {"complete"}


def test_a_slide_replaced_under_its_name_is_noticed(tmp_path: Path) -> None:
    size = Size(600, 500)
    path = tmp_path / "s.tif"
    write_slide(path, size, {"tissue": disc(size, 300, 250, 100)})
    assert measure(path, tmp_path / "out", *CUT).exit_code == 0
    write_slide(path, size, {"tissue": disc(size, 300, 250, 150)})
    again = measure(path, tmp_path / "out", *CUT)
    assert again.exit_code == 2
    assert "made with another slide file" in again.documents[0]["reason"]


def test_a_slide_that_got_its_pixel_size_later_is_measured_without_force(tmp_path: Path) -> None:
    size = Size(600, 500)
    path = tmp_path / "s.tif"
    write_slide(path, size, {"tissue": disc(size, 300, 250, 100)}, FileForm(mpp=None))
    assert measure(path, tmp_path / "out", *CUT).exit_code == 3
    known = measure(path, tmp_path / "out", *CUT, mpp="0.5", mpp_reason="from the scanner's log")
    assert known.exit_code == 0
    assert open_run(tmp_path / "out").summary.loc["s", "flags"] == "MPP_OVERRIDE"


def test_findings_follow_the_limits_of_today_without_measuring_again(
    slide: SyntheticSlide, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed, out)
    events: list[Event] = []
    again = measure(slide.path, out, *CUT, "quality.edge_tissue_fraction=0", listener=events.append)
    assert not [e for e in events if isinstance(e, BatchDone)]
    assert again.exit_code == 0


def test_a_failure_of_today_takes_no_result_of_yesterday_away(tmp_path: Path) -> None:
    size = Size(600, 500)
    path = tmp_path / "s.tif"
    write_slide(path, size, {"tissue": disc(size, 300, 250, 100)})
    assert measure(path, tmp_path / "out", *CUT).exit_code == 0
    before = (tmp_path / "out/slides/s/result.json").read_bytes()
    path.write_bytes(b"II*\0 this was a slide")
    failed = measure(path, tmp_path / "out", *CUT)
    assert failed.exit_code == 2
    assert (tmp_path / "out/slides/s/result.json").read_bytes() == before
    run = open_run(tmp_path / "out")
    assert run["s"].status == run.summary.loc["s", "status"] == "failed"


def test_one_slide_is_never_counted_twice_under_two_ids(tmp_path: Path) -> None:
    size = Size(600, 500)
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write_slide(tmp_path / folder / "a.tif", size, {"tissue": disc(size, 300, 250, 100)})
    assert measure(tmp_path / "x/a.tif", tmp_path / "out", *CUT).exit_code == 0
    with pytest.raises(ResultError, match="counted twice"):
        measure([tmp_path / "x/a.tif", tmp_path / "y/a.tif"], tmp_path / "out", *CUT)


def test_another_pixel_size_is_another_result(slide: SyntheticSlide, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed, out)
    other = measure(slide.path, out, *CUT, mpp="0.3", mpp_reason="measured with a stage micrometer")
    assert other.exit_code == 2


def test_an_interrupted_run_says_so_and_goes_on(slide: SyntheticSlide, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped = measure(slide.path, out, *CUT, listener=StopsAfter(1, signal.SIGINT))
    assert stopped.exit_code == 130
    assert json.loads((out / "run.json").read_text())["state"] == "interrupted"
    assert "run the same command again" in (out / "summary.csv").read_text()
    assert not RunLayout(out).slide("s").result_json.exists()
    assert measure(slide.path, out, *CUT).exit_code == 0
    assert _files(out / "slides/s/ledger.zarr") == _files(undisturbed / "slides/s/ledger.zarr")


def test_a_run_directory_in_use_is_refused(slide: SyntheticSlide, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def run_inside(event: Event) -> None:
        if isinstance(event, SlideStarted):
            with pytest.raises(ResultError, match="another wsi-area process"):
                measure(slide.path, out, *CUT)

    assert measure(slide.path, out, *CUT, listener=run_inside).exit_code == 0


def test_maps_and_counts_of_an_undisturbed_run_are_there(slide: SyntheticSlide, undisturbed: Path) -> None:
    outcome = measure(slide.path, undisturbed, *CUT)
    assert counts_of(outcome)[0][1] == slide.truth.px["tissue"]
    assert int((class_maps_of(undisturbed)["s"] == 1).sum()) == slide.truth.px["tissue"]
