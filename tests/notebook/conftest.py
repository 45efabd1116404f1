"""What the tests of the review room share: one small run, with slides that ended well and slides that did not."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from measuring import measure
from synthetic import FileForm, SyntheticSlide, box, disc, write_slide, write_text_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.notebook.notebook_run import NotebookRun, open_run
from wsi_area.results.layout import RunLayout
from wsi_area.results.thumbnail import thumbnail_jpeg, write_thumbnail

matplotlib.use("Agg")

SIZE = Size(1001, 703)
MPP = Mpp(0.5, 0.475)
BOX_PX = 4


@pytest.fixture(scope="session")
def disc_slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    """Tissue that is a disc, on pixels that are not square."""
    path = tmp_path_factory.mktemp("review") / "disc.tiff"
    return write_slide(path, SIZE, {"tissue": disc(SIZE, 480.0, 350.0, 250.0)}, FileForm(mpp=MPP))


@pytest.fixture(scope="session")
def finished(disc_slide: SyntheticSlide) -> Path:
    """The folder of a run with a complete, an uncalibrated and a failed slide."""
    folder = disc_slide.path.parent
    bare = write_slide(folder / "bare.tiff", SIZE, {"tissue": box(SIZE, 100, 100, 300, 200)}, FileForm(mpp=None))
    paths = [disc_slide.path, bare.path, write_text_slide(folder / "text.svs")]
    out = folder / "out"
    measure(paths, out, "tiling.tile_px=128", "tiling.skip_glass=false")
    for slide in (disc_slide, bare):
        rgb = slide.rgb[::BOX_PX, ::BOX_PX]
        jpeg = thumbnail_jpeg(rgb, np.ones(rgb.shape[:2], np.bool_), (BOX_PX, BOX_PX))
        write_thumbnail(RunLayout(out).slide(slide.path.stem), jpeg)
    return out


@pytest.fixture
def run(finished: Path) -> NotebookRun:
    return open_run(finished)
