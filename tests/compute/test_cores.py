"""Cores of a tissue microarray, painted where they are known to lie, are found, named and said to be whole or not."""

import numpy as np
import pytest
from painted_boxes import discs, grid_um, painted

from wsi_area.compute.sections.cores import Core, CoreGrid, CoreLimits, MapCore, find_cores, full_map, given_cores
from wsi_area.model.calibration import Mpp

SIZE_MM = (24.0, 20.0)
LIMITS = CoreLimits(1000.0, 50.0, 5.0)


def by_name(grid: CoreGrid) -> dict[str, Core]:
    return {core.name: core for core in grid.cores}


def assert_at(grid: CoreGrid, centres: np.ndarray, rows: int, columns: int, within_um: float) -> None:
    named = by_name(grid)
    for r in range(rows):
        for c in range(columns):
            core = named[f"{chr(65 + r)}{c + 1}"]
            assert np.hypot(core.x_um - centres[r, c, 0], core.y_um - centres[r, c, 1]) < within_um, core


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"turn_deg": 20.0},
        {"turn_deg": -20.0},
        {"turn_deg": 11.0, "shear": 0.1},
        {"shear": -0.15, "pitch_y": 1.3},
        {"jitter_um": 90.0, "turn_deg": -7.0},
        {"bend_um": 700.0},
        {"bend_um": -500.0, "turn_deg": 9.0, "jitter_um": 60.0},
    ],
)
def test_a_turned_sheared_or_bent_grid_has_each_core_at_its_place(form: dict[str, float]) -> None:
    centres = grid_um(6, 8, 1600, **form)
    grid = find_cores(painted(discs(centres.reshape(-1, 2), 480), SIZE_MM), full_map(6, 8), LIMITS)
    assert grid.doubt == ""
    assert {core.status for core in grid.cores} == {"complete"}
    assert len(grid.cores) == 48
    assert_at(grid, centres, 6, 8, within_um=20)


@pytest.mark.parametrize("mpp", [Mpp(0.25, 0.5), Mpp(0.5, 0.25), Mpp(0.45, 0.55)])
def test_pixels_that_are_not_square_change_no_place(mpp: Mpp) -> None:
    centres = grid_um(5, 7, 1700, turn_deg=12.0)
    grid = find_cores(painted(discs(centres.reshape(-1, 2), 500), SIZE_MM, mpp), full_map(5, 7), LIMITS)
    assert grid.turn_deg == pytest.approx(12.0, abs=0.3)
    assert_at(grid, centres, 5, 7, within_um=25)


