"""notebook: how the viewer cuts a slide into levels and tiles: square pixels, whatever those of the slide are; pure."""

import math

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

TILE_PX = 512


@frozen_value
class TileBox:
    """What one tile shows: its pixels, and the box of level-0 pixels that they are spread over evenly."""

    size_px: Size
    left_l0_px: float
    top_l0_px: float
    right_l0_px: float
    bottom_l0_px: float

    @property
    def step_x_l0_px(self) -> float:
        """Return the level-0 columns under one pixel of the tile."""
        return (self.right_l0_px - self.left_l0_px) / self.size_px.width_px

    @property
    def step_y_l0_px(self) -> float:
        """Return the level-0 rows under one pixel of the tile."""
        return (self.bottom_l0_px - self.top_l0_px) / self.size_px.height_px


@frozen_value
class ViewGrid:
    """A slide as a picture of square pixels in levels of factor 2; unlike a slide's, the last level is the finest."""

    size_l0_px: Size
    size_px: Size  # of the finest level: as many columns as level 0

    @property
    def last_level(self) -> int:
        """Return the finest level; level 0 would be a single pixel."""
        return max(self.size_px.width_px - 1, self.size_px.height_px - 1).bit_length()

    @property
    def first_level(self) -> int:
        """Return the finest level that is a single tile; none below it is of use."""
        longest = max(self.size_px.width_px, self.size_px.height_px)
        return self.last_level - max(0, math.ceil(math.log2(longest / TILE_PX)))

    def tile(self, level: int, column: int, row: int) -> TileBox:
        """Return the box of a tile.

        Raises
        ------
        ResultError
            There is no such tile.

        >>> ViewGrid(Size(1000, 600), Size(1000, 600)).tile(9, 0, 0)
        TileBox(size_px=Size(width_px=500, height_px=300), left_l0_px=0.0, top_l0_px=0.0, right_l0_px=1000.0, \
bottom_l0_px=600.0)
        """
        step = 2.0 ** (self.last_level - level)
        left, top = column * TILE_PX * step, row * TILE_PX * step
        width, height = self.size_px.width_px, self.size_px.height_px
        if not (self.first_level <= level <= self.last_level and 0 <= left < width and 0 <= top < height):
            raise ResultError(f"the viewer has no tile in level {level}, column {column}, row {row}")
        right, bottom = min(left + TILE_PX * step, width), min(top + TILE_PX * step, height)
        size = Size(math.ceil((right - left) / step), math.ceil((bottom - top) / step))
        across, down = self.size_l0_px.width_px / width, self.size_l0_px.height_px / height
        return TileBox(size, left * across, top * down, right * across, bottom * down)


def view_grid(size_l0_px: Size, mpp: Mpp | None) -> ViewGrid:
    """Return the grid of a slide; without a pixel size its pixels are shown as squares.

    >>> view_grid(Size(1000, 600), Mpp(0.5, 0.25)).size_px
    Size(width_px=1000, height_px=300)
    """
    ratio = 1.0 if mpp is None else mpp.y / mpp.x
    return ViewGrid(size_l0_px, Size(size_l0_px.width_px, max(1, round(size_l0_px.height_px * ratio))))
