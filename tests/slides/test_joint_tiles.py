"""Stored tiles that are decoded beside each other: which of them, and that nobody's place is taken by another."""

import numpy as np
import pytest
import simplejpeg

from wsi_area.model.geometry import Size
from wsi_area.slides.stored.joint_tiles import decode_together, tiles_at_once
from wsi_area.slides.stored.tiled_level import JPEG, LZW, TiledLevel, jpeg_head


def level(side_px: int, compression: int = JPEG) -> TiledLevel:
    tile = Size(side_px, side_px)
    return TiledLevel(tile, tile, 1, 1, (1,), (1,), compression, 1, True, jpeg_head(None, True))


def jpeg(side_px: int, seed: int) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (side_px // 16, side_px // 16, 3), np.uint8)
    data: bytes = simplejpeg.encode_jpeg(coarse.repeat(16, 0).repeat(16, 1), 90, colorsubsampling="420")
    return data


def test_each_tile_has_its_place_beside_what_is_missing_or_cannot_be_fetched() -> None:
    data = [jpeg(64, 1), None, jpeg(64, 2), ValueError("lost"), jpeg(64, 3)[:-40], jpeg(64, 4), b""]
    out = np.zeros((9, 64, 64, 3), np.uint8)
    done = decode_together(data, level(64), out)
    assert done.tolist() == [True, False, True, False, False, True, False]
    for some, rgb, is_done in zip(data, out, done, strict=False):
        if is_done:
            assert np.array_equal(rgb, simplejpeg.decode_jpeg(some, "RGB"))
    assert not out[7:].any()


@pytest.mark.parametrize(("side_px", "compression"), [(528, JPEG), (64, LZW)])
def test_large_tiles_and_other_codes_are_left_to_the_decoder_of_one(side_px: int, compression: int) -> None:
    out = np.zeros((1, side_px, side_px, 3), np.uint8)
    assert not decode_together([jpeg(side_px, 1)], level(side_px, compression), out).any()
    assert not out.any()


@pytest.mark.parametrize(("side_px", "count"), [(64, 84), (240, 4), (256, 4), (512, 4), (1024, 1), (4096, 1)])
def test_as_many_are_decoded_at_once_as_lie_beside_each_other_or_fit_the_cache(side_px: int, count: int) -> None:
    assert tiles_at_once(level(side_px)) == count
