from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import plan_of, slide_info

from wsi_area.compute.cut.grid import (
    batch_tiles_at,
    batches_to_measure,
    l0_edges_px,
    level_px_to_decode,
    read_near_edges,
    tile_at,
    work_edges_l0_px,
)
from wsi_area.compute.cut.planning import Tiling, auto_tile_px, choose_level, plan_slide, validate
from wsi_area.errors import MemoryBudgetError, MissingMppError, PlanError
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import Level

SIDE = st.integers(1, 3000)


@given(size0=st.integers(1, 10**6), ratio=st.floats(1, 70), factor=st.integers(1, 40))
def test_work_pixels_own_every_level_0_column_exactly_once(size0: int, ratio: float, factor: int) -> None:
    level = max(1, round(size0 / ratio))
    edges = l0_edges_px(size0, level, factor)
    assert edges[0] == 0
    assert edges[-1] == size0
    assert (np.diff(edges) >= 0).all()
    assert len(edges) - 1 == -(-level // factor)


def test_an_odd_pyramid_gives_each_level_pixel_the_columns_it_covers() -> None:
    # 2001 columns on 500: 499 of 4 and the rest where the remainder falls; by hand for the first and last
    widths = np.diff(l0_edges_px(2001, 500, 1))
    assert widths.sum() == 2001
    assert sorted(set(widths.tolist())) == [4, 5]
    assert (widths == 5).sum() == 1


def _painted(plan: SlidePlan) -> np.ndarray:
    seen = np.zeros((plan.work_size_px.height_px, plan.work_size_px.width_px), int)
    for row in range(plan.grid_rows):
        for col in range(plan.grid_cols):
            core = tile_at(plan, row, col).core_work_px
            seen[core.y_px : core.bottom_px, core.x_px : core.right_px] += 1
    return seen


@settings(max_examples=40, deadline=None)
@given(w=SIDE, h=SIDE, tile=st.integers(16, 900), work=st.floats(0.5, 9), halo=st.floats(0, 90))
def test_cores_partition_the_work_grid(w: int, h: int, tile: int, work: float, halo: float) -> None:
    plan = plan_of((w, h), work_mpp_um=work, tile_px=tile, halo_um=halo)
    assert (_painted(plan) == 1).all()


@settings(max_examples=40, deadline=None)
@given(w=SIDE, h=SIDE, tile=st.integers(16, 900), work=st.floats(0.5, 9))
def test_core_level_boxes_partition_the_level_that_is_read(w: int, h: int, tile: int, work: float) -> None:
    plan = plan_of((w, h), work_mpp_um=work, tile_px=tile)
    seen = np.zeros((h, w), int)
    for n in range(plan.tile_count):
        box = tile_at(plan, *divmod(n, plan.grid_cols)).core_level_px
        seen[box.y_px : box.bottom_px, box.x_px : box.right_px] += 1
    assert (seen == 1).all()


@settings(max_examples=40, deadline=None)
@given(w=SIDE, h=SIDE, tile=st.integers(16, 300))
def test_batches_hold_every_tile_once(w: int, h: int, tile: int) -> None:
    plan = plan_of((w, h), tile_px=tile)
    cells = [
        (r, c)
        for batch in range(plan.batch_rows * plan.batch_cols)
        for r in batch_tiles_at(plan, batch)[0]
        for c in batch_tiles_at(plan, batch)[1]
    ]
    assert sorted(cells) == [(r, c) for r in range(plan.grid_rows) for c in range(plan.grid_cols)]
    assert len(batches_to_measure(plan)) == plan.batch_rows * plan.batch_cols
    assert level_px_to_decode(plan) == w * h


def test_a_halo_is_whole_reduce_factors_wide_and_cut_at_the_edge() -> None:
    plan = plan_of((2000, 1000), work_mpp_um=2.0, tile_px=100, halo_um=10.0)  # factor 4, halo 5 work px
    assert (plan.reduce_factor, plan.halo_px) == (4, 5)
    corner, middle = tile_at(plan, 0, 0), tile_at(plan, 1, 2)
    assert (corner.read_level_px.x_px, corner.read_level_px.width_px) == (0, 420)
    assert (middle.read_level_px.x_px, middle.read_level_px.width_px) == (780, 440)
    assert tile_at(plan, plan.grid_rows - 1, 4).read_level_px.bottom_px == 1000


@pytest.mark.parametrize(
    ("asked", "level", "factor"),
    [
        (None, 0, 1),
        (0.25, 0, 1),
        (0.5, 0, 2),
        (0.9, 0, 3),
        (1.0, 1, 1),
        (1.9, 1, 1),
        (2.0, 1, 2),
        (4.0, 2, 1),
        (100.0, 2, 25),
        (0.1, 0, 1),
    ],
)
def test_the_nearest_finer_level_is_read_and_reduced_by_a_whole_factor(
    asked: float | None, level: int, factor: int
) -> None:
    info = slide_info((40000, 40000), (10000, 10000), (2500, 2500))
    assert choose_level(info, Mpp(0.25, 0.25), (0, 1, 2), asked) == (level, factor)


def test_a_level_that_must_not_be_used_is_passed_over() -> None:
    info = slide_info((40000, 40000), (10000, 10000), (2500, 2500))
    assert choose_level(info, Mpp(0.25, 0.25), (0, 2), 1.0) == (0, 4)


def test_the_coarser_axis_decides_so_that_no_axis_is_coarser_than_asked() -> None:
    info = slide_info((8000, 8000))
    assert choose_level(info, Mpp(0.25, 0.5), (0,), 1.0) == (0, 2)


def test_without_a_pixel_size_the_finest_level_is_counted_as_it_is() -> None:
    plan = plan_of((4000, 4000), (1000, 1000), mpp=None, work_mpp_um=2.0)
    assert (plan.level, plan.reduce_factor, plan.work_mpp) == (0, 1, None)


def test_a_20x_scan_at_0_2525_serves_as_half_a_micrometre() -> None:
    assert choose_level(slide_info((8000, 8000)), Mpp(0.2525, 0.2525), (0,), 0.5) == (0, 2)


def test_the_work_mpp_on_record_is_the_one_used_per_axis() -> None:
    plan = plan_of((2001, 1501), (500, 375), mpp=Mpp(0.5, 0.6), work_mpp_um=5.0)
    assert plan.level == 1
    assert plan.work_mpp is not None
    assert plan.work_mpp.x == pytest.approx(2 * 0.5 * 2001 / 500)
    assert plan.work_mpp.y == pytest.approx(2 * 0.6 * 1501 / 375)


@pytest.mark.parametrize(
    ("stored", "factor", "expected"),
    [
        (256, 1, 512),
        (240, 1, 480),
        (512, 1, 512),
        (256, 4, 512),
        (240, 7, 292),
        (4096, 1, 512),
        (1024, 1, 1024),
        (256, 8, 256),
    ],
)
def test_auto_tiles_never_cut_a_stored_tile_where_that_can_be_helped(stored: int, factor: int, expected: int) -> None:
    assert auto_tile_px(Level(0, Size(9000, 9000), 1.0, 1.0, Size(stored, stored)), factor) == expected


def plan_of_wide(size: Size, stored: Size, work_mpp_um: float | None = None) -> SlidePlan:
    """Return the plan of a slide of 0.25 µm/px with stored tiles of a size."""
    info = slide_info((size.width_px, size.height_px))
    info = replace(info, levels=(replace(info.levels[0], stored_tile_px=stored),))
    return plan_slide(info, Mpp(0.25, 0.25), (0,), Tiling(work_mpp_um=work_mpp_um))


def decoded_across(plan: SlidePlan, stored_px: int) -> int:
    """Return how many stored tiles are decoded along a row, counted pixel by pixel."""
    x = np.arange(plan.slide.size_l0_px.width_px)
    return len(
        np.unique(np.stack([x // stored_px, x // (plan.batch_tiles * plan.tile_px * plan.reduce_factor)]), axis=1)[0]
    )


@pytest.mark.parametrize("work_mpp_um", [0.25, 0.5, 1.0])
@pytest.mark.parametrize(("width_px", "stored_px"), [(20480, 2048), (24576, 1024), (40960, 4096), (100_352, 2048)])
def test_batches_end_where_wide_stored_tiles_do(width_px: int, stored_px: int, work_mpp_um: float) -> None:
    plan = plan_of_wide(Size(width_px, 10240), Size(stored_px, 8), work_mpp_um)
    assert decoded_across(plan, stored_px) == width_px // stored_px


@pytest.mark.parametrize(("width_px", "stored_px", "most"), [(3968, 3968, 1), (20480, 5120, 8), (8000, 8000, 2)])
def test_of_stored_tiles_wider_than_a_batch_as_few_as_can_be_are_decoded_twice(
    width_px: int, stored_px: int, most: int
) -> None:
    plan = plan_of_wide(Size(width_px, 4864), Size(stored_px, 8))
    assert decoded_across(plan, stored_px) == most
    assert plan.batch_tiles * plan.tile_px <= 4096  # a batch is no larger than ever


@pytest.mark.parametrize("work_mpp_um", [0.25, 0.5, 1.0])
@pytest.mark.parametrize(("width_px", "stored_px"), [(20480, 20480), (49152, 24576), (102_400, 102_400)])
def test_batches_over_one_stored_tile_are_two_tiles_high_where_they_are_many_and_a_row_of_tiles_fits_into_memory(
    width_px: int, stored_px: int, work_mpp_um: float
) -> None:
    plan = plan_of_wide(Size(width_px, 10240), Size(stored_px, 8), work_mpp_um)
    assert plan.batch_tiles == 2
    assert stored_px * plan.tile_px * plan.reduce_factor * 3 <= 96 << 20


@pytest.mark.parametrize("stored_px", [2048, 4096, 40960])
def test_what_is_kept_under_wide_stored_tiles_is_part_of_what_a_task_needs(stored_px: int) -> None:
    size = Size(40960, 512)
    wide, other = (plan_of_wide(size, Size(stored_px, height)) for height in (8, 4096))
    needs = [plan.projected_bytes_per_task - 3 * (plan.batch_tiles * plan.tile_px) * 512 for plan in (wide, other)]
    pixels = [4 * plan.tile_px**2 for plan in (wide, other)]
    beside = (needs[0] - pixels[0]) - (needs[1] - pixels[1])
    assert 2 * 3 * stored_px * wide.tile_px <= beside <= 192 << 20


@pytest.mark.parametrize("stored", [Size(256, 256), Size(512, 8), Size(4096, 4096), Size(240, 240)])
def test_batches_stay_as_they_are_where_stored_tiles_are_not_wide_and_low(stored: Size) -> None:
    size = Size(20480, 10240)
    px = round((20480 * 10240 / 24) ** 0.5)  # a batch is one of 24
    plan = plan_of_wide(size, stored)
    assert plan.batch_tiles == round(px / plan.tile_px)


def test_equal_cuts_have_equal_fingerprints_and_others_do_not() -> None:
    a, b = plan_of((4000, 4000)), plan_of((4000, 4000))
    assert a.fingerprint == b.fingerprint
    others = [plan_of((4000, 4000), tile_px=256), plan_of((4000, 4000), work_mpp_um=1.0)]
    assert len({a.fingerprint, *(o.fingerprint for o in others)}) == 3


def test_a_task_that_would_not_fit_is_refused_with_the_figures() -> None:
    plan = plan_of((40000, 40000), tile_px=4096)
    validate(plan, plan.projected_bytes_per_task)
    with pytest.raises(MemoryBudgetError, match=r"made-up: one task needs about \d+ MiB .* may use 10 MiB"):
        validate(plan, 10 << 20)


@pytest.mark.parametrize("size", [(0, 100), (100, 0), (2**31, 2**31)])
def test_a_header_that_claims_an_impossible_size_is_refused(size: tuple[int, int]) -> None:
    info = slide_info((1, 1))
    broken = type(info)(
        info.slide_id, info.path, info.vendor, Size(*size), info.levels, info.fingerprint, info.file_bytes, 1
    )
    with pytest.raises(PlanError, match="header claims"):
        plan_slide(broken, None, (0,), Tiling())


def test_a_tile_size_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(PlanError, match=r"tiling\.tile_px is 3"):
        plan_of((100, 100), tile_px=3)


def test_a_halo_needs_a_pixel_size() -> None:
    with pytest.raises(MissingMppError, match="--mpp"):
        plan_of((100, 100), mpp=None, halo_um=3.0)


@given(
    w=st.integers(1, 3000),
    h=st.integers(1, 3000),
    tile=st.sampled_from([64, 256, 700]),
    stored=st.sampled_from([64, 240, 512]),
    is_stated=st.booleans(),
    halo=st.sampled_from([0.0, 40.0]),
    seed=st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_no_stored_tile_of_an_edge_that_a_run_reads_is_overlooked(
    w: int, h: int, tile: int, stored: int, is_stated: bool, halo: float, seed: int
) -> None:
    info = slide_info((w, h), stored_tile_px=stored if is_stated else None)
    plan = plan_slide(info, Mpp(0.5, 0.5), [0], Tiling(0.5, tile, halo))
    chance = np.random.default_rng(seed)
    plan = replace(plan, skipped=frozenset(np.flatnonzero(chance.random(plan.tile_count) < 0.5).tolist()))

    def edge_tiles(regions: Iterable[Region]) -> set[tuple[int, int]]:
        touched = np.zeros((-(-h // stored), -(-w // stored)), bool)
        for box in regions:
            rows, cols = np.arange(box.y_px, box.bottom_px) // stored, np.arange(box.x_px, box.right_px) // stored
            touched[np.ix_(np.unique(rows), np.unique(cols))] = True
        touched[1:-1, 1:-1] = False
        return set(zip(*(axis.tolist() for axis in np.nonzero(touched)), strict=True))

    everything = [
        tile_at(plan, r, c).read_level_px
        for r in range(plan.grid_rows)
        for c in range(plan.grid_cols)
        if plan.is_read(r * plan.grid_cols + c)
    ]
    assert edge_tiles(read_near_edges(plan)) == edge_tiles(everything)


def test_work_edges_reach_from_the_first_to_the_last_level_0_pixel() -> None:
    plan = plan_of((2001, 1501), (500, 375), mpp=Mpp(0.25, 0.25), work_mpp_um=3.0)
    edges_x, edges_y = work_edges_l0_px(plan)
    assert plan.reduce_factor == 3
    assert (edges_x[-1], edges_y[-1]) == (2001, 1501)
    assert len(edges_x) == plan.work_size_px.width_px + 1
