"""segmenters: an ensemble of decision trees as plain arrays, whatever trained it; scikit-learn only to convert one.

Scores are added in float32, tree by tree in their order, so a pixel's probability does not depend on which other
pixels were asked about; the logistic function and softmax are made of single float32 operations for the same reason.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Link = Literal["logistic", "softmax", "mean"]
MAX_NODES, MAX_TREES, MAX_DEPTH = 20_000_000, 20_000, 64

_BLOCK = 256  # samples worked on at once: a small tree's values of them stay in the nearest cache
_SMALL_NODES = 127  # inner nodes and leaves of a tree that is worked out whole
_ADD = Native(
    "wsi_area.segmenters.pixels.compiled_trees",
    "add_trees",
    "float32* int64 int64 int32* int32* int64 int32* float32* int32* int32* int64 float32* int64 int64 "
    "float32* int64 int64 float32* int64",
)
NATIVE = (_ADD,)


@frozen_value(eq=False)
class TreeEnsemble:
    """Trees with float32 thresholds: a sample goes left where its feature is at most the threshold.

    A node with ``left`` = -1 is a leaf, and its ``feature`` is its row in ``values``. A tree adds its leaf's row to
    the scores from ``outputs`` on. Children come after their parent.
    """

    n_features: int
    class_ids: tuple[int, ...]  # class of each column of ``probabilities``
    link: Link
    roots: IntArray  # (n_trees,)
    outputs: IntArray  # (n_trees,)
    feature: IntArray  # (n_nodes,)
    threshold: FloatArray  # (n_nodes,)
    left: IntArray  # (n_nodes,)
    right: IntArray  # (n_nodes,)
    values: FloatArray  # (n_leaves, width)
    start: FloatArray  # (n_scores,), the scores before the first tree

    def __post_init__(self) -> None:
        """Refuse whatever the compiled code, which checks no bounds, could not survive."""
        _check(self)

    def probabilities(self, features: FloatArray) -> FloatArray:
        """Return float32 (n, k) of float32 (n, n_features): the probability of each of ``class_ids``."""
        if features.ndim != 2 or features.shape[1] != self.n_features:
            raise SettingsError(f"these trees ask for {self.n_features} features; got {features.shape}")
        return np.ascontiguousarray(self.probabilities_planar(np.ascontiguousarray(features.T, np.float32)).T)

    def probabilities_planar(self, features: FloatArray) -> FloatArray:
        """Return float32 (k, n) of float32 (n_features, n), C-contiguous."""
        scores = np.repeat(self.start[:, None], features.shape[1], axis=1)
        buffer = np.empty((_SMALL_NODES, _BLOCK), np.float32)
        call_native(
            *_ADD[:3], features, *features.shape, self.roots, self.outputs, len(self.roots), self.feature,
            self.threshold, self.left, self.right, len(self.feature), self.values, *self.values.shape,
            buffer, *buffer.shape, scores, len(scores),
        )  # fmt: skip
        return _linked(scores, self.link, len(self.roots))


def _linked(scores: FloatArray, link: Link, n_trees: int) -> FloatArray:
    if link == "mean":
        return scores * np.float32(1 / n_trees)
    if link == "logistic":
        second = _logistic(scores[0])
        return np.stack([np.float32(1) - second, second])
    powers = _exp(scores - scores.max(axis=0))
    total = powers[0].copy()
    for row in powers[1:]:
        total += row
    return np.asarray(powers / total)


def _logistic(scores: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)).

    >>> _logistic(np.array([0.0], np.float32)).tolist()
    [0.5]
    """
    one = np.float32(1)
    return one / (one + _exp(-np.clip(scores, np.float32(-80), np.float32(80))))


