"""Which pixels are learnt from and which are held out together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.training.sampling import Reservoir, gathered
from wsi_area.training.validation import fold_of_each

_GROUPS = st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=40)


@settings(max_examples=50, deadline=None)
@given(_GROUPS, st.integers(2, 6), st.integers(0, 99))
def test_a_group_is_never_split_over_folds(groups: list[str], folds: int, seed: int) -> None:
    found = fold_of_each(groups, folds, seed)
    if len(set(groups)) == 1:
        assert found is None
        return
    assert found is not None
    assert all(len({f for f, g in zip(found, groups, strict=True) if g == name}) == 1 for name in groups)
    assert set(found) == set(range(min(folds, len(set(groups)))))


def test_folds_are_about_equal_in_images() -> None:
    groups = [f"patient{n % 16}" for n in range(80)]
    found = fold_of_each(groups, 5, 3)
    assert found is not None
    counts = np.bincount(found)
    assert counts.max() - counts.min() <= 5  # one patient


def test_folds_repeat_with_their_seed_and_change_with_another() -> None:
    groups = list("abcdefghij")
    assert fold_of_each(groups, 5, 1) == fold_of_each(groups, 5, 1)
    assert fold_of_each(groups, 5, 1) != fold_of_each(groups, 5, 2)


def _filled(order: list[int], capacity: int) -> Reservoir:
    """A reservoir offered four blocks of 50 pixels, whose one feature is the pixel's own number."""
    reservoir = Reservoir(capacity, 1)
    for block in order:
        keys = np.random.default_rng(block).random(50)
        numbers = np.arange(50 * block, 50 * block + 50, dtype=np.float32)[:, None]
        chosen = reservoir.worth_computing(keys)
        reservoir.take(keys[chosen], numbers[chosen])
    return reservoir


def test_the_same_pixels_are_kept_whatever_the_order_of_the_blocks() -> None:
    one, other = _filled([0, 1, 2, 3], 30), _filled([2, 0, 3, 1], 30)
    assert np.array_equal(one.rows, other.rows)
    assert (len(one.rows), one.seen_px) == (30, 200)


def test_each_pixel_is_as_likely_to_be_kept_as_any_other() -> None:
    kept = np.zeros(200)
    for seed in range(400):
        reservoir = Reservoir(20, 1)
        rng = np.random.default_rng(seed)
        for block in range(4):
            keys, numbers = rng.random(50), np.arange(50.0 * block, 50.0 * block + 50, dtype=np.float32)[:, None]
            chosen = reservoir.worth_computing(keys)
            reservoir.take(keys[chosen], numbers[chosen])
        kept[reservoir.rows[:, 0].astype(int)] += 1
    assert kept.sum() == 400 * 20
    assert kept.reshape(4, 50).sum(axis=1) == pytest.approx(2000, rel=0.1)  # no block is favoured


def test_fewer_pixels_than_there_is_room_for_are_all_kept() -> None:
    assert sorted(_filled([0, 1], 500).rows[:, 0].tolist()) == list(range(100))


def _two_classes() -> dict[tuple[int, int], Reservoir]:
    rare, common = Reservoir(10, 1), Reservoir(10, 1)
    for reservoir, count in ((rare, 20), (common, 180)):
        keys = np.random.default_rng(count).random(count)
        chosen = reservoir.worth_computing(keys)
        reservoir.take(keys[chosen], np.zeros((len(chosen), 1), np.float32))
    return {(0, 1): rare, (0, 2): common}


def test_weights_give_each_class_the_share_it_has_among_the_labelled_pixels() -> None:
    sampled = gathered(_two_classes(), equal_priors=False)
    assert sampled.weights[sampled.classes == 1].sum() / sampled.weights.sum() == pytest.approx(0.1)
    assert sampled.weights.mean() == pytest.approx(1)


def test_equal_priors_give_each_class_the_same_share() -> None:
    sampled = gathered(_two_classes(), equal_priors=True)
    assert sampled.weights[sampled.classes == 1].sum() / sampled.weights.sum() == pytest.approx(0.5)


def test_pixels_of_other_images_are_left_behind() -> None:
    reservoirs = {**_two_classes(), **{(1, c): r for (_, c), r in _two_classes().items()}}
    held = gathered(reservoirs, equal_priors=False).of_images([1])
    assert set(held.images.tolist()) == {1}
    assert held.weights.mean() == pytest.approx(1)
