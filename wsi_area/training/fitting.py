"""training: scikit-learn grows the trees, the only place where it is called for that.

It is given each feature as one of at most 255 steps, so that they grow fast; the steps give their thresholds back.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import MissingExtraError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.segmenters.pixels.trees import TreeEnsemble, from_sklearn
from wsi_area.training.sampling import Sampled
from wsi_area.training.settings import TrainSettings

MAX_STEPS = 255
_EDGE_PX = 200_000
"""Edges are quantiles of this many pixels, every n-th of them."""


def require_libraries() -> None:
    """Refuse to begin where a library of training is missing, before anything was read.

    Raises
    ------
    MissingExtraError
    """
    for name in ("sklearn", "threadpoolctl", "matplotlib"):
        try:
            __import__(name)
        except ImportError as error:
            raise MissingExtraError.of("training", "train", error) from error


def fitted_trees(sampled: Sampled, settings: TrainSettings) -> TreeEnsemble:
    """Return the trees learnt from some pixels; the same, bit for bit, for the same pixels, settings and versions.

    Raises
    ------
    SettingsError
        If the pixels are of fewer than two classes.
    """
    # imported here: half a second that only training pays
    from threadpoolctl import threadpool_limits

    if len(set(sampled.classes.tolist())) < 2:
        raise SettingsError("the training pixels are all of one class; draw a second one, or use fewer folds")
    classifier = _classifier(settings)
    steps = steps_of(sampled.features)  # scikit-learn's own steps of weighted pixels take longer than its trees
    with threadpool_limits(1):  # sums in floating point depend on how many threads share them
        classifier.fit(steps.codes(sampled.features), sampled.classes, sample_weight=sampled.weights)
    return steps.in_values(from_sklearn(classifier))


def _classifier(settings: TrainSettings) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    if settings.classifier == "random_forest":
        return RandomForestClassifier(
            n_estimators=settings.trees,
            max_depth=settings.depth,
            max_leaf_nodes=settings.leaves,
            min_samples_leaf=settings.leaf_px,
            random_state=settings.seed,
            n_jobs=1,
        )
    return HistGradientBoostingClassifier(
        max_iter=settings.trees,
        max_depth=settings.depth,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.leaf_px,
        learning_rate=settings.learning_rate,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=settings.seed,
    )


@frozen_value(eq=False)
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