def _exp(x: FloatArray) -> FloatArray:
    """Return exp(x) for -100 < x < 88 within 2e-7 of it, by the same single operations on every machine.

    x = n ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts (Cody & Waite 1980); exp(r) by its Taylor series.

    >>> float(abs(_exp(np.array([1.0], np.float32))[0] - np.e)) < 1e-6
    True
    """
    x = np.maximum(x, np.float32(-87))
    n = np.rint(x * np.float32(1.4426950408889634))
    r = (x - n * np.float32(0.693359375)) - n * np.float32(-2.12194440e-4)
    total = np.full_like(r, 1 / 5040)
    for divisor in (720, 120, 24, 6, 2, 1, 1):
        total = total * r + np.float32(1 / divisor)
    return np.asarray(np.ldexp(total, n.astype(np.int32)))


def _check(trees: TreeEnsemble) -> None:
    n_trees, n_nodes, n_leaves = len(trees.roots), len(trees.feature), len(trees.values)
    _require(trees.link in ("logistic", "softmax", "mean"), f"the link {trees.link!r} is unknown")
    _require(1 <= n_trees <= MAX_TREES and 1 <= n_nodes <= MAX_NODES, f"{n_trees} trees of {n_nodes} nodes")
    kinds = {"roots": 1, "outputs": 1, "feature": 1, "threshold": 1, "left": 1, "right": 1, "values": 2, "start": 1}
    for name, ndim in kinds.items():
        array = getattr(trees, name)
        wanted = np.float32 if name in ("threshold", "values", "start") else np.int32
        _require(
            array.dtype == wanted and array.ndim == ndim and array.flags.c_contiguous,
            f"{name} is {array.dtype} with {array.ndim} axes",
        )
        _require(wanted is np.int32 or bool(np.isfinite(array).all()), f"{name} holds numbers that are not finite")
    same = len(trees.outputs) == n_trees and len(trees.threshold) == len(trees.left) == len(trees.right) == n_nodes
    _require(same, "the arrays are not of one length")
    ids, scores, width = trees.class_ids, len(trees.start), trees.values.shape[1]
    _require(2 <= len(ids) <= 253 and len(set(ids)) == len(ids), f"the class ids are {ids}")
    _require(scores == (1 if trees.link == "logistic" else len(ids)), f"{scores} scores for {len(ids)} classes")
    _require(trees.link != "logistic" or len(ids) == 2, "a logistic score tells two classes apart, not more")
    _require(1 <= width <= scores and n_leaves >= 1, f"a leaf has {width} values")
    inner = trees.left >= 0
    at = np.arange(n_nodes)
    _require(_within(trees.roots, 0, n_nodes), "a root is no node")
    _require(_within(trees.outputs, 0, scores - width + 1), "a tree adds to a score that is not there")
    # children after their parent: no walk can go round in a circle
    _require(
        bool((trees.left[inner] > at[inner]).all() and (trees.right[inner] > at[inner]).all()),
        "a child is before its parent",
    )
    _require(_within(trees.left[inner], 0, n_nodes) and _within(trees.right[inner], 0, n_nodes), "a child is no node")
    # each tree is one run of nodes from its root, and its children stay in it
    _require(trees.roots[0] == 0 and bool((np.diff(trees.roots) > 0).all()), "the trees are not one after the other")
    tree = np.searchsorted(trees.roots, at, side="right")
    stays = (tree[trees.left[inner]] == tree[inner]) & (tree[trees.right[inner]] == tree[inner])
    _require(bool(stays.all()), "a child is in another tree")
    _require(_within(trees.feature[inner], 0, trees.n_features), f"a node asks for a feature beyond {trees.n_features}")
    _require(_within(trees.feature[~inner], 0, n_leaves), "a leaf has no values")


def _within(numbers: IntArray, low: int, high: int) -> bool:
    return not numbers.size or bool(numbers.min() >= low and numbers.max() < high)


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise SettingsError(f"these are no trees that can be walked: {fault}; train the model again or fetch it anew")


