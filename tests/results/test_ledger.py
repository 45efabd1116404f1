"""The ledger on a disk is what zarr reads of it, whole and in part; a torn file of it is an error, never a number."""

from pathlib import Path

import numpy as np
import pytest
import zarr
import zstandard
from plans import plan_of

from wsi_area.errors import ResultError
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.ledger import LedgerLayout
from wsi_area.results.class_map.ledger import ledger_attributes, ledger_rows
from wsi_area.results.class_map.store import commit_batch, create_store
from wsi_area.results.layout import SlideLayout

SCHEME = ClassScheme((TissueClass(0, "background", (255, 255, 255)), TissueClass(1, "tissue", (200, 0, 100))))


@pytest.fixture
def layout(tmp_path: Path) -> SlideLayout:
    """A grid of 7 × 10 tiles in batches of 4 × 4, of which the second was never committed."""
    plan, found = plan_of((4990, 3010), tile_px=500), SlideLayout(tmp_path / "S1")
    create_store(found, plan, SCHEME, "key", {"slide": "s"})
    draw, k = np.random.default_rng(5), plan.batch_tiles
    for row in range(0, plan.grid_rows, k):
        for col in range(0, plan.grid_cols, k):
            shape = min(k, plan.grid_rows - row), min(k, plan.grid_cols - col), len(LedgerLayout(2).columns)
            if (row, col) != (0, k):
                commit_batch(found, "key", (row, col), {}, draw.integers(-(2**60), 2**60, shape))
    return found


def by_zarr(layout: SlideLayout) -> np.ndarray:
    return np.asarray(zarr.open_array(layout.ledger, path="counts", mode="r")[:])


def test_the_whole_is_what_zarr_reads(layout: SlideLayout) -> None:
    found = ledger_rows(layout)
    assert found.shape == (7, 10, 19)
    assert found.dtype == np.int64
    assert (found == -1).all(axis=2).sum() == 16
    assert np.array_equal(found, by_zarr(layout))


@pytest.mark.parametrize(
    ("rows", "cols"),
    [
        (range(0, 4), range(0, 4)),
        (range(3, 5), range(2, 9)),
        (range(6, 7), range(9, 10)),
        (range(2, 40), range(5, 40)),
        (range(1, 1), range(0, 3)),
        (range(5, 7), None),
        (None, range(8, 10)),
    ],
)
def test_a_part_is_what_zarr_reads_of_it(layout: SlideLayout, rows: range | None, cols: range | None) -> None:
    cut = tuple(slice(None) if part is None else slice(part.start, part.stop) for part in (rows, cols))
    found = ledger_rows(layout, rows, cols)
    assert found.dtype == np.int64
    assert np.array_equal(found, by_zarr(layout)[cut])
    assert found.flags.writeable


def test_no_batch_is_read_but_those_that_are_asked_for(layout: SlideLayout) -> None:
    layout.rows_place(1, 2).write_bytes(b"torn")
    assert np.array_equal(ledger_rows(layout, range(0, 4), range(0, 10)), ledger_rows(layout, range(0, 4)))
    with pytest.raises(ResultError, match=r"ledger\.zarr cannot be read .*--force"):
        ledger_rows(layout)


@pytest.mark.parametrize("wrong", ["a flipped bit", "cut short", "empty", "of another size"])
def test_a_torn_batch_is_an_error_that_names_the_store(layout: SlideLayout, wrong: str) -> None:
    place = layout.rows_place(0, 0)
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 4
    other = SlideLayout(layout.root / "other")
    create_store(other, plan_of((4990, 3010), tile_px=250), SCHEME, "key", {"slide": "s"})
    many = np.zeros((1, 1, len(LedgerLayout(2).columns)), np.int64)
    commit_batch(other, "key", (0, 0), {}, many)
    larger = other.rows_place(0, 0).read_bytes()
    torn = {"a flipped bit": content, "cut short": place.read_bytes()[:-5], "empty": b"", "of another size": larger}
    place.write_bytes(torn[wrong])
    with pytest.raises(ResultError, match=r"ledger\.zarr cannot be read .*--force"):
        ledger_rows(layout)


@pytest.mark.parametrize("level", [-5, 3, 19])
def test_a_batch_that_another_program_packed_again_is_read_though_its_frame_says_no_size(
    layout: SlideLayout, level: int
) -> None:
    whole, place = ledger_rows(layout), layout.rows_place(1, 2)
    chunk = by_zarr(layout)[4:7, 8:10]
    padded = np.full((4, 4, 19), -1, "<i8")
    padded[:3, :2] = chunk
    place.write_bytes(zstandard.ZstdCompressor(level, write_content_size=False).compress(padded.tobytes()))
    assert np.array_equal(ledger_rows(layout), whole)
    assert np.array_equal(by_zarr(layout), whole)
    place.write_bytes(zstandard.ZstdCompressor(level, write_content_size=False).compress(bytes(4 * 4 * 19 * 8 + 1)))
    with pytest.raises(ResultError, match=r"ledger\.zarr cannot be read .*--force"):
        ledger_rows(layout)


def test_a_ledger_that_zarr_laid_out_otherwise_is_read_as_well(layout: SlideLayout) -> None:
    whole = by_zarr(layout)
    made = zarr.create_array(layout.ledger / "counts", data=whole, chunks=(3, 5, 19), overwrite=True)
    made.attrs.update({"key": "another"})
    assert np.array_equal(ledger_rows(layout), whole)
    assert np.array_equal(ledger_rows(layout, range(2, 6), range(4, 9)), whole[2:6, 4:9])
    assert ledger_attributes(layout) == {"key": "another"}
