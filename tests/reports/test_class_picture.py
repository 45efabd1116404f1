"""The class map made small: the majority, found again by counting each box by hand."""

from collections import Counter
from pathlib import Path

import numpy as np
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.class_picture import PictureGrid, majority_picture, outlined

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


@settings(max_examples=40)
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


def test_background_is_clear_and_a_patch_has_a_rim() -> None:
    picture = np.zeros((40, 40), np.uint8)
    picture[10:30, 10:30] = 1
    indices, palette, opacity = outlined(picture, {0: (255, 255, 255), 1: (200, 100, 0)})
    assert opacity[indices[0, 0]] == 0
    assert tuple(palette[3 * indices[20, 20] :][:3]) == (200, 100, 0)
    assert 0 < opacity[indices[20, 20]] < 255
    assert opacity[indices[10, 20]] == 255
    assert int((indices == indices[10, 20]).sum()) == 4 * 20 - 4


def test_a_fine_mixture_has_no_rims() -> None:
    picture = (np.indices((20, 20)).sum(axis=0) % 2 + 1).astype(np.uint8)
    indices, _, opacity = outlined(picture, {1: (9, 9, 9), 2: (90, 90, 90)})
    assert 255 not in {opacity[index] for index in np.unique(indices)}
