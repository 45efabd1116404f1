"""training: features as one of at most 255 steps, so that trees grow fast, and their thresholds back again, exactly."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.segmenters.pixels.trees import TreeEnsemble

MAX_STEPS = 255
_EDGE_PX = 200_000
"""Edges are quantiles of this many pixels, every n-th of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The edges between the steps of each feature."""

    edges: tuple[NDArray[np.float32], ...]  # ascending, at most 254 each

    def codes(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 (n, f): the number of the step that each value lies in; edge k ends step k.

        >>> steps = Steps((np.array([1.0, 5.0], np.float32),))
        >>> steps.codes(np.array([[1.0], [1.5], [9.0]], np.float32)).ravel().tolist()
        [0.0, 1.0, 2.0]
        """
        codes = np.empty_like(features)
        for column, edges in enumerate(self.edges):
            codes[:, column] = np.searchsorted(edges, features[:, column], side="left")
        return codes

    def in_values(self, trees: TreeEnsemble) -> TreeEnsemble:
        """Return trees that were grown on codes as trees that ask for values; both decide alike for every value.

        A code is at most t exactly if the value is at most the edge that ends step floor(t).
        """
        threshold = trees.threshold.copy()
        for node in np.flatnonzero(trees.left >= 0):
            threshold[node] = self.edges[int(trees.feature[node])][int(np.floor(threshold[node]))]
        return replace(trees, threshold=threshold)


def steps_of(features: NDArray[np.float32]) -> Steps:
    """Return the steps that hold about the same number of pixels each; ``features`` is float32 (n, f)."""
    some = features[:: max(1, len(features) // _EDGE_PX)]
    shares = np.arange(1, MAX_STEPS) / MAX_STEPS
    edges = (np.unique(np.quantile(column, shares, method="lower")) for column in some.T)
    # an edge at the largest value would end a step with nothing beyond it
    return Steps(tuple(e[e < column.max()].astype(np.float32) for e, column in zip(edges, some.T, strict=True)))
