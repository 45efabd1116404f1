"""The whole line against closed forms: what is painted is what is counted, at level 0 to the pixel."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measuring import class_maps_of, measure
from synthetic import (
    FileForm,
    Shape,
    SyntheticSlide,
    box,
    chequerboard,
    disc,
    ellipse,
    everything,
    half_plane,
    nothing,
    ring,
    specks,
    write_slide,
)

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size

SIZE = Size(709, 613)  # no multiple of any tile
ODD = Size(2001, 1501)  # its level 1 is 500 × 375: neither axis is divided by 4 exactly
FLAT_MPP, TALL_MPP = Mpp(0.25, 0.25), Mpp(0.25, 0.27)
STEPS = (2, 5)  # level-0 px per work px
TILE_PX = 128
CUT = (f"tiling.tile_px={TILE_PX}", "tiling.skip_glass=false")

SHAPES: Mapping[str, Shape] = {
    "disc": disc(SIZE, 350.3, 310.7, 281.2),
    "small_disc": disc(SIZE, 128.0, 256.0, 9.5),  # on the corner of four tiles
    "half_disc_on_the_left_edge": disc(SIZE, 0.0, 300.0, 250.0),
    "quarter_disc_in_the_far_corner": disc(SIZE, 709.0, 613.0, 333.3),
    "ring": ring(SIZE, 351.1, 307.2, 290.0, 211.5),
    "thin_ring": ring(SIZE, 351.1, 307.2, 290.0, 285.0),
    "ellipse_at_33_degrees": ellipse(SIZE, 355.0, 305.0, 290.0, 90.0, 33.0),
    "half_plane_at_0": half_plane(SIZE, 0.0, 123.4),
    "half_plane_at_31": half_plane(SIZE, 31.0, 400.0),
    "half_plane_at_90": half_plane(SIZE, 90.0, 612.9),
    "half_plane_at_200": half_plane(SIZE, 200.0, -250.0),
    "chequerboard_across_seams": chequerboard(SIZE, 37, x_px=5, y_px=11),
    "chequerboard_of_single_px": chequerboard(SIZE, 1),
    "specks_of_1_px": specks(SIZE, 31, x_px=3, y_px=7),
    "specks_on_seams": specks(SIZE, TILE_PX, x_px=TILE_PX - 1, y_px=TILE_PX - 1),
    "frame_against_all_edges": box(SIZE, 0, 0, 709, 10)
    + box(SIZE, 0, 603, 709, 10)
    + box(SIZE, 0, 10, 3, 593)
    + box(SIZE, 706, 10, 3, 593),
    "last_column": box(SIZE, 708, 0, 1, 613),
    "last_pixel": box(SIZE, 708, 612, 1, 1),
    "all_tissue": everything(SIZE),
    "empty": nothing(SIZE),
    "tall_px_disc": disc(SIZE, 350.0, 310.0, 280.0),
    "tall_px_half_plane": half_plane(SIZE, 57.0, 400.0),
}


@dataclass(frozen=True)
class Measured:
    """The slides, and what each run found of each: ``records[step][name]``."""

    slides: Mapping[str, SyntheticSlide]
    records: Mapping[int, Mapping[str, Any]]
    exit_codes: Mapping[int, int]
    out: Path


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Every shape as a slide, all measured in one run for each work mpp; step 1 is level 0 as it is."""
    folder = tmp_path_factory.mktemp("shapes")
    slides = {}
    for name, shape in SHAPES.items():
        form = FileForm(mpp=TALL_MPP if name.startswith("tall_px") else FLAT_MPP)
        slides[name] = write_slide(folder / f"{name}.tif", SIZE, {"tissue": shape}, form)
    records, codes = {}, {}
    for step in (1, *STEPS):
        asked = () if step == 1 else (f"tiling.work_mpp={0.25 * step}",)
        outcome = measure([s.path for s in slides.values()], folder / f"out{step}", *CUT, *asked)
        records[step] = {r["slide_id"]: r for r in outcome.documents}
        codes[step] = outcome.exit_code
    return Measured(slides, records, codes, folder)


def test_every_shape_is_measured_completely_at_every_work_mpp(measured: Measured) -> None:
    assert set(measured.exit_codes.values()) == {0}
    for found in measured.records.values():
        assert list(found) == list(SHAPES)
        assert {r["status"] for r in found.values()} == {"complete"}
        assert {r["counts"]["n_px_accounted"] for r in found.values()} == {SIZE.area_px}


