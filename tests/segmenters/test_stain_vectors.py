import numpy as np
import pytest
import skimage.color as color

from wsi_area.errors import SettingsError
from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS, density_weights, normalised


@pytest.mark.parametrize(
    ("vectors", "target", "expected"),
    [
        ("h-e-dab", "hematoxylin", color.hed_from_rgb[:, 0]),
        ("h-e-dab", "eosin", color.hed_from_rgb[:, 1]),
        ("h-e-dab", "dab", color.hed_from_rgb[:, 2]),
        ("h-dab", "hematoxylin", color.hdx_from_rgb[:, 0]),
        ("h-dab", "dab", color.hdx_from_rgb[:, 1]),
    ],
)
def test_the_weights_of_named_vectors_are_those_of_scikit_image(vectors, target, expected):
    assert density_weights(NAMED_VECTORS[vectors], target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", NAMED_VECTORS)
def test_a_pure_stain_has_its_own_density_and_none_of_the_others(name):
    vectors = NAMED_VECTORS[name]
    for target in vectors:
        weights = density_weights(vectors, target)
        for stain, vector in vectors.items():
            assert np.dot(weights, vector) == pytest.approx(float(stain == target), abs=1e-12)


def test_normalised_vectors_have_length_one_and_keep_their_direction():
    unit = normalised({"dab": (2.0, 3.0, 6.0)})["dab"]
    assert unit == pytest.approx((2 / 7, 3 / 7, 6 / 7))


@pytest.mark.parametrize(
    ("vectors", "target", "words"),
    [
        ({"a": (1.0, 0.0, 0.0), "b": (0.0, 1.0, 0.0)}, "dab", "'dab' is not among.*a, b"),
        ({"a": (1.0, 0.0, 0.0)}, "a", "1 stain vectors"),
        ({"a": (1.0, 0.0, 0.0), "b": (2.0, 0.0, 0.0)}, "a", "one plane"),
        ({"a": (1.0, 0.0, 0.0), "b": (0.0, 1.0, 0.0), "c": (1.0, 1.0, 0.0)}, "a", "one plane"),
    ],
)
def test_vectors_that_cannot_split_a_colour_are_refused(vectors, target, words):
    with pytest.raises(SettingsError, match=words):
        density_weights(vectors, target)


def test_a_zero_vector_is_refused():
    with pytest.raises(SettingsError, match="no direction"):
        normalised({"dab": (0.0, 0.0, 0.0)})
