"""A tissue layer that is to be drawn, and of which nothing was drawn: refused before any slide is opened."""

from pathlib import Path

import pytest

from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.drawings import refuse_mismatch
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.settings.run_settings import load


def slides(count: int, annotations: Path | None = None) -> list[SlideInput]:
    source = None if annotations is None else DrawnSource(str(annotations))
    return [SlideInput(f"/nowhere/s{n}.tif", f"s{n}", annotations=source) for n in range(count)]


def refuse(found: list[SlideInput], *assignments: str) -> None:
    refuse_mismatch(load(None, list(assignments)), found)


@pytest.mark.parametrize("count", [1, 3])
def test_a_tissue_that_is_to_be_drawn_and_is_drawn_nowhere_is_refused(count: int) -> None:
    with pytest.raises(SettingsError, match=rf"none was given for s0 \({count} of {count} slides\); set "):
        refuse(slides(count), "tissue.name=regions")


def test_a_folder_of_drawings_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"tissue.drawing .*absent does not exist"):
        refuse(slides(2), "tissue.name=regions", f"tissue.drawing={tmp_path / 'absent'}")


def test_one_drawing_of_the_tissue_for_several_slides_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"")
    one = ("tissue.name=regions", f"tissue.drawing={tmp_path / 'mask.png'}")
    with pytest.raises(SettingsError, match="is one file, but there are 2 slides"):
        refuse(slides(2), *one)
    refuse(slides(1), *one)


@pytest.mark.parametrize("name", ["tissue", "none"])
def test_a_drawing_of_the_tissue_that_nothing_would_look_at_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r'set tissue.name to "regions"'):
        refuse(slides(1), f"tissue.name={name}", f"tissue.drawing={tmp_path}")


def test_what_was_drawn_for_the_classes_may_be_the_tissue_too(tmp_path: Path) -> None:
    drawn = slides(2, tmp_path)
    refuse(drawn, "segmenter.name=regions", "tissue.name=regions")
    with pytest.raises(SettingsError, match=r"none was given for s0 \(1 of 3 slides\)"):
        refuse([*drawn, *slides(1)], "segmenter.name=regions", "tissue.name=regions")


def test_on_plain_images_where_the_tissue_is_never_a_layer_nothing_need_be_drawn() -> None:
    refuse(slides(1), "tissue.name=regions", "calibration.profile=plain")
