"""compute: whether stated probabilities come true: reliability bins, which add up over slides."""

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value

RELIABILITY_BINS = 10


@frozen_value
class Reliability:
    """Stated probabilities of one class in bins of equal width, and how often they came true; they add up."""

    n_px: tuple[int, ...] = (0,) * RELIABILITY_BINS
    hits_px: tuple[int, ...] = (0,) * RELIABILITY_BINS  # of these, how many are of the class
    probability_sum: tuple[float, ...] = field(default=(0.0,) * RELIABILITY_BINS)

    def __add__(self, other: "Reliability") -> "Reliability":
        """Return the bins of both."""
        return Reliability(
            tuple(a + b for a, b in zip(self.n_px, other.n_px, strict=True)),
            tuple(a + b for a, b in zip(self.hits_px, other.hits_px, strict=True)),
            tuple(a + b for a, b in zip(self.probability_sum, other.probability_sum, strict=True)),
        )

    @property
    def points(self) -> tuple[tuple[float, float, int], ...]:
        """Return (mean stated probability, observed share, pixels) of each bin that is not empty."""
        bins = zip(self.n_px, self.hits_px, self.probability_sum, strict=True)
        return tuple((stated / n, hits / n, n) for n, hits, stated in bins if n)

    @property
    def expected_error(self) -> float | None:
        """Return the expected calibration error: Σ n/N · |observed − stated| (Naeini et al. 2015), None of nothing."""
        total = sum(self.n_px)
        return sum(n * abs(observed - stated) for stated, observed, n in self.points) / total if total else None


def reliability(probability: NDArray[np.float32], is_of_class: NDArray[np.bool_]) -> Reliability:
    """Return the reliability bins of some pixels.

    Parameters
    ----------
    probability
        float (n,), what was stated for the class, 0..1.
    is_of_class
        bool (n,), what is true.

    >>> reliability(np.array([0.75, 0.75], np.float32), np.array([True, False])).points
    ((0.75, 0.5, 2),)
    """
    stated = np.asarray(probability, np.float64)
    at = np.minimum((stated * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)
    count = np.bincount(at, minlength=RELIABILITY_BINS)
    hits = np.bincount(at[is_of_class], minlength=RELIABILITY_BINS)
    sums = np.bincount(at, weights=stated, minlength=RELIABILITY_BINS)
    return Reliability(tuple(count.tolist()), tuple(hits.tolist()), tuple(sums.tolist()))
