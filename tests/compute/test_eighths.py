"""The mean colours of a JPEG's blocks, against libjpeg at an eighth; in doubt, none."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from wsi_area.compute.jpeg import eighths
from wsi_area.compute.jpeg.eighths import BLOCK_PX
from wsi_area.model.geometry import Size

HEADS = {is_ycbcr: b"\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([is_ycbcr]) for is_ycbcr in (0, 1)}
SAMPLINGS = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}


def picture(height: int, width: int, seed: int, roughness: float = 40) -> NDArray[np.uint8]:
    """Return colours that change slowly, and noise on them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(x / (9 + 7 * i) + i) * np.cos(y / (13 + 5 * i)) for i in range(3)]
    noise = rng.normal(0, roughness, (height, width, 3))
    return np.clip(np.dstack(waves) + noise, 0, 255).astype(np.uint8)


def encoded(pixels: NDArray[np.uint8], quality: int, sampling: str = "4:2:0", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=sampling, **options)
    return stream.getvalue()


def flat_chroma(pixels: NDArray[np.uint8], sampling: str) -> NDArray[np.uint8]:
    """Return a picture whose chroma is one colour under each MCU: there an eighth of it needs DC alone."""
    across, down = SAMPLINGS[sampling]
    ycc = np.asarray(Image.fromarray(pixels).convert("YCbCr")).copy()
    chroma = ycc[:: 8 * down, :: 8 * across, 1:].repeat(8 * down, 0).repeat(8 * across, 1)
    ycc[..., 1:] = chroma[: len(ycc), : ycc.shape[1]]
    return ycc


def add_eighths(head: bytes, tiles: Sequence[bytes], *told: Any, is_ycbcr: bool) -> NDArray[np.bool_]:
    """Return which of some JPEGs were added, which lie behind each other."""
    ends = len(head) + np.cumsum([len(tile) for tile in tiles])
    spans = np.stack((ends - [len(tile) for tile in tiles], ends), 1)
    data = np.frombuffer(b"".join((head, *tiles)), np.uint8)
    return eighths.add_eighths(data, len(head), spans, *told, is_ycbcr=is_ycbcr)


