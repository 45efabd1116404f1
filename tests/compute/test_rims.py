"""Outlines of classes over a photograph, and numbers beside what they are of."""

import numpy as np
import pytest
from scipy import ndimage

from wsi_area.compute.picture.beside import _within, beside
from wsi_area.compute.picture.rims import filled, outlines

RED, BLUE = (200, 0, 0), (0, 0, 200)


def seen(indices: np.ndarray, palette: bytes, opacity: bytes) -> np.ndarray:
    """The picture as RGBA."""
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    return np.dstack([colours[indices], np.frombuffer(opacity, np.uint8)[indices]])


def two_patches() -> np.ndarray:
    picture = np.zeros((60, 80), np.uint8)
    picture[10:40, 10:40], picture[10:40, 40:70] = 1, 2
    return picture


def test_an_outline_is_two_pixels_of_each_patch_and_the_tissue_within_stays_in_sight() -> None:
    picture = two_patches()
    drawn = outlines(picture, {0: (255, 255, 255), 1: RED, 2: BLUE})
    assert drawn is not None
    rgba = seen(*drawn)
    assert (rgba[..., 3] == 255).sum() == 2 * (30 * 30 - 26 * 26)
    assert not rgba[14:38, 14:38, 3].any()
    assert tuple(rgba[20, 11, :3]) == RED  # the second pixel from the left has the very colour of the class
    assert tuple(rgba[20, 68, :3]) == BLUE
    assert rgba[20, 10, 0] < 128  # the first is dark
    assert not rgba[picture == 0][:, 3].any()


def test_a_fine_mixture_has_no_outlines() -> None:
    mixture = np.random.default_rng(0).integers(0, 3, (50, 50)).astype(np.uint8)
    assert outlines(mixture, {1: RED, 2: BLUE}) is None


def test_what_could_not_be_read_is_shown_as_an_area() -> None:
    drawn = outlines(two_patches(), {1: RED, 2: BLUE}, solid=(2,))
    assert drawn is not None
    rgba = seen(*drawn)
    assert (rgba[11:39, 41:69, :3] == BLUE).all()
    assert (rgba[11:39, 41:69, 3] == 255).all()
    assert not rgba[14:38, 14:38, 3].any()


@pytest.mark.parametrize("colours", [{1: RED}, {1: RED, 2: BLUE}, {0: (255, 255, 255), 2: BLUE}])
def test_filled_classes_have_their_very_colours_and_the_rest_is_clear(colours: dict[int, tuple[int, int, int]]) -> None:
    picture = two_patches()
    rgba = seen(*filled(picture, colours))
    for code in (0, 1, 2):
        of_code = rgba[picture == code]
        if code and code in colours:
            assert (of_code == (*colours[code], 255)).all()
        else:
            assert not of_code[:, 3].any()


def covered(label_x: float, label_y: float, radius: float, shape: tuple[int, int]) -> np.ndarray:
    rows, columns = np.indices(shape) + 0.5
    return np.hypot(rows - label_y, columns - label_x) < radius


@pytest.mark.parametrize("shape", [(120, 160), (700, 1100), (1500, 400)])
@pytest.mark.parametrize("radius", [6.0, 15.0])
def test_numbers_cover_neither_a_lesion_nor_one_another_and_stay_in_the_picture(
    shape: tuple[int, int], radius: float
) -> None:
    rng = np.random.default_rng(shape[0])
    lesions = np.zeros(shape, bool)
    spots = [(float(rng.uniform(10, shape[1] - 10)), float(rng.uniform(10, shape[0] - 10))) for _ in range(6)]
    for x, y in spots:
        lesions |= covered(x, y, min(shape) / 12, shape)
    labels = beside(lesions, spots, radius)
    assert len(labels) == len(spots)
    taken = np.zeros(shape, int)
    for label in labels:
        disc = covered(label.x, label.y, radius, shape)
        assert not (disc & lesions).any()
        assert radius <= label.x <= shape[1] - radius
        assert radius <= label.y <= shape[0] - radius
        taken += disc
    assert taken.max() == 1


def test_a_number_stands_next_to_its_lesion_and_its_line_ends_at_its_rim() -> None:
    lesion = covered(300.0, 200.0, 60.0, (500, 700))
    (label,) = beside(lesion, [(300.0, 200.0)], 10.0)
    away = np.hypot(label.x - 300, label.y - 200)
    assert 70 <= away < 80  # its own radius beyond the rim, and a few pixels
    assert np.hypot(label.to_x - 300, label.to_y - 200) == pytest.approx(60, abs=4)


def test_the_hole_of_a_ring_is_beside_it_and_where_there_is_no_room_a_number_lies_on_its_spot() -> None:
    ring = covered(200.0, 200.0, 100.0, (400, 400)) & ~covered(200.0, 200.0, 60.0, (400, 400))
    (label,) = beside(ring, [(200.0, 200.0)], 10.0)
    assert np.hypot(label.x - 200, label.y - 200) < 3
    assert beside(np.ones((50, 50), bool), [(25.0, 20.0)], 5.0)[0].x == 25.0
    assert beside(ring, [], 10.0) == []


@pytest.mark.parametrize("reach", [0.4, 1.0, 2.5, 5.0, 7.3, 60.0])
@pytest.mark.parametrize("share", [0.0, 0.004, 0.05, 1.0])
def test_what_lies_within_reach_of_a_mask_is_what_scipys_distances_say(reach: float, share: float) -> None:
    draw = np.random.default_rng(4)
    for shape in ((1, 1), (1, 30), (40, 3), (33, 48)):
        shown = draw.random(shape) < share
        # scipy's distances want one pixel that is shown: here it lies beyond every reach
        away = np.pad(~shown, 100, constant_values=True)
        away[0, 0] = False
        expected = ndimage.distance_transform_edt(away)[100:-100, 100:-100] <= reach
        assert np.array_equal(_within(shown, reach), expected)
