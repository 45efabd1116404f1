"""results: what some spots hold of each class and total, from their rows of the ledger."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.estimate.slide_frame import Quantity
from wsi_area.model.ledger import LedgerLayout


def quantity_counts(
    rows: NDArray[np.int64], columns: LedgerLayout, quantities: Sequence[Quantity]
) -> NDArray[np.float64]:
    """Return the level-0 pixels of each quantity in each spot, float64 (m, q).

    Parameters
    ----------
    rows : int64 (m, columns)
    columns : LedgerLayout
    quantities : sequence of Quantity
    """
    by_class = rows[:, : columns.class_count].astype(np.float64)
    return np.stack([by_class[:, list(q.class_ids)].sum(axis=1) for q in quantities], axis=1)
