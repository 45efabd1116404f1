"""run: where one tile leaves its answer, and the accounting law that it holds before it may be committed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import CountMismatchError
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.pixels import ClassMap, MaskArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TileSpot:
    """Where one tile leaves its answer: its class map, its ledger row, its pixels' weights."""

    class_map: ClassMap
    row: Ints
    layout: LedgerLayout
    column_weights: Ints  # level-0 columns for each work column of the core
    row_weights: Ints
    inside: MaskArray | None  # of the region of interest; None where all of the core is

    @property
    def area_l0_px(self) -> int:
        """Return how many level-0 pixels the tile's core owns."""
        return int(self.column_weights.sum() * self.row_weights.sum())

    def assert_accounted(self) -> None:
        """Hold the accounting law for this tile, before its row can be committed."""
        found = int(self.row[self.layout.px_columns].sum())
        if found != self.area_l0_px:
            raise CountMismatchError(
                f"{found} level-0 px were counted in a tile of {self.area_l0_px}; please report this"
            )

    def clear(self) -> None:
        """Forget what an earlier try counted."""
        self.row[:] = 0

    def fill(self, code: int, column: int, status: TileStatus) -> None:
        """Give the whole core one code, and its pixels to one column; what is outside the region stays outside."""
        self.clear()
        self.class_map[:] = code
        self.row[column] = self.area_l0_px
        self.row[self.layout.status_column] = status
        self.move_outside_from(column)

    def fill_unreadable(self) -> None:
        """Give the whole core to what could not be read."""
        self.fill(UNREADABLE_CODE, self.layout.unreadable_column, TileStatus.UNREADABLE)

    def move_outside_from(self, column: int) -> None:
        """Give what lies outside the region of interest its code, and its pixels from a column to its own."""
        if self.inside is None:
            return
        outside = ~self.inside
        outside_l0_px = int(self.row_weights @ (outside @ self.column_weights))
        self.class_map[outside] = OUTSIDE_ROI_CODE
        self.row[column] -= outside_l0_px
        self.row[self.layout.outside_roi_column] += outside_l0_px
