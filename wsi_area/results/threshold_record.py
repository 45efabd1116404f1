"""results: what a ledger says of other thresholds, as the result keeps it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.cut.probing import probed_tiles
from wsi_area.compute.judge.threshold_stability import shares_by_shift
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_threshold import MovedThreshold, ThresholdOnRecord


def threshold_on_record(
    rows: NDArray[np.int64], columns: LedgerLayout, plan: SlidePlan, facts: Mapping[str, Any]
) -> ThresholdOnRecord | None:
    """Return the tissue at each threshold; None where no threshold tells it, or the ledger has no count of it.

    Parameters
    ----------
    rows
        int64 (grid rows, grid columns, columns): the ledger of the tiles as they were committed.
    columns
        Its layout.
    plan
        The cut, which names the tiles that were counted at each threshold.
    facts
        Of the fitted segmenter: its thresholds.
    """
    thresholds = facts.get("threshold_by_shift")
    flat = rows.reshape(-1, rows.shape[-1])
    if not thresholds or flat.shape[1] < len(columns.columns):
        return None
    of_tiles = sum(plan.is_read(number) for number in range(plan.tile_count))
    counted = flat[sorted(probed_tiles(plan)), columns.threshold_columns]
    shares = shares_by_shift(counted, of_tiles) if of_tiles else None
    moved = []
    for column, (shift, threshold) in enumerate(thresholds.items()):
        share, u = (None, None) if shares is None else shares[shift]
        known_u = None if u is None or math.isnan(u) else u
        n_px = int(counted[:, column].sum())
        moved.append(MovedThreshold(shift=shift, threshold=threshold, n_px=n_px, share_of_used=share, share_u=known_u))
    return ThresholdOnRecord(tiles=len(counted), of_tiles=of_tiles, moved=tuple(moved))
