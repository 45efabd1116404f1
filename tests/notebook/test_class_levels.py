"""The levels of a class map: they read what is asked, and are those that the whole map would give."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.picture.pyramid import halved
from wsi_area.errors import ResultError
from wsi_area.notebook.class_levels import ClassLevels, class_level
from wsi_area.notebook.notebook_run import NotebookRun
from wsi_area.results.opened_slide import OpenedSlide


class Recorded:
    """An array that writes down which boxes of it are read."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape = values, values.shape
        self.read: list[tuple[slice, slice]] = []

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        self.read.append(key)
        return self.values[key]

    @property
    def largest_px(self) -> int:
        return max((y.stop - y.start) * (x.stop - x.start) for y, x in self.read)


def blobs(height: int, width: int) -> np.ndarray:
    """Classes in patches of different sizes, with noise: no two codes are equally frequent everywhere."""
    rng = np.random.default_rng(7)
    small = rng.integers(0, 4, (-(-height // 8), -(-width // 8)), dtype=np.uint8)
    patches = small.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    return np.where(rng.random((height, width)) < 0.2, rng.integers(0, 4, (height, width)), patches).astype(np.uint8)


def whole(values: np.ndarray, level: int) -> np.ndarray:
    for _ in range(level):
        values = halved(values)
    return values


@pytest.mark.parametrize("level", [0, 1, 2, 5])
@pytest.mark.parametrize("shape", [(1500, 2301), (1024, 1024), (3, 1701)])
def test_a_level_made_in_blocks_is_the_level_made_at_once(shape: tuple[int, int], level: int) -> None:
    values = blobs(*shape)
    np.testing.assert_array_equal(np.asarray(class_level(values, level, "S1")), whole(values, level))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_cut_is_what_numpy_would_cut(data: st.DataObject) -> None:
    values = blobs(1100, 1301)
    level = data.draw(st.integers(0, 3))
    lazy, eager = class_level(values, level, "S1"), whole(values, level)
    steps = st.integers(-5, 5).filter(bool)

    def cut(n_px: int) -> Any:
        bounds = st.one_of(st.none(), st.integers(-n_px - 3, n_px + 3))
        return data.draw(st.one_of(st.integers(-n_px, n_px - 1), st.builds(slice, bounds, bounds, st.none() | steps)))

    key = cut(eager.shape[0]), cut(eager.shape[1])
    np.testing.assert_array_equal(lazy[key], eager[key])
    np.testing.assert_array_equal(lazy[key[0]], eager[key[0]])


def test_a_cut_reads_what_lies_under_it_and_no_more() -> None:
    array = Recorded(blobs(9000, 9000))
    assert class_level(array, 2, "S1")[600:700, 1100:1200].shape == (100, 100)
    # one block of 512 × 512 px of level 2 in each direction, in boxes of 1024 × 1024
    assert all(2048 <= y.start < y.stop <= 4096 and 4096 <= x.start < x.stop <= 6144 for y, x in array.read)
    assert array.largest_px == 1024 * 1024
    fine = Recorded(array.values)
    assert class_level(fine, 0, "S1")[5:8, 10:30].shape == (3, 20)
    assert fine.largest_px == 60


def test_the_whole_map_is_never_in_memory_for_a_coarse_level_and_is_read_once() -> None:
    array = Recorded(blobs(4100, 5000))
    levels = ClassLevels(array)
    height, width = levels.shapes[4]
    first = levels.box(4, (0, height), (0, width))
    reads = len(array.read)
    assert array.largest_px == 1024 * 1024
    assert sum((y.stop - y.start) * (x.stop - x.start) for y, x in array.read) == 4100 * 5000
    np.testing.assert_array_equal(levels.box(4, (0, height), (0, width)), first)
    levels.box(3, (0, 100), (0, 100))
    assert len(array.read) == reads


def test_numpy_takes_a_level_for_an_array() -> None:
    values = blobs(300, 200)
    level = class_level(values, 0, "S1")
    assert (level.shape, level.dtype, level.ndim, level.size, len(level)) == ((300, 200), np.uint8, 2, 60_000, 300)
    assert ((level == 1).sum(), np.bincount(np.ravel(level)).tolist()) == (
        (values == 1).sum(),
        np.bincount(values.ravel()).tolist(),
    )
    np.testing.assert_array_equal(level + level, values + values)
    np.testing.assert_array_equal(level[[3, 5]][:, [0, 2]], values[[3, 5]][:, [0, 2]])
    np.testing.assert_array_equal(level[values > 1], values[values > 1])
    assert np.asarray(level, dtype=np.int32).dtype == np.int32
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(level, copy=False)
    with pytest.raises(IndexError, match="300"):
        level[300]


def test_dask_takes_a_level_as_it_is() -> None:
    import dask.array as da

    values = blobs(2100, 1500)
    blocks = da.from_array(class_level(values, 1, "S1"), chunks=400)
    np.testing.assert_array_equal(blocks[100:900].compute(scheduler="threads"), halved(values)[100:900])


def test_a_slides_levels_are_those_of_the_opened_documents(run: NotebookRun) -> None:
    slide = run["disc"]
    documents = OpenedSlide(slide.layout, slide.result)
    for level in (0, 1, 4):
        np.testing.assert_array_equal(slide.class_map(level), documents.class_map(level))
    assert slide.class_map(10).shape == (1, 1)
    for level in (-1, 11):
        with pytest.raises(ResultError, match=f"level {level}"):
            slide.class_map(level)
