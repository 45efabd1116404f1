"""segmenters: decision trees walked by compiled code; called through ``pixel_trees``, which checks every index once."""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code

BLOCK = 256  # samples worked on at once: a small tree's values of them stay in the nearest cache
SMALL_NODES = 127  # inner nodes and leaves of a tree that is worked out whole


@machine_code
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


@machine_code
def add_trees(
    features: Any, roots: Any, outputs: Any, feature: Any, threshold: Any, left: Any, right: Any, values: Any, out: Any
) -> None:
    """Add each tree's leaf to the scores, float32 (k, n), of features, float32 (n_features, n)."""
    width, count = values.shape[1], features.shape[1]
    buffer = np.empty((SMALL_NODES, BLOCK), np.float32)
    for begin in range(0, count, BLOCK):
        end = min(count, begin + BLOCK)
        for t in range(roots.size):
            root = roots[t]
            stop = roots[t + 1] if t + 1 < roots.size else feature.size
            if width == 1 and root < stop <= root + SMALL_NODES:
                _add_whole(
                    features, begin, end, root, stop, feature, threshold, left, right, values, buffer, out[outputs[t]]
                )
                continue
            for i in range(begin, end):
                node = root
                while left[node] >= 0:
                    node = left[node] if features[feature[node], i] <= threshold[node] else right[node]
                for k in range(width):
                    out[outputs[t] + k, i] += values[feature[node], k]
