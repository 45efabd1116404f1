"""A mask of which nobody can tell the scale is refused with every reading, and the one that is stated is taken."""

import numpy as np
import pytest
from drawn_samples import codes_of, slide_of
from PIL import Image

from wsi_area.annotations import read_drawn
from wsi_area.annotations.masks.scale import mask_scale
from wsi_area.errors import AnnotationError
from wsi_area.model.geometry import Size


@pytest.mark.parametrize(
    ("mask", "slide", "readings"),
    [
        (
            (2048, 1536),
            (2000, 1500),
            ["stretched, --annotation-scale 0.9765625", "tiles of 64 px, --annotation-scale 1"],
        ),
        ((2048, 1536), (4000, 3000), ["stretched, --annotation-scale 1.953125", "--annotation-scale 2"]),
        ((1024, 768), (1000 * 32, 750 * 32), ["stretched, --annotation-scale 31.25", "--annotation-scale 32"]),
        ((3584, 2560), (100_000, 80_000), ["tiles of 512 px, --annotation-scale 32"]),  # nothing else fits
        ((200, 160), (100, 80), ["stretched, --annotation-scale 0.5"]),
        ((672, 448), (600, 400), ["--annotation-scale 1"]),  # tiles of 224
        ((4000, 3000), (3500, 2900), ["tiles of 1000 px, --annotation-scale 1"]),
    ],
)
def test_a_mask_that_can_be_read_in_ways_that_move_an_edge_is_refused_with_all_of_them(mask, slide, readings):
    with pytest.raises(AnnotationError) as caught:
        mask_scale(Size(*mask), Size(*slide), None)
    for reading in readings:
        assert reading in str(caught.value)
    assert f"{mask[0]} × {mask[1]} px" in str(caught.value)
    assert ("in more than one way" in str(caught.value)) == (str(caught.value).count("--annotation-scale") > 1)


@pytest.mark.parametrize(
    ("mask", "slide", "scale", "severity"),
    [
        ((1000, 750), (16_000, 12_000), 16, "info"),
        ((101, 81), (1603, 1289), 16, "info"),  # padded to a whole mask pixel
        ((6250, 5000), (100_010, 80_010), 16, "info"),  # cut to one
        ((2001, 1501), (2000, 1500), 1, "warning"),  # a pixel too many
        ((400, 320), (1000, 800), 2.5, "warning"),  # not whole
        ((40_000, 32_000), (100_000, 80_000), 2.5, "warning"),
    ],
)
def test_a_small_doubt_is_a_finding(mask, slide, scale, severity):
    fitted = mask_scale(Size(*mask), Size(*slide), None)
    assert (fitted.x, fitted.y) == (scale, scale)
    assert [(f.code, f.severity) for f in fitted.findings] == [("MASK_SCALE_DERIVED", severity)]


@pytest.mark.parametrize("size", [(2048, 1536), (2000, 1500), (512, 512)])
def test_a_mask_of_the_size_of_the_slide_leaves_no_doubt(size):
    assert mask_scale(Size(*size), Size(*size), None).findings == ()


def padded(path, beyond=0):
    codes = np.zeros((1536, 2048), np.uint8)
    codes[300:700, 1500:1900] = 1
    codes[1530:1536, : 10 * beyond] = 1
    Image.fromarray(codes).save(path)
    return path


def test_a_padded_mask_is_read_as_padded_once_that_is_stated(tmp_path):
    path = padded(tmp_path / "a.png")
    with pytest.raises(AnnotationError, match=r"a\.png.*in more than one way"):
        read_drawn(path, slide=slide_of(2000, 1500))
    drawn = read_drawn(path, slide=slide_of(2000, 1500), scale=1.0)
    assert codes_of(drawn.findings) == ["MASK_PADDED"]
    assert "48 × 36 mask px are cut off" in drawn.findings[0].message
    assert drawn.mask.codes_at(np.arange(1500), np.arange(2000)).sum() == 160_000
    stretched = read_drawn(path, slide=slide_of(2000, 1500), scale=0.9765625)
    assert (stretched.mask.scale_x, stretched.findings) == (0.9765625, ())


def test_padding_that_holds_codes_is_a_warning(tmp_path):
    drawn = read_drawn(padded(tmp_path / "a.png", beyond=2), slide=slide_of(2000, 1500), scale=1.0)
    beyond = drawn.findings[-1]
    assert (beyond.code, beyond.severity, beyond.measured) == ("MASK_BEYOND_SLIDE", "warning", 120)


@pytest.mark.parametrize(
    ("mask", "slide", "scale", "words"),
    [
        ((2048, 1536), (1000, 750), 1, "covers 2048 × 1536 px"),  # padded by more than half
        ((2050, 1536), (2000, 1500), 1, "covers 2050"),  # of no tile
        ((1536, 2048), (2000, 1500), 1, "no scale fits"),
    ],
)
def test_what_is_stated_and_does_not_fit_is_refused(mask, slide, scale, words):
    with pytest.raises(AnnotationError, match=words):
        mask_scale(Size(*mask), Size(*slide), scale)
