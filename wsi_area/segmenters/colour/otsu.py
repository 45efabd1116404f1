"""segmenters: Otsu's threshold over an integer histogram, frozen here so that no library moves it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def otsu_bin(histogram: Sequence[int] | NDArray[np.int64]) -> int:
    """Return the last bin of the lower class: foreground lies in the bins above it.

    Maximises the variance between the classes (Otsu 1979, DOI 10.1109/TSMC.1979.4310076), in exact
    integer arithmetic. All bins of an empty valley do so alike: its middle is taken, as far from the noise of either
    class as may be. A histogram with one occupied bin gives that bin, an empty one gives 0.

    >>> otsu_bin([0, 5, 0, 0, 7, 0])
    2
    >>> otsu_bin([0, 0, 9])
    2
    """
    counts = [int(n) for n in histogram]
    occupied = [i for i, n in enumerate(counts) if n]
    if len(occupied) < 2:
        return occupied[0] if occupied else 0
    total = sum(counts)
    total_moment = sum(i * n for i, n in enumerate(counts))
    best, best_weight, best_bin = -1, 1, occupied[0]
    below = moment = 0
    # the last occupied bin cannot end the lower class: nothing would be left above it
    for i in range(occupied[0], occupied[-1]):
        below += counts[i]
        moment += i * counts[i]
        # w0·w1·(m0 - m1)² = (M·w0 - m·N)² / (w0·w1), scaled: no division of small by large
        between, weight = (total_moment * below - moment * total) ** 2, below * (total - below)
        if between * best_weight > best * weight:  # the larger fraction: both weights are above 0
            best, best_weight, best_bin = between, weight, i
    end = best_bin + 1
    while not counts[end]:  # foreground begins at the last occupied bin, if not before
        end += 1
    return (best_bin + end - 1) // 2
