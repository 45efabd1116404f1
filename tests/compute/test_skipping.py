import numpy as np
import pytest
from plans import plan_of
from scipy.stats import beta

from wsi_area.compute.cut.grid import batches_to_measure, level_px_to_decode, tile_areas_l0_px, tile_at
from wsi_area.compute.cut.skipping import (
    binomial_upper_95,
    skip_glass,
    skipped_foreground_upper_bound_px,
    skipped_tiles_upper_bound,
)


def test_a_slide_full_of_tissue_is_read_whole() -> None:
    plan = skip_glass(plan_of((8000, 6000), tile_px=500), np.ones((600, 800), bool), 0.0)
    assert not plan.skipped
    assert not plan.glass_read


def test_a_speck_is_read_with_its_neighbours_and_the_rest_is_not() -> None:
    must_read = np.zeros((600, 800), bool)
    must_read[305, 405] = True  # level-0 (4050, 3050): tile row 6, col 8
    plan = skip_glass(plan_of((8000, 6000), tile_px=500), must_read, 100.0)
    read = set(range(plan.tile_count)) - plan.skipped
    assert 6 * 16 + 8 in read
    assert plan.glass_read < read
    # the speck is 50 px from the corner of its tile, nearer than the margin: the four tiles that meet there are read
    assert {6 * 16 + 8, 5 * 16 + 8, 6 * 16 + 7, 5 * 16 + 7} <= read
    assert plan.tile_count - len(plan.skipped) < 59 + 30  # the sample, and the ring


def test_an_empty_slide_is_still_audited() -> None:
    plan = skip_glass(plan_of((8000, 6000), tile_px=500), np.zeros((600, 800), bool), 100.0)
    assert len(plan.audited) == 59
    assert len(plan.skipped) == plan.tile_count - 59


def test_the_audit_is_the_same_for_the_same_slide() -> None:
    mask = np.zeros((600, 800), bool)
    plan = plan_of((8000, 6000), tile_px=500)
    assert skip_glass(plan, mask, 0.0) == skip_glass(plan, mask, 0.0)


def test_what_is_read_and_what_is_skipped_add_up_to_the_slide() -> None:
    rng = np.random.default_rng(1)
    mask = rng.random((60, 80)) < 0.01
    plan = skip_glass(plan_of((8001, 6007), tile_px=300), mask, 0.0)
    assert 0 < len(plan.skipped) < plan.tile_count
    areas = tile_areas_l0_px(plan).ravel()
    read = sum(int(areas[n]) for n in range(plan.tile_count) if n not in plan.skipped)
    assert read + sum(int(areas[n]) for n in plan.skipped) == 8001 * 6007
    assert level_px_to_decode(plan) == read  # the level that is read is level 0


@pytest.mark.parametrize("seed", range(5))
def test_no_tile_with_something_to_read_is_ever_skipped(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((61, 83)) < 0.003
    plan = skip_glass(plan_of((8001, 6007), tile_px=217), mask, 0.0)
    for y, x in zip(*np.nonzero(mask), strict=True):
        # the level-0 pixel in the middle of that overview pixel
        x_l0, y_l0 = (x + 0.5) * 8001 / 83, (y + 0.5) * 6007 / 61
        assert int(y_l0 // 217) * plan.grid_cols + int(x_l0 // 217) not in plan.skipped


def test_a_batch_that_holds_nothing_to_read_is_no_task() -> None:
    mask = np.zeros((600, 800), bool)
    mask[:20, :20] = True
    whole = plan_of((40000, 30000), tile_px=500)
    plan = skip_glass(whole, mask, 0.0)
    batches = batches_to_measure(plan)
    assert 0 in batches
    assert len(batches) <= len(batches_to_measure(whole))
    assert tile_at(plan, 0, 0) == tile_at(whole, 0, 0)


def test_few_bare_tiles_are_all_read() -> None:
    mask = np.zeros((600, 800), bool)
    mask[:, :600] = True
    plan = skip_glass(plan_of((8000, 6000), tile_px=500), mask, 0.0)
    assert 0 < len(plan.audited) < 59
    assert not plan.skipped


@pytest.mark.parametrize(("hits", "trials"), [(0, 59), (1, 59), (20, 59), (58, 59), (3, 500)])
def test_the_limit_of_a_share_is_that_of_scipy(hits: int, trials: int) -> None:
    assert binomial_upper_95(hits, trials) == pytest.approx(beta.ppf(0.95, hits + 1, trials - hits), rel=1e-8)


@pytest.mark.parametrize("affected", [0.01, 0.05, 0.3])
def test_the_bound_holds_in_95_of_100_slides_with_clustered_fragments(affected: float) -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(1000):
        # 2 000 bare tiles; some hold a fragment of up to one overview box, most hold nothing
        tiles = rng.integers(1, 1601, 2000) * (rng.random(2000) < affected)
        bound = skipped_foreground_upper_bound_px(1941, [int(n) for n in tiles[:59]], int(tiles[:59].max()), 1600)
        assert bound is not None
        held += bound >= tiles[59:].sum()
    assert held >= 950


@pytest.mark.parametrize("thin", [0, 1, 5, 20, 100, 400])
def test_the_bound_of_tiles_holds_for_few_and_many_thin_pieces_of_any_size(thin: int) -> None:
    # 700 bare tiles, of which so many hold something; how much is not asked for
    rng, held = np.random.default_rng(thin), 0
    for _ in range(2000):
        seen = int(rng.hypergeometric(thin, 700 - thin, 59))
        held += skipped_tiles_upper_bound(641, seen, 59) >= thin - seen
    assert held / 2000 >= 0.95


@pytest.mark.parametrize("thin", [1, 5, 20, 100, 400])
@pytest.mark.parametrize("most_px", [900, 1000, 20_000])
def test_the_bound_of_pixels_holds_for_thin_pieces_where_a_tile_that_was_read_holds_as_much(
    thin: int, most_px: int
) -> None:
    # the assumption of the bound: beside the sample, a tile next to tissue was read that holds the most there is
    rng, held = np.random.default_rng(thin), 0
    for _ in range(1000):
        tiles = np.zeros(700, np.int64)
        tiles[rng.choice(700, thin, replace=False)] = rng.integers(most_px // 2, most_px, thin)
        bound = skipped_foreground_upper_bound_px(641, tiles[:59].tolist(), most_px, 100)
        assert bound is not None
        held += bound >= tiles[59:].sum()
    assert held / 1000 >= 0.95


def test_the_bound_of_pixels_fails_where_its_assumption_does() -> None:
    # one tile of 700 holds 50 000 px, and nothing that was read holds any: what the bound says of itself
    bound = skipped_foreground_upper_bound_px(641, [0] * 59, 0, 100)
    assert bound == 32 * 100 < 50_000


def test_a_bound_is_never_rounded_down() -> None:
    assert skipped_foreground_upper_bound_px(1, [0] * 59, 0, 100) == 100


def test_what_was_seen_in_one_tile_may_be_in_every_affected_one() -> None:
    assert skipped_foreground_upper_bound_px(1000, [0] * 59, 700, 100) == 7 * 5000


def test_nothing_skipped_is_nothing_missed_and_nothing_checked_is_unknown() -> None:
    assert skipped_foreground_upper_bound_px(0, [], 0, 100) == 0
    assert skipped_foreground_upper_bound_px(10, [], 0, 100) is None
