import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.count.counting import count_class_map
from wsi_area.errors import SegmentationError


def test_classes_and_reserved_codes_are_counted_apart():
    class_map = np.array([[0, 1, 2], [253, 254, 255], [2, 2, 255]], np.uint8)
    ones = np.ones(3, np.int64)
    counts = count_class_map(class_map, ones, ones, 3)
    assert counts.px_by_class == (1, 1, 3)
    assert (counts.unreadable_px, counts.outside_roi_px, counts.unscanned_px) == (1, 1, 2)
    assert counts.signal_by_class == (0, 0, 0)
    assert counts.total_px == 9


def test_a_pixel_counts_the_level_0_pixels_of_its_row_times_its_column():
    class_map = np.array([[0, 1], [1, 0]], np.uint8)
    counts = count_class_map(class_map, np.array([3, 5]), np.array([7, 11]), 2)
    assert counts.px_by_class == (7 * 3 + 11 * 5, 7 * 5 + 11 * 3)


@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30), st.sampled_from([2, 6, 2**20]))
@settings(max_examples=50, deadline=None)
def test_whatever_the_map_and_the_weights_every_level_0_pixel_is_counted_once(seed, height, width, most):
    random = np.random.default_rng(seed)
    class_map = random.choice(np.array([0, 1, 2, 3, 253, 254, 255], np.uint8), (height, width))
    columns, rows = random.integers(0, most, width), random.integers(0, most, height)
    counts = count_class_map(class_map, columns, rows, 4)
    assert counts.total_px == sum(map(int, columns)) * sum(map(int, rows))
    # expanded to level 0, where it can be (the weights are small enough)
    if most == 6:
        level_0 = class_map.repeat(rows, axis=0).repeat(columns, axis=1)
        assert counts.px_by_class == tuple(int((level_0 == k).sum()) for k in range(4))
        assert counts.unscanned_px == int((level_0 == 255).sum())


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_parts_of_a_map_add_up_to_the_whole_and_mirrors_count_alike(seed):
    random = np.random.default_rng(seed)
    class_map = random.integers(0, 4, (13, 17), dtype=np.uint8)
    columns, rows = random.integers(1, 5, 17), random.integers(1, 5, 13)
    whole = count_class_map(class_map, columns, rows, 4)
    parts = [
        count_class_map(class_map[y, x], columns[x], rows[y], 4)
        for y in (np.s_[:6], np.s_[6:])
        for x in (np.s_[:9], np.s_[9:])
    ]
    assert parts[3] + parts[1] + parts[0] + parts[2] == whole
    assert count_class_map(class_map[::-1, ::-1], columns[::-1], rows[::-1], 4) == whole


def test_counts_beyond_what_a_float_holds_exactly_stay_exact():
    class_map = np.zeros((1, 2), np.uint8)
    counts = count_class_map(class_map, np.array([2**52, 2**52 + 1]), np.array([3]), 1)
    assert counts.px_by_class == (3 * (2**53 + 1),)


def test_an_empty_map_counts_nothing():
    none = np.zeros(0, np.int64)
    assert count_class_map(np.zeros((0, 0), np.uint8), none, none, 2).total_px == 0


def test_a_code_that_is_neither_class_nor_reserved_is_refused_by_name():
    ones = np.ones(2, np.int64)
    with pytest.raises(SegmentationError, match=r"codes \[2, 9\], which are neither one of its 2 classes"):
        count_class_map(np.array([[0, 2], [9, 255]], np.uint8), ones, ones, 2)


@pytest.mark.parametrize(
    "class_map",
    [np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.int64), np.zeros((3, 2, 1), np.uint8)],
)
def test_a_map_of_another_shape_or_type_is_refused(class_map):
    with pytest.raises(SegmentationError, match=r"must be uint8 \(3, 2\)"):
        count_class_map(class_map, np.ones(2, np.int64), np.ones(3, np.int64), 2)
