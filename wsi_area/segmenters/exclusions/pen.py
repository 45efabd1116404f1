"""segmenters: ink. What no stain looks like, where it covers most of a window."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from wsi_area.model.pixels import MaskArray
from wsi_area.segmenters.exclusions.absorption import Seen
from wsi_area.segmenters.exclusions.windows import window_sum

LEAST_MILLI_OD = 150  # of the most absorbed channel: what is paler cannot be told from glass
BLUE_MILLI_OD = 500  # of red: haematoxylin may be as blue, but is paler between its nuclei
BLACK_MILLI_OD = 600  # of every channel: of tissue, only single nuclei are that dark in all of them
RED_CHROMA = 110  # grey levels by which red exceeds green and blue: beyond blood, eosin and DAB


@dataclass(frozen=True, slots=True)
class PenRule:
    """Which pixels are ink."""

    name: ClassVar[str] = "pen"
    only_on_tissue: ClassVar[bool] = False  # ink on glass is ink on the slide too
    window_px: int

    @property
    def reach_px(self) -> int:
        """Return how far it looks."""
        return self.window_px

    @property
    def facts(self) -> dict[str, object]:
        """Return the limits that were used."""
        return {
            "window_px": 2 * self.window_px + 1,
            "window_share": 0.5,
            "least_od": LEAST_MILLI_OD / 1000,
            "blue_least_od": BLUE_MILLI_OD / 1000,
            "black_least_od": BLACK_MILLI_OD / 1000,
            "red_chroma_grey": RED_CHROMA,
        }

    def mask(self, seen: Seen) -> MaskArray:
        """Return bool (h, w), True where more than half of the window is ink, and the pixel is no bare glass.

        Strokes, and never specks; a nucleus in the ink or a paler streak of it belongs to the stroke.
        """
        ink = ink_like(seen)
        mostly: MaskArray = 2 * window_sum(ink, self.window_px, 2) > window_sum(seen.valid, self.window_px)
        return mostly & seen.stands_out


def ink_like(seen: Seen) -> MaskArray:
    """Return bool (h, w), True where the colour is one that ink has and stained tissue has not.

    Every stain of histology absorbs green at least about as much as red and blue: haematoxylin R 0.65, G 0.70,
    B 0.29, eosin 0.07, 0.99, 0.11, DAB 0.27, 0.57, 0.78 (Ruifrok & Johnston 2001). Ink does not: blue absorbs red
    most, green absorbs green least, black all alike, red nothing of red. On tissue the two add up, and blue ink on
    eosin has the colour of dense haematoxylin and black that of a fold: but ink is a film, with no pale pixel between.
    """
    red, green, blue = (seen.milli_od[..., channel].astype(np.int32) for channel in range(3))
    most = np.maximum(np.maximum(red, green), blue)
    least = np.minimum(np.minimum(red, green), blue)
    r, g, b = (seen.rgb[..., channel].astype(np.int16) for channel in range(3))
    is_blue = (10 * green <= 12 * red) & (10 * blue <= 7 * red) & (red >= BLUE_MILLI_OD)
    is_green = (10 * green <= 9 * np.minimum(red, blue)) & (most >= LEAST_MILLI_OD)
    is_black = (least >= BLACK_MILLI_OD) & (100 * least >= 55 * most)
    is_red = np.minimum(r - g, r - b) >= RED_CHROMA
    ink: MaskArray = (is_blue | is_green | is_black | is_red) & seen.valid & seen.stands_out
    return ink
