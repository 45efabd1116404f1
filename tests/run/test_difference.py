"""Two runs side by side: what is the same is not listed, what is not is named with both values."""

from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, SyntheticSlide, disc, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.difference import compare_runs

SIZE = Size(600, 500)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    path = tmp_path_factory.mktemp("diff") / "one.tif"
    return write_slide(path, SIZE, {"tissue": disc(SIZE, 300, 250, 180)}, FileForm(mpp=Mpp(0.5, 0.5)))


@pytest.fixture(scope="module")
def first(slide: SyntheticSlide, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("first") / "out"
    measure(slide.path, out)
    return out


def test_another_tile_size_and_lane_differ_in_the_settings_only(
    slide: SyntheticSlide, first: Path, tmp_path: Path
) -> None:
    measure(slide.path, tmp_path / "out", "tiling.tile_px=100", "reader.lane=openslide", "run.workers=1")
    difference = compare_runs(first, tmp_path / "out")
    assert difference.is_same
    assert [(s.key, s.first, s.second) for s in difference.settings] == [("tiling.tile_px", "auto", 100)]
    assert difference.compared == 1


def test_an_override_scales_the_area_and_both_values_are_named(
    slide: SyntheticSlide, first: Path, tmp_path: Path
) -> None:
    measure(slide.path, tmp_path / "out", mpp="0.51", mpp_reason="stage micrometer")
    difference = compare_runs(first, tmp_path / "out")
    by_name = {d.what: d for d in difference.slides}
    assert (by_name["mpp_x_um"].first, by_name["mpp_x_um"].second) == (0.5, 0.51)
    assert by_name["tissue area_mm2"].relative == pytest.approx(1 - (0.5 / 0.51) ** 2)
    assert "class tissue n_px" not in by_name
    assert compare_runs(first, tmp_path / "out", tolerance=0.05).is_same


def test_a_slide_in_one_run_only_differs_at_any_tolerance(slide: SyntheticSlide, first: Path, tmp_path: Path) -> None:
    other = write_slide(tmp_path / "two.tif", SIZE, {}, FileForm(mpp=Mpp(0.5, 0.5)))
    measure([slide.path, other.path], tmp_path / "out")
    (found,) = compare_runs(first, tmp_path / "out", tolerance=1.0).slides
    assert (found.slide_id, found.what, found.first, found.second) == ("two", "status", None, "complete")


def test_the_command_says_so_in_its_exit_code(slide: SyntheticSlide, first: Path, tmp_path: Path) -> None:
    measure(slide.path, tmp_path / "out", "segmenter.threshold=70")
    assert wsi_area("diff", first, first).code == 0
    measure(slide.path, tmp_path / "wider", mpp="0.6", mpp_reason="stage micrometer")
    ended = wsi_area("diff", first, tmp_path / "wider")
    assert ended.code == 4
    assert "one, mpp_x_um: 0.5 → 0.6" in ended.out
    assert wsi_area("diff", first, tmp_path / "wider", "--tolerance", "0.4", "--json").document["exit_code"] == 0
    assert "setting segmenter.threshold: 60 → 70" in wsi_area("diff", first, tmp_path / "out").out
