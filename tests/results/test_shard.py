"""A shard is read back by zarr, which wrote none of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs import blosc
from scipy.ndimage import gaussian_filter
from zarr.codecs import BloscCodec, Crc32cCodec

from wsi_area.results.class_map.array_documents import write_class_map
from wsi_area.results.class_map.shard import encoded_tile, encoded_tiles, write_shard
from wsi_area.results.class_map.soundness import shard_fault

TILE_PX, PER_SIDE = 48, 3


def class_map_array(folder: Path, shape: tuple[int, int]) -> "zarr.Array":
    edge = TILE_PX * PER_SIDE
    write_class_map(folder, shape, edge, TILE_PX)
    return zarr.open_array(folder, mode="r+")


@given(height=st.integers(1, 144), width=st.integers(1, 144), codes=st.integers(1, 256), seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_zarr_reads_back_every_pixel(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, codes: int, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("shard")
    written = np.random.default_rng(seed).integers(0, codes, (height, width)).astype(np.uint8)
    array = class_map_array(folder, (height, width))
    write_shard(folder / "c" / "0" / "0", encoded_tiles(written, TILE_PX), PER_SIDE)
    assert np.array_equal(array[:], written)


def test_it_holds_what_zarr_itself_would_have_stored_tile_by_tile(tmp_path: Path) -> None:
    map_ = np.zeros((144, 144), np.uint8)
    map_[50:90, 3:70] = 2
    ours, theirs = class_map_array(tmp_path / "a", map_.shape), class_map_array(tmp_path / "b", map_.shape)
    write_shard(tmp_path / "a" / "c" / "0" / "0", encoded_tiles(map_, TILE_PX), PER_SIDE)
    theirs[:] = map_
    assert np.array_equal(ours[:], theirs[:])
    index = [np.frombuffer((tmp_path / f / "c" / "0" / "0").read_bytes()[-148:-4], "<u8") for f in "ab"]
    assert np.array_equal(index[0].reshape(-1, 2)[:, 0] == 2**64 - 1, index[1].reshape(-1, 2)[:, 0] == 2**64 - 1)


def test_zarr_can_write_into_a_shard_of_ours(tmp_path: Path) -> None:
    array = class_map_array(tmp_path, (144, 144))
    write_shard(tmp_path / "c" / "0" / "0", encoded_tiles(np.ones((144, 144), np.uint8), TILE_PX), PER_SIDE)
    array[60:70, 60:70] = 7
    assert array[:].sum() == 144 * 144 + 600


def test_a_tile_of_background_takes_no_space() -> None:
    assert encoded_tile(np.zeros((48, 48), np.uint8), 48) is None
    assert encoded_tiles(np.eye(96, dtype=np.uint8), 48).keys() == {(0, 0), (1, 1)}


@pytest.mark.parametrize("place", [-1, -3, 0, 40])
def test_a_flipped_bit_in_the_index_or_a_tile_is_noticed(tmp_path: Path, place: int) -> None:
    array = class_map_array(tmp_path, (144, 144))
    path = tmp_path / "c" / "0" / "0"
    write_shard(path, encoded_tiles(np.arange(144 * 144, dtype=np.uint8).reshape(144, 144), TILE_PX), PER_SIDE)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"(?i)checksum"):
        array[:]


def test_a_shard_that_cannot_be_written_leaves_the_earlier_one_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c" / "0" / "0"
    tiles = encoded_tiles(np.ones((144, 144), np.uint8), TILE_PX)
    write_shard(path, tiles, PER_SIDE)
    before = path.read_bytes()

    def fails(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="No space"):
        write_shard(path, dict(list(tiles.items())[:1]), PER_SIDE)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["0"]


def earlier_tile(class_map: np.ndarray) -> bytes:
    """A tile as earlier versions packed it: the same frame, with LZ4 in it."""
    frame = blosc.compress(np.ascontiguousarray(class_map), b"lz4", 1, blosc.BITSHUFFLE, class_map.size)
    return bytes(frame + google_crc32c.value(frame).to_bytes(4, "little"))


@pytest.mark.parametrize("said", ["lz4", "zstd"])
def test_tiles_packed_by_earlier_versions_are_read_beside_todays_whatever_the_metadata_say(
    tmp_path: Path, said: str
) -> None:
    codes = np.random.default_rng(7).integers(0, 5, (144, 144)).astype(np.uint8)
    edge = TILE_PX * PER_SIDE
    array = zarr.create_array(
        tmp_path, shape=codes.shape, shards=(edge, edge), chunks=(TILE_PX, TILE_PX), dtype="uint8", fill_value=0,
        compressors=(BloscCodec(cname=said, clevel=1, shuffle="bitshuffle", typesize=1), Crc32cCodec()),
    )  # fmt: skip
    tiles = encoded_tiles(codes, TILE_PX)
    for place in ((0, 1), (2, 2), (1, 0)):
        box = np.s_[place[0] * TILE_PX : (place[0] + 1) * TILE_PX, place[1] * TILE_PX : (place[1] + 1) * TILE_PX]
        tiles[place] = earlier_tile(codes[box])
    write_shard(tmp_path / "c" / "0" / "0", tiles, PER_SIDE)
    assert shard_fault((tmp_path / "c" / "0" / "0").read_bytes(), PER_SIDE) is None
    assert np.array_equal(array[:], codes)
    array[:2, :2] = 9  # zarr writes all of it anew
    assert np.array_equal(array[2:], codes[2:])


def test_tiles_packed_by_many_threads_at_once_are_those_packed_by_one() -> None:
    random = np.random.default_rng(11)
    maps = [
        random.integers(0, codes, (side, side)).astype(np.uint8) for codes in (2, 5, 200) for side in (48, 100, 512)
    ]
    alone = [encoded_tile(one, one.shape[0]) for one in maps]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: encoded_tile(one, one.shape[0]), maps * 20))
    assert together == alone * 20


def test_a_smooth_map_of_few_classes_takes_a_hundredth_of_its_pixels_and_noise_no_more_than_itself() -> None:
    y, x = np.mgrid[:512, :512]
    smooth = (((y - 256) ** 2 + (x - 256) ** 2 < 200**2) + 2 * (x > 300)).astype(np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, (512, 512)).astype(np.uint8)
    packed = {name: encoded_tile(one, 512) for name, one in (("smooth", smooth), ("noise", noise))}
    assert packed["smooth"] is not None
    assert packed["noise"] is not None
    assert len(packed["smooth"]) < 512 * 512 / 100
    assert len(packed["noise"]) <= 512 * 512 + 16 + 4  # the head of a frame, and the checksum


def test_a_frame_is_packed_as_the_metadata_say_and_in_one_block(tmp_path: Path) -> None:
    codes = np.random.default_rng(2).integers(0, 5, (512, 512)).astype(np.uint8)
    frame = encoded_tile(codes, 512)
    assert frame is not None
    [packing, _] = class_map_array(tmp_path, (512, 512)).compressors
    said = packing.to_dict()["configuration"]
    # Blosc's chunk format: bit 2 of the flags is bitshuffle, bits 5 to 7 are the codec; then sizes, little-endian
    codec, is_bits = {0: "blosclz", 1: "lz4", 3: "zlib", 4: "zstd"}[frame[2] >> 5], bool(frame[2] & 0b100)
    assert {"cname": codec, "shuffle": "bitshuffle" if is_bits else "other"}.items() <= said.items()
    assert [int.from_bytes(frame[at : at + 4], "little") for at in (4, 8)] == [codes.size, codes.size]


def test_what_a_colour_rule_leaves_takes_a_third_fewer_bytes_than_with_lz4() -> None:
    """Blobs with ragged edges and specks, as colour rules make them of stain: runs, but no long ones."""
    random = np.random.default_rng(4)
    coarse, fine = (gaussian_filter(random.normal(size=(512, 512)), sigma_px) for sigma_px in (10, 2))
    field = 10 * coarse + fine / 2
    codes = np.digitize(field, [-0.2, 0.1, 0.35]).astype(np.uint8)
    frame = encoded_tile(codes, 512)
    assert frame is not None
    assert len(frame) < 0.67 * len(earlier_tile(codes))
