"""run: where one tile leaves its answer, and the accounting law that it holds before it may be committed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bit_planes import bit_planes
from wsi_area.compute.count.edges import WORD_PX, AreaIds, boundary_edges
from wsi_area.errors import CountMismatchError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID, OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.pixels import ClassMap, MaskArray

Ints = NDArray[np.int64]


@frozen_value
class TileSpot:
    """Where one tile leaves its answer: its class map, its signal, its ledger row, its pixels' weights."""

    class_map: ClassMap
    row: Ints
    layout: LedgerLayout
    area_l0_px: int  # level-0 pixels that the tile's core owns
    column_weights: Ints  # level-0 columns for each work column of the core
    row_weights: Ints
    inside: MaskArray | None  # of the region of interest; None where all of the core is
    signal: NDArray[np.int32] | None = None  # of each pixel, in whole steps; None where it is not kept

    def assert_accounted(self) -> None:
        """Hold the accounting law for this tile, before its row can be committed."""
        found = sum(self.row[self.layout.px_columns].tolist())
        if found != self.area_l0_px:
            raise CountMismatchError(
                f"{found} level-0 px were counted in a tile of {self.area_l0_px}; please report this"
            )

    @property
    def codes_present(self) -> list[int]:
        """Return the codes that the class map holds, by what was counted."""
        n = self.layout.class_count
        codes = (*range(n), UNSCANNED_CODE, OUTSIDE_ROI_CODE, UNREADABLE_CODE)
        return [code for code, n_px in zip(codes, self.row[self.layout.px_columns].tolist(), strict=True) if n_px]

    def planes(self, tile_px: int) -> NDArray[np.uint8] | None:
        """Return the bit planes of the class map, uint8 (planes, tile_px² / 8), this thread's until others are made.

        None of a tile that is not whole, whose rows are no whole words, or that is all background.
        """
        return None if tile_px % WORD_PX or self.class_map.shape != (tile_px, tile_px) else bit_planes(self.class_map)

    def count_edges(self, areas: Sequence[AreaIds], planes: NDArray[np.uint8] | None = None) -> None:
        """Write the edges of areas, of a class map whose counts are in its row; ``planes`` are its bit planes."""
        self.row[self.layout.edge_columns] = boundary_edges(self.class_map, areas, self.codes_present, planes)

    def clear(self) -> None:
        """Forget what an earlier try counted."""
        self.row[:] = 0

    def skip(self) -> bool:
        """Give the whole core to the background, unread; return whether the class map is to be kept for it."""
        if self.inside is None:  # background is the fill value, so nothing need be written
            self._count_whole(BACKGROUND_ID, TileStatus.SKIPPED)
            return False
        self.fill(BACKGROUND_ID, BACKGROUND_ID, TileStatus.SKIPPED)
        return True

    def fill(self, code: int, column: int, status: TileStatus) -> None:
        """Give the whole core one code, and its pixels to one column; what is outside the region stays outside."""
        self._count_whole(column, status)
        self.class_map[:] = code
        if self.signal is not None:
            self.signal[:] = 0
        self.move_outside_from(column)

    def _count_whole(self, column: int, status: TileStatus) -> None:
        self.clear()
        self.row[column] = self.area_l0_px
        self.row[self.layout.status_column] = status

    def fill_unreadable(self) -> None:
        """Give the whole core to what could not be read."""
        self.fill(UNREADABLE_CODE, self.layout.unreadable_column, TileStatus.UNREADABLE)

    def move_unreadable_from(self, column: int, unreadable: MaskArray) -> None:
        """Give pixels that could not be read their code, and their count from a column to its own; inside the region.

        ``unreadable`` is bool of the class map's shape.
        """
        lost = unreadable if self.inside is None else unreadable & self.inside
        lost_l0_px = int(self.row_weights @ (lost @ self.column_weights))
        self.class_map[lost] = UNREADABLE_CODE
        self.row[column] -= lost_l0_px
        self.row[self.layout.unreadable_column] += lost_l0_px

    def move_outside_from(self, column: int) -> None:
        """Give what lies outside the region of interest its code, and its pixels from a column to its own."""
        if self.inside is None:
            return
        outside = ~self.inside
        outside_l0_px = int(self.row_weights @ (outside @ self.column_weights))
        self.class_map[outside] = OUTSIDE_ROI_CODE
        self.row[column] -= outside_l0_px
        self.row[self.layout.outside_roi_column] += outside_l0_px
