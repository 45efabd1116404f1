"""segmenters: the features of one scale, worked out a few rows at a time downwards: no more is held than is looked at.

All that a scale of a tile has would be eleven numbers a cell; a row needs only the rows that its Gaussians reach.
"""

import numpy as np

from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS, density_weights, normalised
from wsi_area.segmenters.pixels import feature_kernels as kernels
from wsi_area.segmenters.pixels.feature_kernels import BASE_PLANES, TENSOR_PLANES, FloatArray, HeldRows
from wsi_area.segmenters.pixels.feature_set import KINDS, STAINS, reach_cells

_ROWS_AT_ONCE = 32  # worked out together: what is held of them stays in the second cache


def gaussian_weights(sigma: float) -> FloatArray:
    """Return the middle of a Gaussian and one side of it; both sides add up to 1.

    >>> weights = gaussian_weights(2.0)
    >>> round(float(weights[0] + 2 * weights[1:].sum()), 6)
    1.0
    """
    steps = np.arange(reach_cells(sigma) + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    weights /= weights[0] + 2 * weights[1:].sum()
    return np.round(weights, 8).astype(np.float32)


class ScaleRows:
    """Rows of the features of one scale; whoever asks for rows must not ask for earlier ones afterwards.

    Parameters
    ----------
    base
        float32 (5, h, w), the base planes of the level on which the scale is worked out.
    sigma
        The scale in cells of that level.
    n_kinds
        How many features it has: with all of them, edges and coherence are among them.
    most_rows
        No more are asked for at once.
    """

    def __init__(self, base: FloatArray, sigma: float, n_kinds: int, most_rows: int) -> None:
        _, height, width = base.shape
        self._base, self._sigma, self._weights = HeldRows.whole(base), sigma, gaussian_weights(sigma)
        self._has_tensor = n_kinds == len(KINDS)
        self._step = max(_ROWS_AT_ONCE, most_rows)
        beyond = 2 * (len(self._weights) if self._has_tensor else 1)
        self._smoothed = HeldRows.none_of(BASE_PLANES, height, width, self._step + beyond)
        room = (self._step + beyond, self._step) if self._has_tensor else (0, 0)
        self._products = HeldRows.none_of(TENSOR_PLANES, height, width, room[0])
        self._tensor = HeldRows.none_of(TENSOR_PLANES, height, width, room[1])
        self._out = HeldRows.none_of(n_kinds, height, width, self._step + most_rows)

    def rows(self, begin: int, end: int) -> HeldRows:
        """Return the features of at least these rows, good until others are asked for."""
        if end > self._out.end or begin < self._out.first:
            ends = min(self._out.height, max(end, max(begin, self._out.end) + _ROWS_AT_ONCE))
            self._describe(self._out.roll(begin, ends), ends)
        return self._out

    def _describe(self, begin: int, end: int) -> None:
        if self._has_tensor:
            first, last = self._round(begin, end, len(self._weights) - 1)
            self._smooth(*self._round(first, last, 1))
            products = self._products.roll(first, last)
            kernels.gradients(self._smoothed, self._sigma, products, last, self._products)
            self._tensor.roll(begin, end)
            kernels.smooth(self._products, self._weights, begin, end, self._tensor)
        else:
            self._smooth(*self._round(begin, end, 1))
        kernels.describe(self._smoothed, self._tensor, _STAIN_WEIGHTS, self._sigma, begin, end, self._out)

    def _smooth(self, begin: int, end: int) -> None:
        kernels.smooth(self._base, self._weights, self._smoothed.roll(begin, end), end, self._smoothed)

    def _round(self, begin: int, end: int, reach: int) -> tuple[int, int]:
        """Return the rows that some rows look at."""
        return max(0, begin - reach), min(self._base.height, end + reach)


def _stain_weights() -> FloatArray:
    vectors = normalised(NAMED_VECTORS["h-e-dab"])
    return np.array([density_weights(vectors, stain) for stain in STAINS], np.float32)


_STAIN_WEIGHTS = _stain_weights()
