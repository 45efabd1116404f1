"""Channels of more than 8 bits: the threshold of stored samples, against scikit-image and what was painted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import Overview, TilePixels, TilePlace
from wsi_area.segmenters.colour.deep_tissue import FittedDeepTissue
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.slides import borrow_reader, choose_lane, close_readers, inspect, read_overview


@pytest.fixture(autouse=True)
def _closed_readers():
    yield
    close_readers()


def spots(low: float, high: float, noise: float, seed: int = 0) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:400, :400]
    mask = sum((((rows - y) ** 2 + (columns - x) ** 2) < 60**2) for y, x in ((110, 120), (280, 260))) > 0
    samples = np.where(mask, high, low) + rng.normal(0, noise, mask.shape)
    return samples.round().clip(0, 65_535).astype(np.uint16), np.asarray(mask)


def overview_of(samples: NDArray[np.uint16], folder: Path, **written: Any) -> Overview:
    path = folder / "deep.tif"
    tifffile.imwrite(path, samples, photometric="minisblack", metadata=None, **written)
    info = inspect(path)
    with borrow_reader(info, choose_lane(info, [0], "auto").lane) as reader:
        return read_overview(info, reader)


def fitted_on(overview: Overview, **settings: Any) -> FittedDeepTissue:
    fitted = TissueSegmenter(**{"background": "dark", **settings}).fit(overview)
    assert isinstance(fitted, FittedDeepTissue)
    return fitted


DIM = [(200, 240, 5), (1000, 1040, 6), (260, 300, 6), (410, 450, 4), (30_000, 30_040, 5)]


@pytest.mark.parametrize(("low", "high", "noise"), DIM)
def test_two_populations_forty_levels_apart_are_told_as_scikit_image_tells_them(
    tmp_path: Path, low: int, high: int, noise: int
) -> None:
    samples, mask = spots(low, high, noise)
    overview = overview_of(samples, tmp_path)
    fitted = fitted_on(overview)
    found = fitted.class_map(TilePixels(overview.rgb, overview.valid, overview.deep)) == 1
    assert np.array_equal(found, samples > threshold_otsu(samples))
    assert abs(int(found.sum()) - int(mask.sum())) <= 0.02 * mask.sum()
    assert fitted.facts["background_seen"] == "dark"


@pytest.mark.parametrize(("low", "high"), [(150, 65_535), (900, 65_535), (30_000, 65_535)])
def test_a_saturated_channel_has_the_area_that_was_painted(tmp_path: Path, low: int, high: int) -> None:
    samples, mask = spots(low, high + 500, 40)
    assert (samples == 65_535).sum() > 0.9 * mask.sum()
    overview = overview_of(samples, tmp_path)
    found = fitted_on(overview).class_map(TilePixels(overview.rgb, overview.valid, overview.deep)) == 1
    assert np.array_equal(found, samples > threshold_otsu(samples))
    assert np.array_equal(found, mask)


@pytest.mark.parametrize(("where", "low", "high"), [((3, 9), 300, 340), ((200, 200), 1200, 1240), ((399, 0), 700, 760)])
def test_one_hot_pixel_moves_neither_the_threshold_nor_the_grey_levels(
    tmp_path: Path, where: tuple[int, int], low: int, high: int
) -> None:
    samples, _ = spots(low, high, 4)
    cold, hot = samples.copy(), samples.copy()
    hot[where] = 65_535
    of_cold, of_hot = overview_of(cold, tmp_path), overview_of(hot, tmp_path)
    differs = (of_cold.rgb != of_hot.rgb).any(axis=-1)
    assert differs.sum() == 1
    assert differs[where]
    assert fitted_on(of_cold).rule == fitted_on(of_hot).rule
    assert fitted_on(of_hot).facts["hot_px_left_out"] >= 1


def test_small_bright_spots_are_no_hot_pixels(tmp_path: Path) -> None:
    samples = spots(200, 200, 4)[0]
    samples[5::20, 5::20] = 4000  # 400 of 160 000: more than any camera has
    found = fitted_on(overview_of(samples, tmp_path))
    assert found.facts["hot_px_left_out"] == 0
    assert 300 < found.rule.threshold < 4000


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_a_fixed_grey_level_is_compared_with_the_last_sample_that_has_it(tmp_path: Path, bits: int) -> None:
    top = (1 << bits) - 1
    samples = np.linspace(0, top, 60 * 80).round().astype(np.uint16).reshape(60, 80)
    overview = overview_of(samples, tmp_path)
    fitted = fitted_on(overview, threshold=80)
    found = fitted.class_map(TilePixels(overview.rgb, overview.valid, overview.deep)) == 1
    assert np.array_equal(found, samples // (1 << bits - 8) > 80)
    exact = fitted_on(overview, stored_threshold=top // 2 + 1)
    assert np.array_equal(
        exact.class_map(TilePixels(overview.rgb, overview.valid, overview.deep)) == 1, samples > top // 2 + 1
    )


def test_a_stored_threshold_is_refused_where_there_are_8_bits() -> None:
    overview = Overview(np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.bool_), Size(4, 4), None)
    with pytest.raises(SettingsError, match=r"stored_threshold is 900.*this slide has 8"):
        TissueSegmenter(background="dark", stored_threshold=900).fit(overview)


@pytest.mark.parametrize("gain", [2, 4, 16])
def test_noise_alone_is_said_to_hang_on_the_threshold_and_two_populations_are_not(tmp_path: Path, gain: int) -> None:
    def change(samples: NDArray[np.uint16]) -> float:
        overview = overview_of(samples, tmp_path)
        place = TilePlace(Region(0, 0, 400, 400), np.arange(400.0), np.arange(400.0))
        pixels = TilePixels(overview.rgb, overview.valid, overview.deep)
        maps = fitted_on(overview).core_class_maps_by_shift(pixels, place, place.work_px)
        counts = {shift: int((classes == 1).sum()) for shift, classes in maps.items()}
        return max(abs(counts[k] / counts["used"] - 1) for k in ("-5%", "+5%"))

    assert change(spots(100 * gain, 100 * gain, 9 * gain)[0]) > 0.05
    assert change(spots(100 * gain, 140 * gain, 5 * gain)[0]) < 0.02


def test_dark_tissue_on_bright_glass_of_12_bits_is_found_near_the_glass(tmp_path: Path) -> None:
    samples, mask = spots(3700, 2900, 12)
    overview = overview_of(samples, tmp_path)
    fitted = fitted_on(overview, background="auto")
    assert fitted.rule.feature == "darkness"
    assert fitted.facts["method"] == "otsu-clamped-to-glass"
    found = fitted.class_map(TilePixels(overview.rgb, overview.valid, overview.deep)) == 1
    assert np.array_equal(found, mask)