@pytest.mark.parametrize("name", SHAPES)
def test_at_level_0_the_counts_are_the_painted_ones_to_the_pixel(measured: Measured, name: str) -> None:
    slide, record = measured.slides[name], measured.records[1][name]
    assert record["counts"]["n_px_by_class"] == [slide.truth.px["glass"], slide.truth.px["tissue"]]
    assert record["counts"]["n_px_unscanned"] == record["counts"]["n_px_unreadable"] == 0
    assert np.array_equal(class_maps_of(measured.out / "out1")[name], slide.class_map)


@pytest.mark.parametrize("name", SHAPES)
def test_at_level_0_the_mm2_are_the_closed_form_within_the_discretisation_of_the_outline(
    measured: Measured, name: str
) -> None:
    slide, record = measured.slides[name], measured.records[1][name]
    assert slide.mpp is not None
    pixel_mm2 = slide.mpp.x * slide.mpp.y / 1e6
    error_mm2 = abs(record["tissue"]["area_mm2"] - slide.area_mm2("tissue"))
    # 1e-6: a resolution tag is a ratio of two 32-bit integers
    assert error_mm2 <= slide.truth.bound_px2["tissue"] * pixel_mm2 + 1e-6 * slide.area_mm2("tissue")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", [name for name in SHAPES if not name.startswith("tall_px")])
def test_at_coarser_work_mpp_the_error_is_within_what_the_outline_allows(
    measured: Measured, name: str, step: int
) -> None:
    slide, record = measured.slides[name], measured.records[step][name]
    assert (record["work"]["level"], record["work"]["reduce_factor"]) == (0, step)
    error_px2 = record["tissue"]["n_px"] - SHAPES[name].area_px2
    assert abs(error_px2) <= slide.shapes["tissue"].bound_px2(step, "box")


def test_the_bound_is_not_vacuous_and_the_error_grows_with_the_work_pixel(measured: Measured) -> None:
    shape = SHAPES["disc"]
    assert shape.bound_px2(STEPS[-1], "box") < 0.15 * shape.area_px2
    # typical errors lie far below the bound: five standard deviations of a smooth outline, plus the bias of the
    # threshold (tissue from 42 % of a work pixel on), which is a strip of 0.08 of one all along the outline
    for step in STEPS:
        error_px2 = measured.records[step]["disc"]["tissue"]["n_px"] - shape.area_px2
        assert abs(error_px2) < 5 * shape.expected_sd_px2(step) + 0.12 * step * shape.boundary_px


def test_a_slide_of_glass_is_a_result_and_not_an_error(measured: Measured) -> None:
    record = measured.records[1]["empty"]
    assert record["status"] == "complete"
    assert (record["tissue"]["n_px"], record["tissue"]["area_mm2"]) == (0, 0.0)
    assert "TISSUE_ZERO" in [f["code"] for f in record["findings"]]


@pytest.mark.parametrize("step", [1, *STEPS])
def test_slides_of_one_kind_are_exact_at_every_work_mpp(measured: Measured, step: int) -> None:
    found = measured.records[step]
    assert found["all_tissue"]["counts"]["n_px_by_class"] == [0, SIZE.area_px]
    assert found["empty"]["counts"]["n_px_by_class"] == [SIZE.area_px, 0]


def test_each_axis_keeps_its_own_pixel_size(measured: Measured) -> None:
    record = measured.records[1]["tall_px_disc"]
    calibration = record["calibration"]
    assert calibration["mpp_x_um"] == pytest.approx(0.25, rel=1e-6)
    assert calibration["mpp_y_um"] == pytest.approx(0.27, rel=1e-6)
    n_px = measured.slides["tall_px_disc"].truth.px["tissue"]
    assert record["tissue"]["area_mm2"] == pytest.approx(n_px * 0.0675e-6, rel=2e-6)
    assert "MPP_ANISOTROPIC" in [f["code"] for f in record["findings"]]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    path = tmp_path_factory.mktemp("odd") / "odd.tif"
    form = FileForm(downsamples=(1, 4), tile_px=128)
    return write_slide(path, ODD, {"tissue": disc(ODD, 900.0, 700.0, 601.3)}, form)


