"""A shard is read back by zarr, which wrote none of it."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.results.class_map.shard import CHUNK_CODECS, encoded_tile, encoded_tiles, write_shard

TILE_PX, PER_SIDE = 48, 3


def class_map_array(folder: Path, shape: tuple[int, int]) -> "zarr.Array":
    edge = TILE_PX * PER_SIDE
    return zarr.create_array(
        folder, shape=shape, shards=(edge, edge), chunks=(TILE_PX, TILE_PX), dtype="uint8", fill_value=0,
        compressors=CHUNK_CODECS,
    )  # fmt: skip


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
