"""segmenters: folds. Tissue that lies double absorbs twice, in the colours of the slide's own tissue."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray, TilePlace
from wsi_area.segmenters.exclusions.absorption import LARGEST_MILLI_OD, MilliOd, Seen
from wsi_area.segmenters.exclusions.pen import PenRule
from wsi_area.segmenters.exclusions.windows import exceeds, narrowed, share_exceeds

Sums = NDArray[np.int64]

_LEAST_FITTED_PX = 100  # of tissue on the overview; below it, there is no tissue to compare with


@frozen_value
class FoldRule:
    """Which tissue is folded."""

    name: ClassVar[str] = "fold"
    only_on_tissue: ClassVar[bool] = True
    window_px: int
    least_milli_od: int | None  # of R, G and B together, mean over the tissue of the window; None: no tissue was seen
    least_milli_chroma: int  # most less least absorbed channel, likewise

    @property
    def reach_px(self) -> int:
        """Return the distance that it looks."""
        return self.window_px

    @property
    def facts(self) -> dict[str, object]:
        """Return the limits that were used."""
        return {
            "window_px": 2 * self.window_px + 1,
            "least_od": None if self.least_milli_od is None else self.least_milli_od / 1000,
            "least_chroma_od": self.least_milli_chroma / 1000,
        }

    def mask(self, seen: Seen, place: TilePlace | None = None) -> MaskArray:
        """Return bool (h, w), True where the tissue around absorbs as only a fold of this slide does."""
        if self.least_milli_od is None:
            return np.zeros(seen.valid.shape, np.bool_)
        dark = self._is_more(seen.total_milli_od, self.least_milli_od, seen)
        return narrowed(dark & seen.stands_out, self.window_px, lambda box_px: self._is_tissue(seen.part(box_px)))

    def _is_more(self, densities: MilliOd, least_milli_od: int, seen: Seen) -> MaskArray:
        """Return bool (h, w), True where the mean density of what stands out in the window is at least so much."""
        return exceeds(densities, self.window_px, -1, among=seen.stands_out, of_each=-least_milli_od)

    def _is_tissue(self, seen: Seen) -> MaskArray:
        """Return bool (h, w), True where the window has the colour of stained tissue, and enough tissue to be judged.

        At least half of it must be tissue, which a rim has not.
        """
        in_tissue = share_exceeds(seen.stands_out, seen.valid, 1, -1, self.window_px)
        return in_tissue & self._is_more(seen.chroma_milli_od, self.least_milli_chroma, seen)


def fit_fold(
    seen: Seen, overview_window_px: int, window_px: int, ratio: float, chroma_ratio: float, least_od: float
) -> FoldRule:
    """Return the rule for the slide whose overview is seen: ratios of the upper quartiles of its own tissue."""
    # neither ink nor painted black is the slide's own tissue
    tissue = seen.stands_out & ~PenRule(overview_window_px).mask(seen) & seen.rgb.any(axis=-1)
    total, chroma, count = _sums(seen.among(tissue), overview_window_px)
    if int(tissue.sum()) < _LEAST_FITTED_PX:
        return FoldRule(window_px, None, 0)
    quartiles = [_upper_quartile(sums[tissue], count[tissue]) for sums in (total, chroma)]
    least = max(ratio * quartiles[0], 1000 * least_od)
    # no tissue absorbs more than all light: beyond that, a limit excludes nothing and only has to fit the sums
    return FoldRule(window_px, *(min(round(v), 3 * LARGEST_MILLI_OD) for v in (least, chroma_ratio * quartiles[1])))


def _sums(seen: Seen, window_px: int) -> tuple[Sums, Sums, Sums]:
    """Return sums over the tissue of each window: all channels' OD, chroma OD (both in thousandths), pixels."""
    total, chroma, count = (
        _window_sums(values, window_px) for values in (seen.total_milli_od, seen.chroma_milli_od, seen.stands_out)
    )
    return total, chroma, count


def _window_sums(values: NDArray[np.generic], radius: int) -> Sums:
    """Return the sum of each pixel's window, cut at the rim of the picture."""
    sums = values.astype(np.int64)
    for axis, length in enumerate(sums.shape):
        upto = np.cumsum(sums, axis=axis)
        upto = np.insert(upto, 0, 0, axis=axis)
        at = np.arange(length)
        sums = upto.take(np.minimum(at + radius + 1, length), axis) - upto.take(np.maximum(at - radius, 0), axis)
    return sums


def _upper_quartile(sums: Sums, count: Sums) -> int:
    means = np.sort(sums // np.maximum(count, 1))
    return int(means[3 * (len(means) - 1) // 4])
