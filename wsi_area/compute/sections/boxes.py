"""compute: how much tissue lies in each box of a fixed grid over a slide, and the outline of some of its boxes."""

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.pixels import MaskArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@frozen_value(eq=False)
class TissueBoxes:
    """The tissue of a slide on a grid of boxes, the same however the slide was cut into tiles."""

    share: Floats  # (h, w), 0 to 1: what of a box is tissue, of all its pixels
    is_tissue: MaskArray  # (h, w): at least half of what has a class there is tissue
    is_cut: MaskArray  # (h, w): a part of it was not scanned, not to be measured, or not readable
    columns_l0_px: Ints  # (w + 1,), edges of the boxes
    rows_l0_px: Ints  # (h + 1,)
    mpp: Mpp  # µm per level-0 pixel

    @property
    def box_um(self) -> tuple[float, float]:
        """Return width and height of a box, µm; the last ones of a row or column may be smaller."""
        columns, rows = self.columns_l0_px, self.rows_l0_px
        return float(columns[1] - columns[0]) * self.mpp.x, float(rows[1] - rows[0]) * self.mpp.y

    @property
    def area_mm2(self) -> Floats:
        """Return the tissue in each box, mm², float64 (h, w)."""
        areas_px = np.outer(np.diff(self.rows_l0_px), np.diff(self.columns_l0_px))
        return np.asarray(self.share * areas_px * self.mpp.pixel_area_mm2)

    @property
    def centres_um(self) -> tuple[Floats, Floats]:
        """Return the centres of the columns and of the rows of boxes, µm from the slide's origin."""
        columns, rows = self.columns_l0_px.astype(np.float64), self.rows_l0_px.astype(np.float64)
        return (columns[:-1] + columns[1:]) / 2 * self.mpp.x, (rows[:-1] + rows[1:]) / 2 * self.mpp.y

    @property
    def slide_l0_px(self) -> shapely.Geometry:
        """Return the whole slide, level-0 px."""
        return shapely.box(0, 0, int(self.columns_l0_px[-1]), int(self.rows_l0_px[-1]))

    def outline_l0_px(self, boxes: MaskArray) -> shapely.Geometry:
        """Return the outline of some boxes, a Polygon or MultiPolygon in whole level-0 px.

        Its edges run along those of work pixels, so that the pixels whose centres lie inside are exactly those of the
        boxes.
        """
        padded = np.zeros((boxes.shape[0], boxes.shape[1] + 2), np.int8)
        padded[:, 1:-1] = boxes
        change = np.diff(padded, axis=1)
        (row, start), (_, stop) = np.nonzero(change == 1), np.nonzero(change == -1)  # both row by row
        x, y = self.columns_l0_px, self.rows_l0_px
        return shapely.union_all(shapely.box(x[start], y[row], x[stop], y[row + 1]))
