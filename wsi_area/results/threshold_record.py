"""results: what a ledger says of other thresholds, as the result keeps it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.cut.probing import evenly_among
from wsi_area.compute.judge.threshold_stability import shares_by_shift
from wsi_area.model.ledger import LedgerLayout, TileStatus
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
    return counted_on_record(rows, columns, [n for n in range(plan.tile_count) if plan.is_read(n)], facts)


def threshold_again(
    rows: NDArray[np.int64], columns: LedgerLayout, facts: Mapping[str, Any]
) -> ThresholdOnRecord | None:
    """Return the same from the ledger alone, which says of each tile whether it was read; as `threshold_on_record`."""
    flat = rows.reshape(-1, rows.shape[-1])
    is_read = flat[:, columns.status_column] != TileStatus.SKIPPED  # what lies outside the region is skipped, too
    return counted_on_record(rows, columns, np.flatnonzero(is_read).tolist(), facts)


def counted_on_record(
    rows: NDArray[np.int64], columns: LedgerLayout, read: Sequence[int], facts: Mapping[str, Any]
) -> ThresholdOnRecord | None:
    """Return the tissue at each threshold, of the tiles that were read, by their numbers in order."""
    thresholds = facts.get("threshold_by_shift")
    flat = rows.reshape(-1, rows.shape[-1])
    if not thresholds or flat.shape[1] < columns.threshold_columns.stop:
        return None
    of_tiles = len(read)
    counted = flat[sorted(evenly_among(read)), columns.threshold_columns]
    shares = shares_by_shift(counted, of_tiles) if of_tiles else None
    moved = []
    for column, (shift, threshold) in enumerate(thresholds.items()):
        share, u = (None, None) if shares is None else shares[shift]
        known_u = None if u is None or math.isnan(u) else u
        n_px = int(counted[:, column].sum())
        moved.append(MovedThreshold(shift=shift, threshold=threshold, n_px=n_px, share_of_used=share, share_u=known_u))
    return ThresholdOnRecord(tiles=len(counted), of_tiles=of_tiles, moved=tuple(moved))
