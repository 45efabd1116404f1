"""The budget of a measured area: its rows hold what other measurements of the same slide show."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
from measuring import measure
from scipy.ndimage import gaussian_filter
from synthetic import FileForm, disc, write_slide, write_slide_with_garbage_tile
from synthetic_textures import write_outlines

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.record.budget.uncertainty_budget import TERMS, BudgetRow, UncertaintyBudget
from wsi_area.results.budget.budget_text import budget_sentence
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(1200, 900)


def lacy_slide(path: Path, sigma_px: float, side_px: int = 2048, um: float = 0.5, levels: tuple[int, ...] = ()) -> Path:
    """Lace as fine as ``sigma_px`` says, in a body with bare glass round it, at 0.5 µm."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:side_px, :side_px] - side_px / 2
    grain = gaussian_filter(random.normal(0, 1, (side_px, side_px)), sigma_px)
    darkness = np.where((grain / grain.std() > 0.4) & (np.hypot(x, y) < 0.4 * side_px), 110, 10)
    rgb = (255 - darkness).astype(np.uint8)[..., None].repeat(3, axis=-1)
    with tifffile.TiffWriter(path) as file:
        for factor in (1, *levels):
            mean = rgb.reshape(side_px // factor, factor, side_px // factor, factor, 3).mean(axis=(1, 3))
            file.write(
                np.round(mean).astype(np.uint8), tile=(128, 128), photometric="rgb", compression="deflate",
                metadata=None, subfiletype=int(factor > 1), resolution=(1e4 / um / factor, 1e4 / um / factor),
                resolutionunit="CENTIMETER",
            )  # fmt: skip
    return path


def budget(out: Path, area: str = "tissue") -> UncertaintyBudget:
    (name,) = open_run(out)
    budgets = open_run(out)[name].counted.budgets
    assert budgets is not None
    found = budgets.of("total", area)
    assert found is not None
    return found


def row(of: UncertaintyBudget, name: str) -> BudgetRow:
    return next(row for row in of.rows if row.name == name)


@pytest.mark.parametrize(("sigma_px", "work_um"), [(1.2, 2.0), (2.0, 1.0), (3.0, 4.0)])
def test_what_finer_pixels_of_a_few_tiles_say_is_what_the_whole_slide_says_at_level_0(
    sigma_px: float, work_um: float, tmp_path: Path
) -> None:
    slide = lacy_slide(tmp_path / "lace.tiff", sigma_px)
    measure(slide, tmp_path / "work", f"tiling.work_mpp={work_um}", "tiling.tile_px=64")
    measure(slide, tmp_path / "level_0", "tiling.work_mpp=0.5")
    coarse, fine = budget(tmp_path / "work"), budget(tmp_path / "level_0")
    seen = row(coarse, "work_pixel")
    true_percent = 100 * (fine.area_mm2 / coarse.area_mm2 - 1)
    assert abs(true_percent) > 0.3  # there is something to be seen
    assert seen.value == pytest.approx(true_percent, rel=0.2, abs=0.15)
    assert abs(fine.area_mm2 - coarse.area_mm2) < (coarse.expanded_mm2 or 0.0)
    assert row(fine, "work_pixel").u_mm2 == 0


def test_where_a_level_is_read_as_it_is_boxes_of_its_pixels_bound_what_level_0_would_show(tmp_path: Path) -> None:
    slide = lacy_slide(tmp_path / "lace.tiff", 3.0, levels=(4,))
    measure(slide, tmp_path / "work", "tiling.work_mpp=2", "tiling.tile_px=64")
    measure(slide, tmp_path / "level_0", "tiling.work_mpp=0.5")
    coarse, fine = budget(tmp_path / "work"), budget(tmp_path / "level_0")
    assert open_run(tmp_path / "work")["lace"].counted.work.level == 1
    seen = row(coarse, "work_pixel")
    assert "pixels of 4 µm" in seen.source
    assert abs(fine.area_mm2 - coarse.area_mm2) < 2 * (seen.u_mm2 or 0.0)


def test_the_counting_row_has_the_length_of_the_outline(tmp_path: Path) -> None:
    slide = write_slide(tmp_path / "disc.tiff", SIZE, {"tissue": disc(SIZE, 600, 450, 300)})
    measure(slide.path, tmp_path / "out", "tiling.work_mpp=0.5", "tiling.tile_px=64")
    counting = row(budget(tmp_path / "out"), "counting")
    assert counting.value == pytest.approx(2 * math.pi * 300 * 0.25e-3, rel=0.03)
    assert counting.u_mm2 == pytest.approx(math.sqrt(0.09 * 2 * math.pi * 150) * 0.25e-6, rel=0.02)


@pytest.mark.parametrize("lane", ["openslide", "direct"])
def test_every_lane_and_number_of_workers_makes_the_same_budget(lane: str, tmp_path: Path) -> None:
    slide = lacy_slide(tmp_path / "lace.tiff", 2.0, side_px=1024)
    told = ("tiling.work_mpp=2", "tiling.tile_px=64", "objects.min_tissue_um2=20")
    measure(slide, tmp_path / "one", *told, "reader.lane=auto", "run.workers=1")
    measure(slide, tmp_path / "other", *told, f"reader.lane={lane}", "run.workers=2", "run.executor=threads")
    assert budget(tmp_path / "one") == budget(tmp_path / "other")
    assert row(budget(tmp_path / "one"), "work_pixel").is_assessed


def test_what_is_excluded_is_compared_with_nothing(tmp_path: Path) -> None:
    """The same lace with and without an exclusion that takes nothing has the same row."""
    slide = lacy_slide(tmp_path / "lace.tiff", 2.0, side_px=1024)
    told = ("tiling.work_mpp=2", "tiling.tile_px=64")
    measure(slide, tmp_path / "plain", *told)
    measure(slide, tmp_path / "pen", *told, "exclusions.pen=true")
    assert "pen" in {c.name for c in open_run(tmp_path / "pen")["lace"].counted.classes}
    pair = [row(budget(tmp_path / out), "work_pixel") for out in ("plain", "pen")]
    assert pair[0].value == pytest.approx(pair[1].value)


def test_a_drawing_has_no_error_of_its_pixels_and_lacks_its_observer(tmp_path: Path) -> None:
    slide = write_slide(tmp_path / "disc.tiff", SIZE, {"tissue": disc(SIZE, 600, 450, 300)})
    outline = write_outlines(tmp_path / "disc.geojson", {"tumor": [(100, 100, 500, 500)]})
    slides = collect_slides([str(slide.path)], annotations=str(outline))
    run_slides(slides, load("regions", ["tissue.name=none"]), tmp_path / "out")
    found = budget(tmp_path / "out", "tumor")
    assert row(found, "work_pixel").u_mm2 == 0
    assert row(found, "segmentation").u_mm2 == 0
    assert not row(found, "observer").is_assessed
    line = open_run(tmp_path / "out").summary.loc["disc"]
    assert math.isnan(line["tumor_area_ci95_low_mm2"])
    assert "nobody drew it a second time" in line["tumor_area_ci95_reason"]
    assert line["tumor_area_u_holds"].split(" + ")[0] == "pixel size"


def test_the_table_of_budgets_is_what_the_documents_say_and_verify_holds_it(tmp_path: Path) -> None:
    for name, mpp in (("sized", Mpp(0.25, 0.25)), ("unsized", None)):
        write_slide(tmp_path / f"{name}.tiff", SIZE, {"tissue": disc(SIZE, 600, 450, 300)}, FileForm(mpp=mpp))
    out = tmp_path / "out"
    measure([tmp_path / "sized.tiff", tmp_path / "unsized.tiff"], out)
    table = pq.read_table(out / "budget.parquet").to_pylist()
    assert {line["slide_id"] for line in table} == {"sized"}
    told = json.loads((out / "slides/sized/result.json").read_text())["budgets"]["listed"]
    assert [(line["kind"], line["area"], line["term"], line["u_mm2"]) for line in table] == [
        (b["kind"], b["area"], r["name"], r["u_mm2"]) for b in told for r in b["rows"]
    ]
    assert json.loads((out / "slides/unsized/result.json").read_text())["budgets"] is None
    assert open_run(out).budget["combined_u_mm2"].notna().all()
    assert verify_run(out).disagreements == ()
    pq.write_table(pq.read_table(out / "budget.parquet").slice(1), out / "budget.parquet")
    assert "budget.parquet" in str(verify_run(out).disagreements)


@pytest.mark.parametrize(
    ("um", "assignments", "lacking"),
    [
        (0.5, (), {"segmentation", "rescan"}),
        (29.0, (), {"work_pixel", "segmentation", "rescan"}),  # nothing finer was scanned
        (0.5, ("tiling.work_mpp=2",), {"segmentation", "rescan"}),
    ],
)
def test_whatever_of_the_terms_is_not_filled_is_named(
    um: float, assignments: tuple[str, ...], lacking: set[str], tmp_path: Path
) -> None:
    slide = lacy_slide(tmp_path / "lace.tiff", 3.0, side_px=512, um=um)
    measure(slide, tmp_path / "out", *assignments)
    found = budget(tmp_path / "out")
    assert {r.name for r in found.lacking} == lacking
    named = {r.name for r in found.rows}
    # nobody drew it and no two claims differ: there is no such error
    assert set(TERMS) - named == {"observer", "pixel_size_conflict"}
    sentence = budget_sentence(open_run(tmp_path / "out")["lace"].counted, found)
    told = sentence.partition("not in it: ")[2]
    assert set(told.split(", ")) == {TERMS[name] for name in TERMS if name in lacking}


@pytest.mark.parametrize("field", ["u_mm2", "expanded_mm2", "counted_mm2", "k"])
def test_a_budget_that_its_rows_do_not_make_is_found(field: str, tmp_path: Path) -> None:
    slide = write_slide(tmp_path / "disc.tiff", SIZE, {"tissue": disc(SIZE, 600, 450, 300)})
    measure(slide.path, tmp_path / "out", "tiling.tile_px=256")
    place = tmp_path / "out/slides/disc/result.json"
    told = json.loads(place.read_text())
    told["budgets"]["listed"][0][field] *= 0.5
    place.write_text(json.dumps(told))
    assert "uncertainty budget" in str(verify_run(tmp_path / "out").disagreements)


def test_an_area_that_may_be_too_small_does_not_say_that_every_pixel_was_counted(tmp_path: Path) -> None:
    write_slide_with_garbage_tile(tmp_path / "torn.svs")
    measure(tmp_path / "torn.svs", tmp_path / "out", mpp="0.25", mpp_reason="typed")
    assert not row(budget(tmp_path / "out"), "sampling").is_assessed
