"""Pictures that the tests of this room share: overviews of real slides and of made-up ones."""

from pathlib import Path

import numpy as np
import tifffile

from wsi_area.model.geometry import Size
from wsi_area.model.pixels import Overview, RgbArray, TilePixels
from wsi_area.segmenters.colour.extremes import Extremes, count_extremes


def overview_of(rgb: RgbArray) -> Overview:
    """Return an overview that is all valid."""
    height, width = rgb.shape[:2]
    return Overview(rgb, np.ones((height, width), bool), Size(width, height), None)


def extremes_of(rgb: RgbArray) -> Extremes:
    return count_extremes(overview_of(rgb))


def all_valid(rgb: RgbArray) -> TilePixels:
    return TilePixels(rgb, np.ones(rgb.shape[:2], bool))


def slide_rgb(testdata: Path, name: str) -> RgbArray:
    """Return level 0 of a TIFF slide, read without the package's own readers."""
    return np.ascontiguousarray(tifffile.imread(testdata / "slides" / name)[..., :3])


def shrunk(rgb: RgbArray, factor: int) -> RgbArray:
    """Return box means, cut to whole boxes, by numpy."""
    height, width = rgb.shape[0] // factor, rgb.shape[1] // factor
    boxes = rgb[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return np.floor(boxes.mean(axis=(1, 3)) + 0.5).astype(np.uint8)


def noisy(level: int, spread: float, size_px: int = 200, seed: int = 3) -> RgbArray:
    """Return an empty picture of one grey with noise."""
    noise = np.random.default_rng(seed).normal(0, spread, (size_px, size_px, 3))
    return np.clip(level + noise, 0, 255).astype(np.uint8)
