"""One box: its runs, its parts, and what it tells its neighbours."""

import pickle

import numpy as np
import pytest
from class_map_cuts import SCHEME, TUMOUR, boxes_of, unit_edges
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.objects.components import Box, find_parts, summarise_foci
from wsi_area.compute.objects.part_columns import AREA, BEYOND_BOX
from wsi_area.compute.objects.run_lengths import background_runs, class_map_of, runs_of, tally_tiles
from wsi_area.model.calibration import Mpp

maps = st.tuples(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30)).map(
    lambda t: np.random.default_rng(t[0]).choice(np.array([0, 0, 1, 2, 3, 4, 253, 254, 255], np.uint8), t[1:])
)


def whole(class_map: NDArray[np.uint8]) -> Box:
    return boxes_of(class_map, 10**6, unit_edges(class_map))[0][1]


@settings(max_examples=40, deadline=None)
@given(maps)
def test_runs_give_back_the_map_they_came_from(class_map: NDArray[np.uint8]) -> None:
    assert np.array_equal(class_map_of(runs_of(class_map)), class_map)
    assert np.array_equal(class_map_of(runs_of(class_map.T)), class_map.T)  # a view that is not in one piece


@settings(max_examples=40, deadline=None)
@given(maps, st.integers(1, 31), st.integers(0, 2**32))
def test_a_tally_of_tiles_is_the_count_of_each_tile(class_map: NDArray[np.uint8], tile_px: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = class_map.shape
    columns, rows = random.integers(1, 6, width), random.integers(1, 6, height)
    x_edges, y_edges = 17 + np.append(0, np.cumsum(columns)), 5 + np.append(0, np.cumsum(rows))
    counts = tally_tiles(runs_of(class_map), tile_px, x_edges, y_edges)
    for i, y in enumerate(range(0, height, tile_px)):
        for j, x in enumerate(range(0, width, tile_px)):
            at = np.s_[y : y + tile_px, x : x + tile_px]
            expected = count_class_map(class_map[at], columns[at[1]], rows[at[0]], len(SCHEME.classes))
            found = counts[i, j]
            assert tuple(found[: len(SCHEME.classes)]) == expected.px_by_class
            assert (found[255], found[254], found[253]) == (
                expected.unscanned_px, expected.outside_roi_px, expected.unreadable_px,
            )  # fmt: skip
    assert counts.sum() == columns.sum() * rows.sum()


@settings(max_examples=40, deadline=None)
@given(maps)
def test_parts_are_those_of_an_independent_labelling_with_and_without_corners(class_map: NDArray[np.uint8]) -> None:
    kinds = np.zeros(256, np.uint8)
    kinds[list(TUMOUR)] = 1
    for reach, structure in ((1, np.ones((3, 3))), (0, None)):
        parts = find_parts(runs_of(class_map), whole(class_map), kinds, np.array([0, reach], np.uint8))
        numbered, count = ndimage.label(np.isin(class_map, TUMOUR), structure)
        assert parts.integers[:, AREA].tolist() == np.bincount(numbered.ravel(), minlength=count + 1)[1:].tolist()
        assert not parts.at_seam.any()


def test_a_box_of_background_is_described_without_looking_at_a_pixel() -> None:
    class_map = np.zeros((300, 200), np.uint8)
    box = Box(1, 1, 200, 300, np.arange(200, 401), np.arange(300, 601), (True, True, True, True))
    unseen, seen = (summarise_foci(r, box, TUMOUR, None) for r in (background_runs(300, 200), runs_of(class_map)))
    assert pickle.dumps(unseen) == pickle.dumps(seen)
    assert unseen.parts["area_px"].tolist() == [60_000]
    assert unseen.above.tolist() == [BEYOND_BOX]
    assert len(pickle.dumps(unseen)) < 4000


def test_what_a_task_sends_back_does_not_grow_with_the_area_of_its_foci() -> None:
    def sent_bytes(size_px: int) -> int:
        y, x = np.mgrid[:size_px, :size_px]
        class_map = np.where((x + y) % size_px < size_px // 2, 2, 0).astype(np.uint8)
        edges = np.arange(size_px + 1)
        box = Box(0, 0, 0, 0, edges, edges, (True, True, True, True))
        return len(pickle.dumps(summarise_foci(runs_of(class_map), box, TUMOUR, Mpp(0.5, 0.5))))

    assert sent_bytes(1600) < sent_bytes(400) + 500  # 16 times the area


def test_only_the_largest_foci_inside_a_box_are_sent_and_all_are_counted() -> None:
    class_map = np.zeros((50, 50), np.uint8)
    class_map[1:49:2, 1:49:2] = 2  # 576 specks
    class_map[31:34, 31:34] = 2
    found = summarise_foci(runs_of(class_map), whole(class_map), TUMOUR, None, kept_most=3)
    numbered, count = ndimage.label(class_map == 2, np.ones((3, 3)))
    sizes = np.bincount(numbered.ravel())[1:]
    assert (found.foci_count, found.foci_px) == (count, (class_map == 2).sum())
    assert found.foci["area_px"].tolist() == [sizes.max(), 1, 1]
    assert found.foci[["first_y", "first_x"]][1:].tolist() == [(1, 1), (1, 3)]


@pytest.mark.parametrize(("side", "where"), list(enumerate([(2, 0), (0, 2), (2, 4), (4, 2)])))
def test_a_part_reaches_a_seam_on_the_side_where_it_lies(side: int, where: tuple[int, int]) -> None:
    class_map = np.zeros((5, 5), np.uint8)
    class_map[where] = 2
    for seam in range(4):
        seams = tuple(n == seam for n in range(4))
        box = Box(0, 0, 0, 0, np.arange(6), np.arange(6), seams)  # type: ignore[arg-type]
        found = summarise_foci(runs_of(class_map), box, TUMOUR, None)
        assert (found.foci_count == 0) == (seam == side)
        assert found.foci_touching_border == (seam != side)
