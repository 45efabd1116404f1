"""One stored tile: what is missing of its data is refused, however its end looks."""

import imagecodecs
import numpy as np
import pytest

from wsi_area.model.geometry import Size
from wsi_area.slides.tiff_levels import JPEG, TiledLevel
from wsi_area.slides.tile_codecs import decode_tile

TILE = Size(256, 256)
END = b"\xff\xd9"


def level_of(is_ycbcr: bool) -> TiledLevel:
    return TiledLevel(TILE, TILE, 1, 1, (1,), (1,), JPEG, 1, is_ycbcr, None)


def jpeg_of(rgb: np.ndarray, is_ycbcr: bool, subsampling: str) -> bytes:
    space = "YCBCR" if is_ycbcr else "RGB"
    return bytes(
        imagecodecs.jpeg8_encode(rgb, level=85, colorspace="RGB", outcolorspace=space, subsampling=subsampling)
    )


def noisy() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 255, (256, 256, 3), dtype=np.uint8)


@pytest.mark.parametrize(("is_ycbcr", "subsampling"), [(True, "420"), (True, "422"), (True, "444"), (False, "444")])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_tile_whose_data_run_out_before_its_end_marker_is_refused(
    is_ycbcr: bool, subsampling: str, kept: float
) -> None:
    whole = jpeg_of(noisy(), is_ycbcr, subsampling)
    torn = whole[: int(kept * len(whole))].rstrip(b"\xff") + END
    out = np.zeros((256, 256, 3), np.uint8)
    with pytest.raises(ValueError, match="data end before its last row"):
        decode_tile(torn, level_of(is_ycbcr), out)
    decode_tile(whole, level_of(is_ycbcr), out)  # the same tile, untorn


@pytest.mark.parametrize("is_ycbcr", [True, False])
def test_a_tile_that_is_grey_by_right_is_not(is_ycbcr: bool) -> None:
    grey = np.full((256, 256, 3), 128, np.uint8)
    grey[:100] = noisy()[:100]
    out = np.zeros_like(grey)
    decode_tile(jpeg_of(grey, is_ycbcr, "444"), level_of(is_ycbcr), out)
    assert (out[-8:, -8:] == 128).all()
