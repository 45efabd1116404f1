import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.filters import threshold_otsu

from wsi_area.segmenters.colour.otsu import otsu_bin


@pytest.mark.parametrize("picture", ["camera", "coins", "page", "text", "clock", "moon", "brick", "cell"])
def test_the_frozen_threshold_has_not_drifted_from_scikit_image_on_real_pictures(picture):
    grey = getattr(skimage.data, picture)()
    assert otsu_bin(np.bincount(grey.ravel(), minlength=256)) == threshold_otsu(grey)


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("picture", ["immunohistochemistry", "retina", "astronaut", "coffee"])
def test_the_frozen_threshold_has_not_drifted_on_the_channels_of_colour_pictures(picture, channel):
    grey = np.ascontiguousarray(getattr(skimage.data, picture)()[..., channel])
    assert otsu_bin(np.bincount(grey.ravel(), minlength=256)) == threshold_otsu(grey)


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=24))
@settings(max_examples=60)
def test_no_other_split_of_a_histogram_has_less_variance_within_its_classes(counts):
    # Otsu's other formulation: least within-class variance, here by brute force over the values
    values, weights = np.arange(len(counts)), np.array(counts, float)
    occupied = np.flatnonzero(weights)
    if len(occupied) < 2:
        return

    def within(split: int) -> float:
        total = 0.0
        for side in (values <= split, values > split):
            if weights[side].sum():
                mean = np.average(values[side], weights=weights[side])
                total += float(np.sum(weights[side] * (values[side] - mean) ** 2))
        return total

    best = min(within(split) for split in range(occupied[0], occupied[-1]))
    assert within(otsu_bin(counts)) == pytest.approx(best, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "middle"), [([10, 10, 0, 0, 0, 20], 2), ([5, 0, 0, 9], 1), ([5, 9], 0), ([1, 0, 0, 0, 0, 0, 1], 2)]
)
def test_of_an_empty_valley_the_middle_is_taken(counts, middle):
    assert otsu_bin(counts) == middle


def test_a_histogram_of_nothing_gives_the_lowest_bin():
    assert otsu_bin(np.zeros(256, np.int64)) == 0


def test_counts_of_a_huge_slide_do_not_overflow():
    counts = np.zeros(256, np.int64)
    counts[[10, 200]] = 10**12
    assert otsu_bin(counts) == (10 + 199) // 2
