"""segmenters: outlines of bubbles, coverslip edges and dirt: thin and grey, with no tissue about."""

from typing import ClassVar

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray, TilePlace
from wsi_area.segmenters.exclusions.absorption import Seen
from wsi_area.segmenters.exclusions.windows import narrowed, share_exceeds

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
        open_px = seen.stands_out & ~share_exceeds(seen.stands_out, seen.valid, 1, -1, self.line_px)
        return narrowed(open_px, self.line_px, lambda box_px: self._is_outline(seen.part(box_px)))

    def _is_outline(self, seen: Seen) -> MaskArray:
        """Return bool (h, w), True where what stands out nearby is grey, and next to nothing farther coloured."""
        grey = seen.is_grey(self.chroma_percent)
        share = GREY_SHARE_PERCENT
        near_px = max(1, self.line_px // 4)
        greyish = share_exceeds(grey, seen.stands_out, 100 - share, -share, near_px, -1)
        coloured, share = seen.stands_out & ~grey, COLOURED_SHARE_PERCENT
        return greyish & ~share_exceeds(coloured, seen.valid, 100 - share, -share, self.line_px)
