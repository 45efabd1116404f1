"""A large overview is read by all workers, in parts: the same is measured, and no stored tile is decoded twice."""

import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measuring import class_maps_of, counts_of, measure
from synthetic import FileForm, box, disc, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.class_map.store import stored_origin
from wsi_area.results.layout import RunLayout
from wsi_area.run import prepare as prepare_module
from wsi_area.run.executors.serial import SerialExecutor
from wsi_area.run.prepare import PreparedSlide, PrepareTask, prepare_or_split, prepare_slide
from wsi_area.run.preparing import overview_parts
from wsi_area.run.preparing.overview_parts import OverviewWanted, overview_seen, read_overview_part
from wsi_area.settings.run_settings import load
from wsi_area.slides import close_readers
from wsi_area.slides.lanes import direct_lane

pytestmark = pytest.mark.usefixtures("small_batches")
SIZE = Size(2300, 1900)
OTSU = ("segmenter.threshold=otsu", "segmenter.name=tissue")  # what is fitted hangs on every pixel of the overview
FORMS = {
    "jpeg": FileForm(kind="aperio", compression="jpeg"),
    "tiles that no box ends with": FileForm(tile_px=240),
    "a second level too fine for an overview": FileForm(downsamples=(1, 8)),
}


@pytest.fixture(autouse=True)
def _closed_readers():
    yield
    close_readers()


@pytest.fixture
def parts_of_two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every overview be large, and a part be some rows of stored tiles."""
    monkeypatch.setattr(overview_parts, "LARGE_PX", 1)
    monkeypatch.setattr(overview_parts, "PART_PX", 1)


def slide_in(folder: Path, form: FileForm) -> Path:
    parts = {"tissue": disc(SIZE, 900, 900, 600), "blue": box(SIZE, 1800, 1500, 300, 200)}
    return write_slide(folder / "s.tif", SIZE, parts, form).path


def task_of(path: Path, *settings: str, splits: bool = True) -> PrepareTask:
    (slide,) = collect_slides([str(path)])
    return PrepareTask(slide, load(None, settings), 1 << 33, splits_overview=splits)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_slide_is_measured_the_same_whether_its_overview_is_read_whole_or_in_parts(
    tmp_path: Path, form: str, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, how = slide_in(tmp_path, FORMS[form]), (*OTSU, f"run.executor={executor}", "run.workers=2")
    whole = measure(path, tmp_path / "whole", *how)
    monkeypatch.setattr(overview_parts, "LARGE_PX", 1)
    monkeypatch.setattr(overview_parts, "PART_PX", 1)
    read = []
    in_part = overview_parts.read_part
    monkeypatch.setattr(overview_parts, "read_part", lambda *told: (read.append(told[-1]), in_part(*told))[1])
    parts = measure(path, tmp_path / "parts", *how)
    assert len(read) > 1
    assert counts_of(parts) == counts_of(whole)
    assert parts.documents[0]["segmenter"] == whole.documents[0]["segmenter"]
    assert parts.documents[0]["findings"] == whole.documents[0]["findings"]
    origins = [stored_origin(RunLayout(tmp_path / name).slide("s")) for name in ("whole", "parts")]
    assert origins[0] == origins[1] is not None
    one, other = (class_maps_of(tmp_path / name)["s"] for name in ("whole", "parts"))
    assert np.array_equal(one, other)


@pytest.mark.usefixtures("parts_of_two_rows")
@pytest.mark.parametrize("form", ["jpeg", "tiles that no box ends with"])
def test_no_stored_tile_is_decoded_twice_for_the_overview(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = prepare_or_split(task_of(slide_in(tmp_path, FORMS[form])))
    assert isinstance(wanted, OverviewWanted)
    decoded: Counter[bytes] = Counter()
    decode = direct_lane.decode_together
    monkeypatch.setattr(direct_lane, "decode_together", lambda data, *told: decoded.update(data) or decode(data, *told))
    sent = pickle.loads(pickle.dumps(wanted.tasks))
    parts = [read_overview_part(task) for task in reversed(sent)]
    tile_px = FORMS[form].tile_px
    assert decoded.total() == -(-SIZE.width_px // tile_px) * -(-SIZE.height_px // tile_px)
    assert overview_seen(wanted, parts).overview.valid.all()


@pytest.mark.usefixtures("parts_of_two_rows")
def test_what_was_seen_is_not_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of(slide_in(tmp_path, FORMS["jpeg"]))
    wanted = prepare_or_split(task)
    assert isinstance(wanted, OverviewWanted)
    seen = overview_seen(wanted, [read_overview_part(part) for part in wanted.tasks])
    for name in ("inspect", "choose_lane", "read_overview"):
        monkeypatch.setattr(prepare_module, name, None)  # whoever called it would end in an error
    prepared = prepare_slide(replace(task, seen=seen))
    assert isinstance(prepared, PreparedSlide)
    assert prepared.prepare_cpu_s >= seen.cpu_s >= wanted.cpu_s > 0


def test_a_small_overview_and_a_picture_that_is_decoded_whole_are_read_by_one_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(prepare_or_split(task_of(slide_in(tmp_path, FORMS["jpeg"]))), PreparedSlide)
    monkeypatch.setattr(overview_parts, "LARGE_PX", 1)
    assert isinstance(prepare_or_split(task_of(slide_in(tmp_path, FORMS["jpeg"]), splits=False)), PreparedSlide)
    plain = tmp_path / "p.png"
    from PIL import Image

    Image.new("RGB", (300, 200), (243, 242, 244)).save(plain)
    assert isinstance(prepare_or_split(task_of(plain)), PreparedSlide)


@pytest.mark.usefixtures("parts_of_two_rows")
def test_a_file_that_goes_away_between_the_parts_fails_its_own_slide_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = slide_in(tmp_path, FORMS["jpeg"])
    kept = write_slide(tmp_path / "t.tif", Size(600, 500), {"tissue": disc(Size(600, 500), 300, 250, 100)}).path
    in_part = overview_parts.read_part

    def taken_away(info, *told):
        if info.slide_id == "s" and path.exists():
            path.unlink()
            close_readers()
        return in_part(info, *told)

    monkeypatch.setattr(overview_parts, "read_part", taken_away)
    outcome = measure([path, kept], tmp_path / "out", *OTSU, "run.executor=serial")
    first, second = outcome.documents
    assert (first["status"], second["status"]) == ("failed", "complete")
    assert str(path) in first["reason"]
    assert "bring the file back" in first["reason"]


@pytest.mark.usefixtures("parts_of_two_rows")
def test_a_run_that_is_stopped_between_the_parts_goes_on_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = slide_in(tmp_path, FORMS["jpeg"])
    in_part, stopping = overview_parts.read_part, []
    monkeypatch.setattr(SerialExecutor, "is_stopped", property(lambda self: bool(stopping)))
    monkeypatch.setattr(overview_parts, "read_part", lambda *told: (stopping.append(1), in_part(*told))[1])
    outcome = measure(path, tmp_path / "out", *OTSU, "run.executor=serial")
    assert [document["status"] for document in outcome.documents if document["status"] == "complete"] == []
    stopping.clear()
    monkeypatch.setattr(overview_parts, "read_part", in_part)
    assert measure(path, tmp_path / "out", *OTSU, "run.executor=serial").documents[0]["status"] == "complete"
