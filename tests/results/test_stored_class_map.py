"""A class map in its store: cut as numpy would cut it, and whatever zarr finds wrong is an error of ours."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from wsi_area.errors import ResultError
from wsi_area.results.class_map.stored_class_map import StoredClassMap, open_class_map
from wsi_area.results.layout import SlideLayout, chunk_place

CODES = np.random.default_rng(3).integers(0, 5, (300, 500)).astype(np.uint8)


@pytest.fixture
def layout(tmp_path: Path) -> SlideLayout:
    found = SlideLayout(tmp_path / "S1")
    group = zarr.create_group(found.class_map)
    array = group.create_array(
        "0", shape=CODES.shape, shards=(200, 200), chunks=(100, 100), dtype="uint8",
        compressors=(BloscCodec(cname="lz4"), Crc32cCodec()),
    )  # fmt: skip
    array[:] = CODES
    return found


def test_it_is_cut_as_numpy_cuts_and_read_whole_where_numpy_asks(layout: SlideLayout) -> None:
    stored = open_class_map(layout)
    assert stored.shape == CODES.shape
    assert (stored.ndim, stored.dtype, stored.chunks, stored.shards) == (2, np.uint8, (100, 100), (200, 200))
    for cut in (np.s_[3:260, 90:410], np.s_[7], np.s_[:, 499], np.s_[299:300], np.s_[5, 6], np.s_[...]):
        assert np.array_equal(stored[cut], CODES[cut])
    assert np.array_equal(np.asarray(stored), CODES)
    assert np.array_equal(da.from_array(stored, chunks=128).compute(), CODES)


def test_a_shard_lies_where_zarr_puts_it(layout: SlideLayout) -> None:
    named = {layout.shard_place(row, col) for row in range(2) for col in range(3)}
    assert named == {path for path in (layout.class_map / "0" / "c").rglob("*") if path.is_file()}
    zarr.create_array(layout.ledger / "counts", data=np.ones((2, 3, 4), np.int64), chunks=(1, 3, 4))
    rows = {layout.rows_place(row, 0) for row in range(2)}
    assert rows == {path for path in chunk_place(layout.ledger / "counts").rglob("*") if path.is_file()}


@pytest.mark.parametrize("wrong", ["a flipped bit", "cut short", "empty"])
def test_a_torn_shard_is_an_error_of_ours_that_names_the_store_and_the_remedy(layout: SlideLayout, wrong: str) -> None:
    shard = layout.shard_place(1, 2)
    content = bytearray(shard.read_bytes())
    content[len(content) // 3] ^= 4
    shard.write_bytes({"a flipped bit": content, "cut short": content[:-9], "empty": b""}[wrong])
    stored = open_class_map(layout)
    assert np.array_equal(stored[:200], CODES[:200])
    for read in (lambda: stored[200:], lambda: np.asarray(stored), lambda: stored[250, 450]):
        with pytest.raises(ResultError, match=r"S1.mask\.ome\.zarr cannot be read .*measure the slide again") as told:
            read()
        assert "b'" not in str(told.value)


def test_a_store_that_is_not_there_is_asked_whether_it_was_measured(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="was the slide measured"):
        open_class_map(SlideLayout(tmp_path / "none"))


def test_a_store_of_another_layout_is_read_as_well(tmp_path: Path) -> None:
    layout = SlideLayout(tmp_path / "S2")
    zarr.create_array(layout.class_map / "0", data=CODES, chunks=(64, 64))
    stored = open_class_map(layout)
    assert isinstance(stored, StoredClassMap)
    assert stored.shards is None
    assert np.array_equal(stored[10:20], CODES[10:20])
