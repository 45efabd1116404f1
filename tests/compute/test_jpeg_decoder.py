"""The pixels of JPEGs that are decoded beside each other, against libjpeg; in doubt, none."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.compute.test_eighths import HEADS, SAMPLINGS, encoded, parts_of, picture
from wsi_area.compute.jpeg.decoder import decode_jpegs


def decoded(
    tiles: Sequence[bytes], width: int, height: int, is_ycbcr: bool = True, head: bytes | None = None
) -> list[NDArray[np.uint8] | None]:
    """Return the pixels of some JPEGs of one size, each or None where it is not understood."""
    head = head or HEADS[is_ycbcr]
    ends = len(head) + np.cumsum([len(tile) for tile in tiles])
    spans = np.stack((ends - [len(tile) for tile in tiles], ends), 1)
    rgb = np.full((len(tiles), height, width, 3), 77, np.uint8)
    done = decode_jpegs(np.frombuffer(b"".join((head, *tiles)), np.uint8), len(head), spans, rgb, is_ycbcr=is_ycbcr)
    return [one if is_done else None for one, is_done in zip(rgb, done, strict=True)]


def by_libjpeg(data: bytes) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", strict=True)
    return pixels


def is_whole(data: bytes) -> bool:
    try:
        by_libjpeg(data)
    except ValueError:
        return False
    return True


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 100), st.sampled_from([0, 3, 40, 200])), min_size=1, max_size=9),
    st.sampled_from(sorted(SAMPLINGS)), st.integers(5, 150), st.integers(6, 150), st.booleans(), st.integers(0, 3),
    st.integers(0, 2**16),
)  # fmt: skip
def test_pixels_are_those_of_libjpeg(
    kinds: list[tuple[int, int]], sampling: str, height: int, width: int, optimise: bool, rows: int, seed: int
) -> None:
    restart = {"restart_marker_rows": rows} if rows else {}
    tiles = [
        encoded(picture(height, width, seed + n, roughness), quality, sampling, optimize=optimise, **restart)
        for n, (quality, roughness) in enumerate(kinds)
    ]
    for seen, data in zip(decoded(tiles, width, height), tiles, strict=True):
        assert seen is not None
        assert np.array_equal(seen, by_libjpeg(data))


@pytest.mark.parametrize("size", [(256, 256), (240, 240), (512, 64), (1000, 24)])
@pytest.mark.parametrize("sampling", sorted(SAMPLINGS))
def test_tiles_of_tissue_beside_tiles_of_glass_have_libjpegs_pixels(size: tuple[int, int], sampling: str) -> None:
    width, height = size
    roughness = [0, 60, 1, 25, 0, 0, 90, 4, 2, 30, 1]
    tiles = [encoded(picture(height, width, n, rough), 85, sampling) for n, rough in enumerate(roughness)]
    for seen, data in zip(decoded(tiles, width, height), tiles, strict=True):
        assert seen is not None
        assert np.array_equal(seen, by_libjpeg(data))


def test_components_may_be_rgb() -> None:
    tiles = []
    for seed in range(5):
        stream = io.BytesIO()
        Image.fromarray(picture(72, 120, seed)).save(stream, "JPEG", quality=80, keep_rgb=True, subsampling="4:4:4")
        tiles.append(stream.getvalue())
    for seen, data in zip(decoded(tiles, 120, 72, is_ycbcr=False), tiles, strict=True):
        assert seen is not None
        assert np.array_equal(seen, by_libjpeg(data))


def test_tables_may_stand_in_the_shared_head_and_others_take_turns() -> None:
    own = [encoded(picture(64, 64, seed), 30 + 20 * seed, "4:2:2", optimize=True) for seed in range(3)]
    tables = b"".join(part for marker, part in parts_of(own[0]) if marker in (0xDB, 0xC4))
    bare = b"\xff\xd8" + b"".join(part for marker, part in parts_of(own[0]) if marker not in (0xDB, 0xC4, 0xE0))
    tiles, meant = [bare, own[1], bare, own[2], bare], [own[0], own[1], own[0], own[2], own[0]]
    for seen, data in zip(decoded(tiles, 64, 64, head=HEADS[1] + tables), meant, strict=True):
        assert seen is not None
        assert np.array_equal(seen, by_libjpeg(data))


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2"])
def test_parts_between_restart_markers_are_pictures_where_the_head_says_all(sampling: str) -> None:
    pixels = picture(80, 320, 8)
    whole = encoded(pixels, 85, sampling, restart_marker_rows=1)
    head = b"\xff\xd8" + b"".join(part for marker, part in parts_of(whole) if marker not in (0, 0xE0))
    at = head.index(b"\xff\xc0")
    head = head[: at + 5] + (8).to_bytes(2, "big") + head[at + 7 :]
    data, parts, start = list(parts_of(whole))[-1][1], [], 0
    for i in range(len(data) - 1):
        if data[i] == 0xFF and data[i + 1] & 0xF0 == 0xD0:
            parts.append(data[start : i + 2])
            start = i + 2
    assert len(parts) == 10
    seen = decoded(parts, 320, 8, head=head)
    assert np.array_equal(np.concatenate([part for part in seen if part is not None]), by_libjpeg(whole))


def test_what_is_unusual_is_not_understood() -> None:
    pixels = picture(64, 64, 1)
    usual, grey = encoded(pixels, 80), encoded(pixels[..., 0], 80)
    unusual = [
        encoded(pixels, 80, progressive=True), grey, encoded(picture(64, 72, 1), 80), usual[:-2],
        usual[:-2] + b"\0\0" + usual[-2:], encoded(pixels, 80, restart_marker_blocks=3), b"", b"\xff\xd8\xff\xd9",
    ]  # fmt: skip
    tiles = [usual, *unusual, usual]
    seen = decoded(tiles, 64, 64)
    assert [part is not None for part in seen] == [True, *(False for _ in unusual), True]
    for part in (seen[0], seen[-1]):
        assert part is not None
        assert np.array_equal(part, by_libjpeg(usual))


@pytest.mark.parametrize("sampling", sorted(SAMPLINGS))
def test_of_damaged_pictures_none_is_taken_that_libjpeg_refuses(sampling: str) -> None:
    rng = np.random.default_rng(3)
    tiles = []
    for n in range(200):
        data = bytearray(encoded(picture(64, 80, n % 7, 30), 60 + n % 40, sampling))
        for at in rng.integers(20, len(data), int(rng.integers(1, 4))):
            data[at] ^= 1 << int(rng.integers(8))
        tiles.append(bytes(data))
    taken = 0
    for seen, data in zip(decoded(tiles, 80, 64), tiles, strict=True):
        if seen is not None:
            taken += 1
            assert np.array_equal(seen, by_libjpeg(HEADS[1] + data[20:]))  # as all do behind the markers of programs
    assert taken < 200


def test_coefficients_beyond_all_measure_are_left_to_libjpeg_and_large_ones_are_its_own() -> None:
    tiles, usual = [], 0
    for seed in range(60):
        data = bytearray(encoded(picture(48, 48, seed, 20), 95, "4:4:4"))
        at = data.index(b"\xff\xdb") + 5
        data[at : at + 64] = bytes([1 + seed] * 64)
        tiles.append(bytes(data))
    seen = decoded(tiles, 48, 48)
    for one, data in zip(seen, tiles, strict=True):
        if one is not None:
            usual += 1
            assert np.array_equal(one, by_libjpeg(data))
    assert seen[0] is not None
    assert seen[-1] is None
    assert 5 < usual < 55


def test_what_lies_outside_the_data_is_refused() -> None:
    data = np.frombuffer(encoded(picture(16, 16, 1), 80), np.uint8)
    with pytest.raises(ValueError, match="do not lie in"):
        decode_jpegs(data, 2, np.array([[2, data.size + 1]]), np.zeros((1, 16, 16, 3), np.uint8), is_ycbcr=True)
