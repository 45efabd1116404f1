"""Where a report is wanted each slide leaves the picture of its classes; an old one never outlives its result."""

import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measuring import measure
from synthetic import FileForm, box, disc, everything, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.class_map import class_thumbnail as class_thumbnail_room
from wsi_area.results.class_map.class_thumbnail import class_thumbnail
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.thumbnail import ThumbnailFrame, read_frame
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.executors.serial import SerialExecutor
from wsi_area.run.passes import class_picture
from wsi_area.run.work.thumbnail_task import ClassThumbnailTask
from wsi_area.settings.run_settings import load

pytestmark = pytest.mark.usefixtures("small_batches")
SIZE = Size(900, 700)
QUICK = ("tiling.tile_px=64", "tiling.skip_glass=false", "run.executor=serial")


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large island and a small one."""
    parts = {"tissue": disc(SIZE, 300, 350, 200), "blue": box(SIZE, 800, 600, 20, 20)}
    return write_slide(tmp_path_factory.mktemp("s") / "s.tif", SIZE, parts, FileForm(mpp=Mpp(0.5, 0.5))).path


def of(out: Path) -> SlideLayout:
    return RunLayout(out).slide("s")


def picture_of(layout: SlideLayout) -> Path:
    return Path(str(layout.root)) / "classes.png"


def is_of_this_result(layout: SlideLayout, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the kept picture is taken, and no class map read for it, and it is what the class map gives."""
    record, frame, rows = read_result(layout), read_frame(layout), ledger_rows(layout)
    made: list[Any] = []
    with monkeypatch.context() as patched:
        whole = class_thumbnail_room.sparse_class_map
        patched.setattr(class_thumbnail_room, "sparse_class_map", lambda place: made.append(place) or whole(place))
        kept, anew = class_thumbnail(layout, record, frame, rows), class_thumbnail(layout, record, frame, None)
    return len(made) == 1 and np.array_equal(kept, anew)


