"""Bit planes are those that numpy and Blosc make of the same codes, and frames give back what was packed."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zstandard
from numcodecs import blosc
from numpy.typing import NDArray

from wsi_area.compute import plane_frames
from wsi_area.compute.bit_planes import bit_planes, write_codes
from wsi_area.compute.plane_frames import plane_frame, unpack_frame
from wsi_area.results.class_map.shard import encoded_tile


def smooth(side: int, codes: int, patch: int) -> NDArray[np.uint8]:
    """Squares of one code each."""
    few = np.random.default_rng(side + codes).integers(0, codes, (side // patch, side // patch))
    return np.kron(few, np.ones((patch, patch))).astype(np.uint8)


@pytest.mark.parametrize(("side", "codes"), [(8, 2), (24, 5), (200, 3), (512, 256)])
def test_each_plane_holds_one_bit_of_every_code_in_their_order(side: int, codes: int) -> None:
    drawn = np.random.default_rng(codes).integers(0, codes, (side, side)).astype(np.uint8)
    planes = bit_planes(drawn)
    assert planes is not None
    bits = np.unpackbits(planes, axis=1, bitorder="little")
    assert np.array_equal(np.packbits(bits.T, axis=1, bitorder="little").reshape(side, side), drawn)


@pytest.mark.parametrize("code", [1, 4, 128, 255])
def test_planes_end_with_that_of_the_highest_bit_and_those_below_hold_it_or_nothing(code: int) -> None:
    bit_planes(np.full(64, 255, np.uint8))  # leaves ones behind
    planes = bit_planes(np.full(64, code, np.uint8))
    assert planes is not None
    assert planes[:, 0].tolist() == [255 * (code >> bit & 1) for bit in range(code.bit_length())]


def test_codes_that_are_all_0_have_no_planes() -> None:
    assert bit_planes(np.zeros((64, 64), np.uint8)) is None


@pytest.mark.parametrize(
    "codes",
    [np.zeros(12, np.uint8), np.zeros((0, 8), np.uint8), np.zeros(8, np.int8), np.zeros((8, 16), np.uint8)[:, ::2]],
)
def test_what_machine_code_could_not_read_is_refused(codes: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="needs contiguous uint8, a multiple of 8"):
        bit_planes(codes)


@pytest.mark.parametrize(("codes", "patch"), [(2, 32), (5, 8), (5, 1), (250, 16)])
def test_a_tile_is_packed_without_blosc_into_what_blosc_unpacks_in_no_more_bytes(
    codes: int, patch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = smooth(512, codes, patch)
    theirs = blosc.compress(tile, b"zstd", 1, blosc.BITSHUFFLE, tile.size)

    def refuse(*arguments: object) -> bytes:
        raise AssertionError("Blosc was asked to pack a tile")

    monkeypatch.setattr(blosc, "compress", refuse)
    ours = encoded_tile(tile, 512)
    assert ours is not None
    assert np.array_equal(np.frombuffer(blosc.decompress(ours[:-4]), np.uint8).reshape(tile.shape), tile)
    assert len(ours) - 4 <= 1.02 * len(theirs)


@pytest.mark.parametrize(
    ("side", "codes", "patch"), [(512, 5, 8), (100, 3, 4), (48, 256, 1), (9, 4, 3), (1000, 2, 200)]
)
def test_a_frame_gives_back_every_code_over_whatever_lay_there(side: int, codes: int, patch: int) -> None:
    drawn, out = smooth(side, codes, patch), np.full((side, side), 99, np.uint8)
    frame = plane_frame(drawn, 1)
    assert frame is not None
    unpack_frame(memoryview(frame), out)
    assert np.array_equal(out, drawn)


@pytest.mark.parametrize(
    ("codec", "shuffle", "block"),
    [(b"lz4", blosc.BITSHUFFLE, 0), (b"zstd", blosc.NOSHUFFLE, 0), (b"zstd", blosc.BITSHUFFLE, 4096), (b"zlib", 2, 0)],
)
def test_frames_that_blosc_packed_in_another_way_are_unpacked_too(codec: bytes, shuffle: int, block: int) -> None:
    drawn, out = smooth(256, 6, 8), np.empty((256, 256), np.uint8)
    unpack_frame(memoryview(blosc.compress(drawn, codec, 1, shuffle, block)), out)
    assert np.array_equal(out, drawn)


@pytest.mark.parametrize("parts", [(8,), (2, 6), (1, 2, 5), (2, 1, 5)])
def test_frames_whose_planes_are_packed_in_other_parts_are_unpacked_too(parts: tuple[int, ...]) -> None:
    drawn, out = smooth(256, 6, 8), np.empty((256, 256), np.uint8)
    ours, planes = plane_frame(drawn, 1), np.zeros((8, 8192), np.uint8)
    held = bit_planes(drawn)
    assert ours is not None
    assert held is not None
    planes[: len(held)] = held
    ends = np.cumsum(parts)
    packed = b"".join(zstandard.compress(planes[end - n : end].tobytes()) for n, end in zip(parts, ends, strict=True))
    frame = ours[:12] + (24 + len(packed)).to_bytes(4, "little") + ours[16:20] + len(packed).to_bytes(4, "little")
    unpack_frame(memoryview(frame + packed), out)
    assert np.array_equal(out, drawn)


def test_planes_that_hold_nothing_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, out, unpacked_bytes = smooth(256, 6, 8), np.empty((256, 256), np.uint8), []
    frame, honest = plane_frame(drawn, 1), plane_frames.write_codes
    assert frame is not None

    def watched(planes: NDArray[np.uint8], codes: NDArray[np.uint8]) -> None:
        unpacked_bytes.append(planes.nbytes)
        honest(planes, codes)

    monkeypatch.setattr(plane_frames, "write_codes", watched)
    unpack_frame(memoryview(frame), out)
    assert unpacked_bytes == [3 * 256 * 256 // 8]  # of codes up to 5


@pytest.mark.parametrize("count", range(9))
@pytest.mark.parametrize("size", [8, 56, 64, 72, 4136])
def test_codes_are_written_of_any_number_of_planes_as_numpy_joins_their_bits(count: int, size: int) -> None:
    planes = np.random.default_rng(count + size).integers(0, 256, (count, size // 8)).astype(np.uint8)
    bits = np.unpackbits(planes, axis=1, bitorder="little").astype(np.int64)
    room = np.full(size + 16, 99, np.uint8)
    write_codes(planes, room[8:-8])
    assert np.array_equal(room[8:-8], sum((row << bit for bit, row in enumerate(bits)), np.zeros(size, np.int64)))
    assert (room[[*range(8), *range(-8, 0)]] == 99).all()  # nothing beside them


@pytest.mark.parametrize("shape", [(9, 8), (3, 7), (3, 16)])
def test_planes_of_other_codes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="are not those of 64 codes"):
        write_codes(np.zeros(shape, np.uint8), np.empty((8, 8), np.uint8))


@pytest.mark.parametrize("tear", ["cut", "emptied", "short", "of fewer pixels", "of fewer pixels than it says"])
def test_a_frame_that_is_not_whole_is_refused(tear: str) -> None:
    frame = plane_frame(smooth(256, 6, 8), 1)
    fewer = plane_frame(smooth(128, 6, 8), 1)
    assert frame is not None
    assert fewer is not None
    torn = {
        "cut": frame[:-5],
        "emptied": frame[:24] + bytes(len(frame) - 24),
        "short": frame[:10],
        "of fewer pixels": fewer,
        # the head of the larger one: its sizes, and the length of the block that follows
        "of fewer pixels than it says": frame[:12] + fewer[12:],
    }[tear]
    with pytest.raises((ValueError, RuntimeError)):
        unpack_frame(memoryview(torn), np.empty((256, 256), np.uint8))


def test_threads_that_make_planes_at_once_do_not_write_into_each_others() -> None:
    tiles = [smooth(256, 3 + n, 8) for n in range(6)] * 20

    def bits_of(tile: NDArray[np.uint8]) -> bytes:
        planes = bit_planes(tile)
        assert planes is not None
        return planes.tobytes()

    alone = [bits_of(tile) for tile in tiles]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(bits_of, tiles)) == alone


def test_threads_that_pack_at_once_write_what_one_of_them_writes() -> None:
    tiles = [smooth(256, 3 + n, 8) for n in range(6)] * 20

    def packed(tile: NDArray[np.uint8]) -> bytes:
        frame = plane_frame(tile, 1)
        assert frame is not None
        return frame

    alone = [packed(tile) for tile in tiles]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(packed, tiles)) == alone
