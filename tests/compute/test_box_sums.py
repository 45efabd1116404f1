"""Exact sums of boxes, for blocks that begin anywhere and lie in memory in any way."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from wsi_area.compute.picture.box_sums import BYTES_PX, box_sums


def one_box_after_another(
    samples: NDArray[np.unsignedinteger], factor: int, top: int, left: int
) -> list[list[list[int]]]:
    """Return the sums by Python's own whole numbers, each box cut out of the block."""
    height, width, channels = samples.shape
    return [
        [
            [
                sum(samples[max(y, 0) : max(y + factor, 0), max(x, 0) : max(x + factor, 0), channel].ravel().tolist())
                for channel in range(channels)
            ]
            for x in range(-left, width, factor)
        ]
        for y in range(-top, height, factor)
    ]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("factor", "top", "left"), [(1, 0, 0), (2, 1, 0), (5, 4, 2), (7, 0, 6), (40, 39, 17)])
def test_every_sample_is_in_the_sum_of_its_own_box_and_of_no_other(
    dtype: type[np.unsignedinteger], channels: int, factor: int, top: int, left: int
) -> None:
    most = np.iinfo(dtype).max
    samples = np.random.default_rng([factor, channels]).integers(0, most, (23, 31, channels), dtype, endpoint=True)
    sums = box_sums(samples, factor, top, left)
    assert sums.tolist() == one_box_after_another(samples, factor, top, left)


@pytest.mark.parametrize(
    "view",
    [
        lambda block: block[3:20, 4:29],
        lambda block: block[::-1],
        lambda block: block[:, ::2],
        lambda block: block[..., ::-1],
        lambda block: block.transpose(1, 0, 2),
        lambda block: block[::3, 1:2, :1],
        lambda block: np.broadcast_to(block[:1, :1], (9, 8, 3)),
    ],
)
def test_sums_are_those_of_what_a_view_shows(view: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    shown = view(np.random.default_rng(7).integers(0, 256, (24, 30, 3), dtype=np.uint8))
    assert box_sums(shown, 4, 1, 3).tolist() == one_box_after_another(shown, 4, 1, 3)


@pytest.mark.parametrize(("side", "factor"), [(257, 257), (258, 258), (1100, 1100), (4096, 5000)])
def test_the_brightest_bytes_there_are_do_not_overflow(side: int, factor: int) -> None:
    white = np.full((side, side, 1), 255, np.uint8)
    assert box_sums(white, factor, 0, 0).tolist() == [[[255 * side * side]]]


def test_the_brightest_words_there_are_do_not_overflow_in_more_rows_than_add_up_in_32_bits() -> None:
    rows, most = 65538, 65535
    assert box_sums(np.full((rows, 2, 1), most, np.uint16), 70000, 0, 0).tolist() == [[[2 * rows * most]]]


def test_a_block_whose_sums_might_not_fit_is_refused() -> None:
    too_many = np.broadcast_to(np.uint8(255), (BYTES_PX // 4096 + 1, 4096, 3))
    with pytest.raises(ValueError, match=r"4097 × 4096 px"):
        box_sums(too_many, 5000, 0, 0)


@pytest.mark.parametrize(("top", "left"), [(4, 0), (0, 4), (-1, 0), (0, -1)])
def test_a_place_outside_a_box_is_refused(top: int, left: int) -> None:
    with pytest.raises(ValueError, match=f"begins {top} rows and {left} columns"):
        box_sums(np.zeros((2, 2, 1), np.uint8), 4, top, left)
