"""A slide opened again: what stands on record, and its class map at every size."""

import numpy as np
import pytest
from measuring import measure
from synthetic import FileForm, box, disc, write_slide, write_text_slide

from wsi_area.errors import ResultError
from wsi_area.exports.labels_zarr import LABELS_NAME, write_labels
from wsi_area.exports.measured_slide import measured_slide
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import OpenedRun, open_run

SIZE = Size(2101, 1703)  # more than one band, odd at every level


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> OpenedRun:
    folder = tmp_path_factory.mktemp("opened")
    slide = write_slide(
        folder / "disc.tiff", SIZE, {"tissue": disc(SIZE, 900, 800, 600)}, FileForm(mpp=Mpp(0.5, 0.475))
    )
    bare = write_slide(
        folder / "bare.tiff", Size(300, 300), {"tissue": box(Size(300, 300), 0, 0, 9, 9)}, FileForm(mpp=None)
    )
    measure([slide.path, bare.path, write_text_slide(folder / "text.svs")], folder / "out", "tiling.tile_px=128")
    return open_run(folder / "out")


def test_a_slide_says_what_is_on_record(run: OpenedRun) -> None:
    slide = run["disc"]
    assert (slide.slide_id, slide.status, slide.is_counted) == ("disc", "complete", True)
    calibration = slide.counted.calibration
    assert slide.mpp == Mpp(calibration.mpp_x_um or 0, calibration.mpp_y_um or 0)
    assert slide.tumor_area_mm2 is None  # no class is tumour
    assert repr(slide) == "<slide disc: complete>"
    assert "disc, bare" in repr(run)


def test_what_has_no_pixel_size_has_counts_and_no_area(run: OpenedRun) -> None:
    assert (run["bare"].is_counted, run["bare"].mpp, run["bare"].tissue_area_mm2) == (True, None, None)


def test_what_failed_has_neither(run: OpenedRun) -> None:
    assert (run["text"].is_counted, run["text"].mpp, run["text"].tissue_area_mm2) == (False, None, None)


def test_the_finest_level_is_what_was_counted(run: OpenedRun) -> None:
    slide = run["disc"]
    class_map = slide.class_map()
    assert class_map.shape == (1703, 2101)
    assert (class_map == 1).sum() == slide.counted.tissue.n_px
    np.testing.assert_array_equal(slide.class_map_array()[100:140, 500:900], class_map[100:140, 500:900])


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_coarser_level_is_the_one_that_is_exported(run: OpenedRun, level: int) -> None:
    import zarr

    write_labels(measured_slide(run, "disc"))
    exported = zarr.open_array(run["disc"].layout.root / LABELS_NAME, path=str(level), mode="r")
    np.testing.assert_array_equal(run["disc"].class_map(level), exported[:])


def test_levels_end_at_one_pixel(run: OpenedRun) -> None:
    slide = run["disc"]
    assert slide.class_map(level=12).shape == (1, 1)
    for level in (-1, 13):
        with pytest.raises(ResultError, match=f"level {level}"):
            slide.class_map(level=level)
