"""compute: where a number is written beside what it is of: as near as it can be without covering any of it; pure."""

from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value

_COARSE = 200  # pixels of the longer side on which a place is looked for; numbers are larger than one of them


@frozen_value
class Label:
    """A number beside its spot: the middle of its disc, and where the line that leads from there to the spot ends."""

    x: float
    y: float
    to_x: float
    to_y: float


def beside(shown: NDArray[np.bool_], spots_px: Sequence[tuple[float, float]], radius_px: float) -> list[Label]:
    """Return for each of some spots of a picture a disc next to it, in pixels of the picture.

    A disc covers nothing that is shown, no other disc, and does not reach beyond the picture; of all such places it is
    the nearest. Where there is none, it lies on its spot. The line ends where it meets what is shown, else at the spot.

    Parameters
    ----------
    shown : bool (h, w)
        What must stay in sight.
    spots_px : sequence of (x, y)
        The most important first.
    radius_px : float
        Of the discs.
    """
    if not spots_px:
        return []

    factor = max(1, -(-max(shown.shape) // _COARSE))
    coarse = _any_in_boxes(shown, factor)
    radius, (height, width) = radius_px / factor, coarse.shape
    rows, columns = np.indices(coarse.shape) + 0.5
    # half a pixel more, since a box that is shown in part counts as shown to its rim
    is_free = ~_within(coarse, radius + 0.5)
    is_free &= (rows >= radius) & (rows <= height - radius) & (columns >= radius) & (columns <= width - radius)
    labels = []
    for x, y in spots_px:
        away = np.hypot(rows - y / factor, columns - x / factor)
        place = (x, y)
        if is_free.any():
            row, column = divmod(int(np.argmin(np.where(is_free, away, np.inf))), width)
            place = (float((column + 0.5) * factor), float((row + 0.5) * factor))
            is_free &= np.hypot(rows - row - 0.5, columns - column - 0.5) > 2.2 * radius
        labels.append(Label(*place, *_met(coarse, place, (x, y), factor)))
    return labels


def _within(shown: NDArray[np.bool_], reach: float) -> NDArray[np.bool_]:
    """Return bool (h, w), True where something that is shown lies so near, from middle to middle.

    >>> _within(np.array([[True, False, False, False]]), 2.0).tolist()
    [[True, True, True, False]]
    """
    height, width = shown.shape
    before = np.zeros((height, width + 1), np.int32)
    np.cumsum(shown, axis=1, out=before[:, 1:])
    columns, near, rows = np.arange(width), np.zeros_like(shown), int(min(reach, height - 1))
    for down in range(-rows, rows + 1):
        across = isqrt(int(reach * reach - down * down))
        found = before[:, np.minimum(columns + across + 1, width)] > before[:, np.maximum(columns - across, 0)]
        near[max(0, down) : height + min(0, down)] |= found[max(0, -down) : height - max(0, down)]
    return near


def _met(
    coarse: NDArray[np.bool_], start: tuple[float, float], end: tuple[float, float], factor: int
) -> tuple[float, float]:
    """Return the point where a line first meets what is shown; its end where it does not."""
    steps = max(2, int(np.hypot(end[0] - start[0], end[1] - start[1]) / factor) * 2)
    xs, ys = np.linspace(start[0], end[0], steps), np.linspace(start[1], end[1], steps)
    rows = np.clip((ys / factor).astype(int), 0, coarse.shape[0] - 1)
    columns = np.clip((xs / factor).astype(int), 0, coarse.shape[1] - 1)
    met = np.flatnonzero(coarse[rows, columns])
    return (float(xs[met[0]]), float(ys[met[0]])) if met.size else end


def _any_in_boxes(shown: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    height, width = shown.shape
    padded = np.pad(shown, ((0, -height % factor), (0, -width % factor)))
    return np.asarray(padded.reshape(-(-height // factor), factor, -1, factor).any(axis=(1, 3)))
