"""Plain pictures of two clean levels: the area is that of scikit-image's Otsu at full size, whatever lies between."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.filters import threshold_otsu

from wsi_area.inputs.collect import collect_slides
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = (2600, 3100)  # three of its pixels make one of the overview


def rectangles(side_px: int, every_px: int) -> np.ndarray:
    """Squares whose sides lie on the boxes of the overview, so that nothing of it is of both levels."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return (y % every_px < side_px) & (x % every_px < side_px) & (y < 2400) & (x < 3000)


def measured_px(path: Path, configs: Path, out: Path) -> tuple[int, str]:
    (record,) = run_slides(collect_slides([str(path)]), load(configs / "plain_image.toml", []), out).documents
    return record["tissue"]["n_px"], record["segmenter"]["facts"]["fitted_on"]


@pytest.mark.parametrize(
    ("name", "background", "foreground", "noise", "squares"),
    [
        ("noise.png", 200, 90, 8, (1200, 1500)),
        ("bright.png", 40, 140, 8, (600, 900)),
        ("small.png", 60, 150, 10, (30, 120)),
        ("compressed.jpg", 200, 90, 3, (60, 120)),
    ],
)
def test_two_clean_levels_are_parted_in_the_middle_whatever_the_noise(
    name, background, foreground, noise, squares, configs, tmp_path
):
    inside = rectangles(*squares)
    grey = np.where(inside, foreground, background) + np.random.default_rng(4).normal(0, noise, SIZE)
    path = tmp_path / name
    Image.fromarray(np.clip(grey.round(), 0, 255).astype(np.uint8)).save(path, dpi=(300, 300), quality=80)
    stored = np.asarray(Image.open(path))
    threshold = threshold_otsu(stored)
    exact = (stored > threshold if foreground > background else stored <= threshold).sum()
    found_px, fitted_on = measured_px(path, configs, tmp_path / "out")
    assert fitted_on == "work pixels"
    assert found_px == pytest.approx(exact, rel=2e-3)
    assert found_px == pytest.approx(inside.sum(), rel=2e-3)
