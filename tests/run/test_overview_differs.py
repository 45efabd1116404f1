"""The overview and the count of healthy slides agree in silence; where they show different things, that is found."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from wsi_area.inputs.collect import collect_slides
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

HEIGHT_PX, WIDTH_PX, STEP = 2048, 3072, 4
GLASS, TISSUE = np.array((243.0, 241.0, 244.0)), np.array((150.0, 90.0, 140.0))


def discs(radius_px: int, count: int, seed: int) -> np.ndarray:
    """Discs on a grid, each moved at random: bool (h, w)."""
    rng, mask = np.random.default_rng(seed), np.zeros((HEIGHT_PX, WIDTH_PX), bool)
    at = np.mgrid[-radius_px : radius_px + 1, -radius_px : radius_px + 1]
    disc = (at**2).sum(axis=0) <= radius_px**2
    for y, x in zip(*(rng.integers(radius_px, n - radius_px, count) for n in mask.shape), strict=True):
        mask[y - radius_px : y + radius_px + 1, x - radius_px : x + radius_px + 1] |= disc
    return mask


def painted(mask: np.ndarray, noise_sd: float = 2.0, glass: np.ndarray = GLASS, tissue: np.ndarray = TISSUE):
    rgb = np.where(mask[..., None], tissue, glass)
    return np.clip(rgb + np.random.default_rng(1).normal(0, noise_sd, rgb.shape), 0, 255).astype(np.uint8)


def shrunk(rgb: np.ndarray, step: int = STEP) -> np.ndarray:
    h, w = (n // step for n in rgb.shape[:2])
    return rgb[: h * step, : w * step].reshape(h, step, w, step, 3).mean(axis=(1, 3)).round().astype(np.uint8)


def written(path: Path, rgb: np.ndarray, level: np.ndarray | None = None) -> Path:
    """A pyramid of two levels, the second of which may show anything."""
    own = {"photometric": "rgb", "tile": (256, 256), "resolutionunit": 3}
    with tifffile.TiffWriter(path) as tif:
        tif.write(rgb, resolution=(20000, 20000), **own)
        low = shrunk(rgb) if level is None else level
        tif.write(low, subfiletype=1, resolution=(20000 / STEP, 20000 / STEP), **own)
    return path


def told(slide: Path, out: Path, configs: Path, config: str = "he_tissue", *more: str) -> list[str]:
    settings = load(configs / f"{config}.toml", ["run.executor=serial", "quality.step_share=1", *more])
    (record,) = run_slides(collect_slides([str(slide)]), settings, out).documents
    assert "tissue" in record, record
    return [f["message"] for f in record["findings"] if f["code"] == "OVERVIEW_DIFFERS"]


FINE = "tiling.work_mpp=0.5"


@pytest.mark.parametrize(
    ("radius_px", "count", "field"),
    [(9, 900, "glass"), (14, 700, "dark"), (6, 1500, "dark"), (260, 8, "glass")],
)
def test_a_healthy_slide_of_small_sharp_tissue_is_quiet(tmp_path, configs, radius_px, count, field):
    mask = discs(radius_px, count, seed=radius_px)
    colours = {"glass": GLASS, "tissue": TISSUE} if field == "glass" else {"glass": GLASS * 0 + 5, "tissue": TISSUE}
    slide = written(tmp_path / "s.tif", painted(mask, **colours))
    config = "he_tissue" if field == "glass" else "fluorescence"
    assert told(slide, tmp_path / "out", configs, config, FINE) == []


def test_small_sharp_tissue_would_be_told_if_the_count_alone_were_compared(tmp_path, configs):
    rgb = painted(discs(9, 900, seed=9))
    darkness = 255 - shrunk(rgb).min(axis=-1)
    assert (darkness > 32).mean() > 1.1 * (255 - rgb.min(axis=-1) > 32).mean()


@pytest.mark.parametrize("name", ["test3-DAPI-2-387.ndpi", "TCGA-CR-7395-01A-01-TS1.svs"])
def test_healthy_slides_that_were_told_are_quiet(tmp_path, configs, testdata, name):
    config = "fluorescence" if name.endswith(".ndpi") else "he_tissue"
    assert told(testdata / "slides" / name, tmp_path / "out", configs, config) == []


@pytest.mark.parametrize("work_um", [4, 8, 16])
def test_an_overview_finer_than_what_was_counted_is_not_held_against_it(tmp_path, configs, work_um):
    slide = written(tmp_path / "s.tif", painted(discs(9, 900, seed=9)))
    assert told(slide, tmp_path / "out", configs, "he_tissue", f"tiling.work_mpp={work_um}") == []


WIDE = discs(260, 8, seed=4)


@pytest.mark.parametrize("what", ["another slide", "a part of the slide, magnified", "next to nothing"])
def test_a_level_that_shows_something_else_is_told(tmp_path, configs, what):
    rgb = painted(WIDE)
    low = {
        "another slide": shrunk(painted(discs(300, 14, seed=8))),
        "a part of the slide, magnified": np.kron(shrunk(rgb)[:256, :384], np.ones((2, 2, 1), np.uint8)),
        "next to nothing": shrunk(painted(discs(60, 6, seed=2))),
    }[what]
    slide = written(tmp_path / "s.tif", rgb, low)
    (message,) = told(slide, tmp_path / "out", configs, "he_tissue", FINE, "tiling.skip_glass=false")
    assert f"{(255 - low.min(axis=-1) > 32).mean():.0%}"[:-1] in message


@pytest.mark.parametrize("noise_sd", [12, 14, 17])
def test_a_threshold_of_the_overview_that_lies_within_the_noise_of_the_work_is_told(tmp_path, configs, noise_sd):
    slide = written(tmp_path / "s.tif", painted(WIDE, noise_sd, glass=GLASS - 15))
    assert len(told(slide, tmp_path / "out", configs, "he_tissue", FINE, "tiling.skip_glass=false")) == 1
