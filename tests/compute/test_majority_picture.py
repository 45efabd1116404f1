"""The class map made small: the majority, found again by counting each box by hand."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.picture.majority_picture import PictureGrid, majority_picture

CODES = (0, 1, 2, 255)


def by_hand(class_map: np.ndarray, grid: PictureGrid) -> np.ndarray:
    """Each work pixel to the picture pixel of its centre; the commonest code, of equals the lowest."""
    boxes: dict[tuple[int, int], Counter[int]] = {}
    for (row, column), code in np.ndenumerate(class_map):
        place = (
            min(int((row + 0.5) / grid.box_y_work_px), grid.height_px - 1),
            min(int((column + 0.5) / grid.box_x_work_px), grid.width_px - 1),
        )
        boxes.setdefault(place, Counter())[int(code)] += 1
    shown = np.zeros((grid.height_px, grid.width_px), np.uint8)
    for place, counts in boxes.items():
        shown[place] = min(counts, key=lambda code: (-counts[code], code))
    return shown


@settings(max_examples=40, deadline=None)  # the first one may have to compile
@given(st.integers(2, 5), st.integers(2, 5), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**31))
def test_each_picture_pixel_shows_what_most_of_its_work_pixels_are(
    box_x: int, box_y: int, columns: int, rows: int, seed: int
) -> None:
    class_map = np.random.default_rng(seed).choice(CODES, (rows * box_y, columns * box_x)).astype(np.uint8)
    grid = PictureGrid(columns, rows, box_x, box_y)
    assert np.array_equal(majority_picture(class_map, grid, CODES), by_hand(class_map, grid))


def test_boxes_that_are_no_whole_number_of_work_pixels_and_a_cut_rim() -> None:
    class_map = np.random.default_rng(3).choice(CODES, (101, 143)).astype(np.uint8)
    grid = PictureGrid(55, 39, 2.6, 2.6)
    assert np.array_equal(majority_picture(class_map, grid, CODES), by_hand(class_map, grid))


def test_a_last_box_too_narrow_for_a_centre_shows_the_last_work_pixel() -> None:
    class_map = np.repeat(np.array([[1, 1, 1, 1, 2]], np.uint8), 4, axis=0)
    assert majority_picture(class_map, PictureGrid(3, 2, 2.4, 2.0), CODES).tolist() == [[1, 1, 2]] * 2


def test_a_map_coarser_than_the_picture_shows_the_work_pixel_at_the_centre() -> None:
    class_map = np.array([[1, 2], [0, 255]], np.uint8)
    assert majority_picture(class_map, PictureGrid(4, 4, 0.5, 0.5), CODES).tolist() == [
        [1, 1, 2, 2],
        [1, 1, 2, 2],
        [0, 0, 255, 255],
        [0, 0, 255, 255],
    ]


def test_reading_in_bands_changes_nothing(tmp_path: Path) -> None:
    class_map = np.random.default_rng(4).choice(CODES, (3000, 90)).astype(np.uint8)
    stored = zarr.create_array(tmp_path / "map", data=class_map, chunks=(100, 45), shards=(300, 90))
    grid = PictureGrid(13, 429, 7.0, 7.0)
    assert np.array_equal(majority_picture(stored, grid, CODES), by_hand(class_map, grid))


def of_sample(class_map: np.ndarray, grid: PictureGrid, step_y: int, step_x: int) -> np.ndarray:
    """The commonest code of each box among every step-th work pixel, of equals the lowest; a box without any: None."""
    boxes: dict[tuple[int, int], Counter[int]] = {}
    height, width = class_map.shape
    for row in range(0, height, step_y):
        for column in range(0, width, step_x):
            at_y = grid.height_px - 1 if row == height - 1 else int((row + 0.5) // grid.box_y_work_px)
            at_x = grid.width_px - 1 if column == width - 1 else int((column + 0.5) // grid.box_x_work_px)
            place = min(at_y, grid.height_px - 1), min(at_x, grid.width_px - 1)
            boxes.setdefault(place, Counter())[int(class_map[row, column])] += 1
    shown = np.full((grid.height_px, grid.width_px), 99, np.uint8)
    for place, counts in boxes.items():
        shown[place] = min(counts, key=lambda code: (-counts[code], code))
    return shown


@dataclass(frozen=True)
class OnlyWithContent:
    """A class map cut into tiles, those of background left out."""

    whole: np.ndarray
    tile_px: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.whole.shape

    def tiles_with_content(self) -> Iterator[tuple[int, int, np.ndarray]]:
        for y in range(0, self.shape[0], self.tile_px):
            for x in range(0, self.shape[1], self.tile_px):
                tile = self.whole[y : y + self.tile_px, x : x + self.tile_px]
                if tile.any():
                    yield y, x, tile


def patchy(shape: tuple[int, int], seed: int) -> np.ndarray:
    """A class map of all codes, half of it bare in blocks of 37."""
    draw = np.random.default_rng(seed)
    bare = draw.random((-(-shape[0] // 37), -(-shape[1] // 37))) < 0.5
    codes = draw.choice(CODES, shape).astype(np.uint8)
    return np.where(np.kron(bare, np.ones((37, 37), bool))[: shape[0], : shape[1]], np.uint8(0), codes)


@settings(max_examples=25, deadline=None)
@given(st.integers(20, 400), st.integers(20, 400), st.integers(7, 64), st.integers(0, 2**31))
def test_what_is_left_out_as_background_and_how_it_is_cut_change_nothing(
    height: int, width: int, tile_px: int, seed: int
) -> None:
    class_map = patchy((height, width), seed)
    for box_y, box_x in ((1.4, 1.9), (2.0, 3.7), (17.3, 24.0), (40.0, 16.1)):
        grid = PictureGrid(math.ceil(width / box_x), math.ceil(height / box_y), box_x, box_y)
        whole = majority_picture(class_map, grid, CODES)
        assert np.array_equal(majority_picture(OnlyWithContent(class_map, tile_px), grid, CODES), whole)


@pytest.mark.parametrize(
    ("box_y", "box_x", "steps"), [(16.0, 23.9, (2, 2)), (24.5, 48.0, (3, 6)), (15.7, 33.3, (1, 4))]
)
def test_large_boxes_are_asked_by_a_sample_that_begins_at_the_origin(
    box_y: float, box_x: float, steps: tuple[int, int]
) -> None:
    class_map = patchy((431, 517), 11)
    grid = PictureGrid(math.ceil(517 / box_x), math.ceil(431 / box_y), box_x, box_y)
    expected = of_sample(class_map, grid, *steps)
    assert not (expected == 99).any()
    for stored in (class_map, OnlyWithContent(class_map, 64)):
        assert np.array_equal(majority_picture(stored, grid, CODES), expected)


def test_a_rim_narrower_than_the_sample_shows_what_lies_beside_it() -> None:
    class_map = patchy((322, 323), 5)  # 10 boxes of 32 and a rim of 2 and 3, of which the sample of 4 has one line each
    class_map[-2:] = class_map[:, -3:] = 2
    grid = PictureGrid(11, 11, 32.0, 32.0)
    shown = majority_picture(OnlyWithContent(class_map, 50), grid, CODES)
    assert np.array_equal(shown, of_sample(class_map, grid, 4, 4))
    beyond = majority_picture(class_map[:, :321], PictureGrid(12, 11, 29.0, 32.0), CODES)  # 3 does not divide 320
    assert np.array_equal(beyond[:, -1], beyond[:, -2])


def test_a_grid_that_does_not_reach_over_the_class_map_is_refused() -> None:
    with pytest.raises(ValueError, match="does not reach over the class map"):
        majority_picture(np.ones((600, 600), np.uint8), PictureGrid(3, 3, 2.0, 2.0), CODES)
