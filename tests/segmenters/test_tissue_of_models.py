"""The tissue layer under a network and under a pixel classifier, by their presets; and a mask image as the tissue."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx_networks import red_below, write_network
from PIL import Image
from pixel_models import small_model
from synthetic import FileForm, SyntheticSlide, box, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.segmenters.pixels.model import save_model
from wsi_area.settings.run_settings import load

SIZE = Size(640, 500)
MASKED = """
[tissue]
name = "regions"
drawing = "{masks}"
[[tissue.classes]]
id = 0
name = "background"
color = "#ffffff"
[[tissue.classes]]
id = 1
name = "tissue"
color = "#d0d0d0"
is_tissue = true
match = ["class_1"]
"""
LAYER = ("tissue.threshold=60", "tissue.work_mpp=1.0", "run.workers=2")


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    """Two paints on glass, 1 µm/px."""
    shapes = {"tissue": box(SIZE, 40, 60, 250, 400), "dab": disc(SIZE, 450, 330, 120)}
    form = FileForm(downsamples=(1, 2), mpp=Mpp(1.0, 1.0), tile_px=64)
    return write_slide(tmp_path_factory.mktemp("slide") / "two.tif", SIZE, shapes, form)


def measured(slide: SyntheticSlide, preset: Path, out: Path, *assignments: str) -> CountedSlide:
    settings = load(preset, [*LAYER, *assignments])
    outcome = run_slides(collect_slides([str(slide.path)]), settings, out)
    assert outcome.exit_code == 0, [ended.reason for ended in outcome.all_slides]
    return open_run(out)["two"].counted


def model_of(preset: str, folder: Path) -> str:
    if preset == "onnx_model":
        return f'segmenter.model="{write_network(folder, red_below(170), mpp_um=1.0)}"'
    save_model(small_model(), folder / "model")
    return f'segmenter.model="{folder / "model"}"'


def crossed(out: Path) -> list[list[int]]:
    """Return the level-0 pixels of each pair of codes in both class maps, read back and painted out."""
    opened = open_run(out)["two"]
    assert opened.tissue is not None
    maps = []
    for read in (opened, opened.tissue):
        columns, rows = grid_of(read.counted).weights()
        maps.append(np.repeat(np.repeat(read.class_map(), rows, axis=0), columns, axis=1))
    above, below = maps
    return [
        [int(((above == a) & (below == b)).sum()) for b in range(len(opened.tissue.counted.classes))]
        for a in range(len(opened.counted.classes))
    ]


@pytest.mark.parametrize("preset", ["onnx_model", "pixel_classifier"])
def test_a_model_by_its_preset_has_the_tissue_as_a_layer_with_every_executor(
    slide: SyntheticSlide, configs: Path, tmp_path: Path, preset: str
) -> None:
    model, tables = model_of(preset, tmp_path), []
    for executor in ("threads", "processes", "distributed"):
        out = tmp_path / executor
        found = measured(slide, configs / f"{preset}.toml", out, model, f"run.executor={executor}")
        assert found.tissue_layer is not None
        assert found.tissue.n_px == slide.truth.px["tissue"] + slide.truth.px["dab"]
        table = found.tissue_layer.n_px_crossed
        assert [list(row[:2]) for row in table[: len(found.classes)]] == crossed(out)
        tables.append((table, found.tumor, found.tissue))
    assert verify_run(tmp_path / "threads").disagreements == ()
    assert tables[1:] == [tables[0]] * 2


def test_the_tumour_of_a_network_is_a_share_of_the_tissue_painted(
    slide: SyntheticSlide, configs: Path, tmp_path: Path
) -> None:
    found = measured(slide, configs / "onnx_model.toml", tmp_path / "out", model_of("onnx_model", tmp_path))
    tissue, dab = slide.truth.px["tissue"], slide.truth.px["dab"]
    assert (found.tissue.source, found.tumor.in_tissue_px) == ("layer", dab)
    assert found.tumor.pct_tissue == pytest.approx(100 * dab / (tissue + dab), rel=1e-12)


@pytest.mark.parametrize(("suffix", "shrunk"), [("png", 1), ("png", 4), ("tif", 2)])
def test_a_mask_image_is_the_tissue_at_any_size_of_it(
    slide: SyntheticSlide, configs: Path, tmp_path: Path, suffix: str, shrunk: int
) -> None:
    ring = [(100, 100), (500, 100), (500, 400), (100, 400), (100, 100)]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    feature["properties"] = {"objectType": "annotation", "classification": {"name": "tumor"}}
    drawn, masks = tmp_path / "two.geojson", tmp_path / "masks"
    drawn.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    masks.mkdir()
    mask = np.zeros((SIZE.height_px // shrunk, SIZE.width_px // shrunk), np.uint8)
    mask[:, : 320 // shrunk] = 1  # the left half is tissue
    Image.fromarray(mask).save(masks / f"two.{suffix}")
    preset = tmp_path / "masked.toml"
    text = (configs / "regions.toml").read_text().partition("\n[tissue]")[0] + MASKED.format(masks=masks)
    preset.write_text(text.replace("class_1", "other"))
    slides, assigned = collect_slides([str(slide.path)], annotations=drawn), ["tissue.work_mpp=1.0"]
    (failed,) = run_slides(slides, load(preset, assigned), tmp_path / "failed").slides
    assert "'class_1'; set tissue.unmatched = " in failed.reason
    assert "[[tissue.classes]]" in failed.reason
    preset.write_text(text)
    outcome = run_slides(slides, load(preset, assigned), tmp_path / "out")
    assert outcome.exit_code == 0, [ended.reason for ended in outcome.all_slides]
    found = open_run(tmp_path / "out")["two"].counted
    assert (found.tissue.source, found.tissue.n_px) == ("layer", 320 * 500)
    assert (found.tumor.n_px, found.tumor.in_tissue_px) == (400 * 300, 220 * 300)