def test_only_a_run_with_a_report_leaves_one(slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(slide, tmp_path / "out", *QUICK)
    assert not picture_of(of(tmp_path / "out")).exists()
    measure(slide, tmp_path / "out", *QUICK, for_report=True)  # resumed: nothing is measured any more
    assert is_of_this_result(of(tmp_path / "out"), monkeypatch)


@pytest.mark.parametrize("for_report", [True, False])
def test_measured_afresh_by_other_settings_the_old_one_is_gone(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_report: bool
) -> None:
    layout = of(tmp_path / "out")
    measure(slide, tmp_path / "out", *QUICK, for_report=True)
    first = picture_of(layout).read_bytes()
    measure(slide, tmp_path / "out", *QUICK, "segmenter.threshold=200", force=True, for_report=for_report)
    assert picture_of(layout).exists() is for_report
    if for_report:
        assert picture_of(layout).read_bytes() != first
        assert is_of_this_result(layout, monkeypatch)


@pytest.mark.parametrize("for_report", [True, False])
def test_where_a_batch_is_measured_again_the_old_one_is_gone(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_report: bool
) -> None:
    layout = of(tmp_path / "out")
    measure(slide, tmp_path / "out", *QUICK, for_report=True)
    next(p for p in sorted((tmp_path / "out").rglob("ledger.zarr/counts/c/**/*")) if p.is_file()).unlink()
    measure(slide, tmp_path / "out", *QUICK, for_report=for_report)
    assert picture_of(layout).exists() is for_report
    assert not for_report or is_of_this_result(layout, monkeypatch)


def test_it_shows_what_the_size_filters_left(slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(*further: str) -> np.ndarray:
        out = tmp_path / str(len(further))
        measure(slide, out, *QUICK, *further, for_report=True)
        assert is_of_this_result(of(out), monkeypatch)
        return class_thumbnail(of(out), read_result(of(out)), read_frame(of(out)), ledger_rows(of(out)))

    raw, cleaned = shown(), shown("objects.min_tissue_um2=10000")
    at = tuple(int(side * share) for side, share in zip(raw.shape, (610 / 700, 810 / 900), strict=True))
    assert (raw[at], cleaned[at]) == (1, 0)
    assert raw[raw.shape[0] // 2, raw.shape[1] // 3] == cleaned[raw.shape[0] // 2, raw.shape[1] // 3] == 1


@pytest.mark.parametrize("for_report", [True, False])
def test_tasks_of_an_array_and_their_merge_leave_the_same(slide: Path, tmp_path: Path, for_report: bool) -> None:
    whole = write_slide(tmp_path / "all.tif", Size(120, 90), {"tissue": everything(Size(120, 90))}).path
    slides = collect_slides([str(slide), str(whole)])
    settings = load(None, ["segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60", *QUICK])
    alone, out = tmp_path / "alone", tmp_path / "out"
    measure([slide, whole], alone, *QUICK, for_report=for_report)
    divided = settings.model_copy(update={"run": settings.run.model_copy(update={"piece_mib": 0})})
    for n in (1, 2):
        run_task(slides, divided, out, ArrayTask(n, 2), for_report=for_report)
    assert not (out / "slides/s/classes.png").exists()  # no task has all of it
    merge_run(out, for_report=for_report)
    found, expected = (
        {p.parent.name: p.read_bytes() for p in folder.glob("slides/*/classes.png")} for folder in (out, alone)
    )
    assert found == expected
    assert len(found) == (2 if for_report else 0)


def test_a_slide_whose_picture_cannot_be_made_is_complete_all_the_same(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def torn(layout: SlideLayout) -> None:
        raise OSError("Input/output error")

    monkeypatch.setattr(class_thumbnail_room, "sparse_class_map", torn)
    with caplog.at_level(logging.WARNING):
        assert measure(slide, tmp_path / "out", *QUICK, for_report=True).exit_code == 0
    assert "s: its classes are not kept as a picture (Input/output error); the report makes it" in caplog.text


@pytest.mark.parametrize("broken", ["the scheduler is gone", "the folder cannot be asked"])
def test_whatever_befalls_the_picture_the_run_ends_as_it_would(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    mapped = SerialExecutor.map

    def lost(self: SerialExecutor, function: Any, items: Any) -> Any:
        if function is class_picture.make_class_thumbnail:
            raise OSError(broken)
        return mapped(self, function, items)

    def refused(layout: SlideLayout) -> None:
        raise PermissionError(broken)

    if broken == "the scheduler is gone":
        monkeypatch.setattr(SerialExecutor, "map", lost)
    else:
        monkeypatch.setattr(class_picture, "read_frame", refused)
    outcome = measure(slide, tmp_path / "out", *QUICK, "run.executor=serial", for_report=True)
    assert outcome.exit_code == 0
    assert (tmp_path / "out/summary.csv").exists()
    assert not picture_of(of(tmp_path / "out")).exists()
    assert f"not kept as a picture ({broken})" in caplog.text


def test_a_failed_slide_has_none(tmp_path: Path) -> None:
    (tmp_path / "s.svs").write_text("no slide")
    assert measure(tmp_path / "s.svs", tmp_path / "out", *QUICK, for_report=True).exit_code == 2
    assert not picture_of(of(tmp_path / "out")).exists()


def test_what_a_worker_is_sent_is_small(slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[ClassThumbnailTask] = []
    monkeypatch.setattr(class_picture, "make_class_thumbnail", lambda task: sent.append(task))
    measure(slide, tmp_path / "out", *QUICK, for_report=True)
    again = pickle.loads(pickle.dumps(sent[0]))
    assert again == sent[0]
    assert again.slide_dir.is_absolute()
    assert again.frame == read_frame(of(tmp_path / "out"))
    assert len(pickle.dumps(again)) < 20_000  # a document; the picture itself is none of it


def test_after_a_stop_nothing_more_is_made(slide: Path, tmp_path: Path) -> None:
    measure(slide, tmp_path / "out", *QUICK)
    executor = SerialExecutor()
    executor.stop()
    class_picture.order_class_thumbnail(of(tmp_path / "out"), read_result(of(tmp_path / "out")), executor)
    assert not picture_of(of(tmp_path / "out")).exists()
    assert isinstance(read_frame(of(tmp_path / "out")), ThumbnailFrame)
