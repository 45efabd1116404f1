import pickle

import numpy as np
import pytest
import skimage.color as color
import skimage.data
from pictures import all_valid, slide_rgb

from wsi_area.errors import SettingsError
from wsi_area.model.pixels import TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule, ColourRuled
from wsi_area.segmenters.colour.kernels import classify_and_count
from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS, density_weights

BANDS = (0.2, 0.4, 0.6)
SKIMAGE = {"h-e-dab": (color.hed_from_rgb, 2), "h-dab": (color.hdx_from_rgb, 1)}


def rule_for(vectors: str) -> ColourRule:
    return ColourRule("darkness", 40, density_weights(NAMED_VECTORS[vectors], "dab"), BANDS)


def skimage_classes(rgb: np.ndarray, vectors: str) -> np.ndarray:
    """The whole rule with scikit-image's separation; its densities × 6 are OD (it divides by ln 1e-6)."""
    matrix, column = SKIMAGE[vectors]
    stains = color.rgb2hed(rgb) if vectors == "h-e-dab" else color.separate_stains(rgb, matrix)
    density_od = stains[..., column] * 6
    tissue = rgb.min(axis=-1) < 255 - 40
    return np.where(density_od >= 0.2, 1 + np.digitize(density_od, BANDS), tissue).astype(np.uint8)


@pytest.mark.parametrize("vectors", SKIMAGE)
def test_all_16777216_colours_get_the_class_that_scikit_image_gives_them_by_both_routes(vectors):
    rule = rule_for(vectors)
    green, blue = np.mgrid[:256, :256].astype(np.uint8)
    compiled, ones, counts = np.empty((2048, 256), np.uint8), np.ones(2048, np.int64), np.zeros(8, np.int64)
    rgb = np.empty((8, 256, 256, 3), np.uint8)
    rgb[..., 1], rgb[..., 2] = green, blue
    for first_red in range(0, 256, 8):
        rgb[..., 0] = np.arange(first_red, first_red + 8, dtype=np.uint8)[:, None, None]
        flat = rgb.reshape(-1, 256, 3)
        expected = skimage_classes(flat, vectors)
        np.testing.assert_array_equal(rule.class_map(all_valid(flat)), expected)
        classify_and_count(flat, None, rule, ones[:256], ones, 1, compiled, counts, counts[:5].copy())
        np.testing.assert_array_equal(compiled, expected)
    assert counts.sum() == 256**3


@pytest.mark.parametrize("vectors", SKIMAGE)
def test_a_real_immunostain_is_classified_as_by_scikit_image(vectors):
    rgb = skimage.data.immunohistochemistry()
    expected = skimage_classes(rgb, vectors)
    assert set(np.unique(expected)) == {0, 1, 2, 3, 4}
    np.testing.assert_array_equal(rule_for(vectors).class_map(all_valid(rgb)), expected)


@pytest.mark.parametrize("name", ["OS-2-ndpi.tif", "CMU-1-Small-Region.svs"])
def test_real_slides_are_classified_as_by_scikit_image(testdata, name):
    rgb = slide_rgb(testdata, name)[300:1500, 200:1400]
    np.testing.assert_array_equal(rule_for("h-e-dab").class_map(all_valid(rgb)), skimage_classes(rgb, "h-e-dab"))


def test_the_density_of_a_pure_stain_is_the_amount_of_it():
    vector = np.array(NAMED_VECTORS["h-dab"]["dab"])
    amounts = np.array([0.1, 0.5, 0.9])
    rgb = np.round(255 * 10.0 ** -np.outer(amounts, vector)).astype(np.uint8)[None]
    assert rule_for("h-dab").density_of(rgb)[0] == pytest.approx(amounts, abs=0.012)  # of the 8-bit rounding


def test_the_signal_is_the_density_in_millionths_and_never_negative():
    rgb = skimage.data.immunohistochemistry()
    rule = rule_for("h-e-dab")
    hed_od = color.rgb2hed(rgb)[..., 2] * 6  # clipped at 0 by scikit-image
    np.testing.assert_allclose(rule.micro_signal_of(rgb), hed_od * 1e6, atol=0.55)  # and 1.5 units of 2^-5


def test_an_intensity_is_the_mean_of_the_channels_or_of_their_densities():
    rgb = np.random.default_rng(1).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    grey = ColourRule("brightness", 9, intensity="grey").micro_signal_of(rgb) / 50_000
    np.testing.assert_allclose(grey, rgb.mean(axis=-1), atol=1e-4)
    density = ColourRule("brightness", 9, intensity="od").micro_signal_of(rgb) / 1e6
    expected = -np.log10(np.maximum(rgb / 255, 1e-6)).mean(axis=-1)
    np.testing.assert_allclose(density, expected, atol=1e-6)
    white = np.full((1, 1, 3), 255, np.uint8)
    assert ColourRule("brightness", 9, intensity="grey").micro_signal_of(white).tolist() == [[255 * 50_000]]


def test_a_stain_and_an_intensity_are_two_signals_and_only_one_can_be_had():
    with pytest.raises(SettingsError, match="not also grey"):
        ColourRule("darkness", 40, (1.0, 0.0, 0.0), (0.3,), "grey")


def test_darkness_keeps_pale_pink_that_is_as_light_as_glass():
    rgb = np.array([[[244, 244, 244], [250, 205, 240]]], np.uint8)
    assert ColourRule("darkness", 40).class_map(all_valid(rgb)).tolist() == [[0, 1]]


def test_brightness_takes_the_brightest_channel():
    rgb = np.array([[[4, 5, 6], [0, 0, 90], [90, 0, 0]]], np.uint8)
    assert ColourRule("brightness", 40).class_map(all_valid(rgb)).tolist() == [[0, 1, 1]]


def test_the_threshold_itself_is_background_and_a_band_begins_at_its_own_value():
    assert ColourRule("brightness", 40).class_map(all_valid(np.full((1, 1, 3), 40, np.uint8))).item() == 0
    # the red weight alone: value 0 has exactly 6 OD
    black = all_valid(np.zeros((1, 1, 3), np.uint8))
    assert ColourRule("darkness", 40, (1.0, 0.0, 0.0), (0.5, 6.0)).class_map(black).item() == 3


def test_what_is_not_valid_is_unscanned_whatever_its_colour():
    rgb = np.zeros((2, 2, 3), np.uint8)
    valid = np.array([[True, False], [False, True]])
    assert rule_for("h-dab").class_map(TilePixels(rgb, valid)).tolist() == [[4, 255], [255, 4]]


def test_a_rule_is_a_value_that_survives_pickling():
    rule = rule_for("h-dab")
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert hash(rule) == hash(rule_for("h-dab"))
    assert len(pickle.dumps(rule)) < 1000  # it travels with every task


def test_only_what_carries_a_rule_is_colour_ruled():
    assert not isinstance(object(), ColourRuled)


@pytest.mark.parametrize(
    ("stain", "bands", "words"),
    [
        ((1.0, 0.0, 0.0), (0.4, 0.2), "ascending"),
        ((1.0, 0.0, 0.0), (0.0, 0.2), "above 0"),
        ((1.0, 0.0, 0.0), (), "1 to 3 bands"),
        ((1.0, 0.0, 0.0), (0.1, 0.2, 0.3, 0.4), "got 4 bands"),
        (None, (0.1,), "no stain none"),
        ((90.0, 0.0, 0.0), (0.1,), "one plane"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(stain, bands, words):
    with pytest.raises(SettingsError, match=words):
        ColourRule("darkness", 40, stain, bands)
