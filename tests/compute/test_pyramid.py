"""A coarser level of a class map has the most frequent code of each 2 × 2 pixels, or the first of these."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsi_area.compute.picture.pyramid import halved


def by_counting(class_map: np.ndarray) -> list[list[int]]:
    """The same by counting: a Counter gives the first of equally frequent ones that it met."""
    height, width = class_map.shape
    return [
        [Counter(class_map[y : y + 2, x : x + 2].ravel().tolist()).most_common(1)[0][0] for x in range(0, width, 2)]
        for y in range(0, height, 2)
    ]


def test_each_way_to_fill_two_by_two_pixels_with_four_codes_is_decided_by_the_rule() -> None:
    for codes in product((7, 0, 255, 3), repeat=4):
        square = np.array(codes, np.uint8).reshape(2, 2)
        assert halved(square).tolist() == by_counting(square)


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3))
def test_rims_and_parts_of_larger_maps_are_halved_as_counting_says(
    seed: int, height: int, width: int, step: int
) -> None:
    whole = np.random.default_rng(seed).integers(0, 4, (30, 30), np.uint8)
    part = whole[2 : 2 + height * step : step, 1 : 1 + width * step : step]
    assert halved(part).tolist() == by_counting(part)
    assert halved(part[::-1, ::-1]).tolist() == by_counting(part[::-1, ::-1])
    assert halved(part.T).tolist() == by_counting(part.T)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_a_map_of_no_pixels_stays_one(shape: tuple[int, int]) -> None:
    assert halved(np.empty(shape, np.uint8)).shape == (-(-shape[0] // 2), -(-shape[1] // 2))
