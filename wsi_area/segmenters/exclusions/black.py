"""segmenters: black that software painted where nothing was scanned."""

from typing import ClassVar

import numpy as np

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray, TilePlace
from wsi_area.segmenters.exclusions.absorption import Seen
from wsi_area.segmenters.exclusions.windows import share_exceeds

BRIGHTEST = 8  # grey levels: what compression makes of painted black
WINDOW_SHARE_PERCENT = 30  # a corner of it has that much of the window
WINDOW_PX = 4  # half a block of JPEG: its ringing, not anything in the tissue, sets the scale


@frozen_value
class BlackRule:
    """Which pixels of a bright-field slide were painted black."""

    name: ClassVar[str] = "unscanned_black"
    only_on_tissue: ClassVar[bool] = False
    window_px: int  # 0 where the slide has no pixel size, and a tile no halo

    @property
    def reach_px(self) -> int:
        """Return the distance that it looks."""
        return self.window_px

    @property
    def facts(self) -> dict[str, object]:
        """Return the limits that were used."""
        return {"window_px": 2 * self.window_px + 1, "brightest_grey": BRIGHTEST}

    def mask(self, seen: Seen, place: TilePlace | None = None) -> MaskArray:
        """Return bool (h, w), True where a pixel is black and not alone."""
        red, green, blue = (seen.rgb[..., channel] for channel in range(3))
        black: MaskArray = (np.maximum(np.maximum(red, green), blue) <= BRIGHTEST) & seen.valid
        share = WINDOW_SHARE_PERCENT  # at least that share: the sum is not below 0
        return black & share_exceeds(black, seen.valid, 100 - share, -share, self.window_px, -1)
