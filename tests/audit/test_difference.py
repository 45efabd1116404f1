"""Two runs side by side: what is the same is not listed, what is not is named with both values."""

import re
from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, SyntheticSlide, disc, write_slide

from wsi_area.audit.difference import SlideDifference, compare_runs
from wsi_area.cli.commands.diff import difference_text
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run

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
    assert "one, pixel size in x: 0.5 → 0.6 µm (16.7 % apart)" in ended.out
    assert wsi_area("diff", first, tmp_path / "wider", "--tolerance", "0.4", "--json").document["exit_code"] == 0
    assert "setting segmenter.threshold: 60 → 70" in wsi_area("diff", first, tmp_path / "out").out


def test_numbers_are_read_with_six_digits_and_a_unit_and_json_keeps_every_one(
    slide: SyntheticSlide, first: Path, tmp_path: Path
) -> None:
    measure(slide.path, tmp_path / "out", mpp="0.51", mpp_reason="stage micrometer")
    told = wsi_area("diff", first, tmp_path / "out").out
    exact = [open_run(out)["one"].tissue_area_mm2 for out in (first, tmp_path / "out")]
    (line,) = [line for line in told.splitlines() if line.startswith("one, tissue area: ")]
    read = re.fullmatch(r"one, tissue area: (\S+) → (\S+) mm² \((\S+) % apart\)", line)
    assert read is not None
    assert [float(text) for text in read.groups()[:2]] == pytest.approx(exact, rel=5e-6)
    assert max(len(text.replace(".", "").lstrip("0")) for text in read.groups()[:2]) <= 6
    assert float(read[3]) == pytest.approx(100 * (1 - (0.5 / 0.51) ** 2), rel=5e-3)
    listed = wsi_area("diff", first, tmp_path / "out", "--json").document["slides"]
    assert [[d["first"], d["second"]] for d in listed if d["what"] == "tissue area_mm2"] == [exact]


def test_two_numbers_that_six_digits_cannot_tell_apart_are_shown_with_more() -> None:
    wide = SlideDifference("one", "tissue area_mm2", 17.79670001, 17.79670002)
    assert difference_text(wide).startswith("one, tissue area: 17.79670001 → 17.79670002 mm² (")
    lone = SlideDifference("one", "mpp_x_um", 0.25, None)
    assert difference_text(lone) == "one, pixel size in x: 0.25 µm → nothing"
    assert difference_text(SlideDifference("one", "slide file", "ab" * 32, "cd" * 32)) == (
        "one, slide file: abababababab… → cdcdcdcdcdcd…"
    )
