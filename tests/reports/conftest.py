"""What the tests of the reports share: one small run of every ending."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from measuring import measure
from small_run import BOX_PX, FORM, SIZE, picture_of
from synthetic import FileForm, box, disc, write_slide, write_slide_with_garbage_tile, write_text_slide

from wsi_area.results.layout import RunLayout
from wsi_area.results.thumbnail import thumbnail_jpeg, write_thumbnail


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a complete, an incomplete, an uncalibrated and a failed slide."""
    folder = tmp_path_factory.mktemp("slides")
    slides = [
        write_slide(folder / "disc.tiff", SIZE, {"tissue": disc(SIZE, 480.0, 350.0, 250.0)}, FORM),
        write_slide(folder / "bare.tiff", SIZE, {"tissue": box(SIZE, 100, 100, 300, 200)}, FileForm(mpp=None)),
        write_slide_with_garbage_tile(folder / "torn.svs"),
    ]
    text = write_text_slide(folder / "text.svs")
    out = tmp_path_factory.mktemp("run") / "out"
    measure([*(slide.path for slide in slides), text], out, "tiling.tile_px=128", "tiling.skip_glass=false")
    for slide in slides:
        rgb = picture_of(slide.rgb)
        jpeg = thumbnail_jpeg(rgb, np.ones(rgb.shape[:2], np.bool_), (BOX_PX, BOX_PX))
        write_thumbnail(RunLayout(out).slide(slide.path.stem), jpeg)
    return out


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be changed."""
    return Path(shutil.copytree(finished_run, tmp_path / "out", ignore=shutil.ignore_patterns("report.*")))