def from_sklearn(classifier: Any) -> TreeEnsemble:
    """Return the trees of a fitted ``HistGradientBoostingClassifier`` or ``RandomForestClassifier``.

    Raises
    ------
    SettingsError
        If it is something else, was not fitted, or splits by categories.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    if not hasattr(classifier, "classes_"):
        raise SettingsError(f"{type(classifier).__name__} is not fitted; call fit first")
    class_ids = tuple(int(c) for c in classifier.classes_)
    if isinstance(classifier, HistGradientBoostingClassifier):
        return _from_boosting(classifier, class_ids)
    if isinstance(classifier, RandomForestClassifier):
        return _from_forest(classifier, class_ids)
    raise SettingsError(f"{type(classifier).__name__} cannot be converted; use gradient boosting or a random forest")


def _from_boosting(classifier: Any, class_ids: tuple[int, ...]) -> TreeEnsemble:
    trees, outputs = [], []
    for iteration in classifier._predictors:
        for output, predictor in enumerate(iteration):
            nodes = predictor.nodes
            if nodes["is_categorical"].any():
                raise SettingsError("the classifier splits by categories; pixel features are numbers")
            leaf = nodes["is_leaf"].astype(bool)
            trees.append((
                nodes["feature_idx"].astype(np.int64), nodes["num_threshold"],
                np.where(leaf, -1, nodes["left"].astype(np.int64)), nodes["right"].astype(np.int64),
                nodes["value"][:, None],
            ))  # fmt: skip
            outputs.append(output)
    start = np.asarray(classifier._baseline_prediction, np.float32).ravel()
    link: Link = "logistic" if len(class_ids) == 2 else "softmax"
    return _joined(trees, outputs, classifier.n_features_in_, class_ids, link, start)


def _from_forest(classifier: Any, class_ids: tuple[int, ...]) -> TreeEnsemble:
    trees = []
    for estimator in classifier.estimators_:
        tree = estimator.tree_
        shares = tree.value[:, 0, :] / tree.value[:, 0, :].sum(axis=1, keepdims=True)
        trees.append((tree.feature, tree.threshold, tree.children_left, tree.children_right, shares))
    start = np.zeros(len(class_ids), np.float32)
    return _joined(trees, [0] * len(trees), classifier.n_features_in_, class_ids, "mean", start)


def _joined(
    trees: list[tuple[Any, ...]],
    outputs: list[int],
    n_features: int,
    class_ids: tuple[int, ...],
    link: Link,
    start: FloatArray,
) -> TreeEnsemble:
    """Return one ensemble of trees given as feature, threshold, left (-1 at leaves), right, value per node."""
    parts: dict[str, list[Any]] = {"feature": [], "threshold": [], "left": [], "right": [], "values": []}
    roots, nodes_before, leaves_before = [], 0, 0
    for feature, threshold, left, right, value in trees:
        leaf = np.asarray(left) < 0
        leaf_rows = np.cumsum(leaf) - 1 + leaves_before
        parts["feature"].append(np.where(leaf, leaf_rows, feature))
        parts["threshold"].append(np.where(leaf, np.float32(0), _rounded_down(threshold)))
        parts["left"].append(np.where(leaf, -1, np.asarray(left, np.int64) + nodes_before))
        parts["right"].append(np.where(leaf, -1, np.asarray(right, np.int64) + nodes_before))
        parts["values"].append(value[leaf])
        roots.append(nodes_before)
        nodes_before += len(leaf)
        leaves_before += int(leaf.sum())
    whole = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    return TreeEnsemble(
        n_features=n_features,
        class_ids=class_ids,
        link=link,
        roots=np.array(roots, np.int32),
        outputs=np.array(outputs, np.int32),
        feature=whole["feature"].astype(np.int32),
        threshold=whole["threshold"].astype(np.float32),
        left=whole["left"].astype(np.int32),
        right=whole["right"].astype(np.int32),
        values=np.ascontiguousarray(whole["values"], np.float32),
        start=start,
    )


def _rounded_down(threshold: NDArray[np.float64]) -> FloatArray:
    """Return the largest float32 that is not above each threshold: the same float32 samples are at most it.

    >>> float(_rounded_down(np.array([0.1]))[0]) <= 0.1
    True
    """
    largest = np.finfo(np.float32).max
    narrow = np.clip(threshold, -largest, largest).astype(np.float32)
    return np.where(narrow > threshold, np.nextafter(narrow, np.float32(-np.inf)), narrow).astype(np.float32)
