"""Agreement of a class map with the truth: exact counts, ratios, intervals, error-adjusted areas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score, jaccard_score
from sklearn.metrics import confusion_matrix as sklearn_confusion

from wsi_area.compute.judge.agreement import (
    ClassAgreement,
    class_agreements,
    cluster_intervals,
    confusion_matrix,
    kappa,
    pair_counts,
)
from wsi_area.errors import CountMismatchError


def _maps(seed: int, shape: tuple[int, int] = (37, 53), classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, shape, np.uint8)
    predicted = np.where(rng.random(shape) < 0.6, truth, rng.integers(0, classes, shape, np.uint8)).astype(np.uint8)
    return truth, predicted


def _ones(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return np.ones(shape[1], np.int64), np.ones(shape[0], np.int64)


def test_the_matrix_is_scikit_learns() -> None:
    truth, predicted = _maps(1)
    ours = confusion_matrix(truth, predicted, 4, *_ones(truth.shape))
    assert np.array_equal(ours, sklearn_confusion(truth.ravel(), predicted.ravel()))


def test_ratios_are_scikit_learns() -> None:
    truth, predicted = _maps(2)
    matrix = confusion_matrix(truth, predicted, 4, *_ones(truth.shape))
    agreements = class_agreements(matrix)
    flat = truth.ravel(), predicted.ravel()
    assert [a.dice for a in agreements] == pytest.approx(f1_score(*flat, average=None), rel=1e-12)
    assert [a.iou for a in agreements] == pytest.approx(jaccard_score(*flat, average=None), rel=1e-12)
    assert kappa(matrix) == pytest.approx(cohen_kappa_score(*flat), rel=1e-12)


def test_a_work_pixel_counts_as_the_level_0_pixels_it_stands_for() -> None:
    truth, predicted = _maps(3, (5, 7))
    widths, heights = np.array([4, 4, 4, 4, 4, 4, 3]), np.array([2, 3, 2, 3, 1])
    full_truth, full_predicted = (np.repeat(np.repeat(m, heights, 0), widths, 1) for m in (truth, predicted))
    expected = confusion_matrix(full_truth, full_predicted, 4, *_ones(full_truth.shape))
    assert np.array_equal(confusion_matrix(truth, predicted, 4, widths, heights), expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 36))
def test_parts_of_a_map_add_up_to_the_whole(seed: int, cut: int) -> None:
    truth, predicted = _maps(seed)
    columns, rows = _ones(truth.shape)
    whole = confusion_matrix(truth, predicted, 4, columns, rows)
    upper = confusion_matrix(truth[:cut], predicted[:cut], 4, columns, rows[:cut])
    lower = confusion_matrix(truth[cut:], predicted[cut:], 4, columns, rows[cut:])
    assert np.array_equal(whole, upper + lower)
    assert whole.sum() == truth.size


def test_reserved_codes_on_either_side_are_left_out() -> None:
    truth = np.array([[1, 1, 255, 0]], np.uint8)
    predicted = np.array([[1, 254, 1, 253]], np.uint8)
    assert confusion_matrix(truth, predicted, 2, *_ones((1, 4))).tolist() == [[0, 0], [0, 1]]


def test_every_pair_of_codes_is_counted_by_itself() -> None:
    one, other = np.divmod(np.arange(65536, dtype=np.int64).reshape(256, 256), 256)
    weights = np.arange(1, 257)
    counts = pair_counts(one.astype(np.uint8), other.astype(np.uint8), weights, weights * 1000)
    assert np.array_equal(counts, 1000 * np.outer(weights, weights))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6), st.integers(0, 9))
def test_pairs_are_counted_in_parts_of_larger_pictures_too(seed: int, step: int, left: int) -> None:
    one, other = (picture[:, left::step] for picture in _maps(seed, classes=250))
    widths = np.random.default_rng(seed).integers(1, 5, one.shape[1])
    counts = pair_counts(one, other, widths, np.full(len(one), 3))
    assert counts[:250, :250].sum() == counts.sum() == 3 * len(one) * widths.sum()
    for value in (0, 7, 249):
        assert counts[value].sum() == 3 * (widths * (one == value)).sum()
        assert counts[:, value].sum() == 3 * (widths * (other == value)).sum()
        assert counts[value, value] == 3 * (widths * ((one == value) & (other == value))).sum()


def test_counts_beyond_32_bits_stay_exact() -> None:
    one = np.ones((1, 1), np.uint8)
    weight = np.array([3_000_000_001])
    assert confusion_matrix(one, one, 2, weight, np.array([3]))[1, 1] == 9_000_000_003


def test_maps_of_different_shapes_are_refused() -> None:
    truth, predicted = _maps(4)
    with pytest.raises(CountMismatchError, match="one grid"):
        confusion_matrix(truth, predicted[:-1], 4, *_ones(truth.shape))


def test_a_class_that_is_nowhere_has_no_ratio_and_not_0() -> None:
    absent = ClassAgreement(0, 0, 0)
    assert (absent.dice, absent.iou, absent.precision, absent.recall, absent.area_ratio) == (None,) * 5
    assert ClassAgreement(0, 5, 0).area_ratio is None
    assert ClassAgreement(0, 5, 0).dice == 0


def test_kappa_of_nothing_and_of_one_class_is_unknown() -> None:
    assert kappa(np.zeros((2, 2), np.int64)) is None
    assert kappa(np.array([[7, 0], [0, 0]])) is None


def test_fewer_than_three_slides_give_no_interval_and_say_why() -> None:
    none = cluster_intervals([np.eye(2, dtype=np.int64)], 0)
    assert none.of(1, "dice") is None
    assert none.reason == "only 1 independent unit; an interval needs 3"


def test_intervals_repeat_with_their_seed() -> None:
    rng = np.random.default_rng(5)
    matrices = [rng.integers(1, 100, (2, 2)) for _ in range(8)]
    assert cluster_intervals(matrices, 1) == cluster_intervals(matrices, 1)


def test_95_percent_intervals_cover_the_truth_about_95_times_in_100() -> None:
    # slides whose recall is spread round 0.7; the pooled recall of infinitely many is 0.7
    rng = np.random.default_rng(6)
    covered = 0
    for trial in range(200):
        found = np.round(1000 * rng.beta(14, 6, size=30)).astype(int)
        matrices = [np.array([[1000, 0], [1000 - f, f]]) for f in found]
        low, high = cluster_intervals(matrices, trial, replicates=400).of(1, "recall") or (1, 0)
        covered += low <= 0.7 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_class_in_one_slide_of_many_has_no_interval_where_most_draws_miss_it() -> None:
    without, with_it = np.diag([9, 0]), np.diag([9, 3])
    assert cluster_intervals([without, without, without, with_it], 0).of(1, "dice") == (1.0, 1.0)
    assert cluster_intervals([without] * 3, 0).of(1, "dice") is None
