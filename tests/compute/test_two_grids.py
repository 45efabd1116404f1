"""Two grids laid over one another: held against both of them painted out pixel by pixel."""

from itertools import pairwise

import numpy as np
import pytest

from wsi_area.compute.count.two_grids import covered_l0_px, cross_counts, pieces_of
from wsi_area.compute.cut.grid import l0_edges_px

SHAPES = [  # level-0 px, then px of a level and a factor, of each grid
    (97, (97, 1), (24, 1)),
    (1000, (250, 3), (1000, 2)),
    (731, (182, 1), (365, 5)),
    (64, (64, 64), (64, 1)),
]


def painted(codes: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.repeat(np.repeat(codes, np.diff(rows), axis=0), np.diff(columns), axis=1)


@pytest.mark.parametrize(("size", "first", "second"), SHAPES)
def test_what_is_covered_is_what_lies_under_when_both_are_painted_out(
    size: int, first: tuple[int, int], second: tuple[int, int]
) -> None:
    draw = np.random.default_rng(size)
    own, other = l0_edges_px(size, *first), l0_edges_px(size, *second)
    mask = draw.random((len(other) - 1, len(other) - 1)) < 0.4
    pieces = pieces_of(own, other)
    below = painted(mask, other, other)
    expected = [[below[t:b, lft:r].sum() for lft, r in pairwise(own)] for t, b in pairwise(own)]
    assert np.array_equal(covered_l0_px(mask, pieces, pieces), expected)


@pytest.mark.parametrize(("size", "first", "second"), SHAPES)
def test_the_cross_table_is_that_of_both_painted_out(
    size: int, first: tuple[int, int], second: tuple[int, int]
) -> None:
    draw = np.random.default_rng(size + 1)
    own, other = l0_edges_px(size, *first), l0_edges_px(size, *second)
    a = draw.integers(0, 4, (len(own) - 1, len(own) - 1), np.uint8)
    b = draw.integers(0, 3, (len(other) - 1, len(other) - 1), np.uint8)
    pieces = pieces_of(own, other)
    found = cross_counts(a, b, pieces, pieces, 4, 3)
    one, two = painted(a, own, own), painted(b, other, other)
    assert found.tolist() == [[int(((one == i) & (two == j)).sum()) for j in range(3)] for i in range(4)]
    assert found.sum() == size**2


def test_a_box_cut_out_of_the_slide_is_counted_alone() -> None:
    own, other = l0_edges_px(500, 500, 1), l0_edges_px(500, 125, 3)
    box = own[130:271]
    touched = other[(np.searchsorted(other, 130, "right") - 1) : np.searchsorted(other, 270, "left") + 1]
    pieces = pieces_of(box, touched)
    assert pieces.lengths_l0_px.sum() == 140
    assert pieces.of_second.max() == len(touched) - 2
