"""model: one row of the ledger, the integers that a tile leaves behind."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.counts import ClassCounts

NOT_COMMITTED = -1
"""The fill value of the ledger: a row that still holds it has not been measured."""


TOTALS = ("tumor", "positive", "tissue")
"""All classes of a kind together, of which there are edges too."""


class TileStatus(IntEnum):
    """How a committed row came about."""

    READ = 1
    SKIPPED = 2  # bare glass on the overview: counted as background without being read
    UNREADABLE = 3  # some or all of it: the row says how much
    UNSAMPLED = 4  # a spot that an estimate may draw and did not: no pixel of it is counted


@frozen_value
class LedgerLayout:
    """Where each integer stands in a row, for a scheme of ``class_count`` classes.

    After the status come the tissue at other thresholds, the edges of the classes and of the totals, and what was
    counted in pixels of another size; the first and the last are 0 but in a few tiles. Ledgers of earlier versions end
    before these.

    >>> LedgerLayout(2).columns
    ('px_class_0', 'px_class_1', 'unscanned_px', 'outside_roi_px', 'unreadable_px', 'signal_class_0', \
'signal_class_1', 'status', 'tissue_px_lower', 'tissue_px_used', 'tissue_px_higher', 'edges_class_1', \
'edges_tumor', 'edges_positive', 'edges_tissue', 'here_px_class_0', 'here_px_class_1', 'other_px_class_0', \
'other_px_class_1')
    """

    class_count: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the name of each column."""
        n = range(self.class_count)
        px, signal = (f"px_class_{i}" for i in n), (f"signal_class_{i}" for i in n)
        at_thresholds = ("tissue_px_lower", "tissue_px_used", "tissue_px_higher")
        edges = (*(f"edges_class_{i}" for i in n[1:]), *(f"edges_{total}" for total in TOTALS))
        of_pixels = (*(f"here_px_class_{i}" for i in n), *(f"other_px_class_{i}" for i in n))
        counts = *px, "unscanned_px", "outside_roi_px", "unreadable_px", *signal, "status"
        return (*counts, *at_thresholds, *edges, *of_pixels)

    def fits(self, width: int) -> bool:
        """Return True if rows of so many integers are of this layout, whatever version wrote them.

        >>> [LedgerLayout(2).fits(width) for width in (8, 10, 11, 19)]
        [True, False, True, True]
        """
        return width in {self.status_column + 1, self.threshold_columns.stop, len(self.columns)}

    @property
    def px_columns(self) -> slice:
        """Return the columns that must add up to the tile's level-0 pixels."""
        return slice(0, self.class_count + 3)

    @property
    def signal_columns(self) -> slice:
        """Return the columns of integrated signal."""
        return slice(self.class_count + 3, 2 * self.class_count + 3)

    @property
    def unscanned_column(self) -> int:
        """Return the column of pixels that the scanner never looked at."""
        return self.class_count

    @property
    def outside_roi_column(self) -> int:
        """Return the column of pixels outside the region of interest."""
        return self.class_count + 1

    @property
    def unreadable_column(self) -> int:
        """Return the column of pixels that could not be decoded."""
        return self.class_count + 2

    @property
    def status_column(self) -> int:
        """Return the column of the `TileStatus`."""
        return 2 * self.class_count + 3

    @property
    def threshold_columns(self) -> slice:
        """Return the columns of tissue at a lower threshold, the one that was used, and a higher one."""
        return slice(self.status_column + 1, self.status_column + 4)

    @property
    def edge_columns(self) -> slice:
        """Return the columns of edges between work pixels: of each class but background, then of each total."""
        start = self.threshold_columns.stop
        return slice(start, start + self.class_count - 1 + len(TOTALS))

    @property
    def here_columns(self) -> slice:
        """Return the columns of what was counted where pixels of another size were counted too, class by class."""
        return slice(self.edge_columns.stop, self.edge_columns.stop + self.class_count)

    @property
    def other_columns(self) -> slice:
        """Return the columns of what was counted there in the other pixels, class by class."""
        return slice(self.here_columns.stop, self.here_columns.stop + self.class_count)

    def total(self, rows: NDArray[np.int64]) -> ClassCounts:
        """Return the sum of committed rows, int64 (n, columns), as counts; Python integers, so it cannot wrap."""
        sums = [int(s) for s in rows.sum(axis=0)] if len(rows) else [0] * (self.status_column + 1)
        n = self.class_count
        return ClassCounts(
            tuple(sums[:n]), sums[n], sums[n + 1], sums[n + 2], tuple(sums[self.signal_columns]), len(rows)
        )

    def skipped_px(self, rows: NDArray[np.int64]) -> int:
        """Return the level-0 pixels of a class in tiles that were not read, of committed rows, int64 (n, columns)."""
        skipped = rows[rows[:, self.status_column] == TileStatus.SKIPPED]
        return int(skipped[:, : self.class_count].sum())
