"""Slides that a network or a trained classifier measured are amended as any other: to the pixel, filtered, verified."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amending import Measured, ids_of
from onnx_networks import THREE_CLASSES, pooled_red_below, random_unet, red_below, write_network
from painting_by_hand import box, operation, painted, px_by_code, seed
from pixel_models import small_model
from synthetic import FileForm, disc, write_slide
from synthetic import box as painted_box

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.run.pipeline import run_slides
from wsi_area.segmenters.pixels.model import save_model
from wsi_area.settings.run_settings import load

SIZE = Size(640, 500)


def one_pixel(folder: Path) -> Path:
    return write_network(folder, red_below(170), mpp_um=0.25)


def pooled(folder: Path) -> Path:
    return write_network(folder, pooled_red_below(225, 8), context_px=7, divisible_by=8, mpp_um=0.5)


def resampled(folder: Path) -> Path:
    shown: dict[str, Any] = {"context_px": 20, "divisible_by": 4, "window_px": 104, "mpp_um": 0.4}
    return write_network(folder, random_unet(base=4), classes=THREE_CLASSES, background_is_glass=False, **shown)


def trees(folder: Path) -> Path:
    save_model(small_model(), folder / "model")
    return folder / "model"


MODELS = {
    "one_pixel": ("onnx", one_pixel),
    "pooled": ("onnx", pooled),
    "resampled": ("onnx", resampled),
    "trees": ("pixel_classifier", trees),
}


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two paints on noisy glass, 0.25 µm/px, one stored tile never scanned."""
    shapes = {"tissue": painted_box(SIZE, 40, 60, 250, 400), "dab": disc(SIZE, 450, 330, 120)}
    form = FileForm(downsamples=(1, 2), mpp=Mpp(0.25, 0.25), tile_px=64)
    path = tmp_path_factory.mktemp("slide") / "s.tif"
    return write_slide(path, SIZE, shapes, form, noise_sd=5, unscanned=(Region(512, 0, 128, 128),)).path


@pytest.mark.parametrize("name", MODELS)
def test_a_map_of_a_model_is_corrected_to_the_pixel_and_verified(slide: Path, tmp_path: Path, name: str) -> None:
    segmenter, written = MODELS[name]
    told = (f"segmenter.name={segmenter}", f'segmenter.model="{written(tmp_path)}"', "tiling.tile_px=100")
    outcome = run_slides(collect_slides([str(slide)]), load(None, told), tmp_path / "out")
    assert [s.status for s in outcome.slides] == ["complete"]
    run = Measured(tmp_path / "out", told)
    codes, ids = run.slide.class_map(), ids_of(run.slide)
    corrections = [
        operation("add", box(20.3, 20.3, 120.7, 90.2), **{"class": "Tumor"}),
        operation("erase", box(380.3, 260.3, 470.7, 340.2)),
        operation("exclude", box(420.3, 300.3, 560.7, 420.2)),
        operation("add", box(480.3, 30.3, 600.7, 160.2), **{"class": "tumor"}),  # half of it was never scanned
        operation("fill", seed(30.2, 30.4), **{"class": "background"}),
    ]
    version = run.laid(corrections)
    plain = [{**f, "properties": {**f["properties"], **({"class": "tumor"} if n == 0 else {})}}
             for n, f in enumerate(corrections)]  # fmt: skip
    edges = run.slide.grid.edges_l0_px
    truth, _ = painted(codes, plain, edges, ids, ("tumor",))
    assert np.array_equal(OpenedSlide(version.layout, version.result).class_map(), truth)
    assert not np.array_equal(truth, codes)
    counted = {k: v for k, v in px_by_code(truth, edges).items() if k < len(version.result.classes)}
    assert {c.id: c.n_px for c in version.result.classes if c.n_px} == counted
    assert version.amendment.listed[3].n_px_unscanned > 0
    assert verify_run(run.out, with_slides=False).disagreements == ()
