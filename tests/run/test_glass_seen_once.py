"""The glass of a slide is looked for once, and what is excluded is judged by the same glass."""

from pathlib import Path

import pytest
from synthetic import FileForm, disc, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.run.prepare import PreparedSlide, PrepareTask, prepare_slide
from wsi_area.segmenters.colour import foreground
from wsi_area.settings.run_settings import load
from wsi_area.slides import close_readers

SIZE = Size(1500, 1200)


@pytest.fixture(autouse=True)
def _closed_readers():
    yield
    close_readers()


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what was seen each time that glass was looked for."""
    seen: list[object] = []
    find = foreground.find_glass

    def remembered(*told):
        seen.append(find(*told))
        return seen[-1]

    monkeypatch.setattr(foreground, "find_glass", remembered)
    return seen


def prepared(folder: Path, *settings: str) -> PreparedSlide:
    path = write_slide(folder / "s.tif", SIZE, {"tissue": disc(SIZE, 700, 600, 400)}, FileForm()).path
    (slide,) = collect_slides([str(path)])
    found = prepare_slide(PrepareTask(slide, load(None, settings), 1 << 33))
    assert isinstance(found, PreparedSlide)
    return found


@pytest.mark.parametrize(
    "settings",
    [
        ("segmenter.name=tissue",),
        ("segmenter.name=stain",),
        ("segmenter.name=tissue", "exclusions.pen=true", "exclusions.fold=true"),
    ],
)
def test_glass_that_the_segmenter_saw_is_not_looked_for_again(
    tmp_path: Path, looked: list[object], settings: tuple[str, ...]
) -> None:
    found = prepared(tmp_path, *settings)
    assert len(looked) == 1
    assert found.light is not None
    assert found.light.glass == looked[0]


def test_where_the_glass_was_told_the_exclusions_look_for_the_glass_of_the_slide(
    tmp_path: Path, looked: list[object]
) -> None:
    found = prepared(tmp_path, "segmenter.name=tissue", "segmenter.glass=[200,190,180]", "exclusions.pen=true")
    assert len(looked) == 1
    assert found.light is not None
    assert (found.light.glass.source, found.light.glass.rgb) == ("given", (200, 190, 180))
    assert found.light.glass != looked[0]
