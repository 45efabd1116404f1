"""segmenters: how often each darkest and brightest channel occurs on an overview: what a tissue fit looks at."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.pixels import Overview, TilePixels
from wsi_area.segmenters.colour.colour_rule import NO_TINT, Feature, Tint, untinted

Extremes = NDArray[np.int64]
"""int64 (256, 256): pixels by min(R, G, B), then by max(R, G, B)."""


def count_extremes(overview: Overview | TilePixels, tint: Tint = NO_TINT) -> Extremes:
    """Return the counts of the valid pixels of a picture: one pass over them, however much is asked afterwards.

    ``tint`` is what the glass has too much of, taken away from each pixel.

    >>> from wsi_area.model.geometry import Size
    >>> pink = np.full((2, 2, 3), (250, 90, 120), np.uint8)
    >>> counts = count_extremes(Overview(pink, np.array([[True, True], [True, False]]), Size(2, 2), None))
    >>> int(counts.sum()), int(counts[90, 250])
    (3, 3)
    """
    red, green, blue = (np.ascontiguousarray(channel) for channel in untinted(overview.rgb, tint))
    darkest = np.minimum(np.minimum(red, green), blue)
    pair = darkest.astype(np.uint16) << 8 | np.maximum(np.maximum(red, green), blue)
    seen = pair.ravel() if overview.valid.all() else pair[overview.valid]
    return np.bincount(seen, minlength=1 << 16).reshape(256, 256)


def feature_histogram(extremes: Extremes, feature: Feature) -> NDArray[np.int64]:
    """Return the number of pixels that have each value of a feature, int64 (256,).

    >>> extremes = np.zeros((256, 256), np.int64)
    >>> extremes[90, 250] = 7
    >>> [int(feature_histogram(extremes, name).argmax()) for name in ("darkness", "brightness")]
    [165, 250]
    """
    if feature == "brightness":
        return np.asarray(extremes.sum(axis=0))
    return np.asarray(extremes.sum(axis=1)[::-1])