def eighth_of(data: bytes, size: Size, is_ycbcr: bool = True, head: bytes | None = None) -> NDArray[np.uint8] | None:
    """Return the colours of the blocks of one JPEG, or None where it is not understood."""
    across, down = -(-size.width_px // BLOCK_PX), -(-size.height_px // BLOCK_PX)
    sums = np.zeros((down, across, 3), np.uint32)
    places = np.array([[0, 0, across, down]], np.int64)
    (done,) = add_eighths(head or HEADS[is_ycbcr], [data], size, places, 1, sums, is_ycbcr=is_ycbcr)
    assert not (sums % 64).any()
    assert done or not sums.any()
    return (sums // 64).astype(np.uint8) if done else None


def by_libjpeg(data: bytes, colours: str = "RGB") -> NDArray[np.uint8]:
    return simplejpeg.decode_jpeg(data, colours, min_height=1, min_width=1, min_factor=8, strict=True)


@settings(max_examples=40)
@given(
    st.integers(1, 100), st.sampled_from(sorted(SAMPLINGS)), st.integers(5, 90), st.integers(5, 90),
    st.integers(0, 9), st.booleans(), st.sampled_from([0, 3, 40, 200]), st.integers(0, 2**16),
)  # fmt: skip
def test_blocks_have_the_colours_that_libjpeg_shows_at_an_eighth(
    quality: int, sampling: str, height: int, width: int, interval: int, optimise: bool, roughness: int, seed: int
) -> None:
    ycc = Image.fromarray(flat_chroma(picture(height, width, seed, roughness), sampling), "YCbCr")
    stream = io.BytesIO()
    options = {"restart_marker_blocks": interval} if interval else {}
    ycc.save(stream, "JPEG", quality=quality, subsampling=sampling, optimize=optimise, **options)
    seen = eighth_of(stream.getvalue(), Size(width, height))
    assert seen is not None
    assert np.array_equal(seen, by_libjpeg(stream.getvalue()))


@pytest.mark.parametrize("quality", [20, 75, 95, 100])
def test_grey_and_rgb_pictures_have_the_colours_that_libjpeg_shows_at_an_eighth(quality: int) -> None:
    pixels, size = picture(120, 72, quality), Size(72, 120)
    grey = encoded(pixels[..., 0], quality)
    seen = eighth_of(grey, size)
    assert seen is not None
    assert np.array_equal(seen, by_libjpeg(grey, "GRAY").repeat(3, -1))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, keep_rgb=True, subsampling="4:4:4")
    seen = eighth_of(stream.getvalue(), size, is_ycbcr=False)
    assert seen is not None
    assert np.array_equal(seen, by_libjpeg(stream.getvalue()))


@pytest.mark.parametrize("sampling", ["4:2:0", "4:2:2"])
def test_where_chroma_varies_within_an_mcu_light_is_exact_and_the_mean_colour_is_kept(sampling: str) -> None:
    pixels = picture(256, 256, 5, roughness=10)
    data = encoded(pixels, 90, sampling)
    seen = eighth_of(data, Size(256, 256))
    assert seen is not None
    whole = simplejpeg.decode_jpeg(data).reshape(32, 8, 32, 8, 3).mean((1, 3))
    assert np.abs((seen - whole).mean((0, 1))).max() < 0.5
    light = np.array([0.299, 0.587, 0.114])
    inside = ((seen > 2) & (seen < 253)).all(-1)  # where nothing was cut off
    assert np.abs(seen @ light - by_libjpeg(data, "GRAY")[..., 0])[inside].max() < 1.5


@pytest.mark.parametrize("factor", [1, 2, 3, 5, 40])
def test_boxes_are_the_sums_of_their_blocks_wherever_tiles_begin_in_them(factor: int) -> None:
    size = Size(64, 48)
    tiles = [encoded(picture(48, 64, seed), 80, "4:4:4") for seed in range(12)]
    places = np.array([[3 + 8 * (i % 4), 2 + 6 * (i // 4), 8 - (i % 4 == 3), 6 - (i > 7)] for i in range(12)], np.int64)
    sums = np.zeros((-(-20 // factor), -(-35 // factor), 3), np.uint32)
    assert add_eighths(HEADS[1], tiles, size, places, factor, sums, is_ycbcr=True).all()
    blocks = np.zeros((len(sums) * factor, sums.shape[1] * factor, 3), np.int64)
    for (column, row, across, down), data in zip(places.tolist(), tiles, strict=True):
        blocks[row : row + down, column : column + across] = by_libjpeg(data)[:down, :across]
    wanted = 64 * blocks.reshape(len(sums), factor, sums.shape[1], factor, 3).sum((1, 3))
    assert np.array_equal(sums, wanted)


def parts_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 2
    while True:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, data[at : at + 2 + length]
        at += 2 + length
        if marker == 0xDA:
            yield 0, data[at:]
            return


def test_tables_may_stand_in_the_shared_head_and_those_of_a_tile_are_its_own() -> None:
    size = Size(64, 64)
    own = [encoded(picture(64, 64, seed), 30 + 20 * seed, "4:2:2", optimize=True) for seed in range(3)]
    tables = b"".join(part for marker, part in parts_of(own[0]) if marker in (0xDB, 0xC4))
    bare = b"\xff\xd8" + b"".join(part for marker, part in parts_of(own[0]) if marker not in (0xDB, 0xC4, 0xE0))
    tiles = [bare, own[1], bare, bare, own[2], own[1], bare]
    places = np.array([[8 * i, 0, 8, 8] for i in range(7)], np.int64)
    sums = np.zeros((8, 56, 3), np.uint32)
    assert add_eighths(HEADS[1] + tables, tiles, size, places, 1, sums, is_ycbcr=True).all()
    alone = [eighth_of(data, size) for data in (own[0], own[1], own[0], own[0], own[2], own[1], own[0])]
    assert np.array_equal(sums // 64, np.concatenate([some for some in alone if some is not None], 1))


def test_tables_that_are_kept_from_call_to_call_serve_no_other_picture() -> None:
    size, pixels = Size(64, 64), picture(64, 64, 4, roughness=90)
    kinds = [
        encoded(pixels, 80, "4:2:0"), encoded(pixels, 80, "4:2:0", optimize=True),
        encoded(pixels, 95, "4:4:4", optimize=True), encoded(pixels[..., 0], 60, optimize=True),
        encoded(pixels, 80, "4:2:0", restart_marker_blocks=3), encoded(pixels, 30, "4:2:2", optimize=True),
    ]  # fmt: skip

    def alone(data: bytes) -> NDArray[np.uint8] | None:
        with ThreadPoolExecutor(1) as fresh:  # in a thread that has kept nothing
            return fresh.submit(eighth_of, data, size).result()

    expected = [alone(data) for data in kinds]
    assert all(some is not None for some in expected)
    order = np.random.default_rng(3).integers(0, len(kinds), 60).tolist()
    for n in order:
        assert np.array_equal(eighth_of(kinds[n], size), expected[n])
        eighth_of(encoded(pixels[:40, :48], 70), Size(48, 40))  # of another size meanwhile
    with ThreadPoolExecutor(3) as several:
        for n, seen in zip(order, several.map(lambda n: eighth_of(kinds[n], size), order), strict=True):
            assert np.array_equal(seen, expected[n])


def test_jpegs_outside_the_data_are_refused() -> None:
    data, sums = np.frombuffer(HEADS[1] + encoded(picture(64, 64, 1), 80), np.uint8), np.zeros((8, 8, 3), np.uint32)
    places = np.array([[0, 0, 8, 8]], np.int64)
    for span in ([-1, data.size], [20, data.size + 1]):
        with pytest.raises(ValueError, match="do not lie in"):
            eighths.add_eighths(
                data, len(HEADS[1]), np.array([span], np.int64), Size(64, 64), places, 1, sums, is_ycbcr=True
            )


def test_what_is_unusual_is_left_to_others_and_costs_its_neighbours_nothing() -> None:
    size, pixels = Size(64, 64), picture(64, 64, 1)
    usual = encoded(pixels, 80, "4:4:4")
    odd = [
        encoded(pixels, 80, progressive=True), encoded(pixels[:40], 80), b"", b"\xff\xd8", b"no JPEG at all",
        usual[:-2], usual[:-30], usual + b"\x00" * 9, usual.replace(b"\xff\xc0", b"\xff\xc9"),
        usual[: len(usual) // 2] + b"\xff\xd9",
    ]  # fmt: skip
    tiles = [some for pair in zip([usual] * len(odd), odd, strict=True) for some in pair]
    places = np.array([[8 * i, 0, 8, 8] for i in range(len(tiles))], np.int64)
    sums = np.zeros((8, 8 * len(tiles), 3), np.uint32)
    done = add_eighths(HEADS[1], tiles, size, places, 1, sums, is_ycbcr=True)
    assert done.tolist() == [True, False] * len(odd)
    for i in range(len(tiles)):
        assert np.array_equal(sums[:, 8 * i : 8 * i + 8], 64 * by_libjpeg(usual).astype(int) * (i % 2 == 0))


@pytest.mark.parametrize(("sampling", "options"), [("4:2:0", {}), ("4:4:4", {"restart_marker_blocks": 5})])
def test_of_damaged_pictures_none_is_taken_that_libjpeg_refuses(sampling: str, options: dict[str, int]) -> None:
    size, rng = Size(96, 80), np.random.default_rng(7)
    usual = encoded(picture(80, 96, 3), 85, sampling, **options)
    taken = refused = 0
    for _ in range(600):
        data = bytearray(usual)
        kind, at = rng.integers(4), int(rng.integers(2, len(data)))
        if kind == 0:
            data[at] = int(rng.integers(256))
        elif kind == 1:
            data[at : at + int(rng.integers(1, 60))] = b""
        elif kind == 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 60)))
        else:
            data[at : at + 16] = rng.bytes(16)
        seen = eighth_of(bytes(data), size)
        try:
            whole = simplejpeg.decode_jpeg(bytes(data), strict=True)
        except ValueError:
            whole = None
        taken, refused = taken + (seen is not None), refused + (whole is None)
        assert seen is None or (whole is not None and whole.shape == (80, 96, 3))
    assert taken > 20
    assert refused > 200


def test_places_outside_the_boxes_are_refused() -> None:
    data, sums = encoded(picture(64, 64, 1), 80), np.zeros((4, 4, 3), np.uint32)
    for place in ([1, 0, 8, 8], [0, 1, 8, 8], [-1, 0, 8, 8], [0, 0, 9, 8]):
        with pytest.raises(ValueError, match="do not lie in boxes"):
            add_eighths(HEADS[1], [data], Size(64, 64), np.array([place], np.int64), 2, sums, is_ycbcr=True)
