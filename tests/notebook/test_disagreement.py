"""Two runs of one slide: where they differ, in exact level-0 pixels, whatever the pixel size of either."""

import math
from pathlib import Path

import numpy as np
import pytest
from measuring import FLAT, measure
from synthetic import FileForm, SyntheticSlide, box, disc, write_slide

from wsi_area.errors import ResultError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.notebook.notebook_run import NotebookRun, open_run
from wsi_area.results.opened_run import open_run as open_documents
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

MPP = Mpp(0.5, 0.475)


def test_a_run_agrees_with_itself_everywhere(run: NotebookRun) -> None:
    same = run.compare(run)
    assert same.is_same
    assert (len(same.table), len(same.settings)) == (0, 0)
    found = same.disagreement("disc")
    assert (found.n_px, found.area_mm2, found.differs.any()) == (0, 0.0, False)


@pytest.fixture(scope="module")
def other(disc_slide: SyntheticSlide, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same slide where nothing is dark enough to be tissue."""
    out = tmp_path_factory.mktemp("other") / "out"
    measure(disc_slide.path, out, "segmenter.threshold=254", "tiling.tile_px=100")
    return out


def test_what_only_one_calls_tissue_is_counted_exactly(run: NotebookRun, other: Path) -> None:
    comparison = run.compare(other)
    found = comparison.disagreement("disc")
    assert found.pairs_px == (("tissue", "background", run["disc"].counted.tissue.n_px),)
    assert found.area_mm2 == run["disc"].tissue_area_mm2
    assert found.table["n_px"].sum() == found.n_px
    assert "segmenter.threshold" in set(comparison.settings["key"])
    areas = comparison.areas.set_index(["kind", "name"])
    assert areas.loc[("total", "tissue"), "change_mm2"] == -run["disc"].tissue_area_mm2
    assert areas.loc[("total", "tissue"), "change_pct"] == -100
    assert np.isnan(areas.loc[("total", "tumor"), "change_mm2"])  # no class is tumour: unknown, not 0


def test_the_map_is_where_the_disc_is(run: NotebookRun, other: Path, disc_slide: SyntheticSlide) -> None:
    found = run.compare(other).disagreement("disc")
    assert found.box_l0_px == 1
    np.testing.assert_array_equal(found.differs, disc_slide.class_map == 1)
    assert found.share.max() == 1.0


def test_runs_at_other_pixel_sizes_are_compared_level_0_pixel_by_pixel(
    run: NotebookRun, disc_slide: SyntheticSlide, tmp_path: Path
) -> None:
    measure(disc_slide.path, tmp_path / "out", "tiling.work_mpp=1.5", "tiling.skip_glass=false")
    coarse = open_documents(tmp_path / "out")
    work = coarse["disc"].counted.work
    assert work.reduce_factor == 3
    fine = run["disc"].class_map()
    laid_out = coarse["disc"].class_map().repeat(3, axis=0).repeat(3, axis=1)[:703, :1001]
    found = run.compare(coarse).disagreement("disc")
    assert found.n_px == (fine != laid_out).sum() > 0
    lost = dict(((a, b), n) for a, b, n in found.pairs_px)["tissue", "background"]
    assert lost == ((fine == 1) & (laid_out == 0)).sum()
    np.testing.assert_array_equal(found.differs, fine != laid_out)  # where they differ, to the level-0 pixel


def test_a_large_slide_is_looked_at_in_boxes_and_counted_in_full(tmp_path: Path) -> None:
    size = Size(3001, 1203)
    slide = write_slide(tmp_path / "wide.tiff", size, {"tissue": box(size, 0, 0, 1500, 1203)}, FileForm(mpp=MPP))
    for name, threshold in (("first", 60), ("second", 254)):
        measure(slide.path, tmp_path / name, f"segmenter.threshold={threshold}", "tiling.skip_glass=false")
    found = open_run(tmp_path / "first").compare(tmp_path / "second").disagreement("wide")
    assert found.n_px == 1500 * 1203
    assert (found.box_l0_px, found.share.shape) == (3, (401, 1001))
    assert (found.share[:, :500] == 1).all()
    assert not found.share[:, 500:].any()


def test_classes_are_compared_by_name_and_not_by_number(
    run: NotebookRun, disc_slide: SyntheticSlide, tmp_path: Path
) -> None:
    renamed = (
        'segmenter.classes=[{id = 0, name = "background", color = "#ffffff"}, '
        '{id = 1, name = "section", color = "#d6609c", is_tissue = true}]'
    )
    run_slides(collect_slides([str(disc_slide.path)]), load(None, [*FLAT, renamed]), tmp_path / "out")
    found = run.compare(tmp_path / "out").disagreement("disc")
    assert found.pairs_px == (("tissue", "section", run["disc"].counted.tissue.n_px),)


def test_pictures_of_other_sizes_are_refused_and_the_areas_are_not(run: NotebookRun, tmp_path: Path) -> None:
    size = Size(600, 500)
    later = write_slide(
        tmp_path / "disc.tiff", size, {"tissue": disc(size, 300, 250, 200)}, FileForm(mpp=Mpp(0.5, 0.5))
    )
    measure(later.path, tmp_path / "out")
    comparison = run.compare(tmp_path / "out")
    with pytest.raises(ResultError, match="cannot be compared, their areas can"):
        comparison.disagreement("disc")
    change = comparison.areas.query("kind == 'total' and name == 'tissue'")["change_mm2"].item()
    assert change == pytest.approx((200**2 * 0.25 - 250**2 * 0.5 * 0.475) * math.pi * 1e-6, rel=2e-3)


def test_a_slide_in_one_run_only_or_never_counted_is_refused(run: NotebookRun, other: Path) -> None:
    with pytest.raises(ResultError, match="has no result of 'bare'"):
        run.compare(other).disagreement("bare")
    with pytest.raises(ResultError, match="no class map to compare"):
        run.compare(run).disagreement("text")


def test_a_run_is_compared_with_a_run_or_with_its_folder(run: NotebookRun, other: Path) -> None:
    assert run.compare(other).difference == run.compare(open_run(other)).difference
