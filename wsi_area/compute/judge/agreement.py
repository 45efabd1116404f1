"""compute: how well a class map agrees with the truth: exact confusion counts, what follows from them, how sure it is.

A confusion matrix is int64 (k, k): ``matrix[t, p]`` pixels are of class ``t`` in truth and of class ``p`` in the map.
Pixels are level-0 pixels wherever the weights of the work grid are given.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.judge.ratio_limits import ratio_limits
from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.errors import CountMismatchError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import ClassMap

Ints = NDArray[np.int64]

_CODES = 256
_ARGUMENTS = "uint8* uint8* int64 int64 int64* int64* int64*"
NATIVE = (Native("wsi_area.compute.judge.compiled_pairs", "weigh_pairs", _ARGUMENTS),)

MIN_CLUSTERS = 3
"""Fewer slides than this say nothing about how much slides differ."""

REPLICATES = 2000
Z_95 = 1.96


def confusion_matrix(
    truth: ClassMap, predicted: ClassMap, class_count: int, column_weights: Ints, row_weights: Ints
) -> Ints:
    """Return the pixels by true and by predicted class, int64 (class_count, class_count), exact.

    A pixel whose truth or prediction is no class (a code of ``class_count`` or more) is left out; the caller knows
    why it is none and counts it.

    Parameters
    ----------
    truth, predicted
        uint8 (h, w) of class ids.
    class_count
        How many classes there are, background included.
    column_weights, row_weights
        int64 (w,) and (h,): level-0 pixels that a column or a row stands for; a pixel counts their product.

    Raises
    ------
    CountMismatchError
        If the two maps and the weights are not of one shape.

    >>> ones = np.ones(2, np.int64)
    >>> truth, seen = np.array([[0, 1], [1, 255]], np.uint8), np.array([[0, 1], [0, 1]], np.uint8)
    >>> confusion_matrix(truth, seen, 2, ones * 4, ones).tolist()
    [[4, 0], [4, 4]]
    """
    return pair_counts(truth, predicted, column_weights, row_weights)[:class_count, :class_count]


def pair_counts(one: ClassMap, other: ClassMap, column_weights: Ints, row_weights: Ints) -> Ints:
    """Return the pixels by their codes in two pictures, int64 (256, 256), exact.

    Parameters
    ----------
    one, other
        uint8 (h, w) of any codes.
    column_weights, row_weights
        As of `confusion_matrix`.

    Raises
    ------
    CountMismatchError
        If the two pictures and the weights are not of one shape.

    >>> ones = np.ones(2, np.int64)
    >>> counts = pair_counts(np.full((2, 2), 7, np.uint8), np.array([[1, 1], [1, 255]], np.uint8), ones * 4, ones)
    >>> counts[7, 1], counts[7, 255], counts.sum()
    (np.int64(12), np.int64(4), np.int64(16))
    """
    shape = (len(row_weights), len(column_weights))
    if one.shape != shape or other.shape != shape:
        raise CountMismatchError(
            f"truth is {one.shape}, the class map {other.shape}, their grid {shape}; give both on one grid"
        )
    counts = np.zeros((_CODES, _CODES), np.int64)
    pictures = [np.ascontiguousarray(picture, np.uint8) for picture in (one, other)]
    weights = [np.ascontiguousarray(weight, np.int64) for weight in (column_weights, row_weights)]
    add = native_function(*NATIVE[0])
    add(*map(address_of, pictures), *shape, *map(address_of, weights), address_of(counts))
    return counts


@frozen_value
class ClassAgreement:
    """One class: its pixels in truth, in the map and in both; every ratio is None where it is 0/0 or x/0."""

    truth_px: int
    predicted_px: int
    common_px: int

    @property
    def dice(self) -> float | None:
        """Return 2·common / (truth + predicted) (Dice 1945).

        >>> ClassAgreement(60, 40, 30).dice
        0.6
        """
        return _ratio(2 * self.common_px, self.truth_px + self.predicted_px)

    @property
    def iou(self) -> float | None:
        """Return common / union (Jaccard 1912).

        >>> ClassAgreement(60, 40, 20).iou
        0.25
        """
        return _ratio(self.common_px, self.truth_px + self.predicted_px - self.common_px)

    @property
    def precision(self) -> float | None:
        """Return the share of the predicted pixels that are right.

        >>> ClassAgreement(60, 40, 30).precision
        0.75
        """
        return _ratio(self.common_px, self.predicted_px)

    @property
    def recall(self) -> float | None:
        """Return the share of the true pixels that are found.

        >>> ClassAgreement(60, 40, 30).recall
        0.5
        """
        return _ratio(self.common_px, self.truth_px)

    @property
    def area_ratio(self) -> float | None:
        """Return predicted / true area.

        >>> ClassAgreement(50, 40, 30).area_ratio
        0.8
        """
        return _ratio(self.predicted_px, self.truth_px)


RATIOS = ("dice", "iou", "precision", "recall", "area_ratio")
"""The properties of ``ClassAgreement`` that an interval can be given for."""


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def class_agreements(matrix: Ints) -> tuple[ClassAgreement, ...]:
    """Return the agreement of each class of a confusion matrix.

    >>> class_agreements(np.array([[5, 1], [2, 4]]))[1]
    ClassAgreement(truth_px=6, predicted_px=5, common_px=4)
    """
    truth, predicted, common = matrix.sum(axis=1), matrix.sum(axis=0), np.diagonal(matrix)
    return tuple(ClassAgreement(int(t), int(p), int(c)) for t, p, c in zip(truth, predicted, common, strict=True))


def kappa(matrix: Ints) -> float | None:
    """Return Cohen's kappa (Cohen 1960): agreement beyond what the margins give by chance; None where they allow none.

    >>> round(kappa(np.array([[20, 5], [10, 15]])), 3)
    0.4
    """
    total = int(matrix.sum())
    if not total:
        return None
    observed = int(np.trace(matrix)) / total
    margins = zip(matrix.sum(axis=1).tolist(), matrix.sum(axis=0).tolist(), strict=True)
    expected = sum(t * p for t, p in margins) / total**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


@frozen_value
class Intervals:
    """95 % intervals per class and ratio, or the reason why there are none."""

    by_class: tuple[dict[str, tuple[float, float] | None], ...] = ()  # keys: RATIOS
    clusters: int = 0
    reason: str = ""  # "" where there are intervals

    def of(self, class_id: int, ratio: str) -> tuple[float, float] | None:
        """Return the low and the high end, or None where there is none."""
        return self.by_class[class_id][ratio] if self.by_class else None


def cluster_intervals(matrices: Sequence[Ints], seed: int, replicates: int = REPLICATES) -> Intervals:
    """Return the intervals of ratios pooled over slides (or images, or patients).

    Pixels of one slide are no independent witnesses, so slides are what is drawn with replacement (cluster bootstrap;
    Davison and Hinkley 1997, 3.8), the pooled ratio for each draw, or left out in turn (`ratio_limits`). Of the two
    intervals the wider end counts: percentiles of a few slides are far too narrow.

    Parameters
    ----------
    matrices
        One confusion matrix for each slide.
    seed
        Of the draws.
    replicates
        How many draws.

    >>> cluster_intervals([np.eye(2, dtype=np.int64)] * 2, 0).reason
    'only 2 independent units; an interval needs 3'
    >>> cluster_intervals([np.eye(2, dtype=np.int64)] * 3, 0).of(1, "dice")
    (1.0, 1.0)
    """
    count = len(matrices)
    if count < MIN_CLUSTERS:
        unit = "unit" if count == 1 else "units"
        return Intervals((), count, f"only {count} independent {unit}; an interval needs {MIN_CLUSTERS}")
    stacked = np.stack(matrices)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=replicates)
    truth, predicted = (stacked.sum(axis=axis) for axis in (2, 1))
    common = np.diagonal(stacked, axis1=1, axis2=2)
    pairs = {
        "dice": (2 * common, truth + predicted),
        "iou": (common, truth + predicted - common),
        "precision": (common, predicted),
        "recall": (common, truth),
        "area_ratio": (predicted, truth),
    }
    by_class = tuple(
        {
            name: _wider(
                _percentiles(draws @ part[:, k], draws @ whole[:, k]),
                ratio_limits(part[:, k], whole[:, k], is_share=name != "area_ratio"),
            )
            for name, (part, whole) in pairs.items()
        }
        for k in range(stacked.shape[1])
    )
    return Intervals(by_class, count)


def _wider(first: tuple[float, float] | None, second: tuple[float, float] | None) -> tuple[float, float] | None:
    if first is None or second is None:
        return first
    return min(first[0], second[0]), max(first[1], second[1])


def _percentiles(part: Ints, whole: Ints) -> tuple[float, float] | None:
    """Return the 2.5 and 97.5 percentiles of the ratio; None where most draws leave it undefined."""
    defined = whole > 0
    if 2 * int(defined.sum()) <= len(whole):
        return None
    low, high = np.percentile(part[defined] / whole[defined], [2.5, 97.5])
    return float(low), float(high)
