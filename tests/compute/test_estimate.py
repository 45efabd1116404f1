"""Totals from drawn spots: held against populations that are known to the pixel, and against what was measured."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plans import plan_of, slide_info

from wsi_area.compute.cut.decoding import decoded_level_px
from wsi_area.compute.cut.planning import Tiling, plan_slide
from wsi_area.compute.cut.spots import as_spots, spot_work_px
from wsi_area.compute.estimate.estimator import totals_of, weights_of
from wsi_area.compute.estimate.frame import SpotFrame, random_numbers
from wsi_area.compute.estimate.rounds import first_sample, is_exact, next_sample
from wsi_area.compute.estimate.slide_frame import Quantity, slide_frame
from wsi_area.compute.estimate.strata import BARE, KINDS, cells_of, hilbert_place, kinds_of
from wsi_area.compute.estimate.whole_counts import shared_out
from wsi_area.errors import MissingMppError
from wsi_area.model.calibration import Mpp

AREA = 100
TISSUE = Quantity("total", "tissue", (1,))


def population(seed: int, rows: int = 60, cols: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Spots of a smooth field, float64 (rows, cols, 2) each: what they hold, and what a rough look says of them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :cols]
    field = sum(np.cos(rng.uniform(0.03, 0.15) * (x * np.cos(a) + y * np.sin(a)) + a) for a in rng.uniform(0, 6, 5))
    share = np.clip(0.5 + field, 0, 1)
    look = np.clip(share + 0.1 * rng.normal(size=share.shape) * (share > 0) * (share < 1), 0, 1)
    held = np.round(AREA * share)
    return np.stack([AREA - held, held], axis=2), np.stack([1 - look, look], axis=2)


def frame_of(held: np.ndarray, look: np.ndarray | None, seed: int = 1, bare: np.ndarray | None = None) -> SpotFrame:
    live = np.ones(held.shape[:2], bool)
    areas = np.full(live.shape, AREA, np.int64)
    return slide_frame(live, np.zeros_like(live) if bare is None else bare, areas, look, TISSUE, seed, 0.01)


@pytest.mark.parametrize("has_look", [True, False])
def test_a_sample_of_every_spot_has_no_error_and_no_width(has_look: bool) -> None:
    held, look = population(3)
    frame = frame_of(held, look if has_look else None)
    everything = np.arange(len(frame))
    totals = totals_of(frame, everything, held.reshape(-1, 2))
    assert totals.estimate_px == pytest.approx(held.sum(axis=(0, 1)), rel=1e-9)
    assert totals.half_width_px == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_weights_bring_what_is_known_of_the_drawn_to_what_is_known_of_all(seed: int) -> None:
    held, look = population(seed)
    sample = first_sample(frame_of(held, look, seed), has_look=True)
    weights = weights_of(sample.frame, sample.drawn)
    known = sample.frame.known_px
    assert weights @ known[sample.drawn] == pytest.approx(known.sum(axis=0), rel=1e-9)


def test_where_the_look_is_right_the_estimate_is_right_whatever_is_drawn() -> None:
    held, _ = population(5)
    frame = frame_of(held, held / AREA)
    for seed in range(5):
        drawn = replace(frame, number=random_numbers(seed, frame.place))
        sample = first_sample(drawn, has_look=True)
        totals = totals_of(drawn, sample.drawn, held.reshape(-1, 2)[sample.drawn])
        assert totals.estimate_px[1] == pytest.approx(held[..., 1].sum(), rel=1e-9)
        assert totals.half_width_px[1] > 0  # what was not drawn may be otherwise


@pytest.mark.parametrize("has_look", [True, False])
def test_a_larger_sample_holds_every_spot_of_the_smaller_one(has_look: bool) -> None:
    held, look = population(7)
    sample = first_sample(frame_of(held, look if has_look else None), has_look=has_look)
    for _ in range(5):
        totals = totals_of(sample.frame, sample.drawn, held.reshape(-1, 2)[sample.drawn])
        larger = next_sample(sample, totals, 1, 0.01, lambda _: True)
        assert larger is not None
        assert set(sample.drawn) < set(larger.drawn)
        sample = larger


def test_estimates_of_many_seeds_scatter_round_the_truth_as_their_intervals_say() -> None:
    held, look = population(11)
    true, frame = held[..., 1].sum(), frame_of(held, look)
    errors, holds = [], 0
    for seed in range(400):
        drawn = replace(frame, number=random_numbers(seed, frame.place))
        sample = first_sample(drawn, has_look=True)
        totals = totals_of(drawn, sample.drawn, held.reshape(-1, 2)[sample.drawn])
        errors.append(totals.estimate_px[1] - true)
        holds += bool(totals.low_px[1] <= true <= totals.high_px[1])
    assert abs(np.mean(errors)) < 3 * np.std(errors) / 20 + 1e-3 * true  # 20 = √400
    assert holds >= 0.94 * 400


def test_what_the_overview_did_not_show_is_in_the_estimate_and_in_its_interval() -> None:
    held, look = population(13)
    bare = np.zeros(held.shape[:2], bool)
    bare[:, :40] = True
    held[:, :40], look[:, :40] = [AREA - 1, 1], [1, 0]  # a hundredth of each spot that looks bare
    frame = frame_of(held, look, bare=bare)
    assert (frame.group == BARE).sum() == bare.sum()
    sample = first_sample(frame, has_look=True)
    totals = totals_of(frame, sample.drawn, held.reshape(-1, 2)[sample.drawn])
    assert totals.low_px[1] <= held[..., 1].sum() <= totals.high_px[1]


def test_spots_beside_what_is_sought_are_of_another_kind_than_those_far_from_it() -> None:
    shares = np.zeros((9, 9, 3))
    shares[..., 0] = 1
    shares[4:7, 4:7] = [0, 1, 0]
    shares[5, 4] = [0.5, 0.5, 0]
    shares[0, 0] = [0, 0, 1]
    kinds = kinds_of(shares, np.array([False, True, False]))
    named = [KINDS.index(text) for text in ("nothing, and one class all round", "nothing, and other classes meet")]
    assert [kinds[1, 4], kinds[0, 1]] == named
    assert kinds[3, 4] == KINDS.index("nothing, beside some")
    assert kinds[5, 4] == KINDS.index("some")
    assert kinds[4, 6] == KINDS.index("all, beside some that is not")
    assert kinds_of(np.ones((3, 3, 1)), np.array([True]))[1, 1] == KINDS.index("all, and all round")


@pytest.mark.parametrize(("count", "larger"), [(4, 6), (6, 8), (64, 96), (96, 128)])
def test_each_cell_of_more_cells_lies_in_one_of_fewer(count: int, larger: int) -> None:
    place = np.argwhere(np.ones((37, 53), bool))
    few, many = cells_of(place, count), cells_of(place, larger)
    assert len(np.unique(few)) == count
    assert len(np.unique(many)) == larger
    assert all(len(np.unique(few[many == cell])) == 1 for cell in range(larger))
    sizes = np.bincount(few)
    assert sizes.max() <= 2.1 * sizes.min()


def test_the_curve_goes_from_each_spot_to_one_beside_it() -> None:
    place = np.argwhere(np.ones((16, 16), bool))
    order = place[np.argsort(hilbert_place(place))]
    assert (np.abs(np.diff(order, axis=0)).sum(axis=1) == 1).all()


def test_random_numbers_hang_on_seed_and_place_alone_and_never_change() -> None:
    place = np.array([[0, 0], [0, 1], [1, 0], [70_000, 3]])
    assert random_numbers(1, place).tolist() == random_numbers(1, place[::-1]).tolist()[::-1]
    assert random_numbers(1, place).tolist() != random_numbers(2, place).tolist()
    # a number on paper is found again from its seed by every later version
    assert [hex(int(n)) for n in random_numbers(7, place[:2])] == PINNED
    many = random_numbers(3, np.argwhere(np.ones((300, 300), bool))) / 2.0**64
    assert abs(many.mean() - 0.5) < 0.005
    assert np.histogram(many, 10)[0].std() < 250


PINNED = ["0x9c01479161bc5d78", "0xf69e37ef143706e0"]


@pytest.mark.parametrize("total", [10, 1000, 12_345])
def test_whole_numbers_are_shared_out_to_the_last_and_none_is_below_what_was_counted(total: int) -> None:
    rng = np.random.default_rng(total)
    for _ in range(50):
        least = rng.multinomial(total // 3, [0.2, 0.3, 0.5])
        found = shared_out(rng.normal(total / 3, total / 3, 3), least, total)
        assert sum(found) == total
        assert (np.array(found) >= least).all()


def test_nothing_is_exact_where_nothing_was_asked() -> None:
    held, look = population(17)
    sample = first_sample(frame_of(held, look), has_look=True)
    totals = totals_of(sample.frame, sample.drawn, held.reshape(-1, 2)[sample.drawn])
    assert not is_exact(totals, 1, None)
    assert is_exact(totals, 1, 50.0)
    assert not is_exact(totals, 1, 1e-6)


def test_every_measured_coverage_of_an_estimate_is_at_least_94_of_100(request: pytest.FixtureRequest) -> None:
    page: Path = request.config.rootpath / "docs" / "uncertainty.md"
    text = (
        page.read_text(encoding="utf-8").partition("<!-- coverage: spot estimates -->")[2].partition("<!-- end -->")[0]
    )
    rows = [line.split("|") for line in text.splitlines() if re.search(r"\| ± \d", line)]
    assert len(rows) >= 18
    for row in rows:
        assert float(row[5].strip(" %")) >= 94, row
        assert float(row[6].strip(" %")) >= 94, row


@pytest.mark.parametrize("mpp_um", [0.2, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("stored_px", [64, 240, 256, 4096, None])
def test_spots_are_the_same_for_every_tile_size_and_whole_stored_tiles_where_these_are_small(
    mpp_um: float, stored_px: int | None
) -> None:
    info = slide_info((8000, 6000), stored_tile_px=stored_px)
    plans = [plan_slide(info, Mpp(mpp_um, mpp_um), [0], Tiling(None, tile_px)) for tile_px in (128, 512, 1000)]
    spots = [as_spots(plan, "auto") for plan in plans]
    assert len({plan.fingerprint for plan in spots}) == 1
    edge_um = spots[0].tile_px * mpp_um
    assert 60 <= edge_um <= 200
    if stored_px is not None and stored_px * mpp_um <= 200:
        assert spots[0].tile_px % stored_px == 0
    assert spot_work_px(plans[0], 40.0) == max(16, round(40 / mpp_um))


def test_an_estimate_without_a_pixel_size_is_refused() -> None:
    with pytest.raises(MissingMppError, match="no pixel size is known"):
        as_spots(plan_of((4000, 3000), mpp=None), "auto")


def test_what_is_decoded_is_every_stored_tile_that_is_touched_once_and_whole() -> None:
    plan = plan_of((1000, 700), tile_px=100)  # stored tiles of 256 px, cut at the right and at the bottom
    assert decoded_level_px(plan, [0]) == 256 * 256
    assert decoded_level_px(plan, [0, 1, 10]) == 256 * 256  # the same stored tile
    assert decoded_level_px(plan, [2]) == 2 * 256 * 256  # from 200 to 300: two of them
    assert decoded_level_px(plan, [69]) == (1000 - 768) * (700 - 512)
    assert decoded_level_px(plan, range(70)) == 1000 * 700
