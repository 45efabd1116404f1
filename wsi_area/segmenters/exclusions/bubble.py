"""segmenters: outlines of bubbles, coverslip edges and dirt: thin and grey, with no tissue about."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from wsi_area.model.pixels import MaskArray
from wsi_area.segmenters.exclusions.absorption import Seen
from wsi_area.segmenters.exclusions.windows import window_sum

GREY_SHARE_PERCENT = 70  # of what stands out within half a line's thickness
COLOURED_SHARE_PERCENT = 5  # of the window: more of it is tissue with a grey part


@dataclass(frozen=True, slots=True)
class BubbleRule:
    """Which of what stands out from glass is an outline."""

    name: ClassVar[str] = "bubble"
    only_on_tissue: ClassVar[bool] = True
    line_px: int
    chroma_percent: int

    @property
    def reach_px(self) -> int:
        """Return how far it looks."""
        return self.line_px

    @property
    def facts(self) -> dict[str, object]:
        """Return the limits that were used."""
        return {
            "window_px": 2 * self.line_px + 1,
            "chroma": self.chroma_percent / 100,
            "grey_share": GREY_SHARE_PERCENT / 100,
            "coloured_share": COLOURED_SHARE_PERCENT / 100,
        }

    def mask(self, seen: Seen) -> MaskArray:
        """Return bool (h, w), True where what stands out is grey, and fills less than half of the window."""
        red, green, blue = (seen.milli_od[..., channel].astype(np.int32) for channel in range(3))
        most = np.maximum(np.maximum(red, green), blue)
        chroma = most - np.minimum(np.minimum(red, green), blue)
        grey = seen.stands_out & (100 * chroma <= self.chroma_percent * most)
        near, far = max(1, self.line_px // 4), self.line_px
        greyish = 100 * window_sum(grey, near, 100) >= GREY_SHARE_PERCENT * window_sum(seen.stands_out, near, 100)
        window, dark = window_sum(seen.valid, far, 100), window_sum(seen.stands_out, far, 100)
        coloured = dark - window_sum(grey, far, 100)
        alone = (2 * dark <= window) & (100 * coloured <= COLOURED_SHARE_PERCENT * window)
        return greyish & alone & seen.stands_out
