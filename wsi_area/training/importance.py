"""training: what each feature is worth: how many more pixels go wrong once its values are shuffled."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.segmenters.pixels.trees import TreeEnsemble
from wsi_area.training.sampling import Sampled

MAX_PX = 20_000


@frozen_value
class Importance:
    """One feature, or several shuffled together."""

    name: str
    accuracy_drop: float  # share of the pixels that go wrong beside those that were wrong before


def permutation_importances(
    trees: TreeEnsemble, sampled: Sampled, groups: Mapping[str, Sequence[int]], seed: int
) -> list[Importance]:
    """Return the accuracy lost by shuffling each group of columns, the largest loss first (Breiman 2001).

    Parameters
    ----------
    trees
        What was learnt.
    sampled
        Pixels to try it on, best ones it did not learn from; at most 20 000 drawn of them are used.
    groups
        Name → columns that are shuffled together. Features that say the same stand in for each other, so a single one
        seems worth little where its kind is worth much.
    seed
        Of the draws.
    """
    rng = np.random.default_rng([seed, 7])
    rows = np.sort(rng.permutation(len(sampled.classes))[:MAX_PX])
    features, classes, weights = sampled.features[rows], sampled.classes[rows], sampled.weights[rows]
    order = rng.permutation(len(rows))
    before = _accuracy(trees, features, classes, weights)
    found = []
    for name, columns in groups.items():
        shuffled = features.copy()
        shuffled[:, list(columns)] = features[order][:, list(columns)]
        found.append(Importance(name, before - _accuracy(trees, shuffled, classes, weights)))
    return sorted(found, key=lambda importance: -importance.accuracy_drop)


def _accuracy(
    trees: TreeEnsemble, features: NDArray[np.float32], classes: NDArray[np.uint8], weights: NDArray[np.float64]
) -> float:
    chosen = np.asarray(trees.class_ids)[trees.probabilities(features).argmax(axis=1)]
    return float(weights[chosen == classes].sum() / weights.sum())


def feature_groups(names: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    """Return the columns by single feature, by kind and by scale, from names like ``gradient_12um``.

    >>> feature_groups(["od_3um", "od_6um"])["kind"]
    {'od': [0, 1]}
    """
    grouped: dict[str, dict[str, list[int]]] = {"feature": {}, "kind": {}, "scale": {}}
    for column, name in enumerate(names):
        kind, _, scale = name.rpartition("_")
        for what, key in (("feature", name), ("kind", kind), ("scale", scale)):
            grouped[what].setdefault(key, []).append(column)
    return grouped
