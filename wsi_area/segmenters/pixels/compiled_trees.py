"""segmenters: the compiled half of the trees: each tree's leaf added to the scores of each sample.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``. Called
through ``TreeEnsemble``, which checks every index once: nothing here checks a bound.
"""

from typing import Any

from numba import carray

from wsi_area.compute.machine_code import native_part


@native_part
def _add_whole(
    features: Any, begin: int, end: int, root: int, stop: int,
    feature: Any, threshold: Any, left: Any, right: Any, values: Any, buffer: Any, out: Any,
) -> None:  # fmt: skip
    """Add one small tree by every inner node's value of every sample, so that nothing branches on a sample.

    Children come after their parent, so the last node first, each finds them done.
    """
    span = end - begin
    total = out[begin:end]
    if left[root] < 0:
        value = values[feature[root], 0]
        for i in range(span):
            total[i] += value
        return
    for node in range(stop - 1, root - 1, -1):
        low, high = left[node], right[node]
        if low < 0:
            continue
        limit, sample, target = threshold[node], features[feature[node], begin:end], buffer[node - root]
        if left[low] < 0 and left[high] < 0:
            one, other = values[feature[low], 0], values[feature[high], 0]
            for i in range(span):
                target[i] = one if sample[i] <= limit else other
        elif left[low] < 0:
            one, others = values[feature[low], 0], buffer[high - root]
            for i in range(span):
                other = others[i]
                target[i] = one if sample[i] <= limit else other
        elif left[high] < 0:
            ones, other = buffer[low - root], values[feature[high], 0]
            for i in range(span):
                one = ones[i]
                target[i] = one if sample[i] <= limit else other
        else:
            ones, others = buffer[low - root], buffer[high - root]
            for i in range(span):
                one, other = ones[i], others[i]
                target[i] = one if sample[i] <= limit else other
    found = buffer[0]
    for i in range(span):
        total[i] += found[i]


def add_trees(
    features_at: Any, n_features: int, count: int, roots_at: Any, outputs_at: Any, n_trees: int, feature_at: Any,
    threshold_at: Any, left_at: Any, right_at: Any, nodes: int, values_at: Any, leaves: int, width: int,
    buffer_at: Any, small_nodes: int, block: int, out_at: Any, n_scores: int,
) -> None:  # fmt: skip
    """Add each tree's leaf to the scores, float32 (k, n), of features, float32 (n_features, n).

    ``buffer`` float32 (small_nodes, block) is for its own use: ``block`` samples are worked on at once, and a tree of
    at most ``small_nodes`` is worked out whole.
    """
    features, out = carray(features_at, (n_features, count)), carray(out_at, (n_scores, count))
    roots, outputs = carray(roots_at, n_trees), carray(outputs_at, n_trees)
    feature, threshold = carray(feature_at, nodes), carray(threshold_at, nodes)
    left, right = carray(left_at, nodes), carray(right_at, nodes)
    values, buffer = carray(values_at, (leaves, width)), carray(buffer_at, (small_nodes, block))
    for number in range((count + block - 1) // block):
        begin, end = number * block, min(count, (number + 1) * block)
        for t in range(n_trees):
            root = roots[t]
            stop = roots[t + 1] if t + 1 < n_trees else nodes
            if width == 1 and root < stop <= root + small_nodes:
                _add_whole(
                    features, begin, end, root, stop, feature, threshold, left, right, values, buffer, out[outputs[t]]
                )
            else:
                _add_walked(features, begin, end, root, feature, threshold, left, right, values, outputs[t], out)


@native_part
def _add_walked(
    features: Any, begin: int, end: int, root: int,
    feature: Any, threshold: Any, left: Any, right: Any, values: Any, output: int, out: Any,
) -> None:  # fmt: skip
    """Add one tree by walking it with each sample."""
    for i in range(begin, end):
        node = root
        while left[node] >= 0:
            node = left[node] if features[feature[node], i] <= threshold[node] else right[node]
        for k in range(values.shape[1]):
            out[output + k, i] += values[feature[node], k]
