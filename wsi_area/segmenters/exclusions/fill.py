"""segmenters: one colour that software filled in where nothing was scanned, by colour and by place."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Size
from wsi_area.model.light import GlassRgb
from wsi_area.model.pixels import MaskArray, TilePlace
from wsi_area.segmenters.colour.fills import Fills
from wsi_area.segmenters.exclusions.absorption import Seen
from wsi_area.segmenters.exclusions.windows import share_exceeds

TOLERANCE = 8  # grey levels: what compression makes of one colour
WINDOW_SHARE_PERCENT = 30  # a corner of it has that much of the window


@frozen_value(eq=False)
class FillRule:
    """Which pixels were filled: of a colour of the fills, not alone, and where the overview shows them."""

    name: ClassVar[str] = "unscanned_fill"
    only_on_tissue: ClassVar[bool] = False
    colours: tuple[GlassRgb, ...]
    shares: tuple[float, ...]  # of the scanned pixels of the overview
    blocks: NDArray[np.bool_]  # (rows, columns) of equal blocks of the slide, True where a fill lies, or next to it
    block_l0_px: tuple[float, float]  # width and height of a block
    window_px: int  # 0 where the slide has no pixel size, and a tile no halo

    @property
    def reach_px(self) -> int:
        """Return the distance that it looks."""
        return self.window_px

    @property
    def facts(self) -> dict[str, object]:
        """Return the colours, and the limits that were used."""
        fills = [{"rgb": list(c), "share_of_overview": s} for c, s in zip(self.colours, self.shares, strict=True)]
        return {"window_px": 2 * self.window_px + 1, "tolerance_grey": TOLERANCE, "fills": fills}

    def mask(self, seen: Seen, place: TilePlace | None = None) -> MaskArray:
        """Return bool (h, w), True where a pixel has the colour of a fill, is not alone, and the overview shows it."""
        if place is None:
            return self._of_colour(seen)
        width, height = self.block_l0_px
        rows, columns = self.blocks.shape
        at_x = np.minimum((place.x_centres_l0_px / width).astype(np.int64), columns - 1)
        at_y = np.minimum((place.y_centres_l0_px / height).astype(np.int64), rows - 1)
        near = self.blocks[np.ix_(at_y, at_x)]
        return self._of_colour(seen) & near if near.any() else near

    def _of_colour(self, seen: Seen) -> MaskArray:
        found = np.zeros(seen.valid.shape, np.bool_)
        for colour in self.colours:
            near = seen.valid.copy()
            for channel, level in enumerate(colour):
                values = seen.rgb[..., channel]
                near &= (values >= max(0, level - TOLERANCE)) & (values <= min(255, level + TOLERANCE))
            found |= near
        share = WINDOW_SHARE_PERCENT  # at least that share: the sum is not below 0
        return found & share_exceeds(found, seen.valid, 100 - share, -share, self.window_px, -1)


def fill_rule(fills: Fills, size_l0_px: Size, window_px: int) -> FillRule:
    """Return the rule for the fills of a slide."""
    blocks = fills.blocks
    height, width = fills.mask.shape
    side = fills.block_px
    l0_px = side * size_l0_px.width_px / width, side * size_l0_px.height_px / height
    return FillRule(tuple(f.rgb for f in fills.fills), tuple(f.share for f in fills.fills), blocks, l0_px, window_px)
