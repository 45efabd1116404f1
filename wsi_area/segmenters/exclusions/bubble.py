"""segmenters: outlines of bubbles, coverslip edges and dirt: thin and grey, with no tissue about."""

from typing import ClassVar

import numpy as np

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray, TilePlace
from wsi_area.segmenters.exclusions.absorption import Seen
from wsi_area.segmenters.exclusions.windows import exceeds, scores_of

GREY_SHARE_PERCENT = 70  # of what stands out within half a line's thickness
COLOURED_SHARE_PERCENT = 5  # of the window: more of it is tissue with a grey part


@frozen_value
class BubbleRule:
    """Which of what stands out from glass is an outline."""

    name: ClassVar[str] = "bubble"
    only_on_tissue: ClassVar[bool] = True
    line_px: int
    chroma_percent: int

    @property
    def reach_px(self) -> int:
        """Return the distance that it looks."""
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

    def mask(self, seen: Seen, place: TilePlace | None = None) -> MaskArray:
        """Return bool (h, w), True where what stands out is grey, and fills less than half of the window."""
        chroma, most = seen.chroma_milli_od, seen.most_milli_od
        is_grey = np.multiply(chroma, 100, dtype=np.int32) <= np.multiply(most, self.chroma_percent, dtype=np.int32)
        grey = seen.stands_out & is_grey
        near, far = max(1, self.line_px // 4), self.line_px
        greyish = exceeds(scores_of(grey, seen.stands_out, 100 - GREY_SHARE_PERCENT, -GREY_SHARE_PERCENT), near, -1)
        filled = exceeds(scores_of(seen.stands_out, seen.valid, 1, -1), far)
        coloured = seen.stands_out & ~is_grey
        share = COLOURED_SHARE_PERCENT
        has_colour = exceeds(scores_of(coloured, seen.valid, 100 - share, -share), far)
        return greyish & ~filled & ~has_colour & seen.stands_out
