from fractions import Fraction

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import block_reduce

from wsi_area.compute.count.reduction import box_mean
from wsi_area.errors import PlanError


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_whole_boxes_are_scikit_image_s_block_means_rounded_half_up(factor):
    rgb = skimage.data.immunohistochemistry()
    means = block_reduce(rgb, (factor, factor, 1), np.mean)  # exact: sums over powers of two
    np.testing.assert_array_equal(box_mean(rgb, None, factor).rgb, np.floor(means + 0.5))


@given(st.integers(0, 2**32), st.integers(1, 17), st.integers(1, 17), st.integers(2, 9), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_each_box_is_the_mean_of_its_valid_pixels_and_valid_if_half_of_it_is(seed, height, width, factor, share):
    random = np.random.default_rng(seed)
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    valid = random.random((height, width)) < share
    got = box_mean(rgb, valid, factor)
    assert got.rgb.shape == (-(-height // factor), -(-width // factor), 3)
    for row, column in np.ndindex(got.valid.shape):
        box = np.s_[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        inside, seen = rgb[box][valid[box]], int(valid[box].sum())
        assert got.valid[row, column] == (Fraction(seen, valid[box].size) >= Fraction(1, 2))
        for channel in range(3):
            mean = Fraction(int(inside[:, channel].sum()), seen) if seen else Fraction(0)
            assert abs(got.rgb[row, column, channel] - mean) <= Fraction(1, 2)
            assert got.rgb[row, column, channel] - mean != Fraction(-1, 2)  # a half goes up


def test_a_half_is_rounded_up():
    rgb = np.array([[[0, 1, 254], [1, 2, 255]]], np.uint8)
    assert box_mean(rgb, None, 2).rgb.tolist() == [[[1, 2, 255]]]


def test_a_factor_of_one_changes_nothing():
    rgb = skimage.data.immunohistochemistry()[:9, :7]
    valid = np.eye(9, 7, dtype=bool)
    same = box_mean(rgb, valid, 1)
    np.testing.assert_array_equal(same.rgb, rgb)
    np.testing.assert_array_equal(same.valid, valid)


def test_any_view_gives_the_answer_of_a_copy_and_is_left_alone():
    rgb = skimage.data.immunohistochemistry()[50:90:2, ::-3]
    before = rgb.copy()
    np.testing.assert_array_equal(box_mean(rgb, None, 3).rgb, box_mean(before, None, 3).rgb)
    np.testing.assert_array_equal(rgb, before)


def test_a_picture_of_whole_boxes_mirrors():
    rgb = skimage.data.immunohistochemistry()
    np.testing.assert_array_equal(box_mean(rgb[:, ::-1], None, 4).rgb, box_mean(rgb, None, 4).rgb[:, ::-1])


@pytest.mark.parametrize("factor", [0, -2, 1.5])
def test_a_factor_that_is_no_whole_number_is_refused(factor):
    with pytest.raises(PlanError, match="reduce factor"):
        box_mean(np.zeros((4, 4, 3), np.uint8), None, factor)