@pytest.mark.parametrize("share_missing", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_missing_cores_are_rows_at_their_place(share_missing: float, seed: int) -> None:
    centres = grid_um(7, 9, 1500, turn_deg=8.0, jitter_um=50.0, seed=seed)
    gone = np.random.default_rng(seed).random((7, 9)) < share_missing
    gone[[0, -1], [0, -1]] = False  # two corners say where the map lies
    grid = find_cores(painted(discs(centres[~gone], 450), SIZE_MM), full_map(7, 9), LIMITS)
    assert grid.doubt == ""
    missing = {core.name for core in grid.cores if core.status == "missing"}
    assert missing == {f"{chr(65 + r)}{c + 1}" for r, c in np.argwhere(gone)}
    assert len(grid.cores) == 63
    assert_at(grid, centres, 7, 9, within_um=220)


@pytest.mark.parametrize("left", ["half", "two thirds in two parts", "specks"])
def test_a_broken_core_keeps_its_name(left: str) -> None:
    centres = grid_um(4, 5, 1800, turn_deg=-6.0)
    whole, (cx, cy) = discs(np.delete(centres.reshape(-1, 2), 7, axis=0), 500), centres[1, 2]

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        core = (x - cx) ** 2 + (y - cy) ** 2 <= 500**2
        if left == "half":
            core &= x > cx + 40
        elif left == "specks":
            core &= (x - cx + 2 * (y - cy)) % 400 < 130
        else:
            core &= np.abs(y - cy) > 130
        return whole(x, y) | core

    grid = find_cores(painted(inside, SIZE_MM), full_map(4, 5), LIMITS)
    assert {core.name for core in grid.cores if core.status == "broken"} == {"B3"}
    assert len(grid.cores) == 20
    assert [core.status for core in grid.cores].count("complete") == 19


def test_two_cores_that_touch_are_two() -> None:
    centres = grid_um(3, 4, 1600)
    centres[1, 1, 0] += 310
    centres[1, 2, 0] -= 310
    grid = find_cores(painted(discs(centres.reshape(-1, 2), 500), SIZE_MM), full_map(3, 4), LIMITS)
    assert [core.status for core in grid.cores] == ["complete"] * 12
    assert_at(grid, centres, 3, 4, within_um=60)


def test_where_a_whole_edge_row_is_missing_no_core_has_a_name() -> None:
    centres = grid_um(5, 6, 1700)[1:]  # four rows, and the map has five
    grid = find_cores(painted(discs(centres.reshape(-1, 2), 500), SIZE_MM), full_map(5, 6), LIMITS)
    assert "in 2 ways" in grid.doubt
    assert {core.status for core in grid.cores} == {"unplaced"}
    assert len(grid.cores) == 24


def holes_map(rows: int, columns: int, empty: set[tuple[int, int]]) -> tuple[MapCore, ...]:
    return tuple(core for core in full_map(rows, columns) if (core.row, core.column) not in empty)


def test_a_map_with_empty_places_says_where_it_lies_though_an_edge_row_is_missing() -> None:
    empty = {(2, 3), (3, 5), (4, 1)}
    wanted = holes_map(5, 6, empty)
    centres = grid_um(5, 6, 1700)
    there = [centres[core.row - 1, core.column - 1] for core in wanted if core.row > 1]
    grid = find_cores(painted(discs(there, 500), SIZE_MM), wanted, LIMITS)
    assert grid.doubt == ""
    assert {core.name for core in grid.cores if core.status == "missing"} == {f"A{c}" for c in range(1, 7)}


def test_a_slide_that_lies_the_other_way_round_is_doubted() -> None:
    empty = {(1, 2), (1, 3), (4, 1)}
    centres = grid_um(4, 5, 1700)
    there = [centres[4 - core.row, 5 - core.column] for core in holes_map(4, 5, empty)]
    grid = find_cores(painted(discs(there, 500), SIZE_MM), holes_map(4, 5, empty), LIMITS)
    assert "turned by 180° it would be 17" in grid.doubt


def test_a_map_whose_place_rests_on_one_core_is_doubted() -> None:
    centres = grid_um(5, 6, 1700)
    there = [*centres[1:].reshape(-1, 2), centres[0, 2]]  # of the first row one core alone is left
    grid = find_cores(painted(discs(there, 500), SIZE_MM), full_map(5, 6), LIMITS)
    assert "rests on one core" in grid.doubt
    assert by_name(grid)["A3"].status == "complete"


def test_an_array_of_two_sectors_with_a_gap_between_them_is_doubted() -> None:
    centres = grid_um(4, 8, 1500)
    centres[:, 4:, 0] += 750
    grid = find_cores(painted(discs(centres.reshape(-1, 2), 450), SIZE_MM), full_map(4, 8), LIMITS)
    assert grid.doubt != ""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ragged_rows_keep_their_columns(seed: int) -> None:
    centres = grid_um(6, 7, 1600)
    centres[..., 0] += np.random.default_rng(seed).uniform(-250, 250, (6, 1))
    grid = find_cores(painted(discs(centres.reshape(-1, 2), 450), SIZE_MM), full_map(6, 7), LIMITS)
    assert grid.doubt == ""
    assert_at(grid, centres, 6, 7, within_um=20)


def test_a_core_that_the_map_lacks_is_a_row_of_its_own() -> None:
    centres = grid_um(4, 5, 1700)
    extra = [*centres.reshape(-1, 2), centres[3, 4] + np.array([2900.0, 800.0])]
    grid = find_cores(painted(discs(extra, 500), SIZE_MM), full_map(4, 5), LIMITS)
    assert [(core.name, core.status) for core in grid.cores if core.status != "complete"] == [("extra 1", "extra")]


def test_without_a_map_rows_and_columns_are_those_found() -> None:
    centres = grid_um(4, 6, 1700, turn_deg=5.0)
    grid = find_cores(painted(discs(np.delete(centres.reshape(-1, 2), 9, axis=0), 500), SIZE_MM), (), LIMITS)
    assert len(grid.cores) == 24
    assert by_name(grid)["B4"].status == "missing"


def test_dust_between_the_cores_is_no_core() -> None:
    centres = grid_um(4, 5, 1800)
    cores, rng = discs(centres.reshape(-1, 2), 480), np.random.default_rng(3)
    dust = discs(np.column_stack([rng.uniform(500, 23_500, 150), rng.uniform(500, 19_500, 150)]), 45)
    grid = find_cores(painted(lambda x, y: cores(x, y) | dust(x, y), SIZE_MM), full_map(4, 5), LIMITS)
    assert [core.status for core in grid.cores] == ["complete"] * 20
    assert_at(grid, centres, 4, 5, within_um=60)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_cores_are_no_grid(count: int) -> None:
    grid = find_cores(painted(discs(grid_um(1, 3, 1700)[0, :count], 500), SIZE_MM), full_map(3, 3), LIMITS)
    assert f"{count} places" in grid.doubt
    assert [core.status for core in grid.cores] == ["unplaced"] * count


def test_given_centres_are_taken_as_they_are() -> None:
    centres = grid_um(2, 2, 2500)
    mpp = Mpp(0.25, 0.5)
    given = [
        MapCore(r + 1, c + 1, f"core {r} {c}", "", (centres[r, c, 0] / mpp.x, centres[r, c, 1] / mpp.y))
        for r in range(2)
        for c in range(2)
    ]
    grid = given_cores(painted(discs(centres.reshape(-1, 2)[:3], 500), SIZE_MM, mpp), given, LIMITS)
    assert [core.status for core in grid.cores] == ["complete"] * 3 + ["missing"]
    assert grid.cores[1].x_um == pytest.approx(centres[0, 1, 0])
    assert grid.cores[1].y_um == pytest.approx(centres[0, 1, 1])