@pytest.mark.parametrize(("work_mpp", "level", "factor"), [(0.25, 0, 1), (0.75, 0, 3), (1.0, 1, 1), (2.0, 1, 2)])
def test_an_odd_downsample_still_accounts_for_every_pixel(
    odd: SyntheticSlide, tmp_path: Path, work_mpp: float, level: int, factor: int
) -> None:
    (record,) = measure(odd.path, tmp_path / "out", f"tiling.work_mpp={work_mpp}", *CUT).documents
    assert (record["work"]["level"], record["work"]["reduce_factor"]) == (level, factor)
    level_px = odd.levels_px[level]
    assert record["work"]["work_width_px"] == -(-level_px.width_px // factor)
    assert record["work"]["work_height_px"] == -(-level_px.height_px // factor)
    assert sum(record["counts"]["n_px_by_class"]) == ODD.area_px == 2001 * 1501
    # a work pixel owns up to one level-0 px more each way than it was averaged from
    step = (4 if level else 1) * factor + (1 if level else 0)
    bound_px2 = odd.shapes["tissue"].bound_px2(step, "box" if step > 1 else "centre")
    assert abs(record["tissue"]["n_px"] - odd.truth.area_px2["tissue"]) <= bound_px2


def test_each_work_pixel_counts_the_level_0_pixels_that_the_law_gives_it(odd: SyntheticSlide, tmp_path: Path) -> None:
    (record,) = measure(odd.path, tmp_path / "out", "tiling.work_mpp=1", *CUT).documents
    class_map = class_maps_of(tmp_path / "out")["odd"]
    # measurement.md §1: work column j covers the level-0 columns [floor(j·W0/Ww), floor((j+1)·W0/Ww)), rows alike
    column_of = [max(j for j in range(500) if j * 2001 // 500 <= x) for x in range(2001)]
    row_of = [max(j for j in range(375) if j * 1501 // 375 <= y) for y in range(1501)]
    spread = class_map[np.ix_(row_of, column_of)]
    assert record["counts"]["n_px_by_class"] == np.bincount(spread.ravel(), minlength=2).tolist()


def test_tissue_up_to_the_edges_of_an_odd_pyramid_is_whole(tmp_path: Path) -> None:
    form = FileForm(downsamples=(1, 4), tile_px=128)
    slide = write_slide(tmp_path / "full.tif", ODD, {"tissue": everything(ODD)}, form)
    for work_mpp in (1.0, 2.0):
        (record,) = measure(slide.path, tmp_path / f"out{work_mpp}", f"tiling.work_mpp={work_mpp}").documents
        # level 1 lacks the last column and row of level 0; their pixels are counted all the same
        assert record["counts"]["n_px_by_class"] == [0, ODD.area_px]


@pytest.mark.parametrize("work_mpp", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["tiff", "aperio"])
def test_unscanned_corners_are_neither_glass_nor_tissue(tmp_path: Path, work_mpp: float, kind: Any) -> None:
    size = Size(1301, 1100)
    corners = [Region(0, 0, 256, 256), Region(1024, 768, 277, 332)]
    form = FileForm(kind, downsamples=(1, 4), tile_px=64)
    shape = box(size, 256, 256, 700, 400)
    slide = write_slide(tmp_path / "a.svs", size, {"tissue": shape}, form, unscanned=corners)
    (record,) = measure(slide.path, tmp_path / "out", f"tiling.work_mpp={work_mpp}").documents
    counts = record["counts"]
    # every outline lies on the grid of the coarsest level, so that nothing is lost to discretisation; level 1
    # ends at column 1300 of 1301, and its last pixel owns that column too
    assert counts["n_px_by_class"][1] == 700 * 400
    assert counts["n_px_unscanned"] == slide.truth.unscanned_px == 256 * 256 + 277 * 332
    assert counts["n_px_by_class"][0] == size.area_px - 700 * 400 - slide.truth.unscanned_px
    assert record["analyzed"]["n_px"] == size.area_px - slide.truth.unscanned_px


def test_specks_in_skipped_glass_stay_within_the_bound_that_is_reported(tmp_path: Path) -> None:
    size = Size(8200, 500)
    slide = write_slide(tmp_path / "dust.tif", size, {"tissue": specks(size, 61, x_px=30, y_px=30)})
    (record,) = measure(slide.path, tmp_path / "out", "tiling.tile_px=128", "tiling.skip_margin_um=10").documents
    missed_px = slide.truth.px["tissue"] - record["tissue"]["n_px"]
    assert record["work"]["tiles_skipped"] > 200  # dust is too small to be seen on the overview
    assert 0 < missed_px <= record["skipped_tissue_px_upper_bound"]
    assert "SKIP_BOUND_HIGH" in [f["code"] for f in record["findings"]]
    (record,) = measure(slide.path, tmp_path / "all", "tiling.tile_px=128", "tiling.skip_glass=false").documents
    assert record["tissue"]["n_px"] == slide.truth.px["tissue"]
