"""model: sizes and axis-aligned boxes in pixels; the field that holds one names its frame."""

from typing import ClassVar

from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import CLOSED, Count, Whole


@frozen_value
class Size:
    """Width and height in pixels."""

    __pydantic_config__: ClassVar = CLOSED

    width_px: Count
    height_px: Count

    @property
    def area_px(self) -> int:
        """Return the number of pixels.

        >>> Size(3, 4).area_px
        12
        """
        return self.width_px * self.height_px


@frozen_value
class Region:
    """A box of whole pixels: columns ``[x_px, x_px + width_px)``, rows likewise."""

    __pydantic_config__: ClassVar = CLOSED

    x_px: Whole
    y_px: Whole
    width_px: Count
    height_px: Count

    @property
    def right_px(self) -> int:
        """Return the first column to the right of the box."""
        return self.x_px + self.width_px

    @property
    def bottom_px(self) -> int:
        """Return the first row below the box."""
        return self.y_px + self.height_px

    @property
    def area_px(self) -> int:
        """Return the number of pixels in the box."""
        return self.width_px * self.height_px

    def grown(self, margin_px: int, within: Size) -> "Region":
        """Return the box grown by a margin on every side, cut at the edges of ``within``.

        >>> Region(0, 5, 10, 10).grown(3, Size(12, 40))
        Region(x_px=0, y_px=2, width_px=12, height_px=16)
        """
        left, top = max(0, self.x_px - margin_px), max(0, self.y_px - margin_px)
        right = min(within.width_px, self.right_px + margin_px)
        bottom = min(within.height_px, self.bottom_px + margin_px)
        return Region(left, top, right - left, bottom - top)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Return the rows and the columns of the box, for an array that begins at pixel 0.

        >>> Region(2, 5, 3, 1).slices
        (slice(5, 6, None), slice(2, 5, None))
        """
        return slice(self.y_px, self.bottom_px), slice(self.x_px, self.right_px)

    def moved(self, right_px: int, down_px: int) -> "Region":
        """Return the box that far to the right and below.

        >>> Region(1, 2, 3, 4).moved(10, 20)
        Region(x_px=11, y_px=22, width_px=3, height_px=4)
        """
        return Region(self.x_px + right_px, self.y_px + down_px, self.width_px, self.height_px)

    def seen_from(self, outer: "Region") -> "Region":
        """Return the box in pixels from the upper left corner of another.

        >>> Region(11, 22, 3, 4).seen_from(Region(10, 20, 8, 8))
        Region(x_px=1, y_px=2, width_px=3, height_px=4)
        """
        return self.moved(-outer.x_px, -outer.y_px)

    def intersection(self, other: "Region") -> "Region | None":
        """Return the box common to both, or None where they do not meet.

        >>> Region(0, 0, 4, 4).intersection(Region(2, 3, 9, 9))
        Region(x_px=2, y_px=3, width_px=2, height_px=1)
        >>> Region(0, 0, 4, 4).intersection(Region(4, 0, 1, 1)) is None
        True
        """
        left, top = max(self.x_px, other.x_px), max(self.y_px, other.y_px)
        right, bottom = min(self.right_px, other.right_px), min(self.bottom_px, other.bottom_px)
        if right <= left or bottom <= top:
            return None
        return Region(left, top, right - left, bottom - top)
