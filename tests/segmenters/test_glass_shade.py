"""Glass in the shade is told from tissue by its colour and its flatness, and real tissue is never taken for it."""

from pathlib import Path

import numpy as np
import pytest
from pictures import overview_of, shrunk, slide_rgb
from PIL import Image

from wsi_area.segmenters.colour.foreground import fit_foreground
from wsi_area.segmenters.colour.glass_shade import shade_share

GLASS = (243, 241, 244)
SIDE_PX = 512


def field(colour: tuple[float, ...], noise: float = 2.0, texture: float = 0.0, side: int = SIDE_PX):
    """Glass whose left half has another colour, with noise and, there, a texture of cells."""
    rng = np.random.default_rng(3)
    picture = np.full((side, side, 3), GLASS, float)
    picture[:, : side // 2] = colour
    y, x = np.mgrid[:side, : side // 2]
    cells = 2.0 * ((x // 4 + y // 4) % 2) - 1
    picture[:, : side // 2] += texture * cells[..., None]
    return np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)


def share_of(rgb: np.ndarray, glass: tuple[int, int, int] = GLASS) -> float:
    taken = np.zeros(rgb.shape[:2], np.bool_)
    taken[:, : rgb.shape[1] // 2] = True
    return shade_share(rgb, np.ones(taken.shape, np.bool_), taken, glass)


@pytest.mark.parametrize("light", [0.9, 0.7, 0.4, 0.1, 0.03])
def test_glass_that_is_darker_is_shade_however_dark(light: float) -> None:
    assert share_of(field(tuple(light * level for level in GLASS))) == pytest.approx(1.0, abs=0.02)


def test_shade_of_tinted_glass_has_its_tint() -> None:
    tinted = field((0.8 * 225, 0.8 * 175, 0.8 * 148))
    assert share_of(tinted, (225, 175, 148)) == pytest.approx(1.0, abs=0.02)
    assert share_of(tinted) == 0.0


@pytest.mark.parametrize("colour", [(225, 200, 218), (190, 110, 170), (150, 165, 205), (130, 90, 60), (60, 40, 90)])
def test_stain_has_a_colour_and_is_no_shade_even_where_it_is_flat(colour: tuple[int, int, int]) -> None:
    assert share_of(field(colour)) == 0.0


@pytest.mark.parametrize("grey", [200, 120, 40])
def test_grey_tissue_has_a_texture_and_is_no_shade(grey: int) -> None:
    assert share_of(field((grey, grey, grey), texture=10.0)) == 0.0


@pytest.mark.parametrize("grey", [200, 120, 40])
def test_a_grey_picture_has_no_colour_to_tell_shade_by(grey: int) -> None:
    rgb = np.repeat(field((grey, grey, grey))[..., :1], 3, axis=-1)
    assert share_of(rgb) == 0.0


def test_what_was_painted_black_is_told_elsewhere() -> None:
    assert share_of(field((0, 0, 0), noise=1.0)) == 0.0


def test_a_picture_of_a_few_pixels_shows_no_shade() -> None:
    assert share_of(field((120, 120, 120), side=48)) == 0.0


@pytest.mark.parametrize("name", ["CMU-1-Small-Region.svs", "TCGA-CR-7395-01A-01-TS1.svs", "OS-2-ndpi.tif"])
def test_real_slides_have_no_shade(testdata: Path, name: str) -> None:
    rgb = shrunk(slide_rgb(testdata, name), 2)
    foreground = fit_foreground(overview_of(rgb), "bright", "otsu")
    wanted = np.ones(rgb.shape[:2], np.bool_)
    assert shade_share(rgb, wanted, foreground.rule.is_foreground(rgb), foreground.light.glass.rgb) == 0.0


def test_fields_of_real_tissue_have_no_shade(testdata: Path) -> None:
    images = sorted((testdata / "glas_train").glob("train_?.png"))
    assert len(images) == 9
    for image in images:
        rgb = np.asarray(Image.open(image).convert("RGB"))
        foreground = fit_foreground(overview_of(rgb), "bright", "otsu")
        wanted = np.ones(rgb.shape[:2], np.bool_)
        assert shade_share(rgb, wanted, foreground.rule.is_foreground(rgb), foreground.light.glass.rgb) == 0.0
