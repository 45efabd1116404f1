"""A run in a notebook: its calibration, its arithmetic, its tiles; what is not there is refused by name."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from measuring import measure
from synthetic import SyntheticSlide

from wsi_area.errors import MissingMppError, ResultError, SettingsError, SlideOpenError, StaleResultError
from wsi_area.notebook.notebook_run import NotebookRun, open_run
from wsi_area.results.layout import read_json, write_json

DISC_MM2 = math.pi * 250**2 * 0.5 * 0.475 * 1e-6


def test_a_run_is_a_mapping_of_slides_with_its_tables(run: NotebookRun) -> None:
    assert {name: slide.status for name, slide in run.items()}["disc"] == "complete"
    assert run["disc"].tissue_area_mm2 == pytest.approx(DISC_MM2, rel=1e-3)
    assert run.summary.loc["disc", "tissue_area_mm2"] == run["disc"].tissue_area_mm2
    assert set(run.areas["class_name"]) == {"background", "tissue"}
    assert "MPP_MISSING" in set(run.findings["code"])


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="holds no run"):
        open_run(tmp_path)


def test_a_calibration_shows_its_claims_and_which_one_was_taken(run: NotebookRun) -> None:
    found = run["disc"].calibration
    assert found.mpp is not None
    assert (found.mpp.x, found.mpp.y) == pytest.approx((0.5, 0.475), rel=1e-6)
    assert found.table["chosen"].sum() == 1
    assert found.table.loc[found.table["chosen"], "source"].item() == run["disc"].counted.calibration.source


def test_a_pixel_size_that_is_missing_is_a_calibration_too(run: NotebookRun) -> None:
    found = run["bare"].calibration
    assert found.mpp is None
    assert not found.table["chosen"].any()
    assert [f.code for f in found.decision.findings] == ["MPP_MISSING"]


def test_an_override_is_the_claim_that_was_taken(disc_slide: SyntheticSlide, tmp_path: Path) -> None:
    measure(disc_slide.path, tmp_path / "out", mpp="0.51", mpp_reason="stage micrometer")
    table = open_run(tmp_path / "out")["disc"].calibration.table
    (chosen,) = table[table["chosen"]].itertuples()
    assert (chosen.rung, chosen.mpp_x_um, chosen.note) == ("override", 0.51, "stage micrometer")


def test_a_slide_that_failed_has_no_calibration_no_plot_and_no_tile(run: NotebookRun) -> None:
    failed = run["text"]
    with pytest.raises(ResultError, match="without a calibration"):
        _ = failed.calibration
    with pytest.raises(ResultError, match="nothing to draw"):
        failed.plot()
    with pytest.raises(ResultError, match="has no tiles"):
        failed.tile(0, 0)
    with pytest.raises(ResultError, match="has no areas"):
        failed.explain("tissue")


def test_an_area_is_explained_to_the_number_on_record(run: NotebookRun) -> None:
    explained = run["disc"].explain("tissue")
    assert explained.area_mm2 == run["disc"].tissue_area_mm2
    assert repr(explained).endswith(f"{explained.area_mm2:.6g} mm²")


def test_a_class_that_is_not_there_is_told_those_that_are(run: NotebookRun) -> None:
    with pytest.raises(SettingsError, match=r"no class 'tumor'; it has background, tissue"):
        run["disc"].explain("tumor")


def test_without_a_pixel_size_the_pixels_are_named_and_the_remedy(run: NotebookRun) -> None:
    with pytest.raises(MissingMppError, match=r"60 000 px and no mm².*--mpp"):
        run["bare"].explain("tissue")


def test_an_area_that_was_changed_on_disk_is_not_explained_away(finished: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "out"))
    path = copy / "slides" / "disc" / "result.json"
    document = read_json(path)
    document["tissue"]["area_mm2"] *= 1.01
    document["classes"][1]["area_mm2"] *= 1.01
    write_json(path, document)
    with pytest.raises(ResultError, match="changed or is damaged"):
        open_run(copy)["disc"].explain("tissue")


def test_a_tile_is_the_pixels_the_classes_and_the_counts_of_one_place(
    run: NotebookRun, disc_slide: SyntheticSlide
) -> None:
    tile = run["disc"].tile(2, 3)
    box = tile.region_l0_px
    assert (box.x_px, box.y_px, box.width_px, box.height_px) == (384, 256, 128, 128)
    truth = disc_slide.rgb[box.y_px : box.bottom_px, box.x_px : box.right_px]
    np.testing.assert_array_equal(tile.rgb, truth)
    expected = 255 - truth.min(axis=-1) > 60  # the flat rule that the run was asked for
    np.testing.assert_array_equal(tile.class_map == 1, expected)
    assert tile.counts["tissue"] == expected.sum()
    assert sum(tile.counts.values()) == box.area_px
    assert tile.status == "read"


def test_all_tiles_together_are_the_slide(run: NotebookRun) -> None:
    slide = run["disc"]
    rows, cols = slide.ledger().shape[:2]
    tiles = [slide.tile(row, col) for row in range(rows) for col in range(cols)]
    assert sum(tile.region_l0_px.area_px for tile in tiles) == 1001 * 703
    assert sum(tile.counts["tissue"] for tile in tiles) == slide.counted.tissue.n_px


def test_a_reduced_tile_shows_box_means(disc_slide: SyntheticSlide, tmp_path: Path) -> None:
    measure(disc_slide.path, tmp_path / "out", "tiling.work_mpp=1.0", "tiling.tile_px=64", "tiling.skip_glass=false")
    tile = open_run(tmp_path / "out")["disc"].tile(0, 0)
    mean = disc_slide.rgb[:128, :128].reshape(64, 2, 64, 2, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(tile.rgb - mean).max() <= 0.5


@pytest.mark.parametrize(("row", "col"), [(-1, 0), (0, 8), (6, 0)])
def test_a_tile_that_is_not_there_is_refused(run: NotebookRun, row: int, col: int) -> None:
    with pytest.raises(ResultError, match="rows 0 to 5 and columns 0 to 7"):
        run["disc"].tile(row, col)


def test_another_file_in_the_slides_place_is_refused(run: NotebookRun, disc_slide: SyntheticSlide) -> None:
    with pytest.raises(StaleResultError, match="not the file that was measured"):
        run["disc"].tile(0, 0, file=disc_slide.path.with_name("bare.tiff"))
    with pytest.raises(SlideOpenError, match="no such file"):
        run["disc"].tile(0, 0, file=disc_slide.path.with_name("gone.tiff"))


def test_a_slide_that_moved_is_read_from_where_it_is(
    run: NotebookRun, disc_slide: SyntheticSlide, tmp_path: Path
) -> None:
    moved = Path(shutil.copy2(disc_slide.path, tmp_path / "moved.tiff"))
    np.testing.assert_array_equal(run["disc"].tile(2, 3, file=moved).rgb, run["disc"].tile(2, 3).rgb)
