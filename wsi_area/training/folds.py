"""training: which slides are held out together; whole groups, never pixels."""

from collections.abc import Sequence

import numpy as np


def fold_of_each(groups: Sequence[str], folds: int, seed: int) -> tuple[int, ...] | None:
    """Return the fold in which each image is held out, or None where there is only one group.

    All images of a group (a slide, a patient) share a fold. Groups are dealt out largest first, each to the fold that
    has fewest images so far; groups of one size in an order drawn with the seed. With fewer groups than folds, each
    group is a fold.

    >>> fold_of_each(["a", "a", "b"], 5, 0)
    (0, 0, 1)
    >>> fold_of_each(["a", "a"], 5, 0) is None
    True
    """
    names = sorted(set(groups))
    if len(names) < 2:
        return None
    drawn = np.random.default_rng(seed).permutation(len(names))
    sizes = {name: sum(1 for g in groups if g == name) for name in names}
    order = sorted((names[i] for i in drawn), key=lambda name: -sizes[name])
    held = [0] * min(folds, len(names))
    fold: dict[str, int] = {}
    for name in order:
        fold[name] = held.index(min(held))
        held[fold[name]] += sizes[name]
    return tuple(fold[g] for g in groups)
