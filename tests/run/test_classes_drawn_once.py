"""Where a report is wanted, the picture of the classes is made while the class map is read anyway at the end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measuring import measure
from synthetic import FileForm, box, disc, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.class_map import class_thumbnail as class_thumbnail_room
from wsi_area.results.class_map.class_thumbnail import class_thumbnail, kept_class_thumbnail
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.thumbnail import read_frame
from wsi_area.run.passes import class_picture

SIZE = Size(3000, 2600)  # large enough that a pixel of its small picture holds several work pixels
QUICK = ("tiling.tile_px=256", "tiling.skip_glass=false", "run.executor=serial")
KINDS = {
    "as it is": (),
    "with small objects taken away": ("objects.min_tissue_um2=30000",),
    "with artefacts as classes": ("exclusions.pen=true", "exclusions.fold=true", "exclusions.bubble=true"),
}


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large island, a small one, and ink."""
    parts = {"tissue": disc(SIZE, 1000, 1200, 700), "blue": box(SIZE, 2500, 2200, 150, 150)}
    return write_slide(tmp_path_factory.mktemp("s") / "s.tif", SIZE, parts, FileForm(mpp=Mpp(0.5, 0.5))).path


def of(out: Path) -> SlideLayout:
    return RunLayout(out).slide("s")


def is_kept_and_right(layout: SlideLayout) -> bool:
    result, frame = read_result(layout), read_frame(layout)
    assert frame is not None
    kept = kept_class_thumbnail(layout, result, frame, ledger_rows(layout))
    return kept is not None and np.array_equal(kept, class_thumbnail(layout, result, frame, None))


@pytest.mark.parametrize("kind", KINDS)
def test_no_class_map_is_read_for_the_picture_alone(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    read: list[Any] = []
    with monkeypatch.context() as patched:
        whole = class_thumbnail_room.sparse_class_map
        patched.setattr(class_thumbnail_room, "sparse_class_map", lambda place: read.append(place) or whole(place))
        measure(slide, tmp_path / "out", *QUICK, *KINDS[kind], for_report=True)
    assert not read
    assert is_kept_and_right(of(tmp_path / "out"))
    assert len(np.unique(class_thumbnail(of(tmp_path / "out"), *shown(of(tmp_path / "out")), None))) > 1


def test_a_picture_of_too_few_pixels_for_a_majority_is_made_by_itself(slide: Path, tmp_path: Path) -> None:
    measure(slide, tmp_path / "out", *QUICK, "tiling.work_mpp=1", for_report=True)
    assert is_kept_and_right(of(tmp_path / "out"))


def shown(layout: SlideLayout) -> tuple[Any, Any]:
    return read_result(layout), read_frame(layout)


def test_without_a_report_nothing_is_drawn(slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(class_picture, "keep_class_thumbnail", lambda *given: kept.append(given))
    measure(slide, tmp_path / "out", *QUICK)
    assert not kept
    assert not (Path(str(of(tmp_path / "out").root)) / "classes.png").exists()


def test_a_picture_that_could_not_be_kept_is_made_again_at_the_end(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Any] = []

    def refused(*given: Any) -> None:
        tried.append(given)
        raise OSError("no space left")

    monkeypatch.setattr(class_picture, "write_class_thumbnail", refused)
    assert measure(slide, tmp_path / "out", *QUICK, for_report=True).exit_code == 0
    assert len(tried) == 1
    assert is_kept_and_right(of(tmp_path / "out"))
