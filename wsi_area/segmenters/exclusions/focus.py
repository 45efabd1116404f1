"""segmenters: focus. A blurred picture has less fine detail than its coarser detail promises."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.pixels import MaskArray
from wsi_area.segmenters.exclusions.absorption import Seen
from wsi_area.segmenters.exclusions.windows import window_sum

LARGER = 4  # the coarser detail is this many times the size of the finer
_PER_GREY = 4  # steps of a grey level in which a detail is measured
_LARGEST = (4 * 255 * _PER_GREY) ** 2
LEAST_SCALE_PX = 1.5  # the detail must be that many work pixels at least


@dataclass(frozen=True, slots=True)
class FocusRule:
    """Which tissue is out of focus."""

    name: ClassVar[str] = "out_of_focus"
    only_on_tissue: ClassVar[bool] = True
    scale_px: int  # edge of the box that a detail is the mean of
    window_px: int
    least_ratio: float
    least_grey: float

    @property
    def reach_px(self) -> int:
        """Return how far it looks: the window, and from its rim a box and half of one."""
        return self.judged_px + self.voting_px + 2 * LARGER * self.scale_px

    @property
    def judged_px(self) -> int:
        """Return half the small window in which sharpness is judged, a third of the whole."""
        return self.window_px // 3

    @property
    def voting_px(self) -> int:
        """Return half the window in which the judgements are counted."""
        return self.window_px - self.judged_px

    @property
    def facts(self) -> dict[str, object]:
        """Return the limits that were used."""
        return {
            "scale_px": self.scale_px,
            "window_px": 2 * self.window_px + 1,
            "least_ratio": self.least_ratio,
            "least_contrast_grey": self.least_grey,
        }

    def mask(self, seen: Seen) -> MaskArray:
        """Return bool (h, w), True where the energy of fine detail is too small a share of the coarser.

        Both are squared second differences of box means, added over the tissue of a small window. Their ratio is that
        of two neighbouring parts of the spectrum, so neither the contrast of the tissue nor its density has a say;
        where there is too little contrast of the coarser kind, nothing can be said and nothing is excluded. Most of
        the tissue round a pixel has to be blurred: one smooth lumen is not, and one sharp nucleus in a blurred area
        does not make it sharp.
        """
        red, green, blue = (seen.rgb[..., channel].astype(np.uint32) for channel in range(3))
        grey: NDArray[np.uint32] = (77 * red + 150 * green + 29 * blue) >> np.uint32(8)
        fine, coarse = (_detail(grey, seen.valid, scale * self.scale_px) for scale in (1, LARGER))
        judged = seen.stands_out & (fine >= 0) & (coarse >= 0)
        count = window_sum(judged, self.judged_px)
        energy = [
            window_sum(np.where(judged, detail, 0).astype(np.uint64), self.judged_px, _LARGEST).astype(np.uint64)
            for detail in (fine, coarse)
        ]
        ratio = Fraction(self.least_ratio).limit_denominator(1000)
        blurred = energy[0] * np.uint64(ratio.denominator) < energy[1] * np.uint64(ratio.numerator)
        least = np.uint64(max(1, round((_PER_GREY * self.least_grey) ** 2)))
        told = judged & (energy[1] >= least * count.astype(np.uint64))
        votes, voters = (window_sum(mask, self.voting_px, 2) for mask in (blurred & told, told))
        return (2 * votes > voters) & seen.stands_out


def _detail(grey: NDArray[np.uint32], valid: MaskArray, box_px: int) -> NDArray[np.int32]:
    """Return the squared Laplacian of box means a box apart, int32 (h, w) in (grey level / 4)²; -1 where unknown.

    Whole numbers from sums of whole boxes: the same for each pixel whatever tile it was cut out with. It is unknown
    where a box reaches over the rim of the tile or over what is not valid.
    """
    out = np.full(grey.shape, -1, np.int32)
    step = box_px
    if min(grey.shape) < 3 * box_px:
        return out
    sums = _box_sums(np.where(valid, grey, 0), box_px)
    parts = (np.s_[step:-step, step:-step], np.s_[: -2 * step, step:-step], np.s_[2 * step :, step:-step],
             np.s_[step:-step, : -2 * step], np.s_[step:-step, 2 * step :])  # fmt: skip
    centre, *around = (sums[part] for part in parts)
    laplacian = (4 * centre - sum(around)) * _PER_GREY // (box_px * box_px)
    laplacian *= laplacian
    if not valid.all():
        whole = _box_sums(valid, box_px) == box_px * box_px
        laplacian[~np.logical_and.reduce([whole[part] for part in parts])] = -1
    at = step + (box_px - 1) // 2
    height, width = laplacian.shape
    out[at : at + height, at : at + width] = laplacian
    return out


def _box_sums(values: NDArray[np.generic], box_px: int) -> NDArray[np.int32]:
    """Return the sums of all whole boxes, int32 (h - box + 1, w - box + 1), by their upper left pixel.

    Running sums wrap around and back, as in ``windows``; only the sum of a box has to fit.
    """
    height, width = values.shape
    table = np.zeros((height + 1, width + 1), np.uint32)
    np.cumsum(values, axis=0, dtype=np.uint32, out=table[1:, 1:])
    np.cumsum(table[1:, 1:], axis=1, dtype=np.uint32, out=table[1:, 1:])
    n = box_px
    sums = table[n:, n:] - table[:-n, n:]
    sums -= table[n:, :-n]
    sums += table[:-n, :-n]
    return sums.view(np.int32)
