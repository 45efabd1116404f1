"""Drawn regions on public slides, over the whole line: areas that others state, and what independent tools enclose."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from measuring import class_maps_of
from PIL import Image
from synthetic import FileForm, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

REGIONS = Path(__file__).parents[2] / "configs" / "regions.toml"
TUMOR_072 = "annotations/camelyon16_tumor_072.json"


def record_of(slide: Path, out: Path, *assignments: str, config: Path = REGIONS, **drawn: Any) -> dict[str, Any]:
    """Measure one slide, hold its run against itself, and return its document."""
    outcome = run_slides(collect_slides([str(slide)], **drawn), load(config, assignments), out)
    assert outcome.exit_code == 0, outcome.documents[0]["reason"]
    assert verify_run(out).disagreements == ()
    return dict(outcome.documents[0])


@pytest.fixture(scope="module")
def tumor_072(testdata: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("tumor_072") / "out"
    slide = testdata / "slides" / "camelyon16_tumor_072"
    return record_of(slide, out, annotations=testdata / TUMOR_072, annotation_scale="1/128"), out


def test_the_pathologists_outlines_of_tumor_072_enclose_what_is_published(
    tumor_072: tuple[dict[str, Any], Path],
) -> None:
    record, _ = tumor_072
    (outline,) = record["outlines"]
    assert round(outline["outline_area_px"] * 128**2) == 117_421_633
    assert outline["area_mm2"] == pytest.approx(6.0142, abs=5e-5)


def test_the_pixels_counted_in_them_agree_with_the_outlines_and_with_the_published_mask(
    tumor_072: tuple[dict[str, Any], Path], testdata: Path
) -> None:
    record, out = tumor_072
    (outline,) = record["outlines"]
    # 18.8 px of 7 167 apart: 2.2 standard uncertainties, see the outline's slivers; 3 must never be exceeded
    assert abs(record["tumor"]["area_mm2"] - outline["area_mm2"]) < 3 * outline["u_count_mm2"]
    with Image.open(testdata / "masks/camelyon16_tumor_072_level0.png") as image:
        published = np.asarray(image.convert("L")) > 0
    (found,) = class_maps_of(out).values()
    assert abs(int((found == 1).sum()) - int(published.sum())) < 10
    both = ((found == 1) & published).sum() * 2 / ((found == 1).sum() + published.sum())
    assert both > 0.995


def test_the_foci_of_tumor_072_are_the_two_large_ones_and_their_crumbs(
    tumor_072: tuple[dict[str, Any], Path], testdata: Path
) -> None:
    record, _ = tumor_072
    drawn = json.loads((testdata / TUMOR_072).read_text())["positive"]
    areas = sorted((shapely.make_valid(shapely.Polygon(r["vertices"])).area / 128**2 for r in drawn), reverse=True)
    listed = record["foci"]["listed"]
    for focus, area_px in zip(listed[:2], areas[:2], strict=True):
        assert focus["area_px"] == pytest.approx(area_px, rel=0.01)
    # the widest span of the largest outline, in millimetres
    largest = max(drawn, key=lambda r: shapely.Polygon(r["vertices"]).convex_hull.area)
    points = np.asarray(largest["vertices"]) / 128 * [28.969, 28.968] / 1000
    hull = np.asarray(shapely.MultiPoint(points).convex_hull.exterior.coords)
    span_mm = max(np.hypot(*(a - b)) for a in hull for b in hull)
    assert record["foci"]["largest_extent_mm"] == pytest.approx(span_mm, abs=2 * 0.029 * 2**0.5)
    assert record["foci"]["net_area_mm2"] == pytest.approx(record["tumor"]["area_mm2"], rel=1e-12)


def test_the_same_outlines_as_a_region_of_interest_limit_the_tissue(
    tumor_072: tuple[dict[str, Any], Path], testdata: Path, tmp_path: Path
) -> None:
    classes = tumor_072[0]["classes"]
    record = record_of(
        testdata / "slides" / "camelyon16_tumor_072", tmp_path / "out",
        "segmenter.threshold=0", "tiling.work_mpp=28",
        config=REGIONS.with_name("he_tissue.toml"), roi=testdata / TUMOR_072, roi_scale="1/128",
    )  # fmt: skip
    inside = record["counts"]["n_px_total"] - record["counts"]["n_px_outside_roi"]
    assert inside == next(c["n_px"] for c in classes if c["name"] == "tumor")
    assert record["roi"]["outline_area_mm2"] == pytest.approx(6.0142, abs=5e-5)


def test_a_map_of_19_classes_gives_each_its_exact_area(testdata: Path, tmp_path: Path) -> None:
    size = Size(4542, 4594)
    slide = write_slide(tmp_path / "A0YE.tif", size, {}, FileForm(mpp=Mpp(0.25, 0.25)))
    mask, codes = tmp_path / "A0YE_mask.png", tmp_path / "A0YE_mask_class_codes.csv"
    shutil.copy(testdata / "masks/bcss_TCGA-A2-A0YE_class_map.png", mask)
    shutil.copy(testdata / "masks/bcss_class_codes.csv", codes)
    config = tmp_path / "bcss.toml"
    config.write_text(
        '[segmenter]\nname = "regions"\nunmatched = "background"\n'
        '[[segmenter.classes]]\nid = 0\nname = "background"\ncolor = "#ffffff"\n'
        '[[segmenter.classes]]\nid = 1\nname = "tumor"\ncolor = "#d62728"\nis_tissue = true\nis_tumor = true\n'
        'match = ["mostly_tumor"]\n'
        '[[segmenter.classes]]\nid = 2\nname = "stroma"\ncolor = "#2ca02c"\nis_tissue = true\n'
        'match = ["mostly_stroma"]\n'
        '[[segmenter.classes]]\nid = 3\nname = "lymphocytes"\ncolor = "#1f77b4"\nis_tissue = true\n'
        'match = ["mostly_lymphocytic_infiltrate"]\n'
    )
    record = record_of(slide.path, tmp_path / "out", "tiling.tile_px=500", config=config, annotations=mask)
    by_name = {c["name"]: c for c in record["classes"]}
    published = {"tumor": 3_396_902, "stroma": 5_683_401, "lymphocytes": 1_989_367}
    assert {name: by_name[name]["n_px"] for name in published} == published
    assert by_name["tumor"]["area_mm2"] == pytest.approx(3_396_902 * 0.0625e-6, rel=1e-12)
