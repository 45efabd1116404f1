"""Frames of bit planes, unpacked by Blosc's own reader: what comes out is what went in."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs import blosc
from numpy.typing import NDArray

from wsi_area.compute.plane_frames import PIXELS_STEP, plane_frame

SIZES = ((8, 8), (1, 64), (64, 1), (100, 16), (64, 192), (256, 256), (512, 512))


def unpacked(frame: bytes, like: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.frombuffer(blosc.decompress(frame), np.uint8).reshape(like.shape)


@st.composite
def class_maps(draw: st.DrawFn) -> NDArray[np.uint8]:
    """Noise, patches, rows repeated, one colour, and parts of background, in codes of any number of bits."""
    height, width = draw(st.sampled_from(SIZES))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    codes = random.integers(0, draw(st.integers(1, 255)) + 1, (height, width)).astype(np.uint8)
    for patch in range(draw(st.integers(0, 6))):
        top, left = random.integers(0, height), random.integers(0, width)
        codes[top : top + random.integers(1, height + 1), left : left + random.integers(1, width + 1)] = patch
    if draw(st.booleans()):
        codes[:] = codes[: draw(st.integers(1, 2))][:1]
    if draw(st.booleans()):
        codes[height // draw(st.integers(1, 4)) :] = 0
    return codes


@settings(max_examples=400, deadline=None)
@given(class_maps())
def test_blosc_unpacks_what_was_packed(codes: NDArray[np.uint8]) -> None:
    frame = plane_frame(codes)
    if frame is None:
        assert not codes.any()
    else:
        assert np.array_equal(unpacked(frame, codes), codes)


@pytest.mark.parametrize("code", [1, 4, 128, 255])
@pytest.mark.parametrize("place", [(0, 0), (0, 511), (511, 511), (511, 447), (255, 64)])
def test_a_single_pixel_comes_back_wherever_it_lies(code: int, place: tuple[int, int]) -> None:
    codes = np.zeros((512, 512), np.uint8)
    codes[place] = code
    frame = plane_frame(codes)
    assert frame is not None
    assert np.array_equal(unpacked(frame, codes), codes)
    assert len(frame) < 1300  # runs, but for a few words; LZ4 takes 1 byte for 255


def test_background_takes_no_space() -> None:
    assert plane_frame(np.zeros((64, 64), np.uint8)) is None


def test_noise_takes_no_more_than_itself_and_the_head() -> None:
    codes = np.random.default_rng(1).integers(0, 256, (256, 256)).astype(np.uint8)
    frame = plane_frame(codes)
    assert frame is not None
    assert len(frame) == codes.size + 24
    assert np.array_equal(unpacked(frame, codes), codes)


def test_its_head_says_what_blosc_would_say() -> None:
    codes = np.random.default_rng(1).integers(0, 5, (256, 256)).astype(np.uint8)
    frame = plane_frame(codes)
    assert frame is not None
    theirs = blosc.compress(codes, b"lz4", 1, blosc.BITSHUFFLE, blocksize=codes.size)
    assert frame[:12] == theirs[:12]  # versions, flags, sizes
    assert struct.unpack_from("<i", frame, 12) == (len(frame),)
    assert frame[16:20] == theirs[16:20]  # where the block begins
    assert len(frame) < 1.2 * len(theirs)


def test_threads_and_sizes_do_not_mix() -> None:
    from concurrent.futures import ThreadPoolExecutor

    random = np.random.default_rng(5)
    maps = [random.integers(0, 5, size).astype(np.uint8) for size in SIZES for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(plane_frame, maps))
    for codes, frame in zip(maps, frames, strict=True):
        assert frame is not None
        assert np.array_equal(unpacked(frame, codes), codes)


@pytest.mark.parametrize(
    "codes",
    [
        np.ones((7, 9), np.uint8),
        np.ones((64, 64), np.uint16),
        np.ones(64, np.uint8),
        np.ones((64, 64), np.uint8).T[::2],
        np.ones((0, 64), np.uint8),
    ],
)
def test_what_it_cannot_pack_is_refused(codes: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=f"multiple of {PIXELS_STEP} px"):
        plane_frame(codes)
