"""The class map tile by tile: what zarr reads of it whole, without what is background; damage is said, never shown."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from plans import plan_of

from wsi_area.errors import ResultError
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.geometry import Region
from wsi_area.model.ledger import LedgerLayout
from wsi_area.results.class_map.shard import encoded_tiles, write_shard
from wsi_area.results.class_map.sparse_class_map import SparseClassMap, class_map_box, sparse_class_map
from wsi_area.results.class_map.store import commit_batch, create_store
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.layout import SlideLayout

SCHEME = ClassScheme((TissueClass(0, "background", (255, 255, 255)), TissueClass(1, "tissue", (200, 0, 100))))
WIDTH, HEIGHT, TILE_PX = 4990, 3010, 500


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """Some tiles full, some bare, one batch wholly bare, the rim narrower than a tile."""
    draw = np.random.default_rng(8)
    full = np.kron(draw.random((7, 10)) < 0.4, np.ones((TILE_PX, TILE_PX), bool))[:HEIGHT, :WIDTH]
    return np.where(full, draw.choice([0, 1, 253, 255], (HEIGHT, WIDTH)), 0).astype(np.uint8)


@pytest.fixture
def layout(tmp_path: Path, truth: np.ndarray) -> SlideLayout:
    plan, found = plan_of((WIDTH, HEIGHT), tile_px=TILE_PX), SlideLayout(tmp_path / "S1")
    create_store(found, plan, SCHEME, "key", {"slide": "s"})
    k = plan.batch_tiles
    for row in range(0, plan.grid_rows, k):
        for col in range(0, plan.grid_cols, k):
            batch = truth[row * TILE_PX : (row + k) * TILE_PX, col * TILE_PX : (col + k) * TILE_PX]
            shape = min(k, plan.grid_rows - row), min(k, plan.grid_cols - col), len(LedgerLayout(2).columns)
            tiles = {} if (row, col) == (0, k) else encoded_tiles(batch, TILE_PX)
            commit_batch(found, "key", (row, col), tiles, np.zeros(shape, np.int64))
    return found


def test_the_tiles_put_together_are_what_zarr_reads(layout: SlideLayout) -> None:
    found = sparse_class_map(layout)
    assert isinstance(found, SparseClassMap)
    together = np.zeros(found.shape, np.uint8)
    for y, x, tile in found.tiles_with_content():
        assert tile.any()
        assert not together[y : y + tile.shape[0], x : x + tile.shape[1]].any()
        together[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    whole = open_class_map(layout)[:]
    assert whole.any()
    assert np.array_equal(together, whole)


@pytest.mark.parametrize(
    ("rows", "cols"),
    [
        (slice(0, HEIGHT), slice(0, WIDTH)),
        (slice(499, 1501), slice(3, 2750)),
        (slice(1000, 1500), slice(500, 1000)),
        (slice(2990, HEIGHT + 40), slice(4400, None)),
        (slice(70, 71), slice(2499, 2501)),
        (slice(10, 10), slice(0, 5)),
    ],
)
def test_a_part_is_what_zarr_reads_of_it(layout: SlideLayout, rows: slice, cols: slice) -> None:
    found = sparse_class_map(layout)
    assert isinstance(found, SparseClassMap)
    assert np.array_equal(found[rows, cols], open_class_map(layout)[rows, cols])


def test_the_box_of_a_shard_is_what_zarr_reads_there_and_none_where_it_is_bare(layout: SlideLayout) -> None:
    side_px, whole = TILE_PX * plan_of((WIDTH, HEIGHT), tile_px=TILE_PX).batch_tiles, open_class_map(layout)[:]
    bare = []
    for row in range(-(-HEIGHT // side_px)):
        for col in range(-(-WIDTH // side_px)):
            y, x = row * side_px, col * side_px
            part = whole[y : y + side_px, x : x + side_px]
            box = class_map_box(layout, (row, col), Region(x, y, part.shape[1], part.shape[0]))
            if box is None:
                bare.append((row, col))
                assert not part.any()
            else:
                assert np.array_equal(box, part)
    assert bare == [(0, 1)]


def test_a_map_that_zarr_wrote_itself_is_read_too(layout: SlideLayout, truth: np.ndarray) -> None:
    zarr.open_array(layout.class_map, path="0", mode="r+")[:] = truth
    found = sparse_class_map(layout)
    assert isinstance(found, SparseClassMap)
    for y, x, tile in found.tiles_with_content():
        assert np.array_equal(tile, truth[y : y + TILE_PX, x : x + TILE_PX])


def test_a_map_of_other_codecs_is_left_to_zarr(layout: SlideLayout, truth: np.ndarray) -> None:
    zarr.create_array(layout.class_map / "0", data=truth, chunks=(500, 500), overwrite=True)
    found = sparse_class_map(layout)
    assert not isinstance(found, SparseClassMap)
    assert np.array_equal(found[:], truth)


@pytest.mark.parametrize("at", [3, 40, -30, -2])
def test_a_damaged_shard_is_named(layout: SlideLayout, at: int) -> None:
    shard = layout.class_map / "0" / "c" / "0" / "0"
    content = bytearray(shard.read_bytes())
    content[at] ^= 0x10
    shard.write_bytes(content)
    with pytest.raises(ResultError, match=r"mask\.ome\.zarr/0/c/0/0 is damaged"):
        list(sparse_class_map(layout).tiles_with_content())


def test_a_tile_smaller_than_it_must_be_never_shows_the_one_before(layout: SlideLayout) -> None:
    shard = layout.class_map / "0" / "c" / "0" / "0"
    small = encoded_tiles(np.ones((100, 100), np.uint8), 100)[0, 0]
    side = plan_of((WIDTH, HEIGHT), tile_px=TILE_PX).batch_tiles
    write_shard(shard, {(0, 0): encoded_tiles(np.ones((500, 500), np.uint8), 500)[0, 0], (0, 1): small}, side)
    with pytest.raises(ResultError, match="is not of 250000 pixels"):
        list(sparse_class_map(layout).tiles_with_content())
