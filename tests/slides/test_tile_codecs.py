"""One stored tile: what is missing of its data is refused, however its end looks."""

from itertools import combinations

import imagecodecs
import numpy as np
import pytest

from wsi_area.model.geometry import Size
from wsi_area.slides.stored.tile_codecs import decode_tile, decoding_room
from wsi_area.slides.stored.tiled_level import JPEG, TiledLevel, jpeg_head

TILE = Size(256, 256)
END = b"\xff\xd9"


def level_of(is_ycbcr: bool) -> TiledLevel:
    return TiledLevel(TILE, TILE, 1, 1, (1,), (1,), JPEG, 1, is_ycbcr, jpeg_head(None, is_ycbcr))


def jpeg_of(rgb: np.ndarray, is_ycbcr: bool, subsampling: str) -> bytes:
    space = "YCBCR" if is_ycbcr else "RGB"
    return bytes(
        imagecodecs.jpeg8_encode(rgb, level=85, colorspace="RGB", outcolorspace=space, subsampling=subsampling)
    )


def noisy() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 255, (256, 256, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(4, 256, 256, 3), (1, 512, 512, 3), (240, 240, 3), (7, 5, 3), (1, 1, 3)])
def test_room_for_a_decoder_is_never_where_it_would_write_past_the_cache(shape: tuple[int, ...]) -> None:
    held = [decoding_room(shape) for _ in range(9)]  # wherever memory happens to lie
    for room in held:
        assert room.shape == shape
        assert room.flags.c_contiguous
        assert room.__array_interface__["data"][0] % 16 != 0
    assert not any(np.shares_memory(one, other) for one, other in combinations(held, 2))


@pytest.mark.parametrize(("is_ycbcr", "subsampling"), [(True, "420"), (True, "422"), (False, "444")])
def test_the_same_pixels_are_decoded_into_it(is_ycbcr: bool, subsampling: str) -> None:
    jpeg, plain = jpeg_of(noisy(), is_ycbcr, subsampling), np.zeros((256, 256, 3), np.uint8)
    room = decoding_room(plain.shape)
    room[...] = 7
    decode_tile(jpeg, level_of(is_ycbcr), plain)
    decode_tile(jpeg, level_of(is_ycbcr), room)
    assert np.array_equal(room, plain)
    assert plain.any()


@pytest.mark.parametrize(("is_ycbcr", "subsampling"), [(True, "420"), (True, "422"), (True, "444"), (False, "444")])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_tile_whose_data_run_out_before_its_end_marker_is_refused(
    is_ycbcr: bool, subsampling: str, kept: float
) -> None:
    whole = jpeg_of(noisy(), is_ycbcr, subsampling)
    torn = whole[: int(kept * len(whole))].rstrip(b"\xff") + END
    out = np.zeros((256, 256, 3), np.uint8)
    with pytest.raises(ValueError, match="premature end"):
        decode_tile(torn, level_of(is_ycbcr), out)
    decode_tile(whole, level_of(is_ycbcr), out)  # the same tile, untorn


@pytest.mark.parametrize("is_ycbcr", [True, False])
def test_a_tile_that_is_grey_by_right_is_not(is_ycbcr: bool) -> None:
    grey = np.full((256, 256, 3), 128, np.uint8)
    grey[:100] = noisy()[:100]
    out = np.zeros_like(grey)
    decode_tile(jpeg_of(grey, is_ycbcr, "444"), level_of(is_ycbcr), out)
    assert (out[-8:, -8:] == 128).all()


@pytest.mark.parametrize("is_ycbcr", [True, False])
@pytest.mark.parametrize("filling", [b"\x00", b"\x55"])
def test_a_whole_tile_with_padding_before_its_end_marker_is_read(is_ycbcr: bool, filling: bytes) -> None:
    # OpenSlide reads it, and nothing of the picture is missing
    whole = jpeg_of(noisy(), is_ycbcr, "444")
    out, padded = np.zeros((256, 256, 3), np.uint8), np.zeros((256, 256, 3), np.uint8)
    decode_tile(whole, level_of(is_ycbcr), out)
    decode_tile(whole[:-2] + 900 * filling + END, level_of(is_ycbcr), padded)
    assert np.array_equal(out, padded)


def test_a_torn_tile_with_padding_is_refused_all_the_same() -> None:
    whole = jpeg_of(noisy(), True, "420")
    middle = len(whole) // 2
    torn = whole[:middle] + b"\xff\xd0" + whole[middle:-2] + 900 * b"\x55" + END
    with pytest.raises(ValueError, match="Corrupt JPEG data"):
        decode_tile(torn, level_of(True), np.zeros((256, 256, 3), np.uint8))


def test_what_is_no_jpeg_is_refused() -> None:
    with pytest.raises(ValueError, match="it is no JPEG"):
        decode_tile(b"\x00" + jpeg_of(noisy(), True, "420"), level_of(True), np.zeros((256, 256, 3), np.uint8))
