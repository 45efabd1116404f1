"""What a stain marks is positive; it is tumour only where the settings say so. Painted areas, from file to table."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from stain_settings import POSITIVE_IS_TUMOUR
from synthetic import SyntheticSlide, box, write_slide

from wsi_area.cli.main import cli
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.notebook.html import run_html, slide_html
from wsi_area.reports.report import write_report
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(600, 400)
STAINED, COUNTER = 180 * 100, 90 * 300
EXACT = ("tiling.skip_glass=false", "run.executor=serial")


def painted(path: Path) -> SyntheticSlide:
    """A slide with a box that DAB stains and one that it does not, whose edges are edges of pixels."""
    return write_slide(path, SIZE, {"dab": box(SIZE, 40, 50, 180, 100), "blue": box(SIZE, 300, 40, 90, 300)})


def measured(folder: Path, configs: Path, *settings: str) -> tuple[Path, dict[str, Any]]:
    slide = painted(folder / "s.tif")
    asked = load(configs / "ihc_dab.toml", [*EXACT, f"tiling.work_mpp={slide.mpp.x}", *settings])
    (document,) = run_slides(collect_slides([str(slide.path)]), asked, folder / "run").documents
    return folder / "run", document


def row(run: Path) -> dict[str, str]:
    with (run / "summary.csv").open(encoding="utf-8", newline="") as file:
        (only,) = csv.DictReader(file)
    return only


@pytest.fixture(scope="module")
def stained(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Path:
    return measured(tmp_path_factory.mktemp("stained"), configs)[0]


def test_the_painted_box_is_positive_and_no_tumour(stained: Path) -> None:
    slide = open_run(stained)["s"].counted
    px_mm2 = slide.mpp.x * slide.mpp.y * 1e-6
    assert slide.positive.n_px == STAINED
    assert slide.positive.area_mm2 == pytest.approx(STAINED * px_mm2)
    assert slide.positive.fraction_of_tissue == pytest.approx(STAINED / (STAINED + COUNTER))
    assert (slide.tumor.n_px, slide.tumor.area_mm2) == (None, None)
    cells = row(stained)
    assert float(cells["positive_area_mm2"]) == pytest.approx(STAINED * px_mm2)
    assert float(cells["positive_pct_tissue"]) == pytest.approx(100 * STAINED / (STAINED + COUNTER))
    assert int(cells["n_px_positive"]) == STAINED
    assert (cells["tumor_area_mm2"], cells["tumor_pct_tissue"], cells["n_px_tumor"]) == ("", "", "")


def test_who_says_that_positive_is_tumour_has_both(tmp_path: Path, configs: Path) -> None:
    run, document = measured(tmp_path, configs, POSITIVE_IS_TUMOUR)
    assert document["tumor"]["n_px"] == document["positive"]["n_px"] == STAINED
    assert row(run)["tumor_area_mm2"] == row(run)["positive_area_mm2"] != ""


def test_a_band_that_is_called_otherwise_is_positive_and_one_that_is_no_tissue_is_not(
    tmp_path: Path, configs: Path
) -> None:
    bands = POSITIVE_IS_TUMOUR.replace("is_tissue=true,is_tumor=true", "is_tissue=true").replace('"weak"', '"faint"')
    _, document = measured(
        tmp_path, configs, bands.replace('"strong",color="#a0281e",is_tissue=true', '"strong",color="#a0281e"')
    )
    assert [c["name"] for c in document["classes"] if c["is_positive"]] == ["faint", "moderate"]


def test_a_run_without_a_stain_has_nothing_positive(tmp_path: Path) -> None:
    slide = painted(tmp_path / "s.tif")
    run_slides(collect_slides([str(slide.path)]), load(None, list(EXACT)), tmp_path / "run")
    assert open_run(tmp_path / "run")["s"].counted.positive is None
    assert row(tmp_path / "run")["positive_area_mm2"] == ""


def test_report_notebook_and_explain_say_positive_and_never_tumour(stained: Path) -> None:
    write_report(stained)
    run = open_run(stained)
    explained = CliRunner().invoke(cli, ["explain", str(stained)]).stdout
    pages = ((stained / "report.html").read_text(encoding="utf-8"), run_html(run), slide_html(run["s"]), explained)
    for page in pages:
        assert "positive" in page.casefold()
        assert "tumour" not in page.casefold()


def test_the_terminal_has_a_column_of_it(tmp_path: Path, configs: Path) -> None:
    slide = painted(tmp_path / "s.tif").path
    asked = (
        "run",
        str(slide),
        "--config",
        str(configs / "ihc_dab.toml"),
        "--out",
        str(tmp_path / "run"),
        "--no-report",
    )
    ended = CliRunner().invoke(cli, asked)
    assert ended.exit_code == 0
    assert "positive mm²" in ended.stdout
    assert "tumour" not in ended.stdout


@pytest.mark.parametrize(("most_od", "is_moved"), [(0.2, True), (5.0, False)])
def test_a_first_band_that_its_bounds_moved_is_a_step_with_the_painted_area_that_it_adds(
    most_od: float, is_moved: bool, tmp_path: Path, configs: Path
) -> None:
    whole = painted(tmp_path / "s.tif")
    pale = whole.rgb.copy()
    glass, brown = pale[0, 0].astype(float), pale[60, 60].astype(float)
    pale[200:260, 40:140] = np.rint(glass * (brown / glass) ** 0.35)  # a third of the stain, below Otsu's band
    Image.fromarray(pale).save(tmp_path / "pale.png")
    bounds = ("segmenter.threshold=otsu", "segmenter.otsu_min_od=0.01", f"segmenter.otsu_max_od={most_od}")
    asked = load(configs / "ihc_dab.toml", [*EXACT, "tiling.work_mpp=1", *bounds])
    slides = collect_slides([str(tmp_path / "pale.png")], mpp="1", mpp_reason="painted")
    (document,) = run_slides(slides, asked, tmp_path / "run").documents
    assert document["positive"]["n_px"] == STAINED + is_moved * 6000
    steps = [step for step in document["steps"]["listed"] if step["name"] == "bands"]
    assert [step["n_px"] for step in steps] == ([pytest.approx(6000, rel=0.02)] if is_moved else [])


def test_what_is_positive_can_be_held_against_outlines_and_compared_between_two_dates(
    stained: Path, tmp_path: Path, configs: Path
) -> None:
    ring = [[40, 50], [220, 50], [220, 150], [40, 150], [40, 50]]
    drawn = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    drawn["properties"] = {"objectType": "annotation", "classification": {"name": "Brown"}}
    truth = tmp_path / "truth.geojson"
    truth.write_text(json.dumps({"type": "FeatureCollection", "features": [drawn]}), encoding="utf-8")
    asked = ("evaluate", str(stained), "--truth", str(truth), "--map", "Brown=positive", "--json")
    held = json.loads(CliRunner().invoke(cli, asked).stdout)
    (of,) = [c for c in held["accuracy"]["classes"] if c["name"] == "positive"]
    assert of["dice"] == 1.0
    later, _ = measured(tmp_path, configs)
    changed = CliRunner().invoke(cli, ["change", str(stained), str(later)]).stdout
    assert "positive" in changed
    assert "tumor" not in changed
