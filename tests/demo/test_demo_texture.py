"""tests: the demo's textures keep their bounds, as scikit-image sees them."""

import numpy as np
import pytest
from skimage.color import hdx_from_rgb, rgb2hed, separate_stains
from skimage.data import immunohistochemistry

from wsi_area.demo.texture import (
    DARKNESS_FLOOR,
    PERIOD_PX,
    STAINED_FLOOR_OD,
    UNSTAINED_CEILING_OD,
    Texture,
    glass_texture,
    stained_texture,
    unstained_texture,
)

OD_OF_SKIMAGE = 6.0  # its densities are fractions of the 6 OD at which an intensity is floored


@pytest.fixture(scope="module")
def stained() -> Texture:
    return stained_texture(np.random.default_rng(5))


@pytest.fixture(scope="module")
def unstained() -> Texture:
    return unstained_texture(np.random.default_rng(5))


def dab_od(texture: Texture) -> np.ndarray:
    """Return the DAB densities of one period by both sets of vectors, float64 (2, n)."""
    rgb = texture.rgb[:PERIOD_PX, :PERIOD_PX]
    by_two = separate_stains(rgb, hdx_from_rgb)[..., 1].ravel()
    by_three = rgb2hed(rgb)[..., 2].ravel()
    return np.stack([by_two, by_three]) * OD_OF_SKIMAGE


def test_every_stained_pixel_has_the_least_dab(stained: Texture) -> None:
    assert dab_od(stained).min() >= STAINED_FLOOR_OD - 0.01  # whole grey levels


def test_no_unstained_pixel_has_more_than_the_most_dab(unstained: Texture) -> None:
    assert dab_od(unstained).max() <= UNSTAINED_CEILING_OD + 0.01


def test_every_tissue_pixel_is_far_darker_than_glass(stained: Texture, unstained: Texture) -> None:
    glass = glass_texture(np.random.default_rng(5))
    for texture in (stained, unstained):
        assert (255 - texture.rgb.min(axis=2)).min() >= DARKNESS_FLOOR
    assert (255 - glass.rgb.min(axis=2)).max() <= 17


def test_stained_tissue_is_made_of_the_pictures_own_colours(stained: Texture) -> None:
    # at a rim, and where DAB was added, colours are new; elsewhere they are those of the picture
    def colours(rgb: np.ndarray) -> np.ndarray:
        return rgb.reshape(-1, 3).astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)

    real = np.isin(colours(stained.rgb), colours(immunohistochemistry()))
    assert real.mean() > 0.4


def test_a_texture_continues_itself(unstained: Texture) -> None:
    assert np.array_equal(unstained.rgb[:PERIOD_PX, -256:], unstained.rgb[:PERIOD_PX, :256])
    assert np.array_equal(unstained.rgb[-256:], unstained.rgb[:256])
    here, there = unstained.cut(1250, 30, 256, 100), unstained.cut(1250 + PERIOD_PX, 30 - PERIOD_PX, 256, 100)
    assert here.shape == (100, 256, 3)
    assert np.array_equal(here, there)


def test_another_seed_gives_another_texture_and_the_same_seed_the_same(stained: Texture) -> None:
    assert np.array_equal(stained_texture(np.random.default_rng(5)).rgb, stained.rgb)
    assert not np.array_equal(stained_texture(np.random.default_rng(6)).rgb, stained.rgb)
