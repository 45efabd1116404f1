"""segmenters: focus. A blurred picture has less fine detail than its coarser detail promises."""

from fractions import Fraction
from typing import ClassVar

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray, TilePlace
from wsi_area.segmenters.exclusions.absorption import Seen
from wsi_area.segmenters.exclusions.sharpness import STEPS_PER_GREY, blur_votes, detail
from wsi_area.segmenters.exclusions.windows import exceeds

LARGER = 4  # the coarser detail is this many times the size of the finer
LEAST_SCALE_PX = 1.5  # the detail must be that many work pixels at least


@frozen_value
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
        """Return the distance that it looks: the window, and from its rim a box and half of one."""
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

    def mask(self, seen: Seen, place: TilePlace | None = None) -> MaskArray:
        """Return bool (h, w), True where the energy of fine detail is too small a share of the coarser.

        Both are squared second differences of box means, added over the tissue of a small window. Their ratio is that
        of two neighbouring parts of the spectrum, so neither the contrast of the tissue nor its density has a say;
        where there is too little contrast of the coarser kind, nothing can be said and nothing is excluded. Most of
        the tissue round a pixel has to be blurred: one smooth lumen is not, and one sharp nucleus in a blurred area
        does not make it sharp.
        """
        fine, judged = detail(seen.grey, seen.valid, self.scale_px)
        coarse, of_coarse = detail(seen.grey, seen.valid, LARGER * self.scale_px)
        judged &= of_coarse
        judged &= seen.stands_out
        ratio = Fraction(self.least_ratio).limit_denominator(1000)
        votes = blur_votes(
            judged,
            fine,
            coarse,
            self.judged_px,
            max(1, round((STEPS_PER_GREY * self.least_grey) ** 2)),
            (ratio.numerator, ratio.denominator),
        )
        return exceeds(votes, self.voting_px) & seen.stands_out
