"""training: which labelled pixels are learnt from: seeded, as many of each class of each image, few in memory."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value

Floats = NDArray[np.float32]
Codes = NDArray[np.uint8]


@frozen_value(eq=False)
class Sampled:
    """Training pixels."""

    features: Floats  # (n, f)
    classes: Codes  # (n,) class ids
    weights: NDArray[np.float64]  # (n,), mean 1
    images: NDArray[np.int64]  # (n,) the number of the image each comes from

    def of_images(self, numbers: Iterable[int]) -> "Sampled":
        """Return the pixels of some images, weights again of mean 1."""
        keep = np.isin(self.images, list(numbers))
        weights = self.weights[keep]
        return Sampled(self.features[keep], self.classes[keep], weights / weights.mean(), self.images[keep])


class Reservoir:
    """Up to ``capacity`` pixels of one class of one image, each as likely as any other, offered block by block.

    Each pixel is offered with a random key; those with the smallest keys stay. So the choice depends on the keys, not
    on the order, and at most ``capacity`` rows are held.
    """

    def __init__(self, capacity: int, feature_count: int) -> None:
        self.seen_px = 0
        self._capacity = capacity
        self._keys = np.empty(0, np.float64)
        self._rows = np.empty((0, feature_count), np.float32)

    def worth_computing(self, keys: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return True for each of the offered keys, float (n,), that would stay; only these pixels need features."""
        self.seen_px += len(keys)
        limit = np.inf if len(self._keys) < self._capacity else self._keys.max()
        within = np.flatnonzero(keys < limit)
        if len(within) <= self._capacity:
            return within
        return np.sort(within[np.argpartition(keys[within], self._capacity)[: self._capacity]])

    def take(self, keys: NDArray[np.float64], rows: Floats) -> None:
        """Take in pixels with their keys, and let go of those beyond the capacity."""
        all_keys, all_rows = np.concatenate([self._keys, keys]), np.concatenate([self._rows, rows])
        order = np.argsort(all_keys, kind="stable")[: self._capacity]
        self._keys, self._rows = all_keys[order], all_rows[order]

    @property
    def rows(self) -> Floats:
        """Return the features of the pixels that stayed, float32 (n, f), in the order of their keys."""
        return self._rows


def gathered(reservoirs: dict[tuple[int, int], Reservoir], *, equal_priors: bool) -> Sampled:
    """Return the pixels in the reservoirs of (image, class id), with weights that undo the equal numbers.

    Every sampled pixel stands for the labelled pixels of its class and image. With ``equal_priors`` each class then
    weighs the same in all.
    """
    kept = [(image, class_id, r) for (image, class_id), r in sorted(reservoirs.items()) if len(r.rows)]
    features = np.concatenate([r.rows for _, _, r in kept])
    classes = np.concatenate([np.full(len(r.rows), class_id, np.uint8) for _, class_id, r in kept])
    images = np.concatenate([np.full(len(r.rows), image, np.int64) for image, _, r in kept])
    weights = np.concatenate([np.full(len(r.rows), r.seen_px / len(r.rows)) for _, _, r in kept])
    if equal_priors:
        for class_id in np.unique(classes):
            own = classes == class_id
            weights[own] /= weights[own].sum()
    return Sampled(features, classes, weights / weights.mean(), images)
