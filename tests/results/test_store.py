import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import zarr
from plans import plan_of

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.ledger import LedgerLayout
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.shard import encoded_tiles
from wsi_area.results.class_map.store import commit_batch, create_store, stored_origin
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.layout import SlideLayout

SCHEME = ClassScheme((TissueClass(0, "background", (255, 255, 255)), TissueClass(1, "tissue", (200, 0, 100))))


@pytest.fixture
def layout(tmp_path: Path) -> SlideLayout:
    found = SlideLayout(tmp_path / "S1")
    create_store(found, plan_of((5000, 3000), tile_px=500), SCHEME, "key", {"slide": "s"})
    return found


def rows_of(value: int, n_rows: int, n_cols: int) -> np.ndarray:
    return np.full((n_rows, n_cols, len(LedgerLayout(2).columns)), value, np.int64)


def test_what_was_never_committed_says_so(layout: SlideLayout) -> None:
    assert (ledger_rows(layout) == -1).all()
    assert ledger_rows(layout).shape == (6, 10, 19)


def test_a_committed_batch_comes_back_and_its_neighbours_stay_uncommitted(layout: SlideLayout) -> None:
    plan = plan_of((5000, 3000), tile_px=500)
    k = plan.batch_tiles
    map_ = np.random.default_rng(0).integers(0, 2, (500 * k, 500 * k)).astype(np.uint8)
    commit_batch(layout, "key", (0, 0), encoded_tiles(map_, 500), rows_of(7, k, k))
    rows = ledger_rows(layout)
    assert (rows[:k, :k] == 7).all()
    assert (rows[k:] == -1).all()
    assert (rows[:, k:] == -1).all()
    assert (open_class_map(layout)[: 500 * k, : 500 * k] == map_).all()


def test_a_batch_at_the_edge_is_smaller_and_comes_back(layout: SlideLayout) -> None:
    plan = plan_of((5000, 3000), tile_px=500)
    k = plan.batch_tiles
    row, col = (plan.batch_rows - 1) * k, (plan.batch_cols - 1) * k
    map_ = np.ones((3000 - row * 500, 5000 - col * 500), np.uint8)
    commit_batch(layout, "key", (row, col), encoded_tiles(map_, 500), rows_of(3, 6 - row, 10 - col))
    assert (open_class_map(layout)[row * 500 :, col * 500 :] == 1).all()
    assert (ledger_rows(layout)[row:, col:] == 3).all()


def test_a_batch_that_turns_out_empty_takes_its_earlier_shard_away(layout: SlideLayout) -> None:
    commit_batch(layout, "key", (0, 0), encoded_tiles(np.full((2000, 2000), 253, np.uint8), 500), rows_of(7, 4, 4))
    commit_batch(layout, "key", (0, 0), encoded_tiles(np.zeros((2000, 2000), np.uint8), 500), rows_of(1, 4, 4))
    assert not open_class_map(layout)[:].any()
    assert not [p for p in layout.class_map.rglob("c/**/*") if p.is_file()]


def test_a_store_made_from_something_else_is_not_written(layout: SlideLayout) -> None:
    assert stored_origin(layout) == {"slide": "s"}
    with pytest.raises(StaleResultError, match="--force"):
        commit_batch(layout, "another", (0, 0), {}, rows_of(1, 1, 1))


def test_a_flipped_byte_in_the_ledger_is_noticed(layout: SlideLayout) -> None:
    commit_batch(layout, "key", (0, 0), {}, rows_of(5, 4, 4))
    chunk = layout.ledger / "counts" / "c" / "0" / "0" / "0"
    content = bytearray(chunk.read_bytes())
    content[-3] ^= 0xFF
    chunk.write_bytes(bytes(content))
    with pytest.raises(ResultError, match="cannot be read"):
        ledger_rows(layout)


def test_a_slide_without_stores_has_no_key_and_a_clear_error(tmp_path: Path) -> None:
    nothing = SlideLayout(tmp_path / "nothing")
    assert stored_origin(nothing) is None
    with pytest.raises(ResultError, match="measured"):
        open_class_map(nothing)


def test_the_class_map_says_how_large_its_pixels_are_to_any_ome_zarr_reader(layout: SlideLayout) -> None:
    attributes = json.loads((layout.class_map / "zarr.json").read_text())["attributes"]["ome"]
    assert attributes["version"] == "0.5"
    dataset = attributes["multiscales"][0]["datasets"][0]
    assert dataset["coordinateTransformations"] == [{"type": "scale", "scale": [0.5, 0.5]}]
    assert zarr.open_array(layout.class_map, path=dataset["path"]).shape == (3000, 5000)


def test_few_files_are_written_for_a_slide(layout: SlideLayout) -> None:
    plan = plan_of((5000, 3000), tile_px=500)
    k = plan.batch_tiles
    for row in range(0, 6, k):
        for col in range(0, 10, k):
            h, w = min(k, 6 - row), min(k, 10 - col)
            map_ = np.full((h * 500, w * 500), zlib.crc32(bytes([row, col])) % 2, np.uint8)
            commit_batch(layout, "key", (row, col), encoded_tiles(map_, 500), rows_of(1, h, w))
    files = [p for p in layout.root.rglob("*") if p.is_file()]
    assert len(files) <= 2 * plan.batch_rows * plan.batch_cols + 4
