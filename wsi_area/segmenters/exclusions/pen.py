"""segmenters: ink. What no stain looks like, where it covers most of a window."""

from typing import ClassVar

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray, TilePlace
from wsi_area.segmenters.exclusions.absorption import INK, Seen
from wsi_area.segmenters.exclusions.windows import share_exceeds


@frozen_value
class PenRule:
    """Which pixels are ink."""

    name: ClassVar[str] = "pen"
    only_on_tissue: ClassVar[bool] = False  # ink on glass is ink on the slide too
    window_px: int

    @property
    def reach_px(self) -> int:
        """Return the distance that it looks."""
        return self.window_px

    @property
    def facts(self) -> dict[str, object]:
        """Return the limits that were used."""
        return {
            "window_px": 2 * self.window_px + 1,
            "window_share": 0.5,
            "least_od": INK.least_milli_od / 1000,
            "blue_least_od": INK.blue_milli_od / 1000,
            "black_least_od": INK.black_milli_od / 1000,
            "red_chroma_grey": INK.red_chroma_grey,
        }

    def mask(self, seen: Seen, place: TilePlace | None = None) -> MaskArray:
        """Return bool (h, w), True where more than half of the window is ink, and the pixel is no bare glass.

        Strokes, and never specks; a nucleus in the ink or a paler streak of it belongs to the stroke.
        """
        return share_exceeds(seen.ink, seen.valid, 1, -1, self.window_px) & seen.stands_out
